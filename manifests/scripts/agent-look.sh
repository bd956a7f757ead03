# shellcheck shell=sh disable=SC2034,SC2154
# Sourced by agent.sh: what the local server says, and what every pod says about itself.
# (The variables set here are read in the other parts; shellcheck sees one file at a time.)

QUESTIONS='CLUSTER NODES
CLUSTER INFO
DBSIZE'

# One call on the local server, read without further processes:
# sets view, my_id, role, master, slots, known, assigned, state, size; trouble where a link or a flag is not as it should be.
read_local() {
  view=$(ask "$LOCAL" <<END
$QUESTIONS
END
  ) || return 1
  my_id='' role='' master='' slots='-' known=0 assigned=0 state='' size='' trouble=''
  while read -r id address flags of _ _ _ link ranges; do
    case "$flags,$id" in
    ,cluster_state:*) state=${id#*:} state=${state%"$CR"} ;;
    ,cluster_slots_assigned:*) assigned=${id#*:} assigned=${assigned%"$CR"} ;;
    ,*[!0-9]* | ,) ;;
    ,*) size=$id ;;
    *myself*)
      known=$((known + 1)) my_id=$id slots=${ranges:--}
      case $flags in *slave*) role=slave master=$of ;; *) role=master ;; esac
      ;;
    *)
      case $flags in *slave* | *master* | *handshake*) known=$((known + 1)) ;; *) continue ;; esac
      case "$flags $link" in *fail* | *noaddr* | *handshake* | *disconnected*) trouble=yes ;; esac
      ;;
    esac
  done <<END
$view
END
  [ -n "$my_id" ] && [ -n "$size" ]
}

# Sets peers to the other pods' addresses. A name server may cache the Service's answer from before all pods were there,
# so as long as pods are missing they are asked for by their own names too.
find_peers() {
  peers=$(resolve "$SET")
  if [ "$known" = 1 ]; then
    [ "$(printf '%s\n' "$peers" | grep -c .)" -ge "$WANT" ] || {
      i=0
      while [ "$i" -lt "$WANT" ]; do
        peers="$peers
$(resolve "$SET-$i.$SET")"
        i=$((i + 1))
      done
    }
  fi
  peers=$(printf '%s\n' "$peers" | grep -vxF -e "$POD_IP" -e '' | sort -u)
}

# Asks every pod for its own line, since what gossip says about roles lags. Sets pods, a line each:
#   ordinal ip id role master slots known assigned size epoch ids
# ("-" where there is nothing; ids: all it knows, in commas). Only servers that announce a name of this very StatefulSet
# count: an address may have been handed to somebody else since.
look_around() {
  find_peers
  pods=$(
    {
      printf '@ %s\n%s\n' "$POD_IP" "$view"
      for ip in $peers; do
        printf '@ %s\n' "$ip"
        ask "$ip" <<END
$QUESTIONS
END
      done
    } | summarise
  )
}

summarise() {
  awk -v set="$SET" -v domain="$DOMAIN" '
    function finish() {
      if (ordinal != "" && size != "") print ordinal, ip, id, role, master, slots, known, assigned, size, epoch, ids
      ordinal = size = ""; known = assigned = 0; ids = ","
    }
    { sub(/\r$/, "") }
    $1 == "@" { finish(); ip = $2; next }
    NF == 1 && $1 ~ /^[0-9]+$/ { size = $1; next }
    $1 ~ /^cluster_slots_assigned:/ { split($1, field, ":"); assigned = field[2]; next }
    NF < 8 { next }
    { known++; if ($3 !~ /handshake/) ids = ids $1 "," }
    $3 ~ /myself/ {
      split($2, part, ",")
      name = part[2]
      if (substr(name, 1, length(set) + 1) != set "-") next
      rest = substr(name, length(set) + 2)
      dot = index(rest, ".")
      if (dot < 2 || substr(rest, dot + 1) != domain || substr(rest, 1, dot - 1) ~ /[^0-9]/) next
      ordinal = substr(rest, 1, dot - 1); id = $1; epoch = $7
      role = $3 ~ /slave/ ? "slave" : "master"; master = $4
      slots = "-"
      for (i = 9; i <= NF; i++) if ($i !~ /^\[/) slots = slots == "-" ? $i : slots "," $i
    }
    END { finish() }' | sort -n
}
