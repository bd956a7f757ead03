# shellcheck shell=sh disable=SC2154
# Sourced by agent.sh: a shard whose master will never come back.
# Redis promotes a replica by itself, except one that was restarted meanwhile and so cannot say how old its data are.

# Forces this replica's promotion where the master's volume is provably gone (it failed, and its pod answers under another
# id; if at the same address, redis takes the old id for a node without address and never for a failed one), this copy
# is known to be of that master, and no other copy can be newer. Otherwise a person has to choose.
promote_orphan() {
  [ "$role" = slave ] || return 0
  loss=$(printf '%s\n' "$view" | pods_awk -v pods="$pods" -v master="$master" '
    BEGIN { n = split(pods, line, "\n"); for (i = 1; i <= n; i++) { split(line[i], f, " "); holder[f[ORDINAL]] = f[ID]; alive[f[ID]] = 1 } }
    $1 == master && $3 ~ /fail|noaddr/ && $3 !~ /fail\?/ && NF > 8 && !($1 in alive) {
      name = $2
      if (!sub(/^[^,]*,/, "", name)) {
        print "of unknown name"
        next
      }
      sub(/\..*/, "", name); sub(/^.*-/, "", name)
      if (name in holder) print name
    }')
  [ -n "$loss" ] || return 0
  [ "$loss" != "of unknown name" ] || nothing_to_come_back || return 0
  why="no other copy is newer"
  if [ "$size" = 0 ]; then
    nothing_anywhere || {
      say_once "master $master lost its volume and this replica holds nothing: a person has to decide"
      return 0
    }
    why="no pod holds any key"
  elif ! copy_of_master; then
    say_once "master $master lost its volume, and what this replica holds was never in step with it: a person has to decide"
    return 0
  else
    furthest_of_all || return 0
  fi
  majority_hears_me || return 0
  may_change || return 0
  say "master $master lost its volume (pod $loss answers under another id), this replica takes over, $why: $(ask "$LOCAL" CLUSTER FAILOVER FORCE)"
}

# An election that is lost since the voters have no link with this node yet is repeated only 4 node timeouts later.
majority_hears_me() {
  printf '%s\n' "$view" | pods_awk -v pods="$pods" -v me="$my_id" '
    BEGIN {
      n = split(pods, line, "\n")
      for (i = 1; i <= n; i++) { split(line[i], f, " "); hears[f[ID]] = index(f[IDS], "," me ",") && !index(f[LOST], "," me "/") }
    }
    NF > 8 && $3 ~ /master/ { voters++; if ($3 !~ /fail|noaddr/ && $8 == "connected" && hears[$1]) heard++ }
    END { exit heard * 2 <= voters }'
}

# A node whose name nobody has heard cannot come back: there is nothing to lose and every pod answers.
nothing_to_come_back() { nothing_anywhere && every_pod_answers; }

# All pods that shall be there answer, and there is nothing to lose.
nothing_anywhere() {
  printf '%s\n' "$pods" | pods_awk -v want="$WANT" '{ n++; if ($SIZE > 0) keys = 1 } END { exit keys || n < want }'
}

# What was recorded last (see `record`) was a copy of this very master.
copy_of_master() {
  read -r _ of 2>/dev/null <"$DATA/.progress" && [ "$of" = "$master" ]
}

# Compares this copy with the shard's other ones, each by the history and the offset that it has reached, or had reached
# before its last start. Only copies of one history can be compared. Of equals the lowest ordinal goes first.
furthest_of_all() {
  verdict=$(printf '%s\n' "$view" | pods_awk -v pods="$pods" -v master="$master" -v me="$my_id" '
    BEGIN {
      n = split(pods, line, "\n")
      for (i = 1; i <= n; i++) { split(line[i], f, " "); at[f[ID]] = f[REACHED]; ordinal[f[ID]] = f[ORDINAL] }
      split(at[me], mine, ":")
    }
    NF >= 8 && $4 == master && $3 !~ /myself/ {
      split(at[$1], theirs, ":")
      if (!($1 in at) || theirs[1] !~ /^[0-9a-f]+$/ || theirs[1] != mine[1]) unclear = unclear " " $1
      else if (theirs[2] + 0 > mine[2] + 0) newer = $1
      else if (theirs[2] + 0 == mine[2] + 0 && ordinal[$1] + 0 < ordinal[me] + 0) newer = $1
    }
    END { if (unclear != "") print "unclear" unclear; else if (newer != "") print "newer", newer }')
  case $verdict in
  '') return 0 ;;
  unclear*) say_once "master $master lost its volume, and replica${verdict#unclear} cannot be compared: a person has to decide" ;;
  newer*) say_once "master $master lost its volume, and replica${verdict#newer} has a newer copy" ;;
  esac
  return 1
}
