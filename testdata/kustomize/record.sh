#!/bin/sh
# Records anew what the kustomize command prints for each example: want.yaml
# holds the output of overlay, or of overlays/* in the order of their names.
set -eu
cd "$(dirname "$0")"
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
GOBIN=$bin go install sigs.k8s.io/kustomize/kustomize/v5@v5.8.2
for example in */; do
	for dir in "$example"overlay "$example"overlays/*; do
		if [ -d "$dir" ]; then
			echo "---"
			"$bin/kustomize" build "$dir" 2>/dev/null
		fi
	done >"$bin/want"
	mv "$bin/want" "${example}want.yaml"
done
