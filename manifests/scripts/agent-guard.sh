# shellcheck shell=sh disable=SC2034,SC2154
# Sourced by agent.sh: a replica copies from an address, not from a node. When its master is gone and a pod of another
# shard, or of another cluster, gets that address, redis would drop the replica's keys and copy that server's. So as
# long as the master itself does not answer there, the replica names a user that no server has.

NOBODY=rck8s-nobody
guarded=maybe # an agent that was restarted does not know what it did before

guard_copy() {
  if [ "$role" != slave ] || [ "$link" = up ]; then
    [ -z "$guarded" ] || unguard
    return 0
  fi
  if [ "$(ASK_SECONDS=1 && ask "$upstream" CLUSTER MYID)" = "$master" ]; then
    [ -z "$guarded" ] || unguard
    return 0
  fi
  [ "$guarded" != yes ] && [ -n "$upstream" ] || return 0
  # Without a password of its own a replica would not log in at all.
  commands="CONFIG SET masteruser $NOBODY"
  has_master_password || commands="$commands
CONFIG SET masterauth $NOBODY"
  printf '%s\n' "$commands" | ask "$LOCAL" >/dev/null && guarded=yes
  say "master $master does not answer at $upstream: nothing is copied from there until it does"
}

unguard() {
  case $(ask "$LOCAL" CONFIG GET masteruser) in
  *"$NOBODY"*)
    {
      echo 'CONFIG SET masteruser ""'
      [ "$(ask "$LOCAL" CONFIG GET masterauth | sed -n 2p)" != "$NOBODY" ] || echo 'CONFIG SET masterauth ""'
    } | ask "$LOCAL" >/dev/null || return 0
    [ "$role" = master ] || say "master $master answers at $upstream: copying from there again"
    ;;
  esac
  guarded=
}

has_master_password() { ask "$LOCAL" CONFIG GET masterauth | sed -n 2p | grep -q .; }

# start.sh began without accepting writes (see there).
release_writes() {
  if [ "$role" = master ] && [ "$slots" != - ]; then
    find_peers
    # shellcheck disable=SC2086
    {
      printf '@ %s\n%s\n' "$POD_IP" "$view"
      echo 'CLUSTER NODES' | ask_all $peers
      echo '@ end'
    } | awk -v me="$my_id" '
      $1 == "@" { agreed += voter && agrees; voter = agrees = 0; blocks++; next }
      NF < 9 || $3 !~ /master/ { next }
      blocks == 1 { voters++ }
      $3 ~ /myself/ { voter = 1 }
      $1 == me { agrees = 1 }
      END { exit agreed * 2 <= voters }' || return 0
  fi
  least=$(awk '$1 == "min-replicas-to-write" { n = $2 } END { print n + 0 }' "$CONFIG")
  [ "$(ask "$LOCAL" CONFIG SET min-replicas-to-write "$least")" != OK ] || rm -f "$DATA/.writes-held"
}
