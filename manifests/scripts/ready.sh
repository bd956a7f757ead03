#!/bin/sh
# Readiness probe: this node's role was chosen, the slots are served, and a replica is in touch with its master.
# shellcheck source-path=SCRIPTDIR source=ask.sh
. "${0%/*}/ask.sh"
[ -e "$DATA/.joined" ] || exit 1
[ ! -e "$DATA/.writes-held" ] || exit 1
answer=$(ask "$LOCAL" <<'END'
CLUSTER INFO
INFO replication
END
)
case $answer in
*cluster_state:ok*role:master* | *cluster_state:ok*master_link_status:up*) exit 0 ;;
esac
exit 1
