package conformance

import (
	"fmt"
	"slices"

	"github.com/sluice-dev/sluice/pkg/forge"
)

// judge gives the gates that a policy of one approval leaves closed.
func (u *suite) judge(r forge.Request, commit string, checks ...string) string {
	e, err := u.f.Evidence(u.ctx, r, commit)
	if err != nil {
		return err.Error()
	}
	policy := forge.Policy{Environment: "production", Approvals: 1, Checks: checks}
	if len(checks) > 0 {
		policy.Approvals = 0
	}
	text := ""
	for _, g := range forge.Closed(forge.Gates(policy, commit, &e)) {
		text += g.Name + "; "
	}
	return text
}

// gates waits until the closed gates are the wanted ones.
func (u *suite) gates(r forge.Request, commit, want string, checks ...string) {
	u.t.Helper()
	u.soon("the gates", func() string {
		if got := u.judge(r, commit, checks...); got != want {
			return fmt.Sprintf("closed are %q, want %q", got, want)
		}
		return ""
	})
}

// evidence holds that approvals are of exactly one commit.
func evidence(u *suite) {
	r := u.propose(u.commits[1], forge.Opened, false).Request
	u.gates(r, u.commits[1], "approvals; ")
	if !u.done(u.People.Review(r, forge.Approved)) {
		return
	}
	u.gates(r, u.commits[1], "")
	u.gates(r, u.commits[0], "request; approvals; ")

	u.propose(u.commits[2], forge.Updated, false)
	u.gates(r, u.commits[2], "approvals; ")
	if !u.done(u.People.Review(r, forge.Approved)) {
		return
	}
	u.gates(r, u.commits[2], "")
	if !u.done(u.People.Review(r, forge.Rejected)) {
		return
	}
	u.gates(r, u.commits[2], "approvals; ")
	if u.done(u.People.Review(r, forge.Approved)) {
		u.gates(r, u.commits[2], "")
	}
}

// checks reports statuses and reads them back: the last of a name counts.
func checks(u *suite) {
	r := u.propose(u.commits[1], forge.Opened, false).Request
	u.gates(r, u.commits[1], "check smoke; check lint; ", "smoke", "lint")
	report := func(name string, state forge.State) {
		u.t.Helper()
		for range 2 { // the second time it is there
			if err := u.f.Report(u.ctx, u.commits[1], forge.Status{Name: name, State: state, Text: "said by the suite", URL: "https://ci.example.com/1"}); err != nil {
				u.t.Fatal(err)
			}
		}
	}
	report("smoke", forge.Pending)
	report("lint", forge.Passed)
	u.gates(r, u.commits[1], "check smoke; ", "smoke", "lint")
	report("smoke", forge.Failed)
	u.gates(r, u.commits[1], "check smoke; ", "smoke", "lint")
	report("smoke", forge.Passed)
	u.gates(r, u.commits[1], "", "smoke", "lint")

	// Of another commit nothing has been said.
	e, err := u.f.Evidence(u.ctx, r, u.commits[0])
	if err != nil || len(e.Checks) != 0 {
		u.t.Errorf("%+v, %v", e.Checks, err)
	}
	e, err = u.f.Evidence(u.ctx, r, u.commits[1])
	if named := slices.DeleteFunc(e.Checks, func(c forge.Check) bool { return c.Name != "smoke" }); err != nil || len(named) != 1 {
		u.t.Errorf("%+v, %v", named, err)
	}
}

// merge moves the base to exactly the commit, once.
func merge(u *suite) {
	r := u.propose(u.commits[2], forge.Opened, false).Request
	for range 2 {
		u.soon("merging", func() string {
			shown, err := u.merge(r, u.commits[2])
			if at := u.at(u.base); err != nil || !shown || at != u.commits[2] {
				return fmt.Sprintf("shown %t, at %s, %v", shown, at, err)
			}
			return ""
		})
		u.state(r, "merged")
	}
	if at := u.at(u.head); at != u.commits[2] {
		u.t.Errorf("the head is at %q, which is not for the forge to delete", at)
	}
	if open, err := u.f.Find(u.ctx, u.head, u.base); err != nil || len(open) != 0 {
		u.t.Errorf("open are %+v, %v", open, err)
	}
}

// kept holds that a refused merge has moved nothing.
func (u *suite) kept(at string, shown bool, err error, kinds ...forge.Kind) {
	u.t.Helper()
	if shown {
		u.t.Error("it shows as merged")
	}
	u.refused(err, kinds...)
	if now := u.at(u.base); now != at {
		u.t.Errorf("the base is at %s, want %s", now, at)
	}
}

// baseMoved merges after somebody moved the base aside.
func baseMoved(u *suite) {
	r := u.propose(u.commits[2], forge.Opened, false).Request
	u.push(u.base, u.aside)
	shown, err := u.merge(r, u.commits[2])
	u.kept(u.aside, shown, err, forge.Moved)
	// Planned by somebody who knows where it is, but it does not follow.
	shown, err = u.f.Merge(u.ctx, r, forge.Move{Branch: u.base, Old: u.aside, New: u.commits[2]})
	u.kept(u.aside, shown, err, forge.Moved, forge.Invalid, forge.Unavailable)
}

// baseForward merges after somebody moved the base forward on the line: what
// was judged was another step.
func baseForward(u *suite) {
	r := u.propose(u.commits[2], forge.Opened, false).Request
	u.push(u.base, u.commits[1])
	shown, err := u.merge(r, u.commits[2])
	u.kept(u.commits[1], shown, err, forge.Moved)
}

// headMoved merges the commit that was judged after somebody pushed another.
func headMoved(u *suite) {
	r := u.propose(u.commits[1], forge.Opened, false).Request
	u.push(u.head, u.commits[3])
	shown, err := u.merge(r, u.commits[1])
	switch at := u.at(u.base); {
	case at == u.commits[1] && !u.f.Buttons(): // by the ref, whatever the request's head
	case at != u.commits[0]:
		u.t.Errorf("the base is at %s", at)
	default:
		u.kept(u.commits[0], shown, err, forge.Moved)
	}
}

// stale merges a commit that the request's head never was.
func stale(u *suite) {
	r := u.propose(u.commits[1], forge.Opened, false).Request
	if !u.f.Buttons() {
		return // it moves the ref, and asks nobody
	}
	shown, err := u.merge(r, u.aside)
	u.kept(u.commits[0], shown, err, forge.Moved)
}

// protected merges where the forge's own rules do not let it.
func protected(u *suite) {
	r := u.propose(u.commits[1], forge.Opened, false).Request
	if !u.done(u.People.Protect(u.base)) {
		return
	}
	shown, err := u.merge(r, u.commits[1])
	u.kept(u.commits[0], shown, err, forge.Invalid, forge.Forbidden)
	if u.f.Buttons() && u.done(u.People.Review(r, forge.Approved)) {
		u.soon("merging", func() string {
			if shown, err = u.merge(r, u.commits[1]); err != nil || !shown {
				return fmt.Sprint(err)
			}
			return ""
		})
		u.state(r, "merged")
	}
}

// busy merges while the forge finds out whether it can.
func busy(u *suite) {
	r := u.propose(u.commits[1], forge.Opened, false).Request
	if u.Busy != nil {
		u.Busy()
	}
	if shown, err := u.merge(r, u.commits[1]); err != nil || !shown || u.at(u.base) != u.commits[1] {
		u.t.Errorf("shown %t, %v", shown, err)
	}
}

// pushed merges what somebody has pushed already.
func pushed(u *suite) {
	r := u.propose(u.commits[1], forge.Opened, false).Request
	u.push(u.base, u.commits[1])
	if _, err := u.merge(r, u.commits[1]); err != nil || u.at(u.base) != u.commits[1] {
		u.t.Error(err)
	}
	if u.Detects {
		u.state(r, "merged")
	}
}

// The answers to what changes something get lost.

func lostOpen(u *suite) {
	u.push(u.head, u.commits[1])
	u.line.lose = 1
	got, err := forge.Ensure(u.ctx, u.f, u.head, u.base, u.proposal(u.commits[1]), false, nil)
	if err != nil || u.line.lose != 0 {
		u.t.Fatal(err)
	}
	u.one(got.Number)
}

func lostEdit(u *suite) {
	r := u.propose(u.commits[1], forge.Opened, false)
	u.push(u.head, u.commits[2])
	u.line.lose = 1
	got, err := forge.Ensure(u.ctx, u.f, u.head, u.base, u.proposal(u.commits[2]), false, nil)
	if err != nil || got.Number != r.Number || u.line.lose != 0 {
		u.t.Fatal(got.Number, err)
	}
	if u.propose(u.commits[2], forge.Unchanged, false).Number != r.Number {
		u.t.Error("another request")
	}
}

func lostMerge(u *suite) {
	r := u.propose(u.commits[1], forge.Opened, false).Request
	u.line.lose = 1
	if shown, err := u.merge(r, u.commits[1]); err != nil || !shown || u.at(u.base) != u.commits[1] || u.line.lose != 0 {
		u.t.Errorf("shown %t, %v", shown, err)
	}
	u.state(r, "merged")
}

func lostReport(u *suite) {
	r := u.propose(u.commits[1], forge.Opened, false).Request
	u.line.lose = 1
	status := forge.Status{Name: "smoke", State: forge.Passed, Text: "said by the suite"}
	if err := u.f.Report(u.ctx, u.commits[1], status); err != nil {
		u.refused(err, forge.Unavailable) // it may have been heard
		if err = u.f.Report(u.ctx, u.commits[1], status); err != nil {
			u.t.Error(err)
		}
	}
	u.gates(r, u.commits[1], "", "smoke")
}
