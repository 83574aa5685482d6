#!/usr/bin/env bash
# Builds a release of HEAD twice, in two directories of different names, and compares every file of it.
# Nothing is published, and no registry or container engine is needed. FRESH=1 compiles the second time without a cache.
# Usage: check.sh GORELEASER..., the command that runs it
set -euo pipefail
cd "$(dirname "$0")/.."
test -z "$(git status --porcelain)" || echo "note: HEAD is built, without what is not committed" >&2
head=$(git rev-parse HEAD) # who commits in the meantime does not matter
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

key=$work/key
ssh-keygen -q -t ed25519 -N '' -C release -f "$key"
for dir in one another/place; do
    echo "== building in $dir" >&2
    mkdir -p "$(dirname "$work/$dir")"
    git clone -q --no-tags "$PWD" "$work/$dir"
    git -C "$work/$dir" checkout -q --detach "$head"
    if [ -n "${FRESH:-}" ] && [ "$dir" != one ]; then export GOCACHE=$work/cache; fi
    (
        cd "$work/$dir"
        git remote set-url origin https://github.com/sluice-dev/sluice.git
        test -n "$(git tag)" || git tag v0.0.0 # a snapshot counts from a release
        SLUICE_RELEASE_KEY=$key "$@" release --snapshot --clean --parallelism 2 >&2
        release/image.sh v0.0.1-snapshot >&2
        release/notes.sh >dist/notes.md
        # Left out is what GoReleaser says of the run itself.
        find dist -type f ! -name '*.json' ! -name config.yaml -print0 | sort -z | xargs -0 sha256sum
        find dist -maxdepth 1 -type f -name '*.cdx.json' -print0 | sort -z | xargs -0 sha256sum
    ) >"$work/sums.${dir%%/*}"
done
cat "$work/sums.one"
diff "$work/sums.one" "$work/sums.another" || { echo "the two builds differ" >&2; exit 1; }
# What was signed can be verified, and what is packed is there.
cd "$work/one/dist"
printf 'release %s\n' "$(cat "$key.pub")" >"$work/signers"
ssh-keygen -q -Y verify -f "$work/signers" -I release -n sluice-release -s checksums.txt.sig <checksums.txt >&2
sha256sum --check --quiet checksums.txt
go version -m sluice_linux_amd64*/sluice | grep -q "vcs.revision=$head" || { echo "the program does not say which commit it is" >&2; exit 1; }
tar -tzf sluice_*_linux_amd64.tar.gz | sort >"$work/packed"
for file in LICENSE README.md completions/_sluice completions/sluice.bash completions/sluice.fish man/sluice.1.gz sluice; do
    grep -qx "$file" "$work/packed" || { echo "the archive has no $file" >&2; exit 1; }
done
for kind in 'deb 2' 'rpm 2' 'apk 2' 'tar.gz 4' 'zip 2' 'cdx.json 6'; do
    set -- $kind
    test "$(find . -maxdepth 1 -name "*.$1" | wc -l)" = "$2" || { echo "there are not $2 files *.$1" >&2; exit 1; }
done
echo "two builds, one result: $(wc -l <"$work/sums.one") files" >&2
