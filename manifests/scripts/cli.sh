#!/bin/sh
# redis-cli on this pod's server with its present password and certificates:
#   kubectl exec -it redis-cluster-0 -- sh /opt/redis-cluster/cli.sh [option or command…]
# shellcheck source-path=SCRIPTDIR source=ask.sh
. "${0%/*}/ask.sh"
for with in "$password" "$previous" "$taken"; do
  case $(call "$with" "$LOCAL" PING) in NOAUTH* | WRONGPASS*) ;; *) break ;; esac
done
if [ -n "$with" ]; then export REDISCLI_AUTH="$with"; else unset REDISCLI_AUTH; fi
[ "$TLS" != yes ] || set -- --tls --cacert "$CERTIFICATES/ca.crt" --cert "$CERTIFICATES/tls.crt" --key "$CERTIFICATES/tls.key" "$@"
exec redis-cli -h "$LOCAL" -p "$PORT" "$@"
