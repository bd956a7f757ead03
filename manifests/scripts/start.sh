#!/bin/sh
# The redis container: writes what only this pod knows into a private file and becomes redis-server,
# which thereby is process 1 and gets SIGTERM itself.
set -eu
# shellcheck source-path=SCRIPTDIR source=ask.sh
. "${0%/*}/ask.sh"
CONFIG=${CONFIG:-/etc/redis-cluster/redis.conf}
RUN=${RUN:-/run/redis-cluster}
umask 077

# nodes.conf says this pod owns slots, but there is no dataset: served like this it would be an empty master,
# and its replicas would empty themselves to match it. Under a new id the pod joins as a replica instead,
# and a replica that has the keys takes the slots over.
disown_lost_dataset() {
  awk '$3 ~ /myself/ && $3 ~ /master/ && NF > 8 { owner = 1 } END { exit !owner }' "$DATA/nodes.conf" 2>/dev/null || return 0
  for file in "$DATA"/appendonlydir/*.manifest "$DATA"/appendonly.aof "$DATA"/dump.rdb; do
    [ -e "$file" ] && return 0
  done
  say "nodes.conf names slots, but the dataset is missing: not serving them, joining under a new id"
  mv "$DATA/nodes.conf" "$DATA/nodes.conf.dataset-missing"
  rm -f "$DATA/.joined"
}

# Every byte as \xHH: whatever the password holds, redis.conf reads back exactly what redis-cli sends.
quoted_password() { printf '%s' "$REDISCLI_AUTH" | od -An -v -tx1 | tr -d ' \n' | sed 's/../\\x&/g'; }

write_config() {
  echo "include $CONFIG"
  echo "dir $DATA"
  echo "cluster-announce-ip $POD_IP"
  echo "replica-announce-ip $POD_IP"
  echo "cluster-announce-hostname $POD_NAME.$DOMAIN"
  # The rest of the limit is for replication buffers, fragmentation and the copy that a rewrite makes.
  if [ "${MEMORY_LIMIT:-0}" -gt 0 ]; then echo "maxmemory $((MEMORY_LIMIT * 70 / 100))"; fi
  if [ -n "${REDISCLI_AUTH:-}" ]; then
    password=$(quoted_password)
    printf 'requirepass "%s"\nmasterauth "%s"\n' "$password" "$password"
  fi
}

disown_lost_dataset
write_config >"$RUN/redis.conf"
[ -n "${REDISCLI_AUTH:-}" ] || say "WARNING: no password is set, whoever reaches port $PORT can read and write everything"
exec redis-server "$RUN/redis.conf"
