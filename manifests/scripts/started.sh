#!/bin/sh
# Startup probe. Later, that is after a minute, it is enough that the server answers. One that still loads its data after
# ten seconds has started: it may take hours, and is not to be restarted.
# shellcheck source-path=SCRIPTDIR source=ask.sh
. "${0%/*}/ask.sh"

# After a restart of all pods a server serves before it knows where each of the others is now, and clients of its slots
# would be sent to ":0". One that stays away for long keeps nobody from starting.
knows_addresses() {
  case $(ask "$LOCAL" CLUSTER NODES) in *"master,noaddr "* | *"slave,noaddr "*) return 1 ;; esac
}

# Sets age: seconds since redis-server was started, none where start.sh has not come to that.
read_age() {
  age=
  { read -r began _ <"$RUN/began"; } 2>/dev/null || return 0
  read -r now _ </proc/uptime
  age=$((${now%.*} - ${began%.*}))
}

# To run a probe in a container costs a fifth of a second of a processor, far more than what it does there. So one run
# waits some seconds for the pod to get ready, which is then seen at once; and none of the processes that a question takes
# is started before there can be an answer that matters.
read -r now _ </proc/uptime
deadline=$((${now%.*} + 6))
while read_age && [ "${now%.*}" -lt "$deadline" ]; do
  if [ -n "$age" ] && [ -e "$DATA/.joined" ]; then
    # shellcheck source=/dev/null
    (. "${0%/*}/ready.sh") && { [ "$age" -ge 15 ] || knows_addresses; } && exit 0
    sleep 0.7
  fi
  sleep 0.3
  read -r now _ </proc/uptime
done
[ -n "$age" ] || exit 1
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
