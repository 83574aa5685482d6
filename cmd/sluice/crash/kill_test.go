//go:build crash && linux && amd64

package crash

import (
	"context"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// points gives the calls at which something is to happen: each that changes
// something, the end, and a sample of all calls, every so many. Between two
// changes the repository stays the same, so the sample loses nothing but the
// program's own state.
func points(events []event, every int) []plan {
	if full {
		every = 1
	}
	var at []plan
	changes := 0
	for i, e := range events {
		if e.changes {
			changes++
			at = append(at, plan{n: changes, only: true})
		}
		if i%every == 0 {
			at = append(at, plan{n: i + 1})
		}
	}
	return at
}

func (p plan) String() string {
	what, kind := "killed", "call"
	if p.errno != 0 {
		what = p.errno.Error()
	}
	if p.only {
		kind = "change"
	}
	if p.sticky {
		kind += ", and ever after"
	}
	return fmt.Sprintf("%s at %s %d", what, kind, p.n)
}

// TestKillAtEveryCall: a run that is killed at any of its calls leaves each branch at
// its old or its new commit, and the next run ends where it would have.
func TestKillAtEveryCall(t *testing.T) {
	for _, s := range scenarios(t) {
		t.Run(s.name, func(t *testing.T) {
			at := points(s.events, 16)
			var killed, locks atomic.Int32
			beside(len(at), func(i int) {
				err := s.in(i, func(dir string) error {
					p := at[i]
					p.dir = dir
					r, events, err := s.run(dir, p)
					if err != nil {
						return err
					}
					if r.code == 137 {
						killed.Add(1)
					}
					if len(locksOf(dir)) > 0 {
						locks.Add(1)
					}
					if err := s.survived(dir, r); err != nil {
						return fmt.Errorf("%w\nlast calls: %v", err, tail(events, 5))
					}
					return nil
				})
				if err != nil {
					t.Errorf("%v: %v", at[i], err)
				}
			})
			t.Logf("%d calls, killed at %d of them, %d times with a lock left", len(s.events), killed.Load(), locks.Load())
			// Two runs do not make quite the same number of calls.
			if int(killed.Load()) < len(at)*9/10 {
				t.Errorf("of %d runs only %d were killed", len(at), killed.Load())
			}
			if locks.Load() == 0 {
				t.Error("no run was killed while it held a lock")
			}
		})
	}
}

// survived checks a repository after a kill.
func (s *scenario) survived(dir string, r result) error {
	if err := s.intact(dir); err != nil {
		return err
	}
	if done, err := s.landed(dir); err != nil || r.out != "" && !done {
		return fmt.Errorf("it said %q, and the branches have not moved (%v)", r.out, err)
	}
	return s.again(dir)
}

// locksOf lists the locks that git would stop at.
func locksOf(dir string) []string {
	return slices.DeleteFunc(leftovers(dir, ".lock"), func(p string) bool {
		return strings.HasPrefix(filepath.Base(p), "sluice-tmp.")
	})
}

func tail(events []event, n int) string {
	var b strings.Builder
	for _, e := range events[max(0, len(events)-n):] {
		fmt.Fprintf(&b, "\n\t%v", e)
	}
	return b.String()
}

// TestKillAtRandom kills at moments instead of calls.
func TestKillAtRandom(t *testing.T) {
	kills := 60
	if full {
		kills = 1000
	}
	rng := rand.New(rand.NewSource(1))
	s := scenarios(t)[1]
	// Most of a run is rendering; the end of it is what matters.
	var took time.Duration
	must(t, s.in(0, func(dir string) error {
		start := time.Now()
		mustSluice(t, dir, s.args...)
		took = time.Since(start)
		return nil
	}))
	delays := make([]time.Duration, kills)
	for i := range delays {
		delays[i] = took/2 + time.Duration(rng.Int63n(int64(took)))
	}
	var killed atomic.Int32
	beside(kills, func(i int) {
		err := s.in(i, func(dir string) error {
			ctx, stop := context.WithTimeout(context.Background(), delays[i])
			defer stop()
			cmd := exec.CommandContext(ctx, sluice, s.args...)
			cmd.Dir, cmd.Env = dir, environ(dir)
			var out strings.Builder
			cmd.Stdout = &out
			if cmd.Run() != nil {
				killed.Add(1)
			}
			return s.survived(dir, result{out: out.String()})
		})
		if err != nil {
			t.Errorf("killed after %v: %v", delays[i], err)
		}
	})
	t.Logf("%d of %d runs were killed before their end", killed.Load(), kills)
	if killed.Load() == 0 {
		t.Error("no run was killed")
	}
}

// TestShowCalls prints what is traced, for whoever works on these tests:
// CRASH=show make crash.
func TestShowCalls(t *testing.T) {
	if os.Getenv("CRASH") == "show" {
		for _, s := range scenarios(t) {
			t.Logf("%s: %v", s.name, tail(s.events, len(s.events)))
		}
	}
}
