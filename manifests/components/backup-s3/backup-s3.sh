#!/bin/sh
# Copies backups of the volume to a bucket and removes old ones there. It needs rclone, whose configuration is in the
# environment: nothing secret stands in an argument. backup.json goes last and leaves first, so that what has one is whole.
# What it did stands in the container's termination message, as backup.sh writes it.
# shellcheck disable=SC2030,SC2031
set -u
umask 077
VOLUME=${VOLUME:-/backups}
CLUSTER=${CLUSTER:-redis-cluster}
KEEP=${KEEP:-7}
KEEP_DAYS=${KEEP_DAYS:-0}
TMP=${TMPDIR:-/tmp}/s3
PAUSE=${PAUSE:-10}
ATTEMPTS=3
# What the bucket holds: the backup.json of each of its backups.
BACKUPS=$TMP/bucket
LOG=$TMP/log
# shellcheck source-path=SCRIPTDIR source=../backup/backup-report.sh
. "${REPORT_SCRIPTS:-/opt/redis-cluster-backup}/backup-report.sh"

# A bucket has no size.
space() { :; }

# What the Secret does not say. The bucket is never created, so no right to do so is needed.
choose_remote() {
  export RCLONE_CONFIG='' RCLONE_CONFIG_S3_TYPE="${RCLONE_CONFIG_S3_TYPE:-s3}" \
    RCLONE_CONFIG_S3_PROVIDER="${RCLONE_CONFIG_S3_PROVIDER:-Other}" RCLONE_S3_NO_CHECK_BUCKET=true \
    RCLONE_RETRIES=1 RCLONE_LOW_LEVEL_RETRIES="${RCLONE_LOW_LEVEL_RETRIES:-3}" RCLONE_TRANSFERS=2 \
    RCLONE_CONTIMEOUT="${RCLONE_CONTIMEOUT:-15s}" RCLONE_TIMEOUT="${RCLONE_TIMEOUT:-60s}"
  if [ -r "${CERTIFICATE:-/etc/redis-cluster-backup-s3/ca.crt}" ]; then
    export RCLONE_CA_CERT="${CERTIFICATE:-/etc/redis-cluster-backup-s3/ca.crt}"
  fi
  [ -n "${S3_BUCKET:-}" ] || fail "The Secret redis-cluster-backup-s3 has no S3_BUCKET."
  TARGET=s3:$S3_BUCKET/${S3_PATH:-$CLUSTER}
  REMOTE=$TARGET
  [ -n "${ENCRYPTION_PASSWORD:-}" ] || return 0
  # Names stay as they are: they say times and servers only.
  RCLONE_CONFIG_ENCRYPTED_PASSWORD=$(printf '%s' "$ENCRYPTION_PASSWORD" | rclone obscure - 2>"$LOG") ||
    fail "The ENCRYPTION_PASSWORD cannot be used: $(tail -n 1 "$LOG")"
  export RCLONE_CONFIG_ENCRYPTED_PASSWORD RCLONE_CONFIG_ENCRYPTED_TYPE=crypt RCLONE_CONFIG_ENCRYPTED_REMOTE="$TARGET" \
    RCLONE_CONFIG_ENCRYPTED_FILENAME_ENCRYPTION=off RCLONE_CONFIG_ENCRYPTED_DIRECTORY_NAME_ENCRYPTION=false
  REMOTE=encrypted:
}

# at <path>: a path of the bucket.
at() { case $REMOTE in *:) echo "$REMOTE$1" ;; *) echo "$REMOTE/$1" ;; esac }

# In the background, so that SIGTERM need not wait for it.
run() {
  : >"$LOG"
  rclone "$@" >"$TMP/out" 2>"$LOG" &
  running=$!
  wait "$running"
}

pause() {
  sleep "$1" &
  wait $!
}

# Says what rclone met. It fails for good where another attempt would meet the same.
explain() {
  saw=$(grep -v 'NOTICE' "$LOG" | tail -n 20)
  [ -n "$saw" ] || saw=$(tail -n 3 "$LOG")
  last=$(printf '%s' "$saw" | tr '\n\t' '  ' | sed 's/.* ERROR : //; s/Attempt [^:]* and: //; s/,* RequestID: [^,]*, HostID: [^,]*//; s|[0-9]*/[0-9/]* [0-9:]* Failed to .*||' | cut -c 1-250)
  case $saw in
  *InvalidAccessKeyId* | *SignatureDoesNotMatch* | *AccessDenied* | *Forbidden* | *ExpiredToken* | *InvalidToken*)
    fail "The storage refuses the credentials, or they lack rights on the bucket $S3_BUCKET. Correct the Secret redis-cluster-backup-s3. It said: $last"
    ;;
  *NoSuchBucket* | *"directory not found"*)
    fail "There is no bucket $S3_BUCKET, or the storage does not know the access key. Create the bucket, or correct the Secret redis-cluster-backup-s3."
    ;;
  *"no space left"* | *QuotaExceeded* | *InsufficientStorage* | *InsufficientCapacity* | *StorageFull* | *"status code: 507"* | *"StatusCode: 507"*)
    fail "The storage of the bucket $S3_BUCKET is full. Enlarge it, or keep fewer backups."
    ;;
  *"failed to authenticate"* | *"not an encrypted file"* | *"bad password"*)
    fail "Backups in the bucket $S3_BUCKET were encrypted with another password. Restore the ENCRYPTION_PASSWORD in the Secret redis-cluster-backup-s3, or set another S3_PATH."
    ;;
  *) why="$1: $last" ;;
  esac
}

# Downloads the backup.json of all whole backups.
look() {
  rm -rf "$BACKUPS"
  mkdir -p "$BACKUPS"
  run copy "$REMOTE" "$BACKUPS" --include "/$CLUSTER-*/backup.json" && return 0
  explain "The bucket $S3_BUCKET cannot be read"
  return 1
}

on_volume() { (BACKUPS=$VOLUME && backups_newest_first); }

# The newest are kept, of those on the volume and in the bucket, but none that is too old except the very last.
kept() {
  [ "$KEEP" -ge 1 ] || KEEP=1
  oldest=
  [ "$KEEP_DAYS" -le 0 ] || oldest=$CLUSTER-$(date -u -d "@$(($(date +%s) - KEEP_DAYS * 86400))" +%Y%m%d-%H%M%S)
  { on_volume && backups_newest_first; } | sort -ru |
    awk -v keep="$KEEP" -v oldest="$oldest" 'NR == 1 || (NR <= keep && $0 >= oldest)'
}

# What is there already in part is completed. rclone compares each file while it sends it, and all of them afterwards.
send() {
  folder=$VOLUME/$1
  sed -n 's/.*"file": "\([^"]*\)".*"sha256": "\([0-9a-f]*\)".*/\2  \1/p' "$folder/backup.json" >"$TMP/sums"
  (cd "$folder" && sha256sum -c "$TMP/sums") >/dev/null 2>&1 ||
    fail "$1 is damaged on the volume: a file has another SHA-256 than backup.json says. It was not copied."
  say "copying $1"
  set -- "$1" "$(at "$1")"
  if run copy "$folder" "$2" --exclude /backup.json &&
    run check "$folder" "$2" --one-way --exclude /backup.json ${READ_BACK:+--download} &&
    run copyto "$folder/backup.json" "$2/backup.json"; then
    mkdir -p "$BACKUPS/$1" && cp "$folder/backup.json" "$BACKUPS/$1/"
    sent="$sent${sent:+, }$1"
    return 0
  fi
  explain "$1 was not copied to the bucket $S3_BUCKET"
  return 1
}

send_all() {
  kept >"$TMP/kept"
  on_volume >"$TMP/volume"
  while IFS= read -r name; do
    [ ! -e "$BACKUPS/$name/backup.json" ] || continue
    send "$name" || return 1
  done <<END
$(grep -Fx -f "$TMP/volume" "$TMP/kept")
END
}

# Another run may remove the same.
is_gone() { grep -q 'not found' "$LOG"; }

# Folders without a backup.json are what a killed run left that is no longer on the volume. Only those of which no run can
# be busy any more are removed.
remove_old() {
  run lsf --dirs-only "$REMOTE" || return 1
  yesterday=$CLUSTER-$(date -u -d "@$(($(date +%s) - 86400))" +%Y%m%d-%H%M%S)
  sed -n "s|^\($CLUSTER-[0-9]\{8\}-[0-9]\{6\}\)/\$|\1|p" "$TMP/out" | grep -vFx -f "$TMP/kept" >"$TMP/old"
  while IFS= read -r name; do
    if [ -e "$BACKUPS/$name/backup.json" ]; then
      say "removing $name"
      run deletefile "$(at "$name/backup.json")" || is_gone || return 1
      rm -rf "${BACKUPS:?}/$name"
    elif [ "$(printf '%s\n' "$name" "$yesterday" | sort | head -n 1)" = "$yesterday" ]; then
      continue
    fi
    run purge "$(at "$name")" || is_gone || return 1
  done <"$TMP/old"
  # Parts of files that a killed run left; not every storage can list them.
  run cleanup "$TARGET" || :
}

fail() {
  trap '' TERM INT
  [ -z "$running" ] || kill "$running" 2>/dev/null
  say "not copied: $1"
  report failed "$1"
  exit 1
}

running='' sent='' why=''
rm -rf "$TMP"
mkdir -p "$BACKUPS"
trap 'fail "The copy to the bucket was stopped before it was complete. The next run completes it."' TERM INT
choose_remote
attempt=1
until look && send_all; do
  [ "$attempt" -lt "$ATTEMPTS" ] || fail "$why"
  attempt=$((attempt + 1))
  say "$why Trying again."
  pause "$PAUSE"
done
if ! remove_old; then
  explain "Old backups were not removed from the bucket $S3_BUCKET"
  fail "$why"
fi
say "copied ${sent:-nothing: the bucket has all}"
report "done" ''
