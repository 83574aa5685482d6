package repo

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBranch(t *testing.T) {
	g := newGit(t)
	a := g.commit("a", "1")
	g.git("branch", "env/staging")
	r := g.open()
	check := func(name string, want ID) {
		t.Helper()
		if got, err := r.Branch(name); got != want || err != nil {
			t.Errorf("Branch(%q) = %s, %v, want %s", name, got, err, want)
		}
	}
	absent := func(name string) {
		t.Helper()
		if got, err := r.Branch(name); !errors.Is(err, ErrNoBranch) {
			t.Errorf("Branch(%q) = %s, %v, want ErrNoBranch", name, got, err)
		}
	}
	check("main", a)
	check("env/staging", a)
	absent("env")         // a directory
	absent("env/nope")    // beside a file
	absent("main/nope")   // below a file
	absent("nope/at/all") // in no directory
	g.git("pack-refs", "--all", "--prune")
	check("main", a)
	check("env/staging", a)
	absent("env")
	b := g.commit("a", "2")
	check("main", b) // loose before packed
	g.git("update-ref", "refs/remotes/origin/main", string(a))
	if got, err := r.RemoteBranch("origin", "main"); got != a || err != nil {
		t.Errorf("RemoteBranch = %s, %v", got, err)
	}
	if _, err := r.RemoteBranch("origin", "nope"); !errors.Is(err, ErrNoBranch) {
		t.Errorf("RemoteBranch(nope): %v", err)
	}
	for _, name := range []string{"", "../../HEAD", "a..b", "x.lock", "a b"} {
		if _, err := r.Branch(name); err == nil || errors.Is(err, ErrNoBranch) {
			t.Errorf("Branch(%q): %v", name, err)
		}
	}
}

// TestBrokenRef holds what looks like an absent branch and is not.
func TestBrokenRef(t *testing.T) {
	id := strings.Repeat("a", 40)
	for name, text := range map[string]string{
		"empty": "", "blank": "\n", "half": id[:20] + "\n", "long": id + "a\n", "zero": strings.Repeat("0", 40) + "\n",
		"text": "hello\n", "symbolic": "ref: refs/heads/main\n", "symbolic to nothing": "ref: \n", "upper case": strings.ToUpper(id) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			g := newGit(t)
			a := g.commit("a", "1")
			g.git("branch", "env")
			g.git("pack-refs", "--all") // a packed value must not shine through
			path := filepath.Join(g.dir, ".git/refs/heads/env")
			must(t, os.WriteFile(path, []byte(text), 0o666))
			r := g.open()
			_, err := r.Branch("env")
			var broken *BrokenRefError
			if !errors.As(err, &broken) || errors.Is(err, ErrNoBranch) || broken.Ref != "refs/heads/env" || broken.Path != path || broken.Hint == "" ||
				name == "empty" && broken.Why != "it is empty" {
				t.Errorf("Branch: %v", err)
			}
			// It is not moved either.
			for _, old := range []ID{"", a} {
				err = r.UpdateRefs(t.Context(), []RefUpdate{{Name: "refs/heads/env", Old: old, New: a}}, who, "x")
				if !errors.As(err, &broken) {
					t.Errorf("UpdateRefs: %v", err)
				}
			}
			if b, err := os.ReadFile(path); err != nil || string(b) != text {
				t.Errorf("the ref holds %q now, %v", b, err)
			}
			noLocks(t, g)
		})
	}
}

func TestBrokenPackedRefs(t *testing.T) {
	g := newGit(t)
	a := g.commit("a", "1")
	for name, text := range map[string]string{
		"cut":     "# pack-refs with: peeled fully-peeled sorted \n" + string(a) + " refs/heads/en",
		"garbage": "hello\n", "short": "abc refs/heads/env\n",
	} {
		must(t, os.WriteFile(filepath.Join(g.dir, ".git/packed-refs"), []byte(text), 0o666))
		if _, err := g.open().Branch("env"); err == nil || errors.Is(err, ErrNoBranch) || !strings.Contains(err.Error(), "packed-refs") {
			t.Errorf("%s packed-refs: %v", name, err)
		}
	}
}

func TestLinkedRef(t *testing.T) {
	g := newGit(t)
	g.commit("a", "1")
	heads := filepath.Join(g.dir, ".git/refs/heads")
	must(t, os.Symlink("main", filepath.Join(heads, "env")))
	must(t, os.Symlink("gone", filepath.Join(heads, "dangling")))
	for _, name := range []string{"env", "dangling"} {
		var broken *BrokenRefError
		if _, err := g.open().Branch(name); !errors.As(err, &broken) {
			t.Errorf("Branch(%q) of a symbolic link: %v", name, err)
		}
	}
}

func TestResolve(t *testing.T) {
	g := newGit(t)
	g.commit("a", "1")
	g.commit("a", "2")
	g.git("checkout", "-q", "-b", "side", "HEAD~1")
	g.commit("b", "1")
	g.git("checkout", "-q", "main")
	g.git("merge", "-q", "--no-edit", "side")
	g.git("tag", "light")
	g.git("tag", "-a", "-m", "x", "heavy", "HEAD~1")
	g.git("tag", "-a", "-m", "x", "heavier", "heavy")
	g.git("tag", "same")
	g.git("branch", "same")
	g.git("update-ref", "refs/remotes/origin/dev", "HEAD~1")
	g.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/dev")
	g.git("fetch", "-q", ".", "main")
	id := g.id("HEAD")
	revs := []string{
		"HEAD", "@", "main", "heads/main", "refs/heads/main", "side", "light", "heavy", "heavier", "tags/heavy", "heavy^{}", "heavy^{commit}",
		"HEAD~1", "HEAD~", "HEAD^", "HEAD^2", "HEAD^^", "HEAD~2", "HEAD^2~1", "HEAD^0", "@~1", "side~0", "origin/dev", "origin", "FETCH_HEAD", "same",
		string(id), strings.ToUpper(string(id)), string(id[:4]), string(id[:39]), string(id[:12]) + "~1", string(g.id("heavy")), string(g.id("heavy")[:10]),
	}
	for _, packed := range []bool{false, true} {
		if packed {
			g.git("gc", "-q")
		}
		r := g.open()
		for _, rev := range revs {
			got, err := r.Resolve(rev)
			if want := g.id(rev + "^{commit}"); got != want || err != nil {
				t.Errorf("Resolve(%q) = %s, %v, want %s", rev, got, err, want)
			}
		}
		for _, rev := range []string{
			"", "-x", "--all", "nope", "HEAD~9", "HEAD^3", "HEAD:a", "@{u}", "main@{1}", ":/x", "HEAD^{tree}", "HEAD~x", "HEAD~99999999999999999999",
			"abc", "fffffff", "config", "index", "../x", "refs/heads", string(g.id("HEAD^{tree}")), string(g.id("HEAD:a")), "a b",
		} {
			got, err := r.Resolve(rev)
			var unknown *UnknownRevisionError
			if !errors.As(err, &unknown) {
				t.Errorf("Resolve(%q) = %s, %v", rev, got, err)
			}
		}
		if _, err := r.Resolve(strings.Repeat("a", 40)); err == nil {
			t.Error("Resolve accepts the id of nothing")
		}
	}
	g.git("branch", "-f", "same", "HEAD~1")
	if _, err := g.open().Resolve("same"); err == nil || !strings.Contains(err.Error(), "refs/tags/same") {
		t.Errorf("Resolve of a branch and a tag at different commits: %v", err)
	}
	if got, err := g.open().Resolve("refs/heads/same"); got != g.id("refs/heads/same") || err != nil {
		t.Errorf("Resolve(refs/heads/same) = %s, %v", got, err)
	}
}

func TestCheckedOut(t *testing.T) {
	g := newGit(t)
	g.commit("a", "1")
	g.commit("a", "2")
	for _, b := range []string{"linked", "rebased", "bisected", "free"} {
		g.git("branch", b)
	}
	dir := filepath.Join(t.TempDir(), "x")
	g.git("worktree", "add", "-q", dir, "linked")
	rebased := filepath.Join(t.TempDir(), "y")
	g.git("worktree", "add", "-q", rebased, "rebased")
	g.at(rebased).try("", "rebase", "-q", "--exec", "false", "HEAD~1")
	bisected := filepath.Join(t.TempDir(), "z")
	g.git("worktree", "add", "-q", bisected, "bisected")
	g.at(bisected).git("bisect", "start")
	g.at(bisected).git("checkout", "-q", "--detach")
	want := map[string]string{"main": g.dir, "linked": dir, "rebased": rebased, "bisected": bisected, "free": "", "nope": ""}
	check := func(r *Repo, want map[string]string) {
		t.Helper()
		for branch, path := range want {
			got, ok, err := r.CheckedOut(branch)
			if got != path || ok != (path != "") || err != nil {
				t.Errorf("CheckedOut(%q) = %q, %v, %v, want %q", branch, got, ok, err, path)
			}
		}
	}
	check(g.open(), want)
	check(g.at(dir).open(), want) // seen from another working tree

	bare := filepath.Join(t.TempDir(), "x.git")
	g.git("clone", "-q", "--bare", ".", bare)
	check(g.at(bare).open(), map[string]string{"main": ""})
	of := filepath.Join(t.TempDir(), "of")
	g.at(bare).git("worktree", "add", "-q", of, "free")
	check(g.at(of).open(), map[string]string{"main": "", "free": of})
}

// noLocks says that nothing is left among the refs that a later run trips over.
func noLocks(t testing.TB, g *gitRepo) {
	t.Helper()
	filepath.WalkDir(filepath.Join(g.dir, g.git("rev-parse", "--git-common-dir"), "refs"), func(path string, d os.DirEntry, err error) error {
		if err != nil || strings.HasSuffix(path, ".lock") {
			t.Errorf("left behind: %s %v", path, err)
		}
		return nil
	})
}

// A ref that cannot be read is not one that is not there.
func TestIsBranch(t *testing.T) {
	g := newGit(t)
	a := g.commit("a", "1")
	g.git("symbolic-ref", "refs/heads/trunk", "refs/heads/main")
	r := g.open()
	for name, want := range map[string]bool{"main": true, "trunk": true, "nope": false, "main~1": false, "": false, string(a): false} {
		if got, err := r.IsBranch(name, a); got != want || err != nil {
			t.Errorf("IsBranch(%q) = %v, %v", name, got, err)
		}
	}
	if got, err := r.IsBranch("main", EmptyTree); got || err != nil {
		t.Errorf("at another id: %v, %v", got, err)
	}
	if err := os.WriteFile(filepath.Join(g.dir, ".git/refs/heads/main"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var broken *BrokenRefError
	for _, name := range []string{"main", "trunk"} {
		if _, err := r.IsBranch(name, a); !errors.As(err, &broken) {
			t.Errorf("IsBranch(%q) of a broken ref: %v", name, err)
		}
	}
}
