# shellcheck shell=sh disable=SC2034,SC2086,SC2153,SC2154
# Sourced by backup.sh: who is in the cluster, whether it is healthy, and whom to copy.

# While the password is being replaced every server takes the previous one.
choose_options() {
  [ -z "${PREVIOUS_PASSWORD:-}" ] || export REDISCLI_AUTH="$PREVIOUS_PASSWORD"
  CLI=$(command -v redis-cli || command -v valkey-cli) || fail "The image has no redis-cli."
  OPTIONS=${USERNAME:+--user $USERNAME}
  [ ! -r "$CERTIFICATES/ca.crt" ] || OPTIONS="$OPTIONS --tls --cacert $CERTIFICATES/ca.crt"
  [ ! -r "$CERTIFICATES/tls.key" ] || OPTIONS="$OPTIONS --cert $CERTIFICATES/tls.crt --key $CERTIFICATES/tls.key"
}

# ask <host> <port> [command…]: one call with a time limit; without a command it reads commands from stdin.
ask() {
  asked=$1 asked_port=$2
  shift 2
  timeout "$ASK_SECONDS" "$CLI" -h "$asked" -p "$asked_port" $OPTIONS "$@" 2>"$TMP/ask.$asked.$asked_port"
}

# Every node is asked for its own view: $TMP/nodes gets a line for each that answers:
#   id host port role master epoch offset link memory product version open slots
look() {
  rm -rf "$TMP/look"
  mkdir "$TMP/look"
  seen=$(ask "$SEED" "$PORT" CLUSTER NODES)
  case $seen in
  *myself*) ;;
  NOAUTH* | WRONGPASS* | NOPERM* | ERR*) fail "$SEED refuses: $(printf '%s' "$seen" | head -n 1)" ;;
  *)
    why="No server of the cluster answers at $SEED: $(head -n 1 "$TMP/ask.$SEED.$PORT")."
    return 1
    ;;
  esac
  printf '%s\n' "$seen" | awk -v seed="$SEED" '
    $3 !~ /noaddr|handshake/ {
      sub(/@.*/, "", $2); port = host = $2; sub(/.*:/, "", port); sub(/:[0-9]*$/, "", host)
      print $1, host == "" ? seed : host, port
    }' >"$TMP/known"
  pids=
  while read -r id host port; do
    printf 'CLUSTER NODES\nINFO\n' | ask "$host" "$port" >"$TMP/look/$id" &
    pids="$pids $!"
  done <"$TMP/known"
  wait $pids
  while read -r id host port; do
    describe "$id" "$host" "$port" <"$TMP/look/$id"
  done <"$TMP/known" >"$TMP/nodes"
}

# What answers at the address of a node counts only if it says that it is that node.
describe() {
  awk -v id="$1" -v host="$2" -v port="$3" '
    { sub(/\r$/, "") }
    $3 ~ /myself/ && $1 == id {
      role = $3 ~ /slave/ ? "replica" : "master"; master = role == "replica" ? $4 : id; epoch = $7
      for (i = 9; i <= NF; i++) if ($i ~ /^\[/) open++; else slots = slots (slots == "" ? "" : ",") $i
    }
    { at = index($0, ":"); if (at) info[substr($0, 1, at - 1)] = substr($0, at + 1) }
    END {
      if (role == "" || info["used_memory"] == "") exit
      is_valkey = info["valkey_version"] != ""
      offset = role == "replica" ? info["slave_repl_offset"] : info["master_repl_offset"]
      in_step = role == "replica" && info["master_link_status"] == "up" && info["master_sync_in_progress"] + 0 == 0
      print id, host, port, role, master, epoch, offset + 0, in_step ? "up" : "down", info["used_memory"],
        is_valkey ? "valkey" : "redis", is_valkey ? info["valkey_version"] : info["redis_version"], open + 0, slots == "" ? "-" : slots
    }'
}

# Says what keeps the cluster from being backed up; nothing where it is healthy.
illness() {
  awk '
    $12 > 0 { open = open (open == "" ? "" : ", ") $2 ":" $3 }
    $4 == "master" && $13 != "-" {
      count = split($13, ranges, ",")
      for (i = 1; i <= count; i++) {
        ends = split(ranges[i], range, "-")
        for (slot = range[1]; slot <= range[ends]; slot++) if (owner[slot]++) double = slot
      }
    }
    END {
      for (slot = 0; slot < 16384; slot++) if (!(slot in owner)) { if (!missing++) first = slot }
      if (open != "") print "Slots are being moved (" open ")."
      else if (missing) print missing " of 16384 hash slots, the first of them " first ", are on no server that answers. Repair the cluster first."
      else if (double != "") print "More than one master says that it owns slot " double ". Repair the cluster first."
    }' "$TMP/nodes"
}

# Who owns which slots since when; it must be the same before and after.
layout() { awk '$4 == "master" && $13 != "-" { print $1, $6, $13 }' "$TMP/nodes" | sort; }

# Of each shard the replica that is in sync and holds least in memory, or else the master:
#   master host port epoch slots source host port product version
choose_sources() {
  awk '
    { node[$1] = $0; offset[$1] = $7 }
    $4 == "master" && $13 != "-" { masters[++count] = $1 }
    $4 == "replica" && $8 == "up" { replicas[++all] = $1 }
    END {
      for (i = 1; i <= all; i++) {
        split(node[replicas[i]], r, " ")
        if (offset[r[5]] - r[7] > 1048576) continue
        if (!(r[5] in best) || r[9] + 0 < memory[r[5]]) { best[r[5]] = r[1]; memory[r[5]] = r[9] + 0 }
      }
      for (i = 1; i <= count; i++) {
        split(node[masters[i]], m, " "); split(node[m[1] in best ? best[m[1]] : m[1]], s, " ")
        print m[1], m[2], m[3], m[6], m[13], s[1], s[2], s[3], s[10], s[11]
      }
    }' "$TMP/nodes"
}
