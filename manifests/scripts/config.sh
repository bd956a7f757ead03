# shellcheck shell=sh disable=SC2154
# Sourced by start.sh: what only this pod knows of its server's configuration.

# refuse <why> <what to do>: also where `kubectl describe pod` shows it.
refuse() {
  say "not starting: $1"
  echo "$2"
  printf '%s\n%s\n' "$1" "$2" 2>/dev/null >"${TERMINATION_LOG:-/dev/termination-log}" || :
  exit 1
}

# A cluster without a password is somebody's decision (PASSWORD_REQUIRED=no), never what a forgotten Secret leads to.
check_credentials() {
  if [ -z "$password" ] && [ "${PASSWORD_REQUIRED:-yes}" != no ]; then
    refuse "there is no password: the Secret $SET-auth with the key \"password\" is missing" \
      "Make it, and the pods start by themselves: openssl rand -base64 24 | tr -d '\\n' | kubectl -n ${POD_NAMESPACE:-default} create secret generic $SET-auth --from-file=password=/dev/stdin"
  fi
  [ -n "$password" ] || say "WARNING: no password is set: anyone who can reach port $PORT can read and write all keys"
  [ "$TLS" = yes ] || return 0
  for file in ca.crt tls.crt tls.key; do
    [ -r "$CERTIFICATES/$file" ] || refuse "TLS is on, but the Secret $SET-tls holds no $file" \
      "It needs the keys ca.crt, tls.crt and tls.key."
  done
}

write_config() {
  echo "include $CONFIG"
  echo "dir $DATA"
  echo "cluster-announce-ip $POD_IP"
  echo "replica-announce-ip $POD_IP"
  echo "cluster-announce-hostname $POD_NAME.$DOMAIN"
  # The rest of the limit is for replication buffers, fragmentation and the copy that a rewrite makes.
  if [ "${MEMORY_LIMIT:-0}" -gt 0 ]; then echo "maxmemory $((MEMORY_LIMIT * 70 / 100))"; fi
  ping_often
  [ "$TLS" != yes ] || tls_config
  [ -z "$password" ] || password_config
  [ ! -r "$AUTH/operator-users" ] || users_config <"$AUTH/operator-users"
}

# Users that "Create Operator User…" has put into the Secret, with the hashes of their passwords. A server does not start
# with a rule for a command that its version does not have: such a rule says since when, as in redis-8.4:+cluster|migration.
users_config() {
  set -f
  read -r product _ version _ <<END
$(redis-server --version)
END
  while read -r word name rules || [ -n "$word" ]; do
    [ "$word" = user ] || continue
    line="user $name"
    for rule in $rules; do
      case $rule in
      redis-*:* | valkey-*:*) is_since "${rule%%:*}" && line="$line ${rule#*:}" ;;
      *) line="$line $rule" ;;
      esac
    done
    echo "$line"
  done
  set +f
}

# is_since <product-major.minor>: whether this server is of that product and version or a later one.
is_since() {
  case $1,$product in redis-*,Redis | valkey-*,Valkey) ;; *) return 1 ;; esac
  echo "${version#v=} ${1#*-}" | awk '{
    split($1, is, "."); split($2, at, ".")
    exit !(is[1] + 0 > at[1] + 0 || is[1] + 0 == at[1] + 0 && is[2] + 0 >= at[2] + 0)
  }'
}

# A server asks every other one at the latest after half a cluster-node-timeout, so that a lost worker is noticed after up
# to one and a half. Newer servers (not 7.0) can be told to ask more often, which a small cluster does not feel. Which can is
# seen by the line that they stumble over.
ping_often() {
  nodes=$(grep -cs @ "$DATA/nodes.conf" || :)
  [ "${nodes:-0}" -le 50 ] || return 0
  stumbled=$(printf 'cluster-ping-interval 500\nno-such-setting\n' | redis-server - 2>&1 || :)
  case $stumbled in *no-such-setting*) echo "cluster-ping-interval 500" ;; esac
}

# The bus asks every peer for a certificate of this cluster's own authority, so no other cluster can get in; clients
# need none (the password is theirs), but are told names, which the certificates hold, instead of addresses.
tls_config() {
  cat <<END
port 0
tls-port $PORT
tls-cluster yes
tls-replication yes
tls-auth-clients optional
tls-cert-file "$CERTIFICATES/tls.crt"
tls-key-file "$CERTIFICATES/tls.key"
tls-ca-cert-file "$CERTIFICATES/ca.crt"
cluster-preferred-endpoint-type hostname
END
}

# All passwords that this cluster may use at the moment are accepted. Replication starts with the oldest, which every
# master still takes; the agent moves on from there.
password_config() {
  oldest=${previous:-${taken:-$password}}
  printf 'requirepass "%s"\nmasterauth "%s"\n' "$(quoted "$password")" "$(quoted "$oldest")"
  others=
  for other in "$previous" "$taken"; do
    if [ -n "$other" ] && [ "$other" != "$password" ]; then others="$others \">$(quoted "$other")\""; fi
  done
  [ -z "$others" ] || printf 'user default on ">%s"%s ~* &* +@all\n' "$(quoted "$password")" "$others"
}
