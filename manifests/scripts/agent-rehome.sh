# shellcheck shell=sh disable=SC2034,SC2154
# Sourced by agent.sh: restarts may leave a master without a replica while another has two; after a drain a master and
# its only replica may share a worker, and would be lost together.

# Acts on one shard at a time, for the cluster as a whole: only while every node is well, linked and in step. The agent
# of one replica among those concerned decides, if it sees the same twice in a row.
remedy=
rehome() {
  finish_exchange && return 0
  found=$(printf '%s\n' "$pods" | rehoming)
  before=$remedy remedy=$found
  [ -n "$found" ] || return 0
  if [ "$found" != "$before" ]; then
    looked=$((ticks - LOOK_EVERY)) # look again at the next tick
    return 0
  fi
  remedy=
  # shellcheck disable=SC2086
  set -- $found
  may_change "$2" "$6" || return 0
  case $1 in
  spread) say "$4 has no replica, and this shard has more than one: this pod becomes its replica" ;;
  *) say "a master and its replicas share a Kubernetes node, $1: $3 becomes a replica of $4, and this pod of $5" ;;
  esac
  answer=$(printf 'CLUSTER MYID\nCLUSTER REPLICATE %s\n' "$4" | ask "$2")
  [ "$answer" = "$3${LINE_FEED}OK" ] || {
    say "$3 at $2 replied: $answer"
    return 0
  }
  [ "$1" != exchange ] || {
    # Written down, since this agent may end between the two.
    echo "$5" >"$DATA/.exchange"
    finish_exchange || :
  }
}

# Both change sides at once, so that either shard lacks a copy for the time of one.
finish_exchange() {
  [ -e "$DATA/.exchange" ] || return 1
  read -r target <"$DATA/.exchange"
  if [ "$role" = slave ] && [ "$master" != "$target" ]; then say "replica of $target: $(ask "$LOCAL" CLUSTER REPLICATE "$target")"; fi
  rm -f "$DATA/.exchange"
}

# Prints what this pod shall bring about, if it is the one:
#   "spread <my ip> <my id> <a master> - <its ip>": I am the highest of the most replicas, and that master has none
#   "move <ip> <id> <my master> - <ip>": that replica of a shard with more copies comes to this one
#   "exchange <ip> <id> <my master> <its master> <its master's ip>": that replica and this pod change places
# Simplest first: a shard that has more replicas than this one gives one away.
rehoming() {
  pods_awk -v me="$my_id" -v known="$known" '
    {
      n++; id[n] = $ID; ip[n] = $IP; master[n] = $MASTER; worker[n] = $WORKER; slave[n] = $ROLE == "slave"; place[$ID] = n
      if ($KNOWN != known || $LOST != "," || (slave[n] && $LINK != "up")) unwell = 1
      if ($WORKER == "-") unplaced = 1
      if (slave[n] && ++count[$MASTER] > count[most]) most = $MASTER
      if (slave[n]) last[$MASTER] = n
      if ($SLOTS != "-") serving[++served] = $ID
    }
    function apart(r) { return worker[r] != worker[place[master[r]]] }
    END {
      if (unwell || n != known) exit
      for (m = 1; m <= served && serving[m] in count; m++);
      if (m <= served && count[most] > 1) {
        if (id[last[most]] == me) print "spread", ip[last[most]], me, serving[m], "-", ip[place[serving[m]]]
        exit
      }
      if (unplaced) exit
      for (r = 1; r <= n; r++) if (slave[r] && apart(r)) safe[master[r]]++
      for (r = 1; r <= n && !(slave[r] && !(master[r] in safe)); r++);
      if (r > n || id[r] != me) exit
      home = worker[r]
      for (o = 1; o <= n; o++) {
        if (!slave[o] || worker[o] == home || count[master[o]] <= count[master[r]]) continue
        if (safe[master[o]] - apart(o) > 0) { print "move", ip[o], id[o], master[r], "-", ip[o]; exit }
      }
      for (o = 1; o <= n; o++) {
        if (!slave[o] || master[o] == master[r] || worker[o] == home) continue
        other = place[master[o]]
        if (worker[other] != home || safe[master[o]] - apart(o) > 0) { print "exchange", ip[o], id[o], master[r], master[o], ip[other]; exit }
      }
    }'
}
