#!/bin/sh
# Liveness probe: loading, waiting for a master and running a long script are no reasons to be restarted.
# A wrong password is not either: a restart would not fix it.
# shellcheck source-path=SCRIPTDIR source=ask.sh
. "${0%/*}/ask.sh"
ASK_SECONDS=4
case $(ask "$LOCAL" PING) in PONG* | LOADING* | MASTERDOWN* | BUSY* | NOAUTH* | WRONGPASS*) exit 0 ;; esac
exit 1
