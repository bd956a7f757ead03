# shellcheck shell=sh disable=SC2154,SC2034,SC2086
# Sourced by backup.sh: one attempt to copy all shards.

# False where it may succeed if it is tried again; why says what happened.
back_up() {
  look || return 1
  why=$(illness)
  [ -z "$why" ] || return 1
  layout >"$TMP/before"
  choose_sources >"$TMP/sources"
  begun=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  taken=$CLUSTER-$(date -u +%Y%m%d-%H%M%S)
  folder=$WORK/$taken
  mkdir "$folder" 2>/dev/null || fail "$(cannot_write)"
  if copy_all && is_same_cluster && describe_backup; then
    mv "$folder" "$BACKUPS/$taken" && return 0
    why="The volume at $BACKUPS cannot be written."
  fi
  rm -rf "$folder"
  return 1
}

copy_all() {
  copying='' notes=''
  while read -r master host port epoch slots source source_host source_port _; do
    file=$(file_of "$master" "$host" "$port")
    [ "$source" != "$master" ] || notes="$notes${notes:+ }No replica is in sync for $host:$port: the master itself was copied."
    say "copying slots $slots from $source_host:$source_port"
    "$CLI" -h "$source_host" -p "$source_port" $OPTIONS --rdb "$folder/$file" >"$TMP/log.$master" 2>&1 &
    copying="$copying $!"
  done <"$TMP/sources"
  failed=
  for process in $copying; do wait "$process" || failed=yes; done
  copying=
  while read -r master host port _ _ _ source_host source_port _; do
    why="$source_host:$source_port was not copied"
    check_file "$folder/$(file_of "$master" "$host" "$port")" "$TMP/keys.$master" "$TMP/log.$master" || return 1
  done <"$TMP/sources"
  why="A server was not copied."
  [ -z "$failed" ]
}

# As `redis-cli --cluster backup` names it.
file_of() { echo "redis-node-$(printf '%s' "$2" | tr -c '0-9A-Za-z.-' '-')-$3-$1.rdb"; }

# check_file <file> <keys> <log>: a snapshot ends with its checksum, which redis-check-rdb compares where it is there; it
# counts the keys, too. One that is older than the server says so, and the file counts as not checked.
check_file() {
  # shellcheck disable=SC2046
  set -- "$@" $(space)
  if grep -qi 'no space left' "$3" || [ "${5:-0}" -lt 65536 ]; then fail "$(cannot_write)"; fi
  case $(head -c 5 "$1" 2>/dev/null) in REDIS | VALK*) ;; *)
    why="$why: $(grep -v '^$' "$3" | tail -n 1 | cut -c 1-200)."
    return 1
    ;;
  esac
  : >"$2"
  checker=$(command -v redis-check-rdb || command -v valkey-check-rdb) || return 0
  if "$checker" "$1" >"$3.check" 2>&1; then
    awk '/keys read/ { for (i = 2; i <= NF; i++) if ($i == "keys") print $(i - 1) }' "$3.check" >"$2"
  elif ! grep -qi "can't handle RDB format" "$3.check"; then
    why="$why: the file is damaged or cut off."
    return 1
  fi
}

# A slot that moved meanwhile could be in no file or in two, and a node that was replaced could be another one's copy.
is_same_cluster() {
  look || return 1
  why="Slots moved, masters changed or servers went away while they were copied."
  layout | cmp -s - "$TMP/before" || return 1
  awk 'NR == FNR { at[$1] = $2 " " $3; next } at[$6] != $7 " " $8 { exit 1 }' "$TMP/nodes" "$TMP/sources"
}

# nodes.json as redis-cli writes it, and backup.json last: a folder without it is no backup.
describe_backup() {
  why="The volume at $BACKUPS cannot be written."
  nodes_json >"$folder/nodes.json" && backup_json >"$TMP/backup.json" &&
    cp "$TMP/backup.json" "$folder/backup.json" && cmp -s "$TMP/backup.json" "$folder/backup.json" && return 0
  fail "$(cannot_write)"
}

nodes_json() {
  awk '
    BEGIN { print "[" }
    {
      count = 0; list = ""; total = $13 == "-" ? 0 : split($13, ranges, ",")
      for (i = 1; i <= total; i++) {
        ends = split(ranges[i], range, "-")
        count += range[ends] - range[1] + 1
        list = list (i > 1 ? "," : "") "[" range[1] "," range[ends] "]"
      }
      printf "%s  {\"name\":\"%s\",\"host\":\"%s\",\"port\":%s,\"replicate\":%s,\"slots\":[%s],\"slots_count\":%d,\"flags\":\"%s\",\"current_epoch\":%s}",
        comma, $1, $2, $3, ($4 == "replica" ? "\"" $5 "\"" : "null"), list, count, ($4 == "replica" ? "slave" : "master"), $6
      comma = ",\n"
    }
    END { print "\n]" }' "$TMP/nodes"
}

backup_json() {
  printf '{\n  "format": 1,\n  "cluster": "%s",\n  "begunAt": "%s",\n  "endedAt": "%s",\n  "shards": [' \
    "$CLUSTER" "$begun" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
  comma=
  while read -r master host port epoch slots source _ _ product version; do
    file=$(file_of "$master" "$host" "$port")
    read -r sum _ <<END
$(sha256sum "$folder/$file")
END
    [ ${#sum} -eq 64 ] || return 1
    keys=$(cat "$TMP/keys.$master")
    bytes=$(wc -c <"$folder/$file")
    rdb_version=$(head -c 9 "$folder/$file" | tail -c 4 | sed 's/[^0-9]//g; s/^0*//')
    printf '%s\n    { "file": "%s", "master": "%s", "source": "%s", "slots": "%s", "configEpoch": %s, "product": "%s", "version": "%s", "bytes": %d, "sha256": "%s", "rdbVersion": %d%s }' \
      "$comma" "$file" "$master" "$source" "$slots" "$epoch" "$product" "$version" "$bytes" "$sum" "${rdb_version:-0}" "${keys:+, \"keys\": $keys}"
    comma=,
  done <"$TMP/sources"
  printf '\n  ]\n}\n'
}
