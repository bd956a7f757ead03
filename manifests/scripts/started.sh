#!/bin/sh
# Startup probe. It is asked every second, the readiness probe every few: a pod that gets ready within its first minute
# is seen at once, and a probe a second (a process each) is not paid for ever. Later it is enough that the server
# answers. One that still loads its data after ten seconds has started: it may take hours, and is not to be restarted.
# shellcheck source-path=SCRIPTDIR source=ask.sh
. "${0%/*}/ask.sh"
sh "${0%/*}/ready.sh" && exit 0
answer=$(ask "$LOCAL" <<'END'
INFO server
INFO persistence
END
)
case $answer in
*uptime_in_seconds:[0-9]"$CR"*) exit 1 ;;
*uptime_in_seconds:*loading:1"$CR"*) exit 0 ;;
*uptime_in_seconds:[1-5][0-9]"$CR"*) exit 1 ;;
*uptime_in_seconds:* | LOADING* | MASTERDOWN* | BUSY*) exit 0 ;;
esac
exit 1
