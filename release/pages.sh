#!/bin/sh
# Makes what is packed beside the program: completions, and manual pages. GoReleaser runs it before it builds.
set -eu
cd "$(dirname "$0")/.."
out=bin/release
rm -rf "$out"
mkdir -p "$out/completions" "$out/man"
GOOS='' GOARCH='' CGO_ENABLED=0 go build -trimpath -o "$out/sluice" ./cmd/sluice
"$out/sluice" completion bash >"$out/completions/sluice.bash"
"$out/sluice" completion zsh >"$out/completions/_sluice"
"$out/sluice" completion fish >"$out/completions/sluice.fish"
"$out/sluice" completion powershell >"$out/completions/sluice.ps1"
for page in docs/man/*.1; do
    gzip -9nc "$page" >"$out/man/$(basename "$page").gz" # -n leaves out the time and the name
done
