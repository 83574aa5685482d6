package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/forge"
)

// branchRole is one branch, and what sluice does with it.
type branchRole struct {
	*judge
	env      config.Environment
	p        forge.Protection
	chained  bool // its history can hold commits that heal
	pushed   bool // sluice pushes to it; otherwise the forge merges
	snapshot bool
}

// first tells whether new commits come into the branch that nobody has seen yet.
func (b branchRole) first() bool { return !Asked(b.env) }

// stops adds what a rule keeps sluice from. It is a problem unless whoever
// asks may pass it, or whether they may is not told.
func (b branchRole) stops(r forge.Rule, text, hint string) {
	switch r.Bypass {
	case forge.Yes:
	case forge.No:
		b.add(Problem, b.p.Branch, fmt.Sprintf("%s (%s)", text, r.By), hint)
	default:
		b.add(Advice, b.p.Branch, fmt.Sprintf("%s (%s), unless whoever runs sluice may pass it, which is not told", text, r.By), hint)
	}
}

// who names the command that a rule would keep from its work.
func (b branchRole) who() string {
	switch {
	case b.snapshot && b.env.PromotedFrom != "":
		return "sluice promote " + b.env.Name
	case b.snapshot, b.first(), !b.p.Exists:
		return b.commits(b.env) // which makes those that are not there
	}
	return "sluice promote " + b.env.Name + " --merge"
}

// commits names the command that brings commits into an environment's chain.
func (j *judge) commits(e config.Environment) string {
	for e.PromotedFrom != "" {
		before := slices.IndexFunc(j.environments, func(o config.Environment) bool { return o.Name == e.PromotedFrom })
		if before < 0 {
			break
		}
		e = j.environments[before]
	}
	if e.PromotedFrom == "" && Asked(e) {
		return "sluice commit --pull-request"
	}
	return "sluice commit --push"
}

const passList = "take the branch out of the rule, or put the account that runs sluice on its bypass list"

// rule judges one rule.
func (b branchRole) rule(r forge.Rule) {
	switch r.Kind {
	case forge.Linear:
		if b.chained {
			b.stops(r, "commits with two parents are refused: the one that heals a branch that left the line has two", passList)
		}
	case forge.ByRequest:
		if b.pushed {
			b.stops(r, fmt.Sprintf("only pull requests may change it: %s pushes to it", b.who()), passList)
		}
		if r.Bypass != forge.No { // otherwise no approval helps
			b.approvals(r)
		}
	case forge.Approvals:
		b.approvals(r)
	case forge.StatusChecks:
		b.statusChecks(r)
	case forge.Signed:
		b.signed(r)
	case forge.Restricted:
		if b.pushed {
			b.stops(r, fmt.Sprintf("not everybody may push to it: %s is refused", b.who()), "put the account that runs sluice on the list of those who may")
		}
	case forge.NoCreation:
		if !b.p.Exists {
			b.stops(r, fmt.Sprintf("a branch of this name cannot be made: %s is refused", b.who()), passList)
		}
	case forge.NoDeletion:
		if b.snapshot {
			b.stops(r, "it cannot be deleted, and sluice deletes it once it is merged", "take sluice/promote/* out of the rule")
		}
	case forge.Queue, forge.Deployments, forge.Workflows:
		if b.pushed {
			b.stops(r, fmt.Sprintf("only what went through %s comes in: %s pushes to it", r.Kind, b.who()), passList)
		}
	case forge.Other:
		if r.Bypass != forge.Yes {
			b.add(Advice, b.p.Branch, fmt.Sprintf("whether sluice's commits keep to the rule %q is not looked at (%s)", strings.Join(r.Names, ", "), r.By), "see that they do, or "+passList)
		}
	}
}

// approvals compares what the forge asks for with what the config does. Where
// sluice may pass the rule, the config alone decides.
func (b branchRole) approvals(r forge.Rule) {
	if b.snapshot || b.first() || int64(r.Count) <= b.env.Approvals {
		return
	}
	text := fmt.Sprintf("the forge asks for %d approvals (%s) and the config for %d: promote --merge would try it too early, and be refused", r.Count, r.By, b.env.Approvals)
	if r.Bypass == forge.Yes {
		text = fmt.Sprintf("the forge asks for %d approvals (%s), which sluice may pass, and the config for %d: that is all it takes", r.Count, r.By, b.env.Approvals)
	}
	b.add(Advice, b.p.Branch, text, fmt.Sprintf("write approvals: %d for environment %q", r.Count, b.env.Name))
}

func (b branchRole) statusChecks(r forge.Rule) {
	names := strings.Join(r.Names, ", ")
	switch {
	case b.first() || b.snapshot:
		b.stops(r, fmt.Sprintf("a commit comes in once %s has passed on it: on those that %s pushes nothing has run yet", names, b.who()), passList)
	default:
		missing := slices.DeleteFunc(slices.Clone(r.Names), func(n string) bool { return slices.Contains(b.env.RequiredChecks, n) })
		if len(missing) > 0 && r.Bypass != forge.Yes {
			b.add(Advice, b.p.Branch, fmt.Sprintf("the forge waits for %s (%s), and the config does not: promote --merge would try it too early, and be refused", strings.Join(missing, ", "), r.By), fmt.Sprintf("add it to requiredChecks of environment %q", b.env.Name))
		}
	}
}

// signed: the root commit that all environments' branches begin with is never
// signed, so that it is the same everywhere.
func (b branchRole) signed(r forge.Rule) {
	switch {
	case b.snapshot:
	case !b.p.Exists:
		b.stops(r, "commits have to be signed, and the root commit that the branch begins with is not", "make the branch before the rule, or put the account that runs sluice on its bypass list")
	case r.Bypass != forge.Yes:
		b.add(Advice, b.p.Branch, fmt.Sprintf("commits have to be signed (%s)", r.By), "commit with sluice commit --sign, and roll back with sluice rollback --sign")
	}
}

// unprotected advises to protect the branch from what breaks it for good.
func (b branchRole) unprotected() {
	var open []string
	if !has(b.p, forge.NoForce) {
		open = append(open, "push to it by force")
	}
	if !has(b.p, forge.NoDeletion) {
		open = append(open, "delete it")
	}
	if len(open) == 0 {
		return
	}
	nothing := "nothing"
	if len(b.p.Unread) > 0 {
		nothing = "nothing that this token is shown"
	}
	b.add(Advice, b.p.Branch, nothing+" keeps those who may write to the repository from this: to "+strings.Join(open, " and to "), "protect the branch on the forge: no force pushes, no deletion")
}
