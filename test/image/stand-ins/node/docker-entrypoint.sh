#!/bin/sh
set -e
# What is no program is for node.
case "${1:-}" in
  -*) set -- node "$@" ;;
  *) command -v "${1:-}" >/dev/null 2>&1 || set -- node "$@" ;;
esac
exec "$@"
