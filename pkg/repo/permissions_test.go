//go:build !windows

package repo

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestPermissions compares with the files that git makes.
func TestPermissions(t *testing.T) {
	for _, umask := range []int{0o022, 0o077, 0o002} {
		for _, shared := range []string{"", "group", "all", "0640", "0660"} {
			t.Run(fmt.Sprintf("%03o %s", umask, shared), func(t *testing.T) {
				defer syscall.Umask(syscall.Umask(umask))
				g := newGit(t)
				if shared != "" {
					g.git("config", "core.sharedRepository", shared)
				}
				a := g.commit("a", "1")
				g.git("update-ref", "-m", "x", "refs/heads/theirs/x", string(a))
				g.git("gc", "-q")
				g.git("update-ref", "-m", "x", "refs/heads/theirs/y", string(a))
				mode := func(pattern string) os.FileMode {
					t.Helper()
					found, _ := filepath.Glob(filepath.Join(g.dir, ".git", pattern))
					if len(found) == 0 {
						t.Fatalf("no %s", pattern)
					}
					fi, err := os.Stat(found[0])
					must(t, err)
					return fi.Mode()
				}
				theirs := map[string]os.FileMode{}
				for _, p := range []string{"objects/pack/pack-*.pack", "objects/pack/pack-*.idx"} {
					theirs[p] = mode(p)
					found, _ := filepath.Glob(filepath.Join(g.dir, ".git", p))
					must(t, os.Rename(found[0], found[0]+".moved"))
				}
				must(t, os.RemoveAll(filepath.Join(g.dir, ".git/refs/heads/env")))
				for from, to := range map[string]string{"refs/heads/theirs/y": "refs/heads/env/staging", "refs/heads/theirs": "refs/heads/env", "logs/refs/heads/theirs/y": "logs/refs/heads/env/staging", "logs/refs/heads/theirs": "logs/refs/heads/env"} {
					theirs[to] = mode(from)
				}
				r := g.open()
				w := r.NewWriter()
				defer w.Close()
				tree, err := w.Update("", []Change{{Path: "x", File: &File{}}})
				must(t, err)
				id, err := w.Commit(CommitSpec{Tree: tree, Author: who, Committer: who})
				must(t, err)
				must(t, w.Flush(t.Context()))
				must(t, r.UpdateRefs(t.Context(), move("env/staging", "", id), who, "x"))
				for path, want := range theirs {
					if got := mode(path); got != want {
						t.Errorf("%s has mode %v, git gives %v", path, got, want)
					}
				}
			})
		}
	}
}
