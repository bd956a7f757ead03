#!/bin/sh
# As the official images: options alone start the server (whose name is $SERVER), and it does not run as root.
set -e
case "$1" in -* | *.conf) set -- "$SERVER" "$@" ;; esac
if [ "$1" = "$SERVER" ] && [ "$(id -u)" = 0 ]; then
  chown -R 999:999 /data
  exec setpriv --reuid=999 --regid=999 --clear-groups -- "$@"
fi
exec "$@"
