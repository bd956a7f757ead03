#!/bin/sh
# Startup probe. It is asked every two seconds, the readiness probe every few: a pod that gets ready within its first
# minute is seen soon, and that many probes are not paid for ever. Later it is enough that the server
# answers. One that still loads its data after ten seconds has started: it may take hours, and is not to be restarted.
# shellcheck source-path=SCRIPTDIR source=ask.sh
. "${0%/*}/ask.sh"
# Probes of many pods that start at once are much of what forming a cluster costs: none of the processes that a question
# takes is started before there can be an answer that matters.
if [ -e "$DATA/.joined" ]; then
  # shellcheck source=/dev/null
  (. "${0%/*}/ready.sh") && exit 0
fi
read -r began _ 2>/dev/null <"$RUN/began" || exit 1
read -r now _ </proc/uptime
[ $((${now%.*} - ${began%.*})) -ge 10 ] || exit 1
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
