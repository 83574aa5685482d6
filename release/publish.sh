#!/usr/bin/env bash
# Makes the draft of a release of the tag that is checked out. CI runs it.
# Usage: publish.sh GORELEASER..., the command that runs it
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(git describe --exact-match --tags)
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
release/notes.sh "$version" >"$temp/notes.md"
skip=()
if [ -n "${SLUICE_SIGNING_KEY:-}" ]; then
    (umask 077 && printf '%s\n' "$SLUICE_SIGNING_KEY" >"$temp/key")
    export SLUICE_RELEASE_KEY=$temp/key
    unset SLUICE_SIGNING_KEY
elif [ -s .github/release_signers ]; then
    echo "SLUICE_SIGNING_KEY is not set, and .github/release_signers asks for a signature" >&2
    exit 1
else
    echo "note: there is no key, so checksums.txt is not signed" >&2
    skip=(--skip=sign)
fi
"$@" release --clean --release-notes "$temp/notes.md" "${skip[@]}"
release/image.sh "$version"
