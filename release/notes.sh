#!/bin/sh
# Prints the notes of a release: the fragments of changelog/VERSION, or of changelog/unreleased.
# Usage: notes.sh [VERSION]
set -eu
cd "$(dirname "$0")/../changelog"
dir=${1:-unreleased}
unknown=$(for file in "$dir"/*.md; do head -n 1 "$file" | grep -qE '^(New|Changed|Faster|Fixed): .' || echo "$file"; done)
if [ -n "$unknown" ]; then
    echo "the first line has to begin with New: Changed: Faster: or Fixed: in" $unknown >&2
    exit 1
fi
for kind in New Changed Faster Fixed; do
    head=
    for file in "$dir"/*.md; do
        case $(head -n 1 "$file") in
        "$kind: "*) ;;
        *) continue ;;
        esac
        if [ -z "$head" ]; then printf '## %s\n\n' "$kind"; head=yes; fi
        sed "1s/^$kind: \(.*\)/**\1**/" "$file"
        echo
    done
done
