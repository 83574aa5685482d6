//go:build !windows

package repo

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestTakeOver: a lock is taken over if it was this program's and whoever
// held it is gone, and only then.
func TestTakeOver(t *testing.T) {
	for _, c := range []struct {
		name  string
		make  func(t *testing.T, lock, other string)
		taken bool
	}{
		{"of a dead run", func(t *testing.T, lock, other string) {
			must(t, os.WriteFile(other, []byte("x"), 0o666))
			must(t, os.Link(other, lock))
		}, true},
		{"of a dead run, long ago", func(t *testing.T, lock, other string) {
			must(t, os.WriteFile(other, []byte("x"), 0o666))
			must(t, os.Chtimes(other, time.Time{}, time.Now().Add(-2*staleAfter)))
			must(t, os.Link(other, lock))
		}, true},
		{"of a living run", func(t *testing.T, lock, other string) {
			f, err := os.Create(other)
			must(t, err)
			t.Cleanup(func() { f.Close() })
			must(t, flock(f))
			must(t, os.Link(other, lock))
		}, false},
		{"of git", func(t *testing.T, lock, _ string) {
			must(t, os.WriteFile(lock, []byte("x"), 0o666))
		}, false},
		{"of git, beside what a dead run left", func(t *testing.T, lock, other string) {
			must(t, os.WriteFile(lock, []byte("x"), 0o666))
			must(t, os.WriteFile(other, []byte("x"), 0o666))
		}, false},
		{"of git, linked by somebody", func(t *testing.T, lock, other string) {
			must(t, os.WriteFile(lock, []byte("x"), 0o666))
			must(t, os.Link(lock, filepath.Join(filepath.Dir(lock), "backup.lock")))
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGit(t)
			a := g.commit("a", "1")
			g.git("update-ref", "refs/heads/env/y", string(a))
			dir := filepath.Join(g.dir, ".git/refs/heads/env")
			lock := filepath.Join(dir, "x.lock")
			c.make(t, lock, filepath.Join(dir, tempPrefix+"1_0.lock"))
			r := g.openEnv(Env{LockWait: 20 * time.Millisecond})
			// A run that moves another branch beside it leaves it takeable.
			must(t, r.UpdateRefs(t.Context(), move("env/z", "", a), who, "x"))
			err := r.UpdateRefs(t.Context(), move("env/x", "", a), who, "x")
			if !c.taken {
				var locked *LockedError
				if !errors.As(err, &locked) {
					t.Errorf("UpdateRefs: %v", err)
				}
				if _, err := os.Lstat(lock); err != nil {
					t.Error("the lock was removed")
				}
				return
			}
			must(t, err)
			noLocks(t, g)
			if g.id("env/x") != a {
				t.Error("the branch was not made")
			}
			g.fsck()
		})
	}
}

// TestLiveLockIsHeld: while one run holds its locks, another does not take them,
// and afterwards nothing of them is left.
func TestLiveLockIsHeld(t *testing.T) {
	g := newGit(t)
	a := g.commit("a", "1")
	r := g.open()
	l, err := r.lockRef(t.Context(), move("env", "", a)[0])
	must(t, err)
	if l.guard == nil {
		t.Fatal("the lock is not guarded here")
	}
	second := g.openEnv(Env{LockWait: time.Millisecond})
	var locked *LockedError
	if err := second.UpdateRefs(t.Context(), move("env", "", a), who, "x"); !errors.As(err, &locked) {
		t.Errorf("UpdateRefs beside a living run: %v", err)
	}
	l.release()
	must(t, second.UpdateRefs(t.Context(), move("env", "", a), who, "x"))
	noLocks(t, g)
}

func TestLockWait(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"": defaultLockWait, "soon": defaultLockWait, "0": 1, "250": 250 * time.Millisecond, "-1": 1<<63 - 1,
	} {
		g := newGit(t)
		if value != "" {
			g.git("config", "core.filesRefLockTimeout", value)
		}
		if got := g.openEnv(Env{}).env.LockWait; got != want {
			t.Errorf("core.filesRefLockTimeout %q: the wait is %v, want %v", value, got, want)
		}
	}
}
