#!/bin/sh
# Startup probe: the server answers at all, be it that it is still loading its data.
# shellcheck source-path=SCRIPTDIR source=ask.sh
. "${0%/*}/ask.sh"
case $(ask "$LOCAL" PING) in PONG* | LOADING* | MASTERDOWN* | BUSY*) exit 0 ;; esac
exit 1
