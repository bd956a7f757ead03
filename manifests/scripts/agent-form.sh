# shellcheck shell=sh disable=SC2154
# Sourced by agent.sh: pod 0 makes a cluster out of pods that all answer and are all empty.
# The layout follows from the ordinals alone, so a formation that was interrupted is simply gone on with.

form() {
  plan=$(printf '%s\n' "$pods" | formation)
  case $plan in
  wait*)
    say_once "not forming a cluster: ${plan#wait }"
    return 0
    ;;
  esac
  may_change || return 0
  say_once "forming $SET of $WANT empty pods"
  # A master that knew of no slots before serves its own only after waiting for cluster-node-timeout (1 s at the least
  # to be sensible); the pods are empty, so it is short until then. choose_role sets it back.
  # Slots and epochs everywhere before anybody meets: an epoch can be set only on a node that knows no other.
  for phase in own meet; do
    while read -r step ip id commands; do
      [ "$step" = "$phase" ] || continue
      answer=$(printf 'CLUSTER MYID\n%s\n' "$commands" | tr '|' '\n' | ask "$ip")
      case $answer in
      "$id"*ERR* | "$id"*NOAUTH*) say "form: $ip said: $answer" ;;
      "$id"*) ;;
      *)
        say "form: $ip no longer is $id, looking again"
        return 0
        ;;
      esac
    done <<END
$plan
END
  done
}

# Prints "wait <reason>", or a line per step: "own|meet <ip> <id> <commands in bars>".
formation() {
  awk -v masters="$MASTERS" -v want="$WANT" -v port="$PORT" -v bus="$BUS" '
    $1 < want { ip[$1] = $2; id[$1] = $3; role[$1] = $4; slots[$1] = $6; known[$1] = $7; size[$1] = $9; epoch[$1] = $10; ids[$1] = $11; mine[$3] = 1 }
    function first(i) { return int(16384 * i / masters) }
    function range(i) { return first(i) "-" first(i + 1) - 1 }
    END {
      for (i = 0; i < want; i++) {
        if (!(i in ip)) missing = missing " " i
        else if (size[i] > 0) why = "pod " i " holds keys"
        else if (role[i] != "master") why = "pod " i " is a replica"
        else if (slots[i] != "-" && (i >= masters || slots[i] != range(i))) why = "pod " i " owns slots"
        n = split(ids[i], k, ",")
        for (j = 2; j < n; j++) if (k[j] != "" && !(k[j] in mine)) stranger = "pod " i " knows node " k[j] ", which is none of the pods"
      }
      if (missing != "") { print "wait no answer yet from pod" missing; exit }
      if (why == "") why = stranger
      if (why != "") { print "wait " why; exit }
      for (i = 0; i < want; i++) {
        own = ""
        if (known[i] == 1 && epoch[i] == 0) own = "|CLUSTER SET-CONFIG-EPOCH " i + 1
        if (i < masters && slots[i] == "-") own = own "|CONFIG SET cluster-node-timeout 1000|CLUSTER ADDSLOTSRANGE " first(i) " " first(i + 1) - 1
        if (own != "") print "own", ip[i], id[i], substr(own, 2)
        acquaint = ""
        for (j = 0; j < i; j++) if (!index(ids[i], "," id[j] ",")) acquaint = acquaint "|CLUSTER MEET " ip[j] " " port " " bus
        if (acquaint != "") print "meet", ip[i], id[i], substr(acquaint, 2)
      }
    }'
}
