# shellcheck shell=sh disable=SC2154
# Sourced by backup.sh: what is there, and how a run tells how it ended.

say() { echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $*"; }

# Whole backups only: backup.json is written last.
backups_newest_first() {
  for file in "$BACKUPS/$CLUSTER"-[0-9]*-[0-9]*/backup.json; do
    [ "$(tail -n 1 "$file" 2>/dev/null)" = "}" ] || continue
    file=${file%/backup.json}
    echo "${file##*/}"
  done | sort -r
}

# Size and free space of the volume in bytes.
space() { df -Pk "$BACKUPS" | awk 'NR > 1 { printf "%.0f %.0f\n", $2 * 1024, $4 * 1024 }'; }

mebibytes() { echo "$(($1 / 1048576)) MiB"; }

# A sentence that says why nothing can be written.
cannot_write() {
  # shellcheck disable=SC2046
  set -- $(space)
  if [ "${2:-0}" -lt 1048576 ]; then
    echo "The volume for backups is full: $(mebibytes "$2") of $(mebibytes "$1") are free. Enlarge it, or keep fewer backups."
  else
    echo "The volume at $BACKUPS cannot be written."
  fi
}

# The newest 25 backups: a termination message holds 4,096 bytes.
listed() {
  backups_newest_first | head -n 25 | while IFS= read -r name; do
    awk -v name="$name" '
      function number(field) { return match($0, "\"" field "\": [0-9]+") ? substr($0, RSTART + length(field) + 4, RLENGTH - length(field) - 4) : "" }
      /"endedAt"/ { split($0, part, "\""); at = part[4] }
      /"file"/ { bytes += number("bytes"); if (number("keys") == "") isUnread = 1; keys += number("keys") }
      END { printf ",{\"name\":\"%s\",\"at\":\"%s\",\"bytes\":%.0f%s}", name, at, bytes, isUnread ? "" : sprintf(",\"keys\":%.0f", keys) }
    ' "$BACKUPS/$name/backup.json"
  done
}

# report <done|failed> <reason>
report() {
  list=$(listed)
  # shellcheck disable=SC2046
  set -- "$1" "$(printf '%s' "$2" | tr -d '"\134' | tr '\n\r\t' '   ' | cut -c 1-500)" $(space)
  printf '{"format":1,"result":"%s","reason":"%s","at":"%s","size":%s,"free":%s,"count":%s,"backups":[%s]}\n' \
    "$1" "$2" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "${3:-0}" "${4:-0}" "$(backups_newest_first | awk 'END { print NR }')" "${list#,}" \
    2>/dev/null >"${TERMINATION_LOG:-/dev/termination-log}" || :
}

fail() {
  clean_up
  say "no backup was taken: $1"
  report failed "$1"
  exit 1
}

finish() {
  clean_up
  say "backed up as $taken${notes:+. $notes}"
  report "done" "$notes"
  exit 0
}
