package repo

import (
	"bufio"
	"context"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain lets TestKill run this binary as the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("SLUICE_TEST_COMMIT_IN"); dir != "" {
		commitForEver(dir)
	}
	os.Exit(m.Run())
}

func commitForEver(dir string) {
	r, err := Open(dir, Env{ConfigNoSystem: true})
	for n := 0; err == nil; n++ {
		var id ID
		if id, err = commitOn(context.Background(), r, "env/x", fmt.Sprint("commit ", os.Getpid(), " ", n)); err == nil {
			fmt.Println(id)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// TestKill kills a committing process at random moments: the branch is at its old
// or its new commit, every acknowledged commit is in its history, and the
// next run goes on.
func TestKill(t *testing.T) {
	const rounds = 15
	rnd := rand.New(rand.NewSource(11))
	g := newGit(t)
	g.git("update-ref", "refs/heads/env/x", string(g.commit("a", "1")))
	locks, total := 0, 0
	for range rounds {
		acked := killedRun(t, g.dir, time.Duration(30+rnd.Intn(120))*time.Millisecond)
		total += len(acked)
		tip, err := g.open().Branch("env/x")
		if err != nil {
			t.Fatalf("after a kill: %v", err)
		}
		history := g.git("log", "--first-parent", "--format=%H", string(tip))
		for _, id := range acked {
			if !strings.Contains(history, id) {
				t.Errorf("acknowledged %s is lost", id)
			}
		}
		lock := filepath.Join(g.dir, ".git/refs/heads/env/x.lock")
		if os.Remove(lock) == nil {
			locks++
		}
	}
	if total == 0 {
		t.Error("no run came to a commit")
	}
	if locks > rounds/3 {
		t.Errorf("%d of %d kills left a lock", locks, rounds)
	}
	g.fsck()
}

func killedRun(t *testing.T, dir string, after time.Duration) (acked []string) {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	cmd := exec.Command(exe)
	cmd.Env = []string{"SLUICE_TEST_COMMIT_IN=" + dir}
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	time.AfterFunc(after, func() { cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if len(lines.Text()) == 40 {
			acked = append(acked, lines.Text())
		}
	}
	cmd.Wait()
	return acked
}
