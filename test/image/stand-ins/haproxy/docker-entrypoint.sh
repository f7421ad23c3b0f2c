#!/bin/sh
set -e
# As a master of workers, in the foreground.
if [ "$1" = haproxy ]; then
  shift
  set -- haproxy -W -db "$@"
fi
exec "$@"
