# shellcheck shell=sh disable=SC2034
# Sourced by the other scripts: how to reach a server of this cluster, and who "this cluster" is.
# The password comes from the environment (REDISCLI_AUTH), never from an argument list.

PORT=${PORT:-6379}
BUS=${BUS:-16379}
LOCAL=${LOCAL:-127.0.0.1}
DATA=${DATA:-/data}
CONFIG=${CONFIG:-/etc/redis-cluster/redis.conf}
CR=$(printf '\r')
# The headless Service bears the name of the StatefulSet, so the pod's own name says it.
SET=${POD_NAME%-*}
ORDINAL=${POD_NAME##*-}
DOMAIN=$SET.${POD_NAMESPACE:-default}.svc

# ask <host> [command…]: one redis-cli call with a time limit; without a command it reads commands from stdin.
ask() {
  ask_host=$1
  shift
  timeout "${ASK_SECONDS:-3}" redis-cli -h "$ask_host" -p "$PORT" "$@" 2>/dev/null
}

say() { echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) ${0##*/} $POD_NAME: $*"; }

# Addresses behind a name, one a line. Busybox has nslookup where its getent knows less.
resolve() {
  if [ -n "${RESOLVE:-}" ]; then
    "$RESOLVE" "$1"
    return
  fi
  found=$(getent ahosts "$1" 2>/dev/null)
  [ $? -ne 1 ] || found=$(nslookup "$1" 2>/dev/null | awk '/^Name:/ { named = 1 } named && /^Address/ { print $NF }')
  printf '%s\n' "$found" | awk 'NF { print $1 }' | sort -u
}
