package repo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func move(name string, old, new ID) []RefUpdate {
	return []RefUpdate{{Name: "refs/heads/" + name, Old: old, New: new}}
}

func TestUpdateRefs(t *testing.T) {
	for _, packed := range []bool{false, true} {
		t.Run(fmt.Sprintf("packed=%v", packed), func(t *testing.T) {
			ctx := t.Context()
			g := newGit(t)
			a, b := g.commit("a", "1"), g.commit("a", "2")
			g.git("branch", "env/x", string(a))
			if packed {
				g.git("pack-refs", "--all", "--prune")
			}
			r := g.open()
			must(t, r.UpdateRefs(ctx, move("env/x", a, b), who, "one\n two"))
			if got := g.id("env/x"); got != b {
				t.Errorf("env/x is at %s", got)
			}
			// Losing leaves the ref as it was, and git content.
			var moved *MovedError
			for _, old := range []ID{a, ""} {
				err := r.UpdateRefs(ctx, move("env/x", old, a), who, "x")
				if !errors.As(err, &moved) || moved.Have != b || moved.Want != old {
					t.Errorf("UpdateRefs from %q: %v", old, err)
				}
			}
			err := r.UpdateRefs(ctx, move("nope", a, b), who, "x")
			if !errors.As(err, &moved) || moved.Have != "" {
				t.Errorf("UpdateRefs of an absent branch: %v", err)
			}
			// One loser holds the others back.
			err = r.UpdateRefs(ctx, []RefUpdate{
				{Name: "refs/heads/env/y", New: a}, {Name: "refs/heads/env/x", Old: b, New: a}, {Name: "refs/heads/main", Old: a, New: b},
			}, who, "x")
			if !errors.As(err, &moved) || moved.Ref != "refs/heads/main" {
				t.Errorf("UpdateRefs of three: %v", err)
			}
			if g.id("env/x") != b || g.id("main") != b {
				t.Error("a branch has moved although another could not")
			}
			if _, err := g.try("", "rev-parse", "--verify", "env/y"); err == nil {
				t.Error("a branch was made although another could not move")
			}
			must(t, r.UpdateRefs(ctx, []RefUpdate{{Name: "refs/heads/env/y", New: a}, {Name: "refs/heads/env/x", Old: b, New: a}}, who, "x"))
			if g.id("env/x") != a || g.id("env/y") != a {
				t.Error("two branches did not both move")
			}
			noLocks(t, g)
			g.fsck()
		})
	}
}

func TestUpdateRefsRefuses(t *testing.T) {
	g := newGit(t)
	a := g.commit("a", "1")
	r := g.open()
	for _, c := range []struct {
		want    string
		updates []RefUpdate
	}{
		{`contains ".."`, []RefUpdate{{Name: "refs/heads/a..b", New: a}}},
		{`contains ".."`, []RefUpdate{{Name: "refs/heads/../../config", New: a}}},
		{"does not begin with refs/", []RefUpdate{{Name: "HEAD", Old: a, New: a}}},
		{"given twice", []RefUpdate{{Name: "refs/heads/x", New: a}, {Name: "refs/heads/x", New: a}}},
		{"it is a tree", []RefUpdate{{Name: "refs/heads/x", New: g.id("HEAD^{tree}")}}},
		{"is not here", []RefUpdate{{Name: "refs/heads/x", New: ID(strings.Repeat("a", 40))}}},
		{"not an object id", []RefUpdate{{Name: "refs/heads/x", New: "main"}}},
		{"not an object id", []RefUpdate{{Name: "refs/heads/main", Old: a}}},
		{"old value", []RefUpdate{{Name: "refs/heads/main", Old: "HEAD", New: a}}},
		{"cannot hold both", []RefUpdate{{Name: "refs/heads/x", New: a}, {Name: "refs/heads/x/y", New: a}}},
	} {
		err := r.UpdateRefs(t.Context(), c.updates, who, "x")
		var locked *LockedError
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, &locked) {
			t.Errorf("UpdateRefs(%v): %v, want %q", c.updates, err, c.want)
		}
	}
	if err := r.UpdateRefs(t.Context(), move("x", "", a), Signature{}, "x"); err == nil {
		t.Error("a reflog line by nobody is accepted")
	}
	if got := g.git("for-each-ref", "--format=%(refname)"); got != "refs/heads/main" {
		t.Errorf("refs are now %q", got)
	}
}

func TestConflicts(t *testing.T) {
	for _, packed := range []bool{false, true} {
		g := newGit(t)
		a := g.commit("a", "1")
		g.git("branch", "env")
		g.git("branch", "dir/x")
		g.git("branch", "gone/x")
		if packed {
			g.git("pack-refs", "--all", "--prune")
		}
		g.git("branch", "-D", "-q", "gone/x")
		must(t, os.MkdirAll(filepath.Join(g.dir, ".git/refs/heads/gone/deep/deeper"), 0o777))
		r := g.open()
		for name, other := range map[string]string{"env/x": "refs/heads/env", "env/x/y": "refs/heads/env", "dir": "refs/heads/dir/x"} {
			err := r.UpdateRefs(t.Context(), move(name, "", a), who, "x")
			var conflict *ConflictError
			if !errors.As(err, &conflict) || conflict.Other != other {
				t.Errorf("packed=%v: making %q: %v", packed, name, err)
			}
		}
		// Empty directories are in nobody's way.
		must(t, r.UpdateRefs(t.Context(), move("gone", "", a), who, "x"))
		if g.id("gone") != a {
			t.Error("gone is not there")
		}
		noLocks(t, g)
		g.fsck()
	}
}

func TestLocked(t *testing.T) {
	g := newGit(t)
	a := g.commit("a", "1")
	lock := filepath.Join(g.dir, ".git/refs/heads/env.lock")
	must(t, os.WriteFile(lock, nil, 0o666))
	must(t, os.Chtimes(lock, time.Time{}, time.Now().Add(-time.Hour)))
	r := g.open()
	err := r.UpdateRefs(t.Context(), []RefUpdate{{Name: "refs/heads/a", New: a}, {Name: "refs/heads/env", New: a}}, who, "x")
	var locked *LockedError
	if !errors.As(err, &locked) || locked.Path != lock || locked.Age < 59*time.Minute || locked.Age > 2*time.Hour || !strings.Contains(locked.Hint(), lock) {
		t.Fatalf("UpdateRefs: %v", err)
	}
	if _, err := os.Stat(lock); err != nil {
		t.Error("somebody else's lock was removed")
	}
	if _, err := r.Branch("a"); !errors.Is(err, ErrNoBranch) {
		t.Errorf("the other branch: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.UpdateRefs(ctx, move("env", "", a), who, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	// A lock that goes away in time is waited for.
	patient := g.openEnv(Env{LockWait: 10 * time.Second})
	time.AfterFunc(100*time.Millisecond, func() { os.Remove(lock) })
	must(t, patient.UpdateRefs(t.Context(), move("env", "", a), who, "x"))
	noLocks(t, g)
}

// TestLockByCreating is the way of file systems without hard links.
func TestLockByCreating(t *testing.T) {
	g := newGit(t)
	a := g.commit("a", "1")
	r := g.open()
	l := &refLock{update: RefUpdate{New: a}, path: filepath.Join(g.dir, ".git/refs/heads/x.lock")}
	must(t, r.lockByCreating(l))
	if b, err := os.ReadFile(l.path); err != nil || string(b) != string(a)+"\n" {
		t.Errorf("the lock holds %q, %v", b, err)
	}
	if err := r.lockByCreating(l); !errors.Is(err, os.ErrExist) {
		t.Errorf("a second lock: %v", err)
	}
}

// TestReflog compares with what git itself writes for the same moves.
func TestReflog(t *testing.T) {
	for _, c := range []struct {
		name   string
		config []string
		bare   bool
	}{
		{"default", nil, false},
		{"bare", nil, true},
		{"never", []string{"core.logAllRefUpdates", "false"}, false},
		{"always", []string{"core.logAllRefUpdates", "always"}, true},
		{"bare, on", []string{"core.logAllRefUpdates", "true"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGit(t)
			a := g.commit("a", "1")
			b := g.commit("a", "2")
			g.git("checkout", "-q", "-b", "elsewhere")
			if c.bare {
				dir := filepath.Join(t.TempDir(), "x.git")
				g.git("clone", "-q", "--bare", ".", dir)
				g = g.at(dir)
			}
			if c.config != nil {
				g.git(append([]string{"config"}, c.config...)...)
			}
			read := func(name string) string {
				out, _ := os.ReadFile(filepath.Join(g.dir, g.git("rev-parse", "--git-dir"), "logs", name))
				return string(out)
			}
			head := read("HEAD")
			sig := Signature{Name: "Bob", Email: "bob@example.com", When: time.Unix(1700000000, 0).In(time.FixedZone("", 3600))}
			r := g.open()
			for _, name := range []string{"refs/heads/env/o", "refs/remotes/r/o", "refs/tags/o", "refs/x/o"} {
				ours, theirs := name, name+"2"
				must(t, r.UpdateRefs(t.Context(), []RefUpdate{{Name: ours, New: a}}, sig, "made: it"))
				must(t, r.UpdateRefs(t.Context(), []RefUpdate{{Name: ours, Old: a, New: b}}, sig, "moved:\n it\tall"))
				g.git("update-ref", "-m", "made: it", theirs, string(a), "")
				g.git("update-ref", "-m", "moved:\n it\tall", theirs, string(b), string(a))
				if read(ours) != read(theirs) {
					t.Errorf("reflog of %s:\n%sgit's:\n%s", name, read(ours), read(theirs))
				}
			}
			if read("HEAD") != head {
				t.Error("HEAD's reflog has grown")
			}
			// The branch that HEAD is on is logged under HEAD too.
			current := g.git("symbolic-ref", "HEAD")
			must(t, r.UpdateRefs(t.Context(), []RefUpdate{{Name: current, Old: b, New: a}}, sig, "m"))
			ours := strings.TrimPrefix(read("HEAD"), head)
			head = read("HEAD")
			g.git("update-ref", current, string(b))
			g.git("update-ref", "-m", "m", current, string(a), string(b))
			theirs := strings.TrimPrefix(read("HEAD"), head)
			if lines := strings.SplitAfter(theirs, "\n"); len(lines) == 3 {
				theirs = lines[1]
			}
			if ours != theirs {
				t.Errorf("HEAD's reflog:\n%sgit's:\n%s", ours, theirs)
			}
			g.fsck()
		})
	}
}

// TestUnwritableReflog: what cannot be logged does not move.
func TestUnwritableReflog(t *testing.T) {
	g := newGit(t)
	a := g.commit("a", "1")
	must(t, os.MkdirAll(filepath.Join(g.dir, ".git/logs/refs/heads/env/x"), 0o777))
	r := g.open()
	if err := r.UpdateRefs(t.Context(), move("env", "", a), who, "x"); err == nil {
		t.Error("a directory took a reflog line")
	}
	if _, err := r.Branch("env"); !errors.Is(err, ErrNoBranch) {
		t.Errorf("the branch has moved: %v", err)
	}
	noLocks(t, g)
}

// TestRace has several writers, git's ref packing and a reader at one branch. Every
// acknowledged commit must be in the history, once, and no reader may miss the branch.
func TestRace(t *testing.T) {
	const writers, each = 4, 12
	g := newGit(t)
	first := g.commit("a", "1")
	g.git("update-ref", "refs/heads/env/x", string(first))
	ctx, stop := context.WithCancel(t.Context())
	var beside sync.WaitGroup
	beside.Go(func() {
		for ctx.Err() == nil {
			g.try("", "pack-refs", "--all", "--prune")
		}
	})
	beside.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			g.try("", "gc", "-q", "--prune=now")
		}
	})
	beside.Go(func() {
		r := g.openEnv(Env{LockWait: time.Minute})
		for ctx.Err() == nil {
			id, err := r.Branch("env/x")
			if err != nil {
				t.Errorf("reader: %v", err)
				return
			}
			if _, err := r.Commit(id); err != nil {
				t.Errorf("reader: %v", err)
				return
			}
		}
	})
	var acked sync.Map
	var done sync.WaitGroup
	for n := range writers {
		r := g.openEnv(Env{LockWait: time.Minute})
		done.Go(func() {
			for i := range each {
				id, err := commitOn(ctx, r, "env/x", fmt.Sprintf("writer %d commit %d", n, i))
				if err != nil {
					t.Errorf("writer: %v", err)
					return
				}
				acked.Store(id, true)
			}
		})
	}
	done.Wait()
	stop()
	beside.Wait()
	seen := map[ID]int{}
	for id := range strings.Lines(g.git("log", "--first-parent", "--format=%H", "env/x") + "\n") {
		seen[ID(strings.TrimSpace(id))]++
	}
	if len(seen) != writers*each+1 {
		t.Errorf("history has %d commits, want %d", len(seen), writers*each+1)
	}
	acked.Range(func(id, _ any) bool {
		if seen[id.(ID)] != 1 {
			t.Errorf("acknowledged %s is %d times in the history", id, seen[id.(ID)])
		}
		return true
	})
	noLocks(t, g)
	if keeps, _ := filepath.Glob(filepath.Join(g.dir, ".git/objects/pack/*.keep")); len(keeps) > 0 {
		t.Errorf("left behind: %v", keeps)
	}
	g.fsck()
}

// commitOn adds a commit to a branch, again and again until nobody was faster.
func commitOn(ctx context.Context, r *Repo, branch, text string) (ID, error) {
	for {
		old, err := r.Branch(branch)
		if err != nil {
			return "", err
		}
		id, err := commitOnce(ctx, r, branch, text, old)
		var moved *MovedError
		if !errors.As(err, &moved) {
			return id, err
		}
	}
}

func commitOnce(ctx context.Context, r *Repo, branch, text string, old ID) (ID, error) {
	parent, err := r.Commit(old)
	if err != nil {
		return "", err
	}
	w := r.NewWriter()
	defer w.Close()
	tree, err := w.Update(parent.Tree, []Change{{Path: "dir/" + strings.ReplaceAll(text, " ", "-"), File: &File{Data: []byte(text)}}})
	if err != nil {
		return "", err
	}
	id, err := w.Commit(CommitSpec{Tree: tree, Parents: []ID{old}, Author: who, Committer: who, Message: text})
	if err != nil {
		return "", err
	}
	if err := w.Flush(ctx); err != nil {
		return "", err
	}
	if err := r.UpdateRefs(ctx, move(branch, old, id), who, "commit: "+text); err != nil {
		return "", err
	}
	return id, w.Recheck(ctx)
}
