//go:build crash && linux && amd64

package crash

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// own is a step that takes the branches over from the repository cloned from.
const own = "own"

// shapes are states that git brings a repository into. A step is a line of git
// arguments; "in DIR" goes on in another directory beside the repository.
var shapes = []struct {
	name  string
	steps []string
}{
	{"as it was made", nil},
	{"packed refs", []string{"pack-refs --all --prune"}},
	{"gc", []string{"gc -q --prune=now"}},
	{"one pack with deltas", []string{"repack -adfq --depth=50 --window=50"}},
	{"bitmaps", []string{"repack -adbq"}},
	{"cruft pack", []string{"update-ref -d refs/heads/env/sandbox", "reflog expire --expire=all --all", "repack -dq --cruft", "update-ref refs/heads/env/sandbox env/staging"}},
	{"kept packs", []string{"repack -adkq --keep-unreachable"}},
	{"many packs and an index over them", []string{"repack -dq", "commit -q --allow-empty -m more", "repack -dq", "reset -q --soft HEAD~1", "multi-pack-index write"}},
	{"index over packs with bitmaps", []string{"repack -adq", "multi-pack-index write --bitmap"}},
	{"commit graph", []string{"commit-graph write --reachable --changed-paths"}},
	{"commit graph in parts", []string{"commit-graph write --reachable --split"}},
	{"alternates", []string{"clone -q --shared --bare . ../borrower", "in ../borrower", own}},
	{"alternates of alternates", []string{"clone -q --shared --bare . ../one", "clone -q --shared --bare ../one ../two", "in ../two", own}},
	{"bare clone", []string{"clone -q --bare . ../bare.git", "in ../bare.git", own}},
	{"clone by protocol version 2", []string{"-c protocol.version=2 clone -q --no-local . ../clone", "in ../clone", own}},
	{"clone by protocol version 0", []string{"-c protocol.version=0 clone -q --no-local . ../clone", "in ../clone", own}},
	{"mirror", []string{"clone -q --mirror . ../mirror.git", "in ../mirror.git", own}},
	{"clone of a bundle", []string{"bundle create -q ../all.bundle --all HEAD", "clone -q ../all.bundle ../unbundled", "in ../unbundled", own}},
	{"linked working tree", []string{"worktree add -q --detach ../linked", "in ../linked"}},
	{"sparse checkout", []string{"sparse-checkout set web"}},
	{"config of one working tree", []string{"config core.repositoryFormatVersion 1", "config extensions.worktreeConfig true"}},
	{"split index", []string{"update-index --split-index"}},
	{"index version 4", []string{"update-index --index-version 4"}},
	{"line endings", []string{"config core.autocrlf true"}},
	{"shared with a group", []string{"config core.sharedRepository group"}},
	{"detached", []string{"checkout -q --detach"}},
}

// TestReadsWhatGitWrites: in whatever state git left the repository, the same
// commit gives the same ids.
func TestReadsWhatGitWrites(t *testing.T) {
	s := scenarios(t)[1]
	for i, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			top := filepath.Join(s.place, fmt.Sprint("shape ", i))
			dir := filepath.Join(top, "repo")
			must(t, os.MkdirAll(dir, 0o777))
			must(t, copyTree(s.start, dir))
			for _, step := range shape.steps {
				if step == own {
					mustGit(t, dir, "fetch", "-q", "--update-head-ok", "origin", "+refs/heads/*:refs/heads/*")
					mustGit(t, dir, "remote", "remove", "origin") // a commit names the repository
				} else if to, ok := strings.CutPrefix(step, "in "); ok {
					dir = filepath.Join(dir, to)
				} else {
					mustGit(t, dir, strings.Fields(step)...)
				}
			}
			if shape.name == "cruft pack" {
				mustGit(t, dir, "update-ref", "refs/heads/env/sandbox", s.old["env/sandbox"])
			}
			mustSluice(t, dir, "commit", "--rev", "main")
			at, err := heads(dir)
			must(t, err)
			for branch, id := range at {
				if id != s.new[branch] {
					t.Errorf("%s is at %s, want %s", branch, id, s.new[branch])
				}
			}
			if at["env/staging"] == "" || at["env/sandbox"] == "" {
				t.Errorf("branches were not made: %v", at)
			}
			must(t, fsck(dir))
		})
	}
}

// TestRefusesOtherFormats: what sluice does not read it does not touch.
func TestRefusesOtherFormats(t *testing.T) {
	s := scenarios(t)[1]
	must(t, s.in(1, func(dir string) error {
		mustGit(t, dir, "-c", "pack.indexVersion=1", "repack", "-adfq")
		r, err := execute(dir, sluice, "commit")
		if r.code != 2 || !strings.Contains(r.stderr, "not a pack index of version 2") {
			t.Errorf("index of a pack in version 1: %v", r)
		}
		return errors.Join(err, s.intact(dir))
	}))
	for _, extension := range []string{"refStorage reftable", "objectFormat sha256", "somethingNew true"} {
		must(t, s.in(0, func(dir string) error {
			for _, name := range []string{"core.repositoryFormatVersion 1", "extensions." + extension} {
				mustGit(t, s.start, append([]string{"config", "-f", filepath.Join(dir, ".git/config")}, strings.Fields(name)...)...)
			}
			r, err := execute(dir, sluice, "commit")
			if err == nil && (r.code != 2 || !strings.Contains(r.stderr, strings.Fields(extension)[1]) && !strings.Contains(r.stderr, "somethingnew")) {
				t.Errorf("%s: %v", extension, r)
			}
			must(t, copyFile(filepath.Join(s.start, ".git/config"), filepath.Join(dir, ".git/config")))
			at, headErr := heads(dir)
			if !maps.Equal(at, s.old) {
				t.Errorf("%s: the branches have moved: %v %v", extension, at, headErr)
			}
			return err
		}))
	}
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o666)
}

// TestGitReadsWhatIsWritten: git reads, checks, repacks and sends what sluice
// wrote, and the branches stay.
func TestGitReadsWhatIsWritten(t *testing.T) {
	s := scenarios(t)[1]
	must(t, s.in(0, func(dir string) error {
		mustSluice(t, dir, "commit")
		packs, err := filepath.Glob(filepath.Join(dir, ".git/objects/pack/*.idx"))
		must(t, err)
		if len(packs) < 2 {
			t.Errorf("packs are %v: sluice wrote none?", packs)
		}
		for _, p := range packs {
			mustGit(t, dir, "verify-pack", p)
			mustGit(t, dir, "index-pack", "--strict", "--verify", strings.TrimSuffix(p, ".idx")+".pack")
		}
		for _, step := range []string{
			"log --all -p --stat", "diff env/staging~1 env/staging", "cat-file --batch-check --batch-all-objects",
			"reflog show env/staging", "rev-list --all --objects", "multi-pack-index write", "multi-pack-index verify",
			"commit-graph write --reachable", "commit-graph verify", "bundle create -q ../all.bundle --all", "bundle verify -q ../all.bundle",
			"clone -q --mirror . ../local.git", "-c transfer.fsckObjects=true clone -q --mirror --no-local . ../sent.git",
			"-C ../local.git fsck --strict", "-C ../sent.git fsck --strict", "pack-refs --all --prune", "gc -q --prune=now", "repack -adfq", "prune --expire=now",
		} {
			mustGit(t, dir, strings.Fields(step)...)
			at, err := heads(dir)
			if err != nil || !maps.Equal(at, s.new) {
				t.Errorf("after git %s: %v %v", step, at, err)
			}
			must(t, fsck(dir))
		}
		return nil
	}))
}
