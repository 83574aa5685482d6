package repo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var allBranches = []FetchSpec{{"refs/heads/*", "refs/remotes/origin/*"}}

// history is a remote with main of n commits, of which each third is a merge.
func history(t *testing.T, bare *gitRepo, n int) (g *gitRepo, ids []ID) {
	g = newGit(t)
	for i := range n {
		if i%3 == 2 {
			g.git("checkout", "-q", "-b", fmt.Sprint("side", i), "HEAD~1")
			g.commit(fmt.Sprint("side", i), "x")
			g.git("checkout", "-q", "main")
			g.git("merge", "-q", "--no-ff", "-m", "merge", fmt.Sprint("side", i))
			ids = append(ids, g.id("HEAD"))
			continue
		}
		ids = append(ids, g.commit("a", fmt.Sprint(i)))
	}
	g.git("push", "-q", bare.dir, "main")
	return g, ids
}

// TestShallow does as git does at each depth, and then deepens and completes the
// history, which git checks after each step.
func TestShallow(t *testing.T) {
	transports(t, func(t *testing.T, bare *gitRepo, url string) {
		src, _ := history(t, bare, 9)
		want := func(args ...string) string {
			dir := filepath.Join(t.TempDir(), "clone")
			src.git(append([]string{"clone", "-q", "--no-checkout", "--single-branch", "file://" + bare.dir, dir}, args...)...)
			return src.at(dir).git("rev-list", "--all")
		}
		for depth := 1; depth <= 3; depth++ {
			b := local(t, url)
			m := b.remote(b.options())
			fetch := func(o FetchOptions) {
				t.Helper()
				if _, err := m.Fetch(t.Context(), allBranches, o); err != nil {
					t.Fatalf("depth %d, %+v: %v", depth, o, err)
				}
				b.fsck()
			}
			fetch(FetchOptions{Depth: depth})
			if got := b.git("rev-list", "--all"); got != want(fmt.Sprint("--depth=", depth)) {
				t.Errorf("depth %d: git sees %s", depth, got)
			}
			fetch(FetchOptions{}) // nothing new, nothing changes
			if got := b.git("rev-list", "--all"); got != want(fmt.Sprint("--depth=", depth)) {
				t.Errorf("depth %d, fetched again: git sees %s", depth, got)
			}
			fetch(FetchOptions{Deepen: 1})
			if got := b.git("rev-list", "--all"); got != want(fmt.Sprint("--depth=", depth+1)) {
				t.Errorf("depth %d, deepened: git sees %s", depth, got)
			}
			fetch(FetchOptions{Depth: depth + 3})
			if got := b.git("rev-list", "--all"); got != want(fmt.Sprint("--depth=", depth+3)) {
				t.Errorf("depth %d+3: git sees %s", depth, got)
			}
			fetch(FetchOptions{Unshallow: true})
			if got := b.git("rev-list", "--all"); got != want() {
				t.Errorf("depth %d, complete: git sees %s", depth, got)
			}
			if _, err := os.Stat(filepath.Join(b.dir, ".git/shallow")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("depth %d, complete: the shallow file is still there: %v", depth, err)
			}
			fetch(FetchOptions{Depth: 1})
			if got := b.git("rev-list", "--all"); got != want() {
				t.Errorf("a depth cuts a complete repository: %s", got)
			}
		}
	})
}

// TestShallowPush pushes from git's own shallow clones: a commit on top, the cut
// commit itself as a new branch, and one onto a remote that has gone on.
func TestShallowPush(t *testing.T) {
	transports(t, func(t *testing.T, bare *gitRepo, url string) {
		src, ids := history(t, bare, 6)
		for depth := 1; depth <= 3; depth++ {
			dir := filepath.Join(t.TempDir(), "clone")
			src.git("clone", "-q", fmt.Sprint("--depth=", depth), "file://"+bare.dir, dir)
			b := src.at(dir)
			b.git("remote", "set-url", "origin", url)
			m := b.remote(b.options())
			tip := b.id("HEAD")
			branch := fmt.Sprint("env/", depth)
			if results, err := b.push(m, branch, "", tip); err != nil {
				t.Fatalf("depth %d: new branch at the cut commit: %v %v", depth, results, err)
			}
			next := b.commit("c", fmt.Sprint(depth))
			if results, err := b.push(m, branch, tip, next); err != nil {
				t.Fatalf("depth %d: a commit on top: %v %v", depth, results, err)
			}
			// The remote's only branch that is known here goes on, so that nothing
			// shown by the server is here.
			far := src.commit("a", fmt.Sprint("far ", depth))
			src.git("push", "-q", bare.dir, "HEAD:main")
			bare.git("update-ref", "-d", "refs/heads/"+branch)
			if results, err := b.push(m, branch+"b", "", next); err != nil {
				t.Fatalf("depth %d: onto a remote that has gone on: %v %v", depth, results, err)
			}
			if _, err := m.Fetch(t.Context(), []FetchSpec{{"refs/heads/main", "refs/remotes/origin/main"}}, FetchOptions{}); err != nil {
				t.Fatal(err)
			}
			if got := b.id("origin/main"); got != far {
				t.Errorf("origin/main is at %s, want %s", got, far)
			}
			b.fsck()
			bare.fsck()
		}
		// What lies behind the cut cannot be called an ancestor.
		dir := filepath.Join(t.TempDir(), "clone")
		src.git("clone", "-q", "--depth=1", "file://"+bare.dir, dir)
		b := src.at(dir)
		b.git("remote", "set-url", "origin", url)
		var forward *NotForwardError
		if _, err := b.push(b.remote(b.options()), "main", ids[0], b.id("HEAD")); !errors.As(err, &forward) || !forward.Unknown {
			t.Errorf("Push from behind the cut: %v", err)
		}
	})
}

// TestShallowRemote refuses a remote that does not hold its own history.
func TestShallowRemote(t *testing.T) {
	bare := newBare(t)
	src, _ := history(t, bare, 4)
	dir := filepath.Join(t.TempDir(), "shallow.git")
	src.git("clone", "-q", "--bare", "--depth=2", "file://"+bare.dir, dir)
	b := local(t, dir)
	_, err := b.remote(b.options()).Fetch(t.Context(), allBranches, FetchOptions{})
	var remote *RemoteError
	if !errors.As(err, &remote) || !strings.Contains(remote.Hint, "shallow") {
		t.Errorf("Fetch = %v", err)
	}
	if got := b.git("for-each-ref"); got != "" {
		t.Errorf("refs have moved: %s", got)
	}
}

// TestShallowLock leaves a boundary alone that somebody else is moving.
func TestShallowLock(t *testing.T) {
	bare := newBare(t)
	history(t, bare, 4)
	b := local(t, bare.dir)
	m := b.remote(b.options())
	_, err := m.Fetch(t.Context(), allBranches, FetchOptions{Depth: 1})
	must(t, err)
	before := b.git("rev-list", "--all")
	must(t, os.WriteFile(filepath.Join(b.dir, ".git/shallow.lock"), nil, 0o666))
	if _, err = m.Fetch(t.Context(), allBranches, FetchOptions{Deepen: 1}); err == nil {
		t.Error("Fetch moves the boundary under somebody's lock")
	}
	must(t, os.Remove(filepath.Join(b.dir, ".git/shallow.lock")))
	if got := b.git("rev-list", "--all"); got != before {
		t.Errorf("git sees %s", got)
	}
	_, err = m.Fetch(t.Context(), allBranches, FetchOptions{Deepen: 1})
	must(t, err)
	b.fsck()
}

// TestShallowMoved does not write over a boundary that another process has moved.
func TestShallowMoved(t *testing.T) {
	g := newGit(t)
	id := g.commit("a", "1")
	g.write(".git/shallow", string(id)+"\n")
	r := g.open()
	if err := r.writeShallow(map[ID]bool{}, map[ID]bool{ID(strings.Repeat("3", 40)): true}); err == nil {
		t.Error("writeShallow: no error")
	}
	if now, err := r.readShallow(); len(now) != 1 || !now[id] || err != nil {
		t.Errorf("the boundary is %v, %v", now, err)
	}
	if _, err := os.Stat(filepath.Join(g.dir, ".git/shallow.lock")); err == nil {
		t.Error("the lock is left behind")
	}
}

func TestFetchSpecs(t *testing.T) {
	bare := newBare(t)
	g := newGit(t)
	id := g.commit("a", "1")
	for _, b := range []string{"main", "env/a", "env/b", "other"} {
		g.git("push", "-q", bare.dir, "HEAD:refs/heads/"+b)
	}
	b := local(t, bare.dir)
	m := b.remote(b.options())
	got, err := m.Fetch(t.Context(), []FetchSpec{{"refs/heads/env/*", "refs/remotes/origin/env/*"}, {"refs/heads/none", "refs/remotes/origin/none"}}, FetchOptions{})
	if len(got) != 2 || got["refs/heads/env/a"] != id || err != nil {
		t.Errorf("Fetch = %v, %v", got, err)
	}
	if refs := b.git("for-each-ref", "--format=%(refname)"); refs != "refs/remotes/origin/env/a\nrefs/remotes/origin/env/b" {
		t.Errorf("refs are %s", refs)
	}
	// A branch that was rewritten is followed.
	g.git("commit", "-q", "--amend", "-m", "again")
	g.git("push", "-qf", bare.dir, "HEAD:refs/heads/env/a")
	_, err = m.Fetch(t.Context(), allBranches, FetchOptions{})
	if want := g.id("HEAD"); b.id("origin/env/a") != want || err != nil {
		t.Errorf("the rewritten branch is not followed: %v", err)
	}
	for _, bad := range []FetchSpec{
		{"refs/heads/main", "refs/heads/main"}, {"refs/heads/*", "refs/remotes/origin/x"}, {"refs/heads/main", "refs/remotes/../x"}, {"main", "refs/remotes/origin/main"},
	} {
		if _, err := m.Fetch(t.Context(), []FetchSpec{bad}, FetchOptions{}); err == nil {
			t.Errorf("Fetch(%v): no error", bad)
		}
	}
}
