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
    # gzip -n leaves out the time and the name.
    if [ -e "$page" ]; then gzip -9nc "$page" >"$out/man/$(basename "$page").gz"; fi
done
if [ -z "$(ls "$out/man")" ]; then
    # A pattern that matches nothing is an error for GoReleaser: without pages, the page of --help stands for them.
    { echo '.TH SLUICE 1'; echo '.SH NAME'; echo 'sluice \- see sluice --help'; } | gzip -9nc >"$out/man/sluice.1.gz"
fi
