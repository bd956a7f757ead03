#!/bin/sh
# The redis container: writes what only this pod knows into a private file and becomes redis-server,
# which thereby is process 1 and gets SIGTERM itself.
set -eu
# shellcheck source-path=SCRIPTDIR source=ask.sh
. "${0%/*}/ask.sh"
# shellcheck source-path=SCRIPTDIR source=agent-look.sh
. "${0%/*}/agent-look.sh"
# shellcheck source-path=SCRIPTDIR source=config.sh
. "${0%/*}/config.sh"
umask 077

NODES=$DATA/nodes.conf
ASK_SECONDS=1
PATIENCE=${PATIENCE:-10} # seconds that a misled replica is given to be promoted

own_id() { awk '$3 ~ /myself/ { print $1 }' "$NODES" 2>/dev/null; }

any_file() {
  for file in "$@"; do
    [ ! -e "$file" ] || return 0
  done
  return 1
}

has_append_only_file() { any_file "$DATA"/appendonlydir/*.manifest "$DATA/appendonly.aof"; }

# From which file the data are to be read: append-only, dump or none. A dump.rdb counts only where an append-only file
# was never in use: otherwise it is what a replica once copied.
choose_dataset() {
  append_only=$(awk '$1 == "appendonly" { on = $2 } END { print on }' "$CONFIG")
  dataset=none
  if has_append_only_file; then
    dataset=append-only
    [ "$append_only" = yes ] || ! any_file "$DATA/dump.rdb" || dataset=dump
  elif any_file "$DATA/dump.rdb" && { [ "$append_only" != yes ] || [ ! -e "$DATA/.append-only" ]; }; then
    dataset=dump
  fi
  [ "$dataset" != none ] || rm -f "$DATA/.progress"
  [ "$append_only" = yes ] || rm -f "$DATA/.append-only"
  rm -f "$DATA/.switch-append-only-on"
}

# nodes.conf says this pod owns slots, but there is no dataset.
dataset_is_missing() { [ "$dataset" = none ] && owns_slots; }

owns_slots() { awk '$3 ~ /myself/ && $3 ~ /master/ && NF > 8 { owner = 1 } END { exit !owner }' "$NODES" 2>/dev/null; }

look_at_peers() {
  peers=$(resolve "$SET" | grep -vxF -e "$POD_IP" -e '' || :)
  # shellcheck disable=SC2086
  answers=$(printf '%s\nCONFIG GET masteruser\n' "$QUESTIONS" | ask_all $peers)
}

# misled <own id>: prints a line for each running replica that takes this address for its master, though that was
# another node. Replication goes by address alone: once this server listened, the replica would drop its keys and copy
# ours. It ends when the replica was promoted or has learned where its master is now; a "guarded" one copies from nobody
# (see agent-guard.sh).
misled() {
  printf '%s\n@ end\n' "$answers" | awk -v address="$POD_IP" -v me="$1" '
    { sub(/\r$/, "") }
    $1 == "@" {
      if (host == address && master != "" && master != me) print user == "rck8s-nobody" ? "guarded" : "misled"
      host = master = user = ""
    }
    $3 ~ /myself/ { master = $3 ~ /slave/ ? $4 : "" }
    /^master_host:/ { host = $0; sub(/[^:]*:/, "", host) }
    last == "masteruser" { user = $1 }
    { last = $0 }'
}

# Addresses of the others as they are now, as far as they answer by their names; nobody else's is kept. An address may
# belong to another shard's pod by now, or to another cluster's, and a replica would copy from whoever has its master's.
# A node without address is reached as soon as it, or the agent, gets in touch. (An address that nothing answers at would
# spare Valkey from taking such nodes for failed, but a replica would go on copying from there: seen with Redis 8.6.)
correct_addresses() {
  printf '%s\n' "$answers" | summarise | awk -v port="$PORT" -v bus="$BUS" '
    from == "peers" { ip[$3] = $2; next }
    NF < 8 || $1 == "vars" || $3 ~ /myself/ { print; next }
    {
      name = $2
      if (!sub(/^[^,]*/, "", name)) name = ""
      gsub(/,?noaddr/, "", $3)
      if ($1 in ip) $2 = ip[$1] ":" port "@" bus name
      else { $2 = ":0@0" name; $3 = $3 ",noaddr" }
      print
    }' from=peers - from=file "$NODES" >"$NODES.new" && mv "$NODES.new" "$NODES"
}

# Where a pod was deleted by force its successor starts at once, while the old server may still run for a moment and
# acknowledge writes into the same volume: they would be gone for whoever read the files before. The lock is kept by the
# server that this script becomes, and ends with it. (The server's own, on nodes.conf, ends when that file is replaced.)
wait_for_volume() {
  exec 9>>"$DATA/.in-use"
  waited=
  while command -v flock >/dev/null && ! flock -n 9; do
    [ -n "$waited" ] || say "waiting: another server still uses this volume"
    waited=yes
    sleep 0.1
  done
}

rm -f "$RUN/began"
check_credentials
trap 'exit 0' TERM INT
wait_for_volume
choose_dataset
id=$(own_id) || :
if dataset_is_missing; then
  say "nodes.conf names slots, but the dataset is missing: not serving them, joining under a new id"
  id=
  mv "$NODES" "$NODES.dataset-missing"
  rm -f "$DATA/.joined"
fi
waited=
deadline=$(($(date +%s) + PATIENCE))
while look_at_peers && misleading=$(misled "$id") && [ -n "$misleading" ]; do
  [ -n "$waited" ] || say "waiting: a replica still expects its master, another node, at this address"
  waited=yes
  case $misleading in *misled*) ;; *) [ "$(date +%s)" -lt "$deadline" ] || break ;; esac
  sleep 0.5
done
[ ! -e "$NODES" ] || correct_addresses

# What the others' agents read of this pod: on which worker it is, and how far its copy had come before this start.
write_history() {
  read -r was _ 2>/dev/null <"$DATA/.progress" || was=-
  case $was in *[!0-9a-f:]* | '') was=- ;; esac
  worker=${WORKER:--}
  case $worker in *[!A-Za-z0-9.-]*) worker=- ;; esac
  echo "proc-title-template \"{title} {listen-addr} {server-mode} worker=$worker was=$was\""
}

# A server that shall use an append-only file and finds none starts empty, though there is a dump.rdb; one that shall
# use none leaves it unread, though there is no other copy.
write_dataset() {
  case $dataset,$append_only in
  dump,yes)
    say "starting from dump.rdb, since there is no append-only file yet; the agent enables that afterwards"
    : >"$DATA/.switch-append-only-on"
    echo "appendonly no" >>"$RUN/redis.conf"
    ;;
  append-only,yes) ;;
  append-only,*)
    say "the only data is in an append-only file: using it although the configuration disables it"
    echo "appendonly yes" >>"$RUN/redis.conf"
    ;;
  esac
}

# A master that comes back may have been replaced by a replica that is not back yet, and a server takes everybody for
# well whom it has not asked: it would accept writes that are gone once it hears of its successor. It takes none until
# the agent knows that most masters still see it as the owner of its slots.
hold_writes() {
  rm -f "$DATA/.writes-held"
  owns_slots || return 0
  : >"$DATA/.writes-held"
  echo "min-replicas-to-write 1000"
}

write_config >"$RUN/redis.conf"
write_history >>"$RUN/redis.conf"
hold_writes >>"$RUN/redis.conf"
write_dataset
[ -n "$taken" ] || printf '%s' "${previous:-$password}" >"$RUN/password"
read -r began _ </proc/uptime
echo "$began" >"$RUN/began"
exec redis-server "$RUN/redis.conf"
