#!/bin/sh
# Backs up the cluster into a folder of the volume, all shards at once, and removes old backups. It needs redis-cli and
# tools that busybox has. Nothing is changed on any server. What it did stands in the container's termination message:
# one line of JSON, without names of keys, which can be read without the volume.
set -u
umask 077
BACKUPS=${BACKUPS:-/backups}
CLUSTER=${CLUSTER:-redis-cluster}
SEED=${SEED:-$CLUSTER-clients}
PORT=${PORT:-6379}
KEEP=${KEEP:-7}
KEEP_DAYS=${KEEP_DAYS:-0}
CERTIFICATES=${CERTIFICATES:-/etc/redis-cluster-tls}
TMP=${TMPDIR:-/tmp}
ASK_SECONDS=${ASK_SECONDS:-5}
PAUSE=${PAUSE:-10}
# A run whose beat, one each PAUSE, does not change for this long was killed.
SILENT_SECONDS=${SILENT_SECONDS:-25}
ATTEMPTS=3
WORK=$BACKUPS/.running
# shellcheck source-path=SCRIPTDIR source=backup-report.sh
. "${0%/*}/backup-report.sh"
# shellcheck source-path=SCRIPTDIR source=backup-look.sh
. "${0%/*}/backup-look.sh"
# shellcheck source-path=SCRIPTDIR source=backup-copy.sh
. "${0%/*}/backup-copy.sh"

# Only one run at a time writes to the volume: a Job that somebody started counts for no concurrencyPolicy. The folder of
# the run is also its lock. One whose beat stands still is what a killed run left; it is removed with all that is in it.
take_turn() {
  [ -w "$BACKUPS" ] || fail "The volume at $BACKUPS cannot be written."
  before=$(cat "$WORK/beat" 2>/dev/null)
  if ! mkdir "$WORK" 2>/dev/null; then
    [ -d "$WORK" ] || fail "$(cannot_write)"
    pause "$SILENT_SECONDS"
    [ ! -e "$WORK" ] || [ "$(cat "$WORK/beat" 2>/dev/null)" = "$before" ] || fail "Another backup is running."
    # Where two runs see the same, one of them makes the folder.
    ! mv "$WORK" "$BACKUPS/.removing-$$" 2>/dev/null || say "removing what a backup left that was killed"
    mkdir "$WORK" 2>/dev/null || fail "Another backup is running."
  fi
  has_turn=yes
  beats=0
  beat
  while sleep "$PAUSE"; do beat; done &
  beating=$!
  rm -rf "$BACKUPS"/.removing-*
}

beat() {
  beats=$((beats + 1))
  { echo "$(date +%s) $beats" >"$WORK/beat.new" && mv "$WORK/beat.new" "$WORK/beat"; } 2>/dev/null
}

# In the background, so that SIGTERM need not wait for it.
pause() {
  sleep "$1" &
  wait $!
}

# Leaves nothing of a run behind, however it ended.
clean_up() {
  trap '' TERM INT
  # shellcheck disable=SC2086
  kill $beating $copying 2>/dev/null
  # shellcheck disable=SC2086
  wait $beating $copying 2>/dev/null
  [ -z "$has_turn" ] || rm -rf "$WORK"
  has_turn=
}

# The oldest go, but never the newest, which was just written. Renamed first: half of a backup never looks like a whole one.
remove_old() {
  [ "$KEEP" -ge 1 ] || KEEP=1
  oldest=
  [ "$KEEP_DAYS" -le 0 ] || oldest=$CLUSTER-$(date -u -d "@$(($(date +%s) - KEEP_DAYS * 86400))" +%Y%m%d-%H%M%S)
  backups_newest_first | awk -v keep="$KEEP" -v oldest="$oldest" 'NR > 1 && (NR > keep || $0 < oldest)' |
    while IFS= read -r old; do
      say "removing $old"
      mv "$BACKUPS/$old" "$BACKUPS/.removing-$old" && rm -rf "$BACKUPS/.removing-$old"
    done
}

has_turn='' beating='' copying=''
trap 'fail "The backup was stopped before it was complete."' TERM INT
choose_options
take_turn
attempt=1
until back_up; do
  [ "$attempt" -lt "$ATTEMPTS" ] || fail "$why"
  attempt=$((attempt + 1))
  say "$why Trying again."
  pause "$PAUSE"
done
remove_old
finish
