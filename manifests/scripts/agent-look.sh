# shellcheck shell=sh disable=SC2034,SC2154
# Sourced by agent.sh and prestop.sh: what the local server says, and what every pod says about itself.
# (The variables set here are read in the other parts; shellcheck sees one file at a time.)

LINE_FEED='
'
CR=$(printf '\r')
QUESTIONS='DBSIZE
CLUSTER NODES
CLUSTER INFO
CONFIG GET proc-title-template
INFO replication
INFO persistence'

# One call on the local server, taken apart line by line without further processes: `read` would make a system call a
# byte, and a pattern over all the text takes the square of its length. Sets
#   view (all answers), my_id, role, master, slots, known, assigned, state, size, link, upstream (the master's address),
#   replid, offset, loading, append_only, rewriting and trouble where a link or a flag is not as it should be
#   ("copying" where nothing is missing but its master's data, which are on their way).
read_local() {
  view=$(ask "$LOCAL" <<END
$QUESTIONS
END
  ) || return 1
  my_id='' role='' master='' slots=- known=0 trouble='' link='' upstream='' replid='' offset='' rewriting=''
  assigned=0 state='' loading=0 append_only=0 copying=''
  set -f
  IFS=$LINE_FEED
  # shellcheck disable=SC2086
  set -- $view
  unset IFS
  size=${1:-}
  for line in "$@"; do
    line=${line%"$CR"}
    case $line in
    cluster_state:*) state=${line#*:} ;;
    cluster_slots_assigned:*) assigned=${line#*:} ;;
    master_link_status:*) link=${line#*:} ;;
    master_sync_in_progress:1) copying=copying ;;
    master_host:*) upstream=${line#*:} ;;
    master_replid:*) replid=${line#*:} ;;
    master_repl_offset:*) offset=${line#*:} ;;
    loading:*) loading=${line#*:} ;;
    aof_enabled:*) append_only=${line#*:} ;;
    aof_rewrite_in_progress:1 | aof_rewrite_scheduled:1) rewriting=yes ;;
    *:*@*' '*)
      # shellcheck disable=SC2086
      set -- $line
      read_node "$@"
      ;;
    esac
  done
  set +f
  case $size in '' | *[!0-9]*) return 1 ;; esac
  case $role,$link in slave,up | master,*) ;; *) trouble=${trouble:-${copying:-yes}} ;; esac
  [ -n "$my_id" ]
}

# read_node <the fields of a line of CLUSTER NODES>
read_node() {
  case ${3:-} in
  *myself*)
    known=$((known + 1)) my_id=$1
    case $3 in *slave*) role=slave master=$4 ;; *) role=master ;; esac
    if [ $# -gt 8 ]; then shift 8 && slots=$*; fi
    ;;
  *slave* | *master* | *handshake*)
    known=$((known + 1))
    case "$3 $8" in *fail* | *noaddr* | *handshake* | *disconnected*) trouble=yes ;; esac
    ;;
  esac
}

# How far this copy of the data has come, kept beside it, since a restart from the append-only file forgets it: start.sh
# publishes it for the others to compare. Not while it is no copy of anything (no link since the start) and not while
# the file on disk still holds an older state than memory (the rewrite after a full copy).
recorded=
record() {
  case $role,$link,$slots in
  master,*,-)
    recorded=none
    return 0
    ;;
  master,* | slave,up,*) ;;
  *) return 0 ;;
  esac
  [ "$loading,$rewriting" = 0, ] || return 0
  [ "$append_only" = 0 ] || [ -e "$DATA/.append-only" ] || : >"$DATA/.append-only"
  reached="$replid:$offset ${master:-$my_id}"
  [ "$recorded" != "$reached" ] || return 0
  echo "$reached" 2>/dev/null >"$DATA/.progress" && recorded=$reached
}

# Sets peers to the other pods' addresses. A name server may cache the Service's answer from before all pods were there,
# so as long as pods are missing they are asked for by their own names too.
# A pod that is alone and empty, and not the one that forms clusters, merely has to hear of a cluster to join: it asks
# pod 0 and a few of the others in turn. When many pods start at once their questions to all would cost more than the
# servers themselves.
find_peers() {
  peers=$(resolve "$SET")
  if [ "$known" = 1 ] && [ "$slots" = - ] && [ "$ORDINAL" != 0 ]; then
    peers=$(
      resolve "$SET-0.$SET"
      printf '%s\n' "$peers" | awk -v turn="$ticks" 'NF { ip[n++] = $1 } END { for (i = 0; i < 3 && i < n; i++) print ip[(turn * 3 + i) % n] }'
    )
  else
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

# What many addresses answer to the lines of standard input, a line "@ <ip>" before each answer. Eight at a time: one
# that is gone must not hold up the others, and the agent's memory is small.
ask_all() {
  folder=${SCRATCH:-/dev/shm}
  [ -w "$folder" ] || folder=$DATA
  folder=$folder/.asked.$$
  mkdir -p "$folder"
  slurp
  questions=${text%"$LINE_FEED"}
  asking=0
  for ip in "$@"; do
    ask "$ip" >"$folder/$ip" <<END &
$questions
END
    asking=$((asking + 1))
    [ $((asking % 8)) != 0 ] || wait
  done
  wait
  (cd "$folder" && [ $# -gt 0 ] && awk 'FNR == 1 { print "@ " FILENAME } { print }' "$@")
  rm -rf "$folder"
}

# awk over lines of pods, whose columns it knows by name (see below): $ID, and f[ID] of a line that was split into f.
pods_awk() {
  awk -v ORDINAL=1 -v IP=2 -v ID=3 -v ROLE=4 -v MASTER=5 -v SLOTS=6 -v KNOWN=7 -v ASSIGNED=8 -v SIZE=9 -v EPOCH=10 \
    -v IDS=11 -v WORKER=12 -v REACHED=13 -v LINK=14 -v LOST=15 "$@"
}

# Asks every pod for its own line, since what gossip says about roles lags. Sets pods, a line each:
#   1 ordinal 2 ip 3 id 4 role 5 master 6 slots 7 known 8 assigned 9 size 10 epoch 11 ids 12 worker 13 reached 14 link 15 lost
# ("-" where there is nothing; ids: all it knows, in commas; lost: those of them it has no link with, each as
# id/ordinal/1 if it owns slots; reached: how far its copy has come, from before its start where it has not been linked
# since). Only servers that announce a name of this very StatefulSet count: an address may be somebody else's by now.
look_around() {
  find_peers
  # shellcheck disable=SC2086
  pods=$(
    {
      printf '@ %s\n%s\n' "$POD_IP" "$view"
      printf '%s\n' "$QUESTIONS" | ask_all $peers
    } | summarise
  )
}

summarise() {
  awk -v set="$SET" -v domain="$DOMAIN" '
    function finish() {
      if (ordinal != "" && size != "") {
        if (role == "master") link = "-"
        print ordinal, ip, id, role, master, slots, known, assigned, size, epoch, ids, worker, (role == "slave" && link != "up" && since < 0 ? was : replid ":" offset), link, lost
      }
      ordinal = size = ""; since = -1; known = assigned = 0; ids = lost = ","; worker = was = link = "-"
    }
    { sub(/\r$/, "") }
    $1 == "@" { finish(); ip = $2; next }
    NF == 1 && $1 ~ /^[0-9]+$/ { size = $1; next }
    $1 ~ /^[a-z_]+:/ {
      value = $1; sub(/^[^:]*:/, "", value)
      if ($1 ~ /^cluster_slots_assigned:/) assigned = value
      else if ($1 ~ /^master_link_status:/) link = value
      else if ($1 ~ /^master_link_down_since_seconds:/) since = value
      else if ($1 ~ /^master_replid:/) replid = value
      else if ($1 ~ /^master_repl_offset:/) offset = value
      next
    }
    / worker=/ {
      for (i = 1; i <= NF; i++) {
        if ($i ~ /^worker=./) worker = substr($i, 8)
        if ($i ~ /^was=./) was = substr($i, 5)
      }
      next
    }
    NF < 8 { next }
    { known++; if ($3 !~ /handshake/) ids = ids $1 "," }
    $3 !~ /myself/ {
      if ($3 !~ /fail|noaddr/ && $8 == "connected") next
      name = $2
      if (sub(/^[^,]*,/, "", name)) { sub(/[.,].*/, "", name); sub(/^.*-/, "", name) }
      lost = lost $1 "/" (name ~ /^[0-9]+$/ ? name : "?") "/" (NF > 8) ","
      next
    }
    {
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
