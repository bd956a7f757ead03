# shellcheck shell=sh disable=SC2154
# Sourced by agent.sh: CLUSTER MEET on a node that is known already sets its address and is harmless otherwise.

# meet <ip> <id> <why>: only if the server at that address still is that node. Says so once until all is well. Not again
# within two seconds: a Valkey server that is greeted by a node it knows begins its link with it again, and pods that
# greet each other at every tick never get to know each other.
met=
greeted= # "id@ip hundredths of a second" of the greetings since all was well, each in spaces
meet() {
  case $greeted in
  *" $2@$1 "*)
    last=${greeted##*" $2@$1 "}
    [ $((begun - ${last%% *})) -ge 200 ] || return 0
    ;;
  esac
  [ "$(ask "$1" CLUSTER MYID)" = "$2" ] || return 1
  case $met in *"$2@$1"*) ;; *) met="$met $2@$1" && say "meet $2 at $1: $3" ;; esac
  greeted="$greeted $2@$1 $begun "
  [ "$(ask "$LOCAL" CLUSTER MEET "$1" "$PORT" "$BUS")" = OK ]
}

# A node that I know answers at another address, has no link with me, has forgotten me, or is known to others of my
# cluster only (the latter two twice in a row, since we may just be getting to know each other). After a restart of all
# pods at once nobody knows anybody's address, and redis by itself never finds out.
unlisted=
heal_addresses() {
  suspects=$unlisted unlisted=
  ill=$(printf '%s\n' "$view" | pods_awk -v pods="$pods" -v me="$my_id" '
    BEGIN {
      n = split(pods, line, "\n")
      for (i = 1; i <= n; i++) { split(line[i], f, " "); ip[f[ID]] = f[IP]; ids[f[ID]] = f[IDS] }
    }
    NF < 8 || $3 ~ /handshake/ { next }
    { known[$1] = 1 }
    $3 ~ /myself/ || !($1 in ip) { next }
    {
      address = $2; sub(/@.*/, "", address); sub(/:[0-9]*$/, "", address)
      if (address != ip[$1]) print ip[$1], $1, "was-at-" (address == "" ? "no-address" : address)
      else if ($3 ~ /fail|noaddr/ || $8 != "connected") print ip[$1], $1, "no-link"
      else if (!index(ids[$1], "," me ",")) print ip[$1], $1, "does-not-know-me"
    }
    END {
      for (id in ip) if (!(id in known)) {
        fellow = index(ids[id], "," me ",")
        n = split(ids[id], k, ",")
        for (j = 2; j < n; j++) if (k[j] != id && (k[j] in known) && (k[j] in ip)) fellow = 1
        if (fellow) print ip[id], id, "unknown-to-me"
      }
    }')
  while read -r ip id why; do
    [ -n "$ip" ] || continue
    case $why in
    does-not-know-me | unknown-to-me)
      unlisted="$unlisted $id"
      case $suspects in *"$id"*) ;; *) continue ;; esac
      ;;
    esac
    meet "$ip" "$id" "$why" || :
  done <<END
$ill
END
}

# Nodes that failed, own no slot and will not come back as they were: the pod answers under another id (its volume is
# gone), or its pod was scaled away: it has been gone for a minute, its name is unknown while my own is known, and every
# pod that answers has a lower number. Gossip brings no names: the others are asked for them, and what nobody has a name
# for, or nobody else knows, goes too, and sooner where every pod answers. A pod that merely has no worker for the moment
# may look the same; when it is back it knows the others, asks them to meet it again, and is the replica that it was.
lasting= # "id since" of those that may have been scaled away or are known to me alone, each in spaces
forget_ghosts() {
  ghosts=$(printf '%s\n' "$view" | pods_awk -v pods="$pods" -v master="$master" '
    BEGIN {
      n = split(pods, line, "\n")
      for (i = 1; i <= n; i++) {
        split(line[i], f, " ")
        holder[f[ORDINAL]] = f[ID]; alive[f[ID]] = 1; all = all f[IDS]; followed[f[MASTER]] = 1
        if (f[ORDINAL] + 0 > highest) highest = f[ORDINAL] + 0
        count = split(f[LOST], gone, ",")
        for (j = 1; j <= count; j++) if (split(gone[j], part, "/") > 1 && part[2] ~ /^[0-9]+$/) called[part[1]] = part[2]
      }
    }
    NF != 8 || $1 == master || $3 ~ /myself|handshake/ || ($1 in alive) || ($1 in followed) { next }
    $3 !~ /fail|noaddr/ && $8 == "connected" { next }
    {
      name = $2
      if (sub(/^[^,]*,/, "", name)) { sub(/\..*/, "", name); sub(/^.*-/, "", name) } else name = called[$1]
      if (name in holder) print $1, "now", "pod-" name "-answers-as-" holder[name]
      else if (name ~ /^[0-9]+$/) { if (name + 0 > highest && $3 !~ /fail\?/) print $1, name, "pod-" name "-was-scaled-away" }
      else if (n > 1 && split(all, seen, "," $1 ",") == 2) print $1, "alone", "nobody-else-knows-it"
      else if (n > 1 && $3 !~ /fail\?/) print $1, "nameless", "no-pod-answers-as-it-and-nobody-knows-its-name"
    }')
  [ -n "$ghosts" ] || {
    lasting=
    return 0
  }
  before=$lasting lasting=
  while read -r id what why; do
    if [ "$what" != now ]; then
      if [ "$what" = alone ] || { [ "$what" = nameless ] && every_pod_answers; }; then
        # The others forget it at about the same time, and must not hear of it again when their minute is over.
        lasted "$id" 10 || continue
      else
        lasted "$id" "${GONE_SECONDS:-60}" || continue
        [ "$what" = nameless ] || has_no_name "$what" || continue
      fi
    fi
    may_change || return 0
    say "forget $id ($why): $(ask "$LOCAL" CLUSTER FORGET "$id")"
  done <<END
$ghosts
END
}

# Every address behind the Service is a pod that answers.
every_pod_answers() { [ "$(printf '%s\n' "$peers" | grep -c .)" -lt "$(printf '%s\n' "$pods" | grep -c .)" ]; }

# lasted <id> <seconds>: it has been so at every look for that long.
lasted() {
  case $before in
  *" $1 "*) since=${before#*" $1 "} since=${since%% *} ;;
  *) since=$(date +%s) ;;
  esac
  lasting="$lasting $1 $since "
  [ $(($(date +%s) - since)) -ge "$2" ]
}

# A name server that answers for me and knows nothing of that pod; one that does not answer proves nothing.
has_no_name() {
  [ -n "$(resolve "$POD_NAME.$SET")" ] && [ -z "$(resolve "$SET-$1.$SET")" ]
}
