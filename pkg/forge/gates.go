package forge

import (
	"fmt"
	"slices"
	"strings"
)

// Policy is what an environment asks of a commit before it may come in.
type Policy struct {
	Environment string
	Approvals   int64
	Checks      []string
	Frozen      string // a reason, or empty
}

// Evidence is what has been said of a request and of one commit.
type Evidence struct {
	Head    string // commit at the head of the request now
	Draft   bool
	Reviews []Review // in the order in which they were given
	Checks  []Check  // of the commit, the latest of each name and origin
}

// Review is one person's word.
type Review struct {
	User    string
	Verdict Verdict
	Commit  string // that it was given on; empty if the forge does not say
	// Counts tells whether the forge would count it: the user may write to the
	// repository, and the review has not become stale.
	Counts bool
}

// Verdict is what a review says.
type Verdict string

// What a review can say.
const (
	Approved  Verdict = "approved"
	Rejected  Verdict = "changes requested"
	Dismissed Verdict = "dismissed"
	Commented Verdict = "commented" // which takes nothing back
)

// Check is a commit status or a check run.
type Check struct {
	Name  string
	State State
}

// Gate is one condition of a promotion. Text says how it stands, Hint what to
// do where it is not Open.
type Gate struct {
	Name       string
	Open       bool
	Text, Hint string
}

// Gates holds a commit against a policy. Nil evidence stands for a commit that
// no request asks for. CODEOWNERS and whatever else a forge demands for itself
// are left to the forge.
func Gates(p Policy, commit string, e *Evidence) []Gate {
	var gates []Gate
	if p.Frozen != "" {
		gates = append(gates, Gate{
			Name: "frozen", Text: fmt.Sprintf("environment %q is frozen: %s", p.Environment, p.Frozen),
			Hint: "take the reason out of frozen: in the config when the freeze is over",
		})
	}
	if e == nil {
		return append(gates, Gate{
			Name: "request", Text: fmt.Sprintf("no open request asks for commit %s", short(commit)),
			Hint: "open one: sluice promote " + p.Environment,
		})
	}
	gates = append(gates, head(p, commit, e))
	if e.Draft {
		gates = append(gates, Gate{Name: "draft", Text: "the request is a draft", Hint: "mark it as ready for review"})
	}
	if p.Approvals > 0 {
		gates = append(gates, approvals(p, commit, e.Reviews))
	}
	for _, name := range p.Checks {
		gates = append(gates, check(name, commit, e.Checks))
	}
	return gates
}

// Closed gives the gates that do not let the commit in.
func Closed(gates []Gate) []Gate {
	return slices.DeleteFunc(slices.Clone(gates), func(g Gate) bool { return g.Open })
}

func head(p Policy, commit string, e *Evidence) Gate {
	if e.Head == commit {
		return Gate{Name: "request", Open: true, Text: "the request is about commit " + short(commit)}
	}
	return Gate{
		Name: "request", Text: fmt.Sprintf("the request is about commit %s, not %s", short(e.Head), short(commit)),
		Hint: fmt.Sprintf("bring it up to date: sluice promote %s, or name that commit with --commit", p.Environment),
	}
}

// approvals counts the people whose last word is an approval of exactly this commit.
func approvals(p Policy, commit string, reviews []Review) Gate {
	last := map[string]Review{}
	for _, r := range reviews {
		if r.Verdict != Commented {
			last[r.User] = r
		}
	}
	var given, rejected, elsewhere []string
	for user, r := range last {
		switch {
		case r.Verdict == Rejected && r.Counts:
			rejected = append(rejected, user)
		case r.Verdict != Approved || !r.Counts:
		case r.Commit == commit:
			given = append(given, user)
		default:
			elsewhere = append(elsewhere, user)
		}
	}
	slices.Sort(rejected)
	g := Gate{Name: "approvals", Text: fmt.Sprintf("%d of %d approvals of commit %s", len(given), p.Approvals, short(commit))}
	switch {
	case len(rejected) > 0:
		g.Text = "changes are requested by " + strings.Join(rejected, ", ")
		g.Hint = "they have to approve, or their review has to be dismissed"
	case int64(len(given)) >= p.Approvals:
		g.Open = true
	case len(elsewhere) > 0:
		g.Text += fmt.Sprintf(", and %d of other commits, which do not count", len(elsewhere))
		g.Hint = "ask for a review of the commit that is at the head of the request now"
	default:
		g.Hint = "ask people who may write to the repository for a review"
	}
	return g
}

// check holds every status and check run of a name to have passed: two of one
// name may come from two programs.
func check(name, commit string, checks []Check) Gate {
	g := Gate{Name: "check " + name}
	found, worst := false, Passed
	for _, c := range checks {
		if c.Name != name {
			continue
		}
		found = true
		if c.State == Failed || c.State == Pending && worst == Passed {
			worst = c.State
		}
	}
	switch {
	case !found:
		g.Text, g.Hint = fmt.Sprintf("check %q has not been reported on commit %s", name, short(commit)), "wait for it, or see why it does not run on this branch"
	case worst == Passed:
		g.Open, g.Text = true, fmt.Sprintf("check %q has passed", name)
	case worst == Pending:
		g.Text, g.Hint = fmt.Sprintf("check %q has not finished", name), "wait for it"
	default:
		g.Text, g.Hint = fmt.Sprintf("check %q has failed", name), "see what it says, and run it again on the same commit once that is mended"
	}
	return g
}

// short is a commit id as people read it.
func short(id string) string { return id[:min(len(id), 10)] }
