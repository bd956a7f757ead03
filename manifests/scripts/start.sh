#!/bin/sh
# The redis container: writes what only this pod knows into a private file and becomes redis-server,
# which thereby is process 1 and gets SIGTERM itself.
set -eu
# shellcheck source-path=SCRIPTDIR source=ask.sh
. "${0%/*}/ask.sh"
# shellcheck source-path=SCRIPTDIR source=config.sh
. "${0%/*}/config.sh"
umask 077

NODES=$DATA/nodes.conf

own_id() { awk '$3 ~ /myself/ { print $1 }' "$NODES" 2>/dev/null; }

# nodes.conf says this pod owns slots, but there is no dataset.
dataset_is_missing() {
  awk '$3 ~ /myself/ && $3 ~ /master/ && NF > 8 { owner = 1 } END { exit !owner }' "$NODES" 2>/dev/null || return 1
  for file in "$DATA"/appendonlydir/*.manifest "$DATA"/appendonly.aof "$DATA"/dump.rdb; do
    [ ! -e "$file" ] || return 1
  done
}

# misleads_a_replica <own id>: true while a running replica takes this address for its master, though that was another
# node. Replication goes by address alone: once this server listened, the replica would drop its keys and copy ours.
# It ends when the replica was promoted, or has learned where its master is now.
misleads_a_replica() {
  for peer in $(resolve "$SET"); do
    [ "$peer" != "$POD_IP" ] || continue
    if ask "$peer" CLUSTER NODES | awk -v address="$POD_IP:$PORT@" -v me="$1" '
      $3 ~ /myself/ && $3 ~ /slave/ { master = $4 }
      index($2, address) == 1 { here[$1] = 1 }
      END { exit !((master in here) && master != me) }'; then
      return 0
    fi
  done
  return 1
}

# A replica forgets its master's address until it hears from that master again, by its id: whoever has the address now
# would be copied from, be it the master of another shard.
forget_masters_address() {
  awk '
    NR == FNR { if ($3 ~ /myself/ && $3 ~ /slave/) master = $4; next }
    master != "" && $1 == master && $3 !~ /noaddr/ { sub(/^[^,]*/, ":0@0", $2); $3 = $3 ",noaddr" }
    { print }' "$NODES" "$NODES" >"$NODES.new" && mv "$NODES.new" "$NODES"
}

check_credentials
trap 'exit 0' TERM INT
id=$(own_id) || :
if dataset_is_missing; then
  say "nodes.conf names slots, but the dataset is missing: not serving them, joining under a new id"
  id=
  mv "$NODES" "$NODES.dataset-missing"
  rm -f "$DATA/.joined"
fi
ASK_SECONDS=1
waited=
while misleads_a_replica "$id"; do
  [ -n "$waited" ] || say "waiting: a replica takes this address for its master, which was another node"
  waited=yes
  sleep 0.5
done
[ ! -e "$NODES" ] || forget_masters_address

write_config >"$RUN/redis.conf"
[ -n "$taken" ] || printf '%s' "${previous:-$password}" >"$RUN/password"
exec redis-server "$RUN/redis.conf"
