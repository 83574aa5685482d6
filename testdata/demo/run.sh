#!/usr/bin/env bash
# The main job on a small repository, each step printed before it is done.
# Usage: run.sh SLUICE, the binary to run.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
sluice=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
ln -s "$sluice" "$work/bin/sluice"
export PATH="$work/bin:$PATH" HOME="$work" GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE

say() { printf '\n# %s\n' "$*"; }
run() {
    printf '$ %s\n' "$*"
    "$@"
}
# save commits all of the working tree at a fixed time, so that every id below
# is the same wherever this runs.
save() {
    printf '$ git commit -am "%s"\n' "$1"
    git add -A
    GIT_AUTHOR_DATE=$2 GIT_COMMITTER_DATE=$2 git commit -qm "$1"
}

say "A config repository as teams have it: a base, two overlays, and sluice.yaml."
cp -R "$here/repo" "$work/repo"
cd "$work/repo"
git init -q -b main
git config user.name "Ada Example"
git config user.email ada@example.com
run cat sluice.yaml
save "Serve hello" 2026-01-05T09:00:00Z

say "Render: what staging is to hold, with the proxy of the pinned release. No cluster, no network."
printf '$ sluice render staging | grep image:\n'
sluice render staging | grep image:

say "Commit: the hydrated objects of every environment as one commit on env/staging."
run sluice commit
run git ls-tree -r --name-only env/staging

say "The first promotion: production moves to that same commit."
run sluice promote production --merge

say "A new image, in both overlays. Staging gets it; production waits for its promotion."
sed -i.bak 's/newTag: v1.0.0/newTag: v1.1.0/' overlays/*/kustomization.yaml
rm overlays/*/*.bak
save "Web v1.1.0" 2026-01-06T09:00:00Z
run sluice commit
run sluice status

say "What production is about to get, byte for byte: the diff of its directory."
run git diff --stat env/production env/staging -- production
run git diff --unified=0 env/production env/staging -- production

say "Promote, and prove it: the source is rendered again and compared with the branch."
run sluice promote production --merge
run sluice verify

say "Both branches, one line of commits; production is at a commit that staging went through."
run git log --graph --oneline --decorate env/staging env/production

say "One byte edited by hand on the branch does not go unnoticed."
git worktree add -q ../edited env/staging
sed -i.bak 's/replicas: 1/replicas: 9/' ../edited/staging/shop-staging/deployment-web.yaml
rm ../edited/staging/shop-staging/*.bak
git -C ../edited commit -qam "Scale by hand"
printf '$ sluice verify staging\n'
sluice verify staging || printf '(exit status %s)\n' $?
