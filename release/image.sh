#!/bin/sh
# Makes dist/image, a container image in the OCI layout, of the programs that GoReleaser has left in dist.
# Usage: image.sh VERSION
set -eu
cd "$(dirname "$0")/.."
rm -rf dist/image
go run ./release/image -o dist/image -version "$1" -created "$(TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ)" \
    amd64="$(echo dist/sluice_linux_amd64*/sluice)" arm64="$(echo dist/sluice_linux_arm64*/sluice)" >dist/image.txt
cat dist/image.txt
