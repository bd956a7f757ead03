#!/bin/sh
# Startup probe. It is asked every second, the readiness probe every few: a pod that gets ready within its first minute
# is seen at once, and a probe a second (a process each) is not paid for ever. Later it is enough that the server
# answers, be it that it is still loading its data.
# shellcheck source-path=SCRIPTDIR source=ask.sh
. "${0%/*}/ask.sh"
sh "${0%/*}/ready.sh" && exit 0
answer=$(ask "$LOCAL" INFO server)
case $answer in
*uptime_in_seconds:[0-9]"$CR"* | *uptime_in_seconds:[1-5][0-9]"$CR"*) exit 1 ;;
*uptime_in_seconds:* | LOADING* | MASTERDOWN* | BUSY*) exit 0 ;;
esac
exit 1
