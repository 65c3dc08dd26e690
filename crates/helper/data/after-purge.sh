#!/bin/sh
# After the package is purged (deb: postrm(5)), what the helper kept goes as well: its account of its changes, which the
# removal before has undone, and its log.
set -e
[ "$1" = purge ] || exit 0
folder=/var/lib/dockline
[ -d "$folder" ] || exit 0
find "$folder" -mindepth 1 -delete
rmdir "$folder" 2>/dev/null || true
