# shellcheck shell=sh disable=SC2154
# Sourced by agent.sh: a shard whose master will never come back.
# Redis promotes a replica by itself, except one that was restarted meanwhile and so cannot say how old its data are.

# Forces this replica's promotion where the master's volume is provably gone (it failed, and its pod answers under another
# id; if at the same address, redis takes the old id for a node without address and never for a failed one) and no other copy can be newer: this is the only replica, or all replicas ran on without a restart, had the same
# history, and none got further. Offsets say nothing after a restart, so otherwise a person has to choose.
promote_orphan() {
  [ "$role" = slave ] || return 0
  loss=$(printf '%s\n' "$view" | awk -v pods="$pods" -v master="$master" '
    BEGIN { n = split(pods, line, "\n"); for (i = 1; i <= n; i++) { split(line[i], f, " "); holder[f[1]] = f[3]; alive[f[3]] = 1 } }
    $1 == master && $3 ~ /fail|noaddr/ && $3 !~ /fail\?/ && NF > 8 && !($1 in alive) {
      name = $2
      if (!sub(/^[^,]*,/, "", name)) next
      sub(/\..*/, "", name); sub(/^.*-/, "", name)
      if (name in holder) print name, $6
    }')
  [ -n "$loss" ] || return 0
  if [ "$size" = 0 ]; then
    say_once "master $master lost its volume and this replica holds nothing: a person has to decide"
    return 0
  fi
  siblings=$(printf '%s\n' "$view" | awk -v master="$master" 'NF >= 8 && $4 == master && $3 !~ /myself/ { print $1 }')
  if [ -n "$siblings" ]; then
    furthest_of_all "${loss#* }" || return 0
  fi
  may_change || return 0
  say "master $master lost its volume (pod ${loss% *} answers under another id), this copy takes over: $(ask "$LOCAL" CLUSTER FAILOVER FORCE)"
}

# furthest_of_all <when I last heard of the master, ms; 0: never since I was started>
furthest_of_all() {
  if [ "$1" = 0 ]; then
    say_once "master $master lost its volume, and this replica was restarted since: which copy is newest is for a person to decide"
    return 1
  fi
  mine=$(progress_of "$LOCAL")
  for sibling in $siblings; do
    ip=$(printf '%s\n' "$pods" | awk -v id="$sibling" '$3 == id { print $2 }')
    theirs=$([ -z "$ip" ] || progress_of "$ip")
    heard=$([ -z "$ip" ] || ask "$ip" CLUSTER NODES | awk -v master="$master" '$1 == master { print $6 }')
    if [ -z "$theirs" ] || [ "${heard:-0}" = 0 ] || [ "${theirs% *}" != "${mine% *}" ]; then
      say_once "master $master lost its volume, and replica $sibling cannot be compared: a person has to decide"
      return 1
    fi
    [ "${theirs#* }" -le "${mine#* }" ] || return 1
    # As far as I am: the one with the lower id goes first.
    if [ "${theirs#* }" = "${mine#* }" ] && [ "$(printf '%s\n%s\n' "$sibling" "$my_id" | sort | head -n 1)" = "$sibling" ]; then
      return 1
    fi
  done
}

# "replid offset" of a replica.
progress_of() {
  ask "$1" INFO replication | awk -F: '{ sub(/\r$/, "") } $1 == "master_replid" { r = $2 } $1 == "slave_repl_offset" { o = $2 } END { if (r != "" && o != "") print r, o }'
}
