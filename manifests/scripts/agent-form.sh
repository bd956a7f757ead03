# shellcheck shell=sh disable=SC2154
# Sourced by agent.sh: pod 0 makes a cluster out of pods that all answer and are all empty.
# What pods own already counts, so a formation that was interrupted is simply gone on with.

form() {
  plan=$(printf '%s\n' "$pods" | formation "$(configured_timeout)" "$(nothing_to_come_back && echo yes)")
  case $plan in
  wait*)
    say_once "not forming a cluster: ${plan#wait }"
    return 0
    ;;
  esac
  may_change || return 0
  # Slots and epochs everywhere before anybody meets: an epoch can be set only on a node that knows no other.
  say_once "forming $SET of $WANT empty pods"
  owning=
  for phase in forget own meet; do
    [ "$phase$owning" != meetyes ] || sleep 0.5
    while read -r step ip id commands; do
      [ "$step" = "$phase" ] || continue
      [ "$phase" != own ] || owning=yes
      [ "$step" != forget ] || say "pod at $ip forgets lost nodes that held nothing: $commands"
      answer=$(printf 'CLUSTER MYID\n%s\n' "$commands" | tr '|' '\n' | ask "$ip")
      case $answer in
      "$id"*ERR* | "$id"*NOAUTH*) say "form: $ip replied: $answer" ;;
      "$id"*) ;;
      *)
        say "form: $ip is no longer $id, looking again"
        return 0
        ;;
      esac
    done <<END
$plan
END
  done
  give_roles
}

# Pods without slots become replicas, as their own agents would choose some seconds later, each after questions to all.
# A server knows the others a moment after they met. What cannot be done here is left to that pod's agent.
give_roles() {
  followers=$(printf '%s\n' "$plan" | sed -n 's/^pod //p' | assignments)
  tries=0
  while [ -n "$followers" ] && [ "$tries" -lt 12 ]; do
    tries=$((tries + 1)) waiting=
    sleep 0.3
    while read -r ip id _ target; do
      [ -n "$target" ] || continue
      answer=$(printf 'CLUSTER MYID\nCLUSTER REPLICATE %s\n' "$target" | ask "$ip")
      case $answer in
      "$id$LINE_FEED"OK*) say "$id at $ip becomes a replica of $target" ;;
      "$id"*Unknown*) waiting="$waiting$ip $id - $target$LINE_FEED" ;;
      *) say "form: $ip replied: $answer" ;;
      esac
    done <<END
$followers
END
    followers=$waiting
  done
}

# A pod lost its volume while the cluster was being formed: the node that it was owns slots for ever.
lost_owner() { printf '%s\n' "$view" | awk '$3 ~ /fail|noaddr/ && $3 !~ /fail\?/ && NF > 8 { lost = 1 } END { exit !lost }'; }

# Prints "wait <reason>", or a line per step: "forget|own|meet <ip> <id> <commands in bars>", and "pod" with each pod's line
# as it will be then.
# Masters are spread over the workers, then among the lowest ordinals, so that scaling down takes replicas first.
# Nodes that are none of the pods hold the formation up, but are forgotten where nobody has a link with them, since all
# pods are here and empty: a pod lost its volume meanwhile. A replica of such a node takes over where that is all that is
# missing (see agent-recover.sh). Where it never heard of its master's slots, or most masters are gone, it cannot, and
# follows another one instead.
# A server that was alone for more than two seconds serves its first slots only a cluster-node-timeout later (seen with
# Redis 7.0 and 8.6, and no sooner than half a second). So that is made short while it still knows nobody whom it could
# take for failed by that, and is as configured again before it meets the others.
formation() {
  pods_awk -v timeout="$1" -v nameless="$2" -v masters="$MASTERS" -v want="$WANT" -v port="$PORT" -v bus="$BUS" '
    {
      ip[$ORDINAL] = $IP; id[$ORDINAL] = $ID; role[$ORDINAL] = $ROLE; slots[$ORDINAL] = $SLOTS; known[$ORDINAL] = $KNOWN; size[$ORDINAL] = $SIZE
      epoch[$ORDINAL] = $EPOCH; ids[$ORDINAL] = $IDS; worker[$ORDINAL] = $WORKER; lost[$ORDINAL] = $LOST; mine[$ID] = 1
      line[$ORDINAL] = $0
      if ($ROLE == "slave") follows[$ORDINAL] = $MASTER
      if ($ROLE == "slave" && $ASSIGNED == 16384 && owners_lost($LOST) * 2 < masters) replaced[$MASTER] = 1
    }
    function first(i) { return int(16384 * i / masters) }
    function range(i) { return first(i) "-" first(i + 1) - 1 }
    function owners_lost(list) { return gsub("/1,", "", list) }
    function survivor(i,   m) { for (m in ip) if (role[m] == "master" && slots[m] != "-" && index(ids[i], "," id[m] ",")) return id[m] }
    END {
      for (i = 0; i < want; i++) if (!(i in ip)) missing = missing " " i
      for (i in ip) {
        if (slots[i] != "-") {
          for (r = 0; r < masters && slots[i] != range(r); r++);
          if (r == masters) why = "pod " i " owns slots"
          else { owned[r] = 1; owner[i] = 1; on[worker[i]]++ }
        }
        if (size[i] > 0) {
          if (slots[i] == "-") why = "pod " i " holds keys"
          else holding = "pod " i " holds keys"
        }
        n = split(lost[i], k, ",")
        for (j = 2; j < n; j++) {
          split(k[j], node, "/")
          if (node[1] in mine) continue
          if (node[1] in replaced) why = "node " node[1] ", which is gone, has a replica that takes over"
          else if (node[2] == "?" ? node[3] && !nameless : !(node[2] in ip)) why = "node " node[1] " may come back"
          else {
            if (follows[i] == node[1]) {
              forget[i] = forget[i] "|CLUSTER REPLICATE " survivor(i)
              # It gets its role again.
              $0 = line[i]; $ROLE = "master"; $MASTER = "-"; line[i] = $0
            }
            forget[i] = forget[i] "|CLUSTER FORGET " node[1]
          }
        }
      }
      for (i in ip) {
        n = split(ids[i], k, ",")
        for (j = 2; j < n; j++) {
          if (k[j] in mine) continue
          if (!index(lost[i], "," k[j] "/")) why = "pod " i " knows node " k[j] ", which is none of the pods"
          if (holding != "") why = holding
        }
      }
      if (missing != "") { print "wait no answer yet from pod" missing; exit }
      if (why != "") { print "wait " why; exit }
      for (r = 0; r < masters; r++) {
        if (r in owned) continue
        best = ""
        for (i = 0; i < want; i++) {
          if ((i in owner) || role[i] != "master") continue
          if (best == "" || (worker[i] != "-" && on[worker[i]] + 0 < on[worker[best]] + 0)) best = i
        }
        if (best == "") { print "wait every pod without slots is a replica"; exit }
        owner[best] = 1; on[worker[best]]++; chosen[best] = 1
      }
      r = 0
      for (i in forget) print "forget", ip[i], id[i], substr(forget[i], 2)
      for (i = 0; i < want; i++) {
        own = ""
        if (known[i] == 1 && epoch[i] == 0) own = "|CLUSTER SET-CONFIG-EPOCH " i + 1
        if (i in chosen) {
          while (r in owned) r++
          if (known[i] == 1) own = own "|CONFIG SET cluster-node-timeout 500"
          own = own "|CLUSTER ADDSLOTSRANGE " first(r) " " first(r + 1) - 1
          slots[i] = range(r++)
        }
        if (own != "") print "own", ip[i], id[i], substr(own, 2)
        acquaint = known[i] == 1 ? "|CONFIG SET cluster-node-timeout " timeout : ""
        for (j = 0; j < i; j++) if (!index(ids[i], "," id[j] ",")) acquaint = acquaint "|CLUSTER MEET " ip[j] " " port " " bus
        if (acquaint != "") print "meet", ip[i], id[i], substr(acquaint, 2)
        $0 = line[i]; $SLOTS = slots[i]; $KNOWN = want
        print "pod", $0
      }
    }'
}
