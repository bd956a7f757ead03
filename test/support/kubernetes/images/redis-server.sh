#!/bin/sh
# The official image's redis-server is compiled with protected mode off, Debian's is not; manifests written for the
# former rely on it. A configuration that names protected-mode itself is obeyed.
server=/usr/bin/${0##*/}
case "$*" in
-v | --version | -h | --help | --test-memory* | --check-system | *protected-mode*) exec "$server" "$@" ;;
esac
if [ -f "$1" ] && grep -q '^[[:space:]]*protected-mode' "$1"; then
  exec "$server" "$@"
fi
exec "$server" "$@" --protected-mode no
