//go:build crash && linux && amd64

package crash

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestBesideGit has sluice commit while git commits to main, packs refs and
// collects garbage, all in loops. No acknowledged commit may be lost, and nobody may see
// a branch as absent.
func TestBesideGit(t *testing.T) {
	length := 8 * time.Second
	if full {
		length = time.Minute
	}
	dir := filepath.Join(place(t), "repo")
	must(t, os.MkdirAll(dir, 0o777))
	newSource(t, dir)
	mustGit(t, dir, "config", "--unset", "core.filesRefLockTimeout")
	mustSluice(t, dir, "commit")
	end := time.Now().Add(length)
	var all sync.WaitGroup
	loop := func(f func(n int)) {
		all.Go(func() {
			for n := 0; time.Now().Before(end) && !t.Failed(); n++ {
				f(n)
			}
		})
	}
	// Git does not promise that its own commits survive its own gc --prune=now, so
	// these two take turns.
	var turn sync.Mutex
	var sources, commits []string
	loop(func(n int) {
		turn.Lock()
		defer turn.Unlock()
		settings := strings.Replace(files["settings.yaml"], "one", fmt.Sprint("text ", n), 1)
		err := os.WriteFile(filepath.Join(dir, "settings.yaml"), []byte(settings), 0o666)
		if err == nil {
			_, err = git(dir, "commit", "-qam", fmt.Sprint(n))
		}
		id, headErr := git(dir, "rev-parse", "--verify", "refs/heads/main")
		if err != nil || headErr != nil {
			t.Errorf("committing to main: %v %v", err, headErr)
		}
		sources = append(sources, id)
	})
	loop(func(int) {
		turn.Lock()
		defer turn.Unlock()
		git(dir, "gc", "-q", "--prune=now")
	})
	loop(func(int) { git(dir, "pack-refs", "--all", "--prune") })
	loop(func(int) {
		r, err := execute(dir, sluice, "commit", "-o", "json", "-q")
		var v struct {
			Chains []struct{ Commit string }
		}
		if err == nil && r.code == 0 {
			err = json.Unmarshal([]byte(r.out), &v)
		}
		if err != nil || r.code != 0 {
			t.Errorf("sluice commit: %v\n%v", err, r)
			return
		}
		for _, c := range v.Chains {
			commits = append(commits, c.Commit)
		}
	})
	loop(func(int) {
		for _, b := range branches {
			if _, err := git(dir, "rev-parse", "--verify", "refs/heads/"+b); err != nil {
				t.Errorf("git does not see a branch: %v", err)
			}
		}
	})
	loop(func(int) {
		r, err := execute(dir, sluice, "status")
		if err != nil || r.code != 0 || strings.Contains(r.out, "no branch") {
			t.Errorf("sluice status: %v\n%v", err, r)
		}
	})
	all.Wait()
	must(t, fsck(dir))
	reachable := mustGit(t, dir, "rev-list", "--all")
	lost := 0
	for _, id := range append(commits, sources...) {
		if id == "" || !strings.Contains(reachable, id) {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d acknowledged commits are lost", lost)
	}
	if merges := mustGit(t, dir, "rev-list", "--merges", "--all"); merges != "" {
		t.Errorf("there are merges: %s", merges)
	}
	if left := append(locksOf(dir), leftovers(dir, ".keep")...); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	t.Logf("%d commits by git, %d by sluice", len(sources), len(commits))
	if len(commits) < 4 || len(sources) < 4 {
		t.Error("too few commits to tell anything")
	}
}
