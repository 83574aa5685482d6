package main

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// ran is how a run of sluice commit --push ended.
type ran struct {
	code            int
	outcome, commit string
	stderr          string
}

func pushFrom(t *testing.T, bin, dir string, env ...string) ran {
	cmd := exec.Command(bin, "-C", dir, "-o", "json", "-v", "commit", "--push")
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	cmd.Env = append(cmd.Env, env...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	r := ran{code: cmd.ProcessState.ExitCode(), stderr: errOut.String()}
	if err != nil {
		return r
	}
	var v struct {
		Chains []struct{ Outcome, Commit string }
	}
	if err := json.Unmarshal(out.Bytes(), &v); err != nil || len(v.Chains) != 1 {
		t.Errorf("%v: %s", err, out.String())
		return r
	}
	r.outcome, r.commit = v.Chains[0].Outcome, v.Chains[0].Commit
	return r
}

// line checks that the branch is one line on which each source stands once and
// comes after all older ones, and gives its commits by source.
func (r *remote) line(t *testing.T, sources []string) map[string]string {
	t.Helper()
	order := map[string]int{}
	for i, s := range sources {
		order[s] = i + 1
	}
	commits := map[string]string{}
	last := 0
	for line := range strings.Lines(git(t, r.dir, "log", "--reverse", "--format=%H %(trailers:key=Source-Commit,valueonly,separator=%x2C) %P", "env/staging")) {
		fields := strings.Fields(line)
		if len(fields) == 1 {
			continue // the root
		}
		if len(fields) != 3 {
			t.Fatalf("not a line of single parents: %s", line)
		}
		at := order[fields[1]]
		if at <= last {
			t.Errorf("source %d comes after source %d", at, last)
		}
		last = at
		commits[fields[1]] = fields[0]
	}
	if last != len(sources) {
		t.Errorf("the branch ends with source %d of %d", last, len(sources))
	}
	if taken, err := os.ReadFile(filepath.Join(r.dir, "taken-back")); err == nil {
		t.Errorf("a push would have taken commits back: %s", taken)
	}
	if out := git(t, r.dir, "fsck", "--strict", "--full", "--no-dangling", "--no-progress"); out != "" {
		t.Errorf("git fsck: %s", out)
	}
	return commits
}

func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Many processes commit different sources of one history onto one branch at the
// same time. Every one of them ends well, and nothing is lost.
func TestPushRace(t *testing.T) {
	t.Parallel()
	bin := build(t)
	r, sources := newRemote(t, number(t, "SLUICE_RACE", 8), false)
	race(t, bin, r, sources)
}

// The same over ssh.
func TestPushRaceOverSSH(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	stop, err := startSSH(home, filepath.Join(t.TempDir(), "sshd"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	bin := build(t)
	r, sources := newRemote(t, number(t, "SLUICE_RACE", 8), false)
	r.url = "ssh://box" + r.dir
	race(t, bin, r, sources, "HOME="+home)
}

// The same while the network loses requests and answers.
func TestPushRaceOverABadLine(t *testing.T) {
	t.Parallel()
	bin := build(t)
	r, sources := newRemote(t, number(t, "SLUICE_RACE", 8)/2, true)
	race(t, bin, r, sources)
}

func race(t *testing.T, bin string, r *remote, sources []string, env ...string) {
	t.Helper()
	n, faults := len(sources), r.faults
	shared := filepath.Join(t.TempDir(), "shared")
	git(t, ".", "clone", "-q", r.dir, shared)
	dirs := make([]string, n)
	for i, s := range sources {
		dirs[i] = r.clone(t, i, s, shared)
	}
	results := make([]ran, n)
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() {
			// All at once the newest source would win and the others be superseded.
			time.Sleep(time.Duration(rand.IntN(1+i*150)) * time.Millisecond)
			for range 50 {
				if results[i] = pushFrom(t, bin, dirs[i], env...); !faults || results[i].code != 4 {
					return
				}
			}
		})
	}
	running.Wait()
	commits := r.line(t, sources)
	count := map[string]int{}
	for i, got := range results {
		count[got.outcome]++
		switch {
		case got.code != 0:
			t.Errorf("source %d: exit status %d: %s", i, got.code, got.stderr)
		case got.outcome == "committed" && commits[sources[i]] != got.commit:
			t.Errorf("source %d: %s is said to be its commit, and %q is", i, got.commit, commits[sources[i]])
		case got.outcome == "unchanged" && commits[sources[i]] == "", got.outcome != "committed" && got.outcome != "superseded" && got.outcome != "unchanged":
			t.Errorf("source %d: %s", i, got.outcome)
		}
		if tip := git(t, dirs[i], "branch", "--list", "--format=%(objectname)", "env/staging"); got.outcome == "committed" && !faults && i%3 != 2 && tip != got.commit {
			t.Errorf("source %d: the branch of the clone is at %s, not at %s", i, tip, got.commit)
		}
	}
	if !faults && len(commits) != count["committed"] {
		t.Errorf("%d commits, and %d processes say that they made one", len(commits), count["committed"])
	}
	t.Logf("%d processes: %v; lost before %d, during %d, after %d, asking %d", n, count, r.lost.before, r.lost.during, r.lost.after, r.lost.asking)
}

// One source after the other is pushed over a line that is cut before, while and
// after the server applies the push. What every run says is true.
func TestPushLostAnswers(t *testing.T) {
	t.Parallel()
	n := number(t, "SLUICE_LOST_ANSWERS", 5)
	bin := build(t)
	r, sources := newRemote(t, n, true)
	runs := 0
	for i, s := range sources {
		dir := r.clone(t, i%2, s, "")
		for {
			runs++
			before := r.tip(t)
			got := pushFrom(t, bin, dir)
			after := r.tip(t)
			switch {
			case got.code == 0 && got.outcome == "committed" && after != got.commit:
				t.Fatalf("source %d: %s is said to have landed, the branch is at %s", i, got.commit, after)
			case got.code == 0 && got.outcome == "superseded", got.code != 0 && got.code != 4:
				t.Fatalf("source %d: exit status %d, %s: %s", i, got.code, got.outcome, got.stderr)
			case got.code == 4 && before != after && !strings.Contains(got.stderr, "the answer was lost"):
				t.Fatalf("source %d: the branch has moved, and the run says: %s", i, got.stderr)
			}
			if got.code == 0 {
				break
			}
			if runs > 20*n+20 {
				t.Fatalf("no end: %s", got.stderr)
			}
		}
	}
	if commits := r.line(t, sources); len(commits) != n {
		t.Errorf("%d commits of %d sources", len(commits), n)
	}
	t.Logf("%d runs; lost before %d, during %d, after %d, asking %d", runs, r.lost.before, r.lost.during, r.lost.after, r.lost.asking)
}

// The answer is lost, and somebody else goes on from the new tip before anybody
// can ask: the commit has landed all the same, and the run says so.
func TestPushOvertakenAfterALostAnswer(t *testing.T) {
	t.Parallel()
	bin := build(t)
	for shape := range 2 {
		r, sources := newRemote(t, 4, false)
		first := r.clone(t, 0, sources[0], "")
		if got := pushFrom(t, bin, first); got.code != 0 {
			t.Fatal(got.stderr)
		}
		mine, theirs := r.clone(t, shape, sources[1], ""), r.clone(t, 0, sources[3], "")
		between := r.clone(t, 1, sources[2], "")
		r.applied = func() {
			for _, dir := range []string{between, theirs} {
				if got := pushFrom(t, bin, dir); got.code != 0 || got.outcome != "committed" {
					t.Errorf("somebody else: %+v", got)
				}
			}
		}
		got := pushFrom(t, bin, mine)
		commits := r.line(t, sources)
		if got.code != 0 || got.outcome != "committed" || got.commit != commits[sources[1]] || len(commits) != 4 {
			t.Errorf("shape %d: %+v, the branch has %v", shape, got, commits)
		}
		if r.applied != nil {
			t.Error("nothing was lost")
		}
	}
}

// A line that is cut twice is no reason to give up, one that is always cut is.
func TestPushTriesAgain(t *testing.T) {
	t.Parallel()
	bin := build(t)
	r, sources := newRemote(t, 1, false)
	dir := r.clone(t, 0, sources[0], "")
	r.cuts = 100
	if got := pushFrom(t, bin, dir); got.code != 4 || !strings.Contains(got.stderr, "the answer was lost and nothing has moved so far") || r.tip(t) != "" {
		t.Errorf("always cut: %+v", got)
	}
	r.cuts = 2
	if got := pushFrom(t, bin, dir); got.code != 0 || got.outcome != "committed" || r.tip(t) != got.commit {
		t.Errorf("cut twice: %+v", got)
	}
}
