#!/bin/sh
# preStop: a master hands its slots to a replica before it is stopped, so that nobody waits for a failover.
# WAIT plus the server's own shutdown must fit into terminationGracePeriodSeconds.
set -u
# shellcheck source-path=SCRIPTDIR source=ask.sh
. "${0%/*}/ask.sh"
# shellcheck source-path=SCRIPTDIR source=agent-look.sh
. "${0%/*}/agent-look.sh"
WAIT=${WAIT:-45}
BEHIND=${BEHIND:-1048576} # bytes a replica may lack and still count as in step
LOG=${LOG:-/proc/1/fd/1}  # a hook's own output is thrown away; this is the container's log

tell() { say "$*" >>"$LOG" 2>/dev/null || :; }

master_with_slots() { ask "$LOCAL" CLUSTER NODES | awk '$3 ~ /myself/ && $3 ~ /master/ && NF > 8 { yes = 1 } END { exit !yes }'; }

# Replicas in step, lowest ordinal first: scaling down stops the highest ordinals, so that one will survive. Then those
# further behind, by offset, and last "wait" for those that live but are not linked. A line each. Who replicates is taken
# from the links: what gossip says about roles lags.
replicas() {
  printf 'CLUSTER NODES\nINFO replication\n' | ask "$LOCAL" | awk -v behind="$BEHIND" '
    { sub(/\r$/, "") }
    NF >= 8 && $3 ~ /myself/ { me = $1 }
    NF >= 8 && $3 !~ /myself|fail|noaddr/ {
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
      for (ip in of) if (!(ip in online) && of[ip] == me) print 2, 0, "wait"
      for (ip in online) {
        if (end - online[ip] <= behind) print 0, (ip in ordinal ? ordinal[ip] + 0 : 999999), ip
        else print 1, end - online[ip], ip
      }
    }' | sort -k1,1n -k2,2n | awk '{ print $3 }'
}

# The first of them that is not being stopped as well; nothing where the shard has none.
successor() {
  for candidate in $(replicas); do
    [ "$candidate" != wait ] || { echo wait && return; }
    case $(ask "$candidate" INFO replication) in
    *slave_priority:0"$CR"* | '') ;;
    *) echo "$candidate" && return ;;
    esac
  done
}

became_replica() {
  tries=0
  while [ "$tries" -lt 55 ]; do
    case $(ask "$LOCAL" ROLE) in slave*) return 0 ;; esac
    sleep 0.1
    tries=$((tries + 1))
  done
  return 1
}

# Redis before 7.2 announces no shard id: Valkey 8 takes its hand-over for slots that go to another shard, and logs a line
# for each hash slot (9.0 one for each range), 0.1 to 0.4 s in which the new master serves nobody. Keeps it from logging.
quieted=
quiet_valkey() {
  case $(ask "$LOCAL" INFO server) in *redis_version:[1-6].* | *redis_version:7.[01].*) ;; *) return ;; esac
  for address in $(ask "$LOCAL" CLUSTER NODES | awk '$3 !~ /myself|fail|handshake|noaddr/ { sub(/@.*/, "", $2); sub(/:[0-9]*$/, "", $2); print $2 }'); do
    level=$(printf 'INFO server\nCONFIG GET loglevel\n' | ask "$address" | awk '{ sub(/\r$/, "") } /^valkey_version:8\./ { loud = 1 } { last = $0 } END { if (loud) print last }')
    [ -z "$level" ] || [ "$(ask "$address" CONFIG SET loglevel warning)" != OK ] || quieted="$quieted $level=$address"
  done
}

log_again() {
  for one in $quieted; do (ask "${one#*=}" CONFIG SET loglevel "${one%%=*}") >/dev/null; done
}

# However it ends, the others log as before, and how far this copy has come is known after the restart.
trap 'log_again; if read_local; then record; fi' EXIT

# Tells the others that this pod is being stopped (a cluster makes no other use of the priority; a restart resets it).
(ask "$LOCAL" CONFIG SET replica-priority 0) >/dev/null
end=$(($(date +%s) + WAIT))
while [ "$(date +%s)" -lt "$end" ] && master_with_slots; do
  candidate=$(successor)
  case $candidate in
  '')
    tell "no replica that stays could take the slots over"
    exit 0
    ;;
  wait)
    sleep 0.5
    continue
    ;;
  esac
  [ -n "$quieted" ] || quiet_valkey
  answer=$(ask "$candidate" CLUSTER FAILOVER)
  tell "failing over to $candidate: $answer"
  if [ "$answer" != OK ]; then
    sleep 0.5
  elif became_replica; then
    # A second in which clients that still come here are told where the slots are now.
    sleep 1
    exit 0
  fi
done
