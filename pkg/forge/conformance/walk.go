package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/forge/host"
)

// Walk takes a forge through random steps: promotions at every stage, people
// who review, close, squash, push and delete, a server that fails, and somebody
// who does any of that between two requests of one promotion. Whatever happens,
// sluice moves an environment's branch only forward, only to a commit that was
// approved and checked, and asks for it once.
type Walk struct {
	Server *Server
	Repo   *host.Repo
	// Make makes the client. push moves a branch by git, for forges that want it.
	Make func(t *forge.Transport, push func(context.Context, forge.Move) error) (forge.Forge, error)
	// Kept tells that approvals are words about a request, of whatever commit.
	Kept bool
	Seed uint64 // of Rand, for what is told
	Rand interface{ IntN(n int) int }

	t       *testing.T
	ctx     context.Context
	f       forge.Forge
	envs    []string
	calm    bool
	busy    bool // between two requests of one promotion
	steps   []string
	reflogs map[string]int64           // bytes of each that were seen
	been    map[string]map[string]bool // commits that a branch was at
	now     action
	counts  map[string]int
}

// action is what sluice is doing, and what was true at any time since it began.
type action struct {
	env      string
	move     forge.Move // what it asks for, once the gates are open
	read     string     // where it last read the branch to be
	knew     []string   // the same, when it asked for each change
	open     *host.Pull // when it began
	approved map[string]bool
	checked  map[string]bool
}

const check = "sluice/verify"

func head(env string) string   { return "sluice/promote/" + env }
func branch(env string) string { return "env/" + env }

// Run takes n steps.
func (w *Walk) Run(t *testing.T, n int) {
	t.Helper()
	w.t, w.ctx = t, t.Context()
	w.envs = []string{"production", "eu"}
	w.reflogs, w.been, w.counts = map[string]int64{}, map[string]map[string]bool{}, map[string]int{}
	var err error
	w.f, err = w.Make(&forge.Transport{
		Base: w.Server.API, Via: &weather{w}, Token: w.Server.Token, From: "THE_TOKEN", Wants: "THE_TOKEN",
		Now:   func() time.Time { return time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC) },
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}, w.push)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append([]string{"staging"}, w.envs...) {
		w.been[name] = map[string]bool{}
		w.set(branch(name), First, "mover: begin")
	}
	for i := range n {
		w.step(i)
		w.look()
		if t.Failed() {
			t.Fatalf("seed %d, step %d, after\n%s", w.Seed, i, strings.Join(w.steps[max(0, len(w.steps)-25):], "\n"))
		}
	}
	t.Logf("seed %d: %v", w.Seed, w.counts)
}

func (w *Walk) note(format string, args ...any) {
	w.steps = append(w.steps, fmt.Sprintf(format, args...))
}

// wrong reports a broken promise.
func (w *Walk) wrong(format string, args ...any) {
	w.t.Helper()
	w.t.Errorf(format, args...)
}

func (w *Walk) one(of []string) string { return of[w.Rand.IntN(len(of))] }
func (w *Walk) in(n int) bool          { return !w.calm && w.Rand.IntN(n) == 0 }

// step does one thing.
func (w *Walk) step(i int) {
	env := w.one(w.envs)
	switch k := w.Rand.IntN(20); {
	case i%100 == 99:
		w.quiet(env)
	case k < 5:
		_ = w.sluice("propose", env, w.propose)
	case k < 9:
		_ = w.sluice("merge", env, w.merge)
	case k < 12: // what mostly happens
		if w.sluice("propose", env, w.propose) == nil {
			w.approve(env)
			_ = w.sluice("merge", env, w.merge)
		}
	default:
		w.people()
	}
}

// sluice does what a command does, and watches it.
func (w *Walk) sluice(what, env string, do func(string) error) error {
	w.Repo.Lock()
	w.Repo.Settle()
	w.now = action{env: env, approved: map[string]bool{}, checked: map[string]bool{}, open: w.Repo.Find(head(env), branch(env))}
	w.Repo.Unlock()
	w.note("%s %s", what, env)
	w.busy = true
	err := do(env)
	w.busy = false
	w.note("  = %v", err)
	outcome := "done"
	if err != nil {
		outcome = "refused"
		var e *forge.Error
		if errors.As(err, &e) && e.Kind == forge.Unavailable {
			outcome = "broken"
		}
	}
	w.counts[what+" "+outcome]++
	return err
}

var errRefused = errors.New("refused")

// propose pushes the snapshot and asks for it, as promote does.
func (w *Walk) propose(env string) error {
	p, candidate, snapshot := w.at(branch(env)), w.at(branch("staging")), w.at(head(env))
	if p == candidate || !w.contains(candidate, p) {
		return errRefused
	}
	if snapshot != "" && snapshot != candidate && !w.contains(candidate, snapshot) {
		if err := w.move(head(env), snapshot, "", "push: snapshot"); err != nil {
			return err
		}
		w.settle()
		snapshot = ""
	}
	if snapshot != candidate {
		if err := w.move(head(env), snapshot, candidate, "push: snapshot"); err != nil {
			return err
		}
		w.settle()
	}
	w.mover()
	_, err := forge.Ensure(w.ctx, w.f, head(env), branch(env), forge.Proposal{
		Environment: env, From: "staging", Branch: branch(env), Path: env, Before: p, Commit: candidate, Merge: "sluice promote " + env + " --merge",
	}, false, nil)
	if err != nil {
		return err
	}
	return w.f.Report(w.ctx, candidate, forge.Status{Name: check, State: forge.Passed, Text: "rendered"})
}

// merge judges the open request and has it merged, as promote --merge does.
func (w *Walk) merge(env string) error {
	p, snapshot := w.at(branch(env)), w.at(head(env))
	open, err := w.f.Find(w.ctx, head(env), branch(env))
	if err != nil {
		return err
	}
	if len(open) == 0 || snapshot == "" || snapshot == p || !w.contains(snapshot, p) || !w.contains(w.at(branch("staging")), snapshot) {
		return errRefused
	}
	e, err := w.f.Evidence(w.ctx, open[0], snapshot)
	if err != nil {
		return err
	}
	if closed := forge.Closed(forge.Gates(forge.Policy{Environment: env, Approvals: 1, Checks: []string{check}}, snapshot, &e)); len(closed) > 0 {
		return fmt.Errorf("%w: %s", errRefused, closed[0].Text)
	}
	w.watch()
	if !w.now.approved[snapshot] || !w.now.checked[snapshot] {
		w.wrong("the gates of %s are open for %.10s: approved %t, checked %t", env, snapshot, w.now.approved[snapshot], w.now.checked[snapshot])
	}
	w.now.move, w.now.read = forge.Move{Branch: branch(env), Old: p, New: snapshot}, ""
	if w.in(3) {
		w.people()
	}
	shown, err := w.f.Merge(w.ctx, open[0], w.now.move)
	w.look()
	w.now.move = forge.Move{}
	switch {
	case shown && err != nil:
		w.wrong("merging says both that it is done and %v", err)
	case err == nil && !w.been[env][snapshot]:
		w.wrong("%s was never at %.10s, and merging says that it is", env, snapshot)
	case err == nil && shown:
		_ = w.move(head(env), snapshot, "", "push: clean")
		w.settle()
	}
	return err
}

// approve has all reviewers approve.
func (w *Walk) approve(env string) {
	w.note("  all approve of %s", env)
	w.Repo.Lock()
	defer w.Repo.Unlock()
	w.Repo.Settle()
	if p := w.Repo.Find(head(env), branch(env)); p != nil {
		p.Draft = false
		w.Repo.Review(p, "ada", "APPROVED", "")
		w.Repo.Review(p, "bob", "APPROVED", "")
	}
}

// push is git's own way to move a branch: the old value is compared.
func (w *Walk) push(_ context.Context, m forge.Move) error {
	w.mover()
	switch k := w.Rand.IntN(6); {
	case k < 2:
		return fmt.Errorf("credentials: %w", forge.ErrNoPush)
	case k == 2 && !w.calm:
		return errors.New("declined by a hook")
	}
	old := m.Old
	if old == "" { // nothing to compare with
		old = w.at(m.Branch)
	}
	err := w.move(m.Branch, old, m.New, "push: merge")
	w.settle()
	if err == nil && w.in(8) {
		return errors.New("the remote end hung up")
	}
	return err
}

// quiet lets one promotion through in fine weather, whatever was before.
func (w *Walk) quiet(env string) {
	w.calm = true
	defer func() { w.calm = false }()
	w.note("quiet")
	w.heal(env)
	w.mend()
	if w.at(branch(env)) == w.at(branch("staging")) {
		return
	}
	for _, do := range []func() error{
		func() error { return w.sluice("propose", env, w.propose) },
		func() error { return w.sluice("propose", env, w.propose) },
		func() error { w.approve(env); return nil },
		func() error { return w.sluice("merge", env, w.merge) },
	} {
		if err := do(); err != nil {
			w.wrong("in quiet: %v", err)
			return
		}
	}
	if at := w.at(branch(env)); at != w.at(branch("staging")) {
		w.wrong("in quiet %s came to %.10s", env, at)
	}
	w.counts["quiet"]++
}
