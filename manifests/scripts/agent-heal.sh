# shellcheck shell=sh disable=SC2154
# Sourced by agent.sh: CLUSTER MEET on a node that is known already sets its address and is harmless otherwise.

# meet <ip> <id> <why>: only if the server at that address still is that node. Says so once until all is well.
met=
meet() {
  [ "$(ask "$1" CLUSTER MYID)" = "$2" ] || return 1
  case $met in *"$2@$1"*) ;; *) met="$met $2@$1" && say "meet $2 at $1: $3" ;; esac
  [ "$(ask "$LOCAL" CLUSTER MEET "$1" "$PORT" "$BUS")" = OK ]
}

# A node that I know answers at another address, has no link with me, or has forgotten me (twice in a row, since it may
# just be getting to know me). After a restart of all pods at once nobody knows anybody's address, and redis by itself never finds out.
strangers=
heal_addresses() {
  suspects=$strangers strangers=
  ill=$(printf '%s\n' "$view" | awk -v pods="$pods" -v me="$my_id" '
    BEGIN {
      n = split(pods, line, "\n")
      for (i = 1; i <= n; i++) { split(line[i], f, " "); ip[f[3]] = f[2]; knows[f[3]] = index(f[11], "," me ",") }
    }
    NF < 8 || $3 ~ /myself/ || $3 ~ /handshake/ || !($1 in ip) { next }
    {
      address = $2; sub(/@.*/, "", address); sub(/:[0-9]*$/, "", address)
      if (address != ip[$1]) print ip[$1], $1, "was-at-" (address == "" ? "no-address" : address)
      else if ($3 ~ /fail|noaddr/ || $8 != "connected") print ip[$1], $1, "no-link"
      else if (!knows[$1]) print ip[$1], $1, "does-not-know-me"
    }')
  while read -r ip id why; do
    [ -n "$ip" ] || continue
    if [ "$why" = does-not-know-me ]; then
      strangers="$strangers $id"
      case $suspects in *"$id"*) ;; *) continue ;; esac
    fi
    meet "$ip" "$id" "$why" || :
  done <<END
$ill
END
}

# A node that failed, owns no slot, and whose pod now answers under another id: its volume is gone, it will not come back.
forget_ghosts() {
  ghosts=$(printf '%s\n' "$view" | awk -v pods="$pods" -v master="$master" '
    BEGIN {
      n = split(pods, line, "\n")
      for (i = 1; i <= n; i++) { split(line[i], f, " "); holder[f[1]] = f[3]; alive[f[3]] = 1; all = all f[11] }
    }
    NF != 8 || $1 == master || $3 ~ /myself|handshake/ || ($1 in alive) { next }
    $3 !~ /fail|noaddr/ && $8 == "connected" { next }
    {
      name = $2
      if (sub(/^[^,]*,/, "", name)) {
        sub(/\..*/, "", name); sub(/^.*-/, "", name)
        if (name in holder) print $1, "pod-" name "-answers-as-" holder[name]
      } else if (n > 1 && split(all, seen, "," $1 ",") == 2) print $1, "nobody-else-knows-it"
    }')
  [ -n "$ghosts" ] || return 0
  may_change || return 0
  while read -r id why; do
    say "forget $id ($why): $(ask "$LOCAL" CLUSTER FORGET "$id")"
  done <<END
$ghosts
END
}
