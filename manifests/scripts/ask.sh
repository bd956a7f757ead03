# shellcheck shell=sh disable=SC2034
# Sourced by the other scripts: how to reach a server of this cluster, and who "this cluster" is.
# Passwords come from mounted files and go to redis-cli by the environment, never by an argument list.

PORT=${PORT:-6379}
BUS=${BUS:-16379}
LOCAL=${LOCAL:-127.0.0.1}
DATA=${DATA:-/data}
CONFIG=${CONFIG:-/etc/redis-cluster/redis.conf}
RUN=${RUN:-/run/redis-cluster}
AUTH=${AUTH:-/etc/redis-cluster-auth}
CERTIFICATES=${CERTIFICATES:-/etc/redis-cluster-tls}
TLS=${TLS:-no}
# The headless Service bears the name of the StatefulSet, so the pod's own name says it.
SET=${POD_NAME%-*}
ORDINAL=${POD_NAME##*-}
DOMAIN=$SET.${POD_NAMESPACE:-default}.svc

# Sets text to all of stdin, byte for byte and without a further process.
slurp() {
  text='' line=''
  while IFS= read -r line; do
    text="$text$line
"
  done
  text=$text$line
}

# read_file <path>: the same with a file; empty where there is none.
read_file() {
  text=
  [ ! -r "$1" ] || slurp <"$1"
}

# Sets password (the Secret's), previous (the Secret's too, while it is being replaced) and taken (the one that this pod
# was last known to share with all others: it is still needed where the Secret moved on too fast).
given=${REDISCLI_AUTH:-}
read_passwords() {
  read_file "$AUTH/password"
  password=$text
  [ -n "$password" ] || [ "${PASSWORD_REQUIRED:-}" = no ] || password=$given
  read_file "$AUTH/previous-password"
  previous=$text
  read_file "$RUN/password"
  taken=$text
}
read_passwords

# call <password> <host> [command…]: one redis-cli call with a time limit, in the place of the subshell it is made in.
call() {
  if [ -n "$1" ]; then export REDISCLI_AUTH="$1"; else unset REDISCLI_AUTH; fi
  call_host=$2
  shift 2
  set -- -h "$call_host" -p "$PORT" "$@"
  [ "$TLS" != yes ] || set -- --tls --cacert "$CERTIFICATES/ca.crt" --cert "$CERTIFICATES/tls.crt" --key "$CERTIFICATES/tls.key" "$@"
  exec timeout "${ASK_SECONDS:-3}" redis-cli "$@" 2>/dev/null
}

# ask <host> [command…]: as call, with a password that the server accepts; without a command it reads commands from stdin.
# While the password is replaced servers differ in what they accept, for as long as their Secrets are refreshed.
# It ends the shell it is called in, which saves a process: call it in $(…), in a pipe, in (…) or with &.
ask() {
  ask_host=$1
  shift
  if [ "${previous:-$password}" = "$password" ] && [ "${taken:-$password}" = "$password" ]; then
    call "$password" "$ask_host" "$@"
    return
  fi
  text=
  [ $# -gt 0 ] || slurp
  ask_input=$text
  for ask_with in "$password" "$previous" "$taken"; do
    [ -n "$ask_with" ] || continue
    ask_answer=$(printf '%s\n' "$ask_input" | call "$ask_with" "$ask_host" "$@") || return
    case $ask_answer in NOAUTH* | WRONGPASS*) ;; *) break ;; esac
  done
  printf '%s\n' "$ask_answer"
}

# quoted <text>: what the server reads back exactly, whatever the text holds: every byte as \xHH where one may need it.
quoted() {
  case $1 in
  *[!A-Za-z0-9_./+=-]*) printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n' | sed 's/../\\x&/g' ;;
  *) printf '%s' "$1" ;;
  esac
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
