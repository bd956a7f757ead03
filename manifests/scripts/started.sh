#!/bin/sh
# Startup probe. It is asked every three seconds, the readiness probe every ten: a pod that gets ready within its first
# minute is seen soon, and that many probes are not paid for ever. Later it is enough that the server
# answers. One that still loads its data after ten seconds has started: it may take hours, and is not to be restarted.
# shellcheck source-path=SCRIPTDIR source=ask.sh
. "${0%/*}/ask.sh"

# After a restart of all pods a server serves before it knows where each of the others is now, and clients of its slots
# would be sent to ":0". One that stays away for long keeps nobody from starting.
knows_addresses() {
  case $(ask "$LOCAL" CLUSTER NODES) in *"master,noaddr "* | *"slave,noaddr "*) return 1 ;; esac
}

# Probes of many pods that start at once are much of what forming a cluster costs: none of the processes that a question
# takes is started before there can be an answer that matters.
read -r began _ 2>/dev/null <"$RUN/began" || exit 1
read -r now _ </proc/uptime
age=$((${now%.*} - ${began%.*}))
if [ -e "$DATA/.joined" ]; then
  # shellcheck source=/dev/null
  (. "${0%/*}/ready.sh") && { [ "$age" -ge 15 ] || knows_addresses; } && exit 0
fi
[ "$age" -ge 60 ] || { [ "$age" -ge 10 ] && [ -e "$DATA/.joined" ]; } || exit 1
CR=$(printf '\r')
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
