#!/bin/sh
# The metrics container: keeps the exporter running with the password that this pod's server and all others take at the
# moment. start.sh and the agent keep it in the pod's memory volume; while the Secret is being replaced it is the old one
# until every server knows the new one. No pod has to restart for it.
set -u
RUN=${RUN:-/run/redis-cluster}
EXPORTER=${EXPORTER:-/redis_exporter}
PAUSE=${PAUSE:-5}

state() { cksum "$RUN/password" 2>/dev/null; }

# The server is asked by the pod's own loopback interface, for which no certificate is made out.
start_exporter() {
  REDIS_ADDR=redis://127.0.0.1:6379
  if grep -q '^tls-port [1-9]' "$RUN/redis.conf"; then
    REDIS_ADDR=rediss://127.0.0.1:6379
    REDIS_EXPORTER_SKIP_TLS_VERIFICATION=true
    export REDIS_EXPORTER_SKIP_TLS_VERIFICATION
  fi
  REDIS_PASSWORD=$(cat "$RUN/password")
  export REDIS_ADDR REDIS_PASSWORD
  "$EXPORTER" &
  exporter=$!
}

exporter=
trap 'kill $exporter 2>/dev/null; exit 0' TERM INT
# The last thing that start.sh writes.
until [ -e "$RUN/password" ]; do sleep 1; done
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
