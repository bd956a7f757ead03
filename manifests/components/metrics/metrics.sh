#!/bin/sh
# The metrics container: keeps the exporter running with the password that the Secret has now. A password that is
# replaced is seen within seconds of the mounted file's change, without a restart of the pod.
set -u
AUTH=${AUTH:-/etc/redis-cluster-auth}
RUN=${RUN:-/run/redis-cluster}
EXPORTER=${EXPORTER:-/redis_exporter}
PAUSE=${PAUSE:-5}

state() { cksum "$AUTH/password" "$RUN/redis.conf" 2>/dev/null; }

# The server is asked by the pod's own loopback interface, for which no certificate is made out.
start_exporter() {
  REDIS_ADDR=redis://127.0.0.1:6379
  if grep -q '^tls-port [1-9]' "$RUN/redis.conf"; then
    REDIS_ADDR=rediss://127.0.0.1:6379
    REDIS_EXPORTER_SKIP_TLS_VERIFICATION=true
    export REDIS_EXPORTER_SKIP_TLS_VERIFICATION
  fi
  REDIS_PASSWORD=$(cat "$AUTH/password" 2>/dev/null)
  export REDIS_ADDR REDIS_PASSWORD
  "$EXPORTER" &
  exporter=$!
}

exporter=
trap 'kill $exporter 2>/dev/null; exit 0' TERM INT
while [ ! -e "$RUN/redis.conf" ]; do sleep 1; done
before=$(state)
start_exporter
while kill -0 "$exporter" 2>/dev/null; do
  # In the background, so that SIGTERM need not wait for it.
  sleep "$PAUSE" &
  wait $!
  now=$(state)
  if [ "$now" != "$before" ]; then
    before=$now
    kill "$exporter"
    wait "$exporter"
    start_exporter
  fi
done
wait "$exporter"
