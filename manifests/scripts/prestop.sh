#!/bin/sh
# preStop: a master hands its slots to a replica before it is stopped, so that nobody waits for a failover.
# WAIT plus the server's own shutdown must fit into terminationGracePeriodSeconds.
set -u
# shellcheck source-path=SCRIPTDIR source=ask.sh
. "${0%/*}/ask.sh"
WAIT=${WAIT:-45}
BEHIND=${BEHIND:-1048576} # bytes a replica may lack and still count as in step

master_with_slots() { ask "$LOCAL" CLUSTER NODES | awk '$3 ~ /myself/ && $3 ~ /master/ && NF > 8 { yes = 1 } END { exit !yes }'; }

# Replicas in step, lowest ordinal first: scaling down stops the highest ordinals, so that one will survive.
# Then those that are further behind, by offset. Prints the first one's address, "wait" while none is linked,
# nothing where the shard has no replica that lives.
successor() {
  printf 'CLUSTER NODES\nINFO replication\n' | ask "$LOCAL" | awk -v behind="$BEHIND" '
    { sub(/\r$/, "") }
    NF >= 8 && $3 ~ /myself/ { me = $1 }
    NF >= 8 && $3 ~ /slave/ && $3 !~ /fail/ {
      name = address = $2
      sub(/@.*/, "", address); sub(/:[0-9]*$/, "", address)
      if (sub(/^[^,]*,/, "", name)) { sub(/\..*/, "", name); sub(/^.*-/, "", name) } else name = 999999
      ordinal[address] = name; of[address] = $4
    }
    /^slave[0-9]+:/ && /state=online/ {
      ip = $0; sub(/^[^=]*=/, "", ip); sub(/,.*/, "", ip)
      offset = $0; sub(/.*,offset=/, "", offset); sub(/,.*/, "", offset)
      online[ip] = offset
    }
    /^master_repl_offset:/ { sub(/.*:/, ""); end = $0 }
    END {
      for (ip in of) if (of[ip] == me) {
        if (!(ip in online)) { waiting = 1; continue }
        step = end - online[ip] <= behind
        if (best == "" || (step && !best_step) || (step && best_step && ordinal[ip] + 0 < ordinal[best] + 0) || (!step && !best_step && online[ip] + 0 > online[best] + 0)) { best = ip; best_step = step }
      }
      if (best != "") print best; else if (waiting) print "wait"
    }'
}

became_replica() {
  tries=0
  while [ "$tries" -lt 60 ]; do
    case $(ask "$LOCAL" ROLE) in slave*) return 0 ;; esac
    sleep 0.1
    tries=$((tries + 1))
  done
  return 1
}

end=$(($(date +%s) + WAIT))
while [ "$(date +%s)" -lt "$end" ] && master_with_slots; do
  heir=$(successor)
  case $heir in
  '') exit 0 ;;
  wait)
    sleep 0.5
    continue
    ;;
  esac
  ask "$heir" CLUSTER FAILOVER >/dev/null
  if became_replica; then
    # A second in which clients that still come here are told where the slots are now.
    sleep 1
    exit 0
  fi
done
