#!/bin/sh
# Renders every PNG, the .ico and the .icns from the SVGs beside this script.
# Needs rsvg-convert (librsvg2-bin), convert (imagemagick) and png2icns (icnsutils).
set -eu
cd "$(dirname "$0")"

for size in 16 32 48 64 128 256 512 1024; do
    rsvg-convert -w "$size" -h "$size" app.svg -o "app-$size.png"
done
convert app-16.png app-32.png app-48.png app-64.png app-128.png app-256.png app.ico
png2icns app.icns app-16.png app-32.png app-48.png app-128.png app-256.png app-512.png app-1024.png >/dev/null

# `-on-dark` is light ink for a dark bar, `-on-light` dark ink for a light one.
sheet=$(mktemp)
trap 'rm -f "$sheet"' EXIT
for svg in tray/*.svg; do
    state=$(basename "$svg" .svg)
    for tone in on-dark on-light; do
        case $tone in
            on-dark) ink='#ffffff' halo='#000000' ;;
            on-light) ink='#1b2733' halo='#ffffff' ;;
        esac
        printf '.ink{fill:%s} .halo{fill:%s;stroke:%s;opacity:.45}\n' "$ink" "$halo" "$halo" >"$sheet"
        for size in 16 22 24 32 48; do
            rsvg-convert --stylesheet "$sheet" -w "$size" -h "$size" "$svg" -o "tray/$state-$tone-$size.png"
        done
    done
done
