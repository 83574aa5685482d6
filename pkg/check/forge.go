package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/forge"
)

// Forge is how a repository and its branches are set up on a forge.
type Forge struct {
	Type     forge.Type
	Settings forge.Settings
	// Branches are the protections of the environments' branches and of the
	// snapshots that requests come from, by name.
	Branches map[string]forge.Protection
	// Reported are the names of the checks that were seen on the last commits
	// of an environment. One that has no commits yet is not in it.
	Reported map[string][]string
	// Own are the checks that sluice reports itself.
	Own []string
}

// Asked tells whether an environment gets its commits by pull request: by
// promotion, or by commit --pull-request where it asks for more than a push.
func Asked(e config.Environment) bool {
	return e.PromotedFrom != "" || e.Approvals > 0 || len(e.RequiredChecks) > 0
}

// Findings holds a forge against what sluice is going to do with each
// environment's branch.
func (f Forge) Findings(environments []config.Environment) []Finding {
	j := &judge{Forge: f, environments: environments}
	j.repository()
	for _, e := range environments {
		j.environment(e)
	}
	j.buttons()
	j.autoDelete()
	return Group(j.found)
}

type judge struct {
	Forge
	environments []config.Environment
	found        []Finding
}

func (j *judge) add(s Severity, where, text, hint string) {
	j.found = append(j.found, Finding{s, where, text, hint})
}

// promoted tells whether anything comes in by a request.
func (j *judge) promoted() bool {
	return slices.ContainsFunc(j.environments, Asked)
}

// repository judges what holds for all branches.
func (j *judge) repository() {
	s := j.Settings
	switch {
	case s.Archived:
		j.add(Problem, "", "the repository is archived: nothing can be pushed to it", "take it out of the archive")
	case s.Write == forge.No && len(s.Lacks) == 0:
		j.add(Problem, "", "whoever the token belongs to may not write to the repository: nothing can be promoted", "let them write to it, or use the token of somebody who may")
	}
	if s.Requests == forge.No && j.promoted() {
		j.add(Problem, "", "the repository has no pull requests: promote cannot open one", "switch them on in its settings, or say forge: {type: none} in the config")
	}
	for _, lack := range s.Lacks {
		j.add(Problem, "", "the token lacks "+lack, "make one that has it; what it all needs is listed under Credentials in docs/promotion.md")
	}
	for _, what := range s.Unread {
		j.add(Advice, "", "not shown to this token: "+what, "")
	}
	if j.promoted() {
		j.ownMerge()
	}
}

// ownMerge judges the fast-forward that GitLab and Gitea make themselves. At
// GitHub sluice pushes.
func (j *judge) ownMerge() {
	methods := j.Settings.Methods
	switch {
	case j.Type == forge.GitHub:
		return
	case len(methods) > 0 && !slices.Contains(methods, forge.FastForward):
		j.add(Problem, "", fmt.Sprintf("the repository merges by %s: promote --merge needs a fast-forward, and is refused", list(methods)), map[forge.Type]string{
			forge.GitLab: "Settings, Merge requests, Merge method: Fast-forward merge",
			forge.Gitea:  "allow fast-forward-only merges in the repository's settings",
		}[j.Type])
	}
	switch {
	case slices.Contains(methods, forge.AlwaysSquash):
		j.add(Problem, "", "every merge request is squashed: what comes in is another commit than the one that was reviewed", "Settings, Merge requests, Squash commits when merging: Do not allow")
	case j.Settings.Squash == forge.Yes:
		j.add(Advice, "", "merge requests are squashed unless somebody unticks it: the branch leaves the line then", "Settings, Merge requests, Squash commits when merging: Do not allow; the next sluice commit heals what was squashed")
	}
}

// environment judges one branch, and the snapshot that is promoted to it.
func (j *judge) environment(e config.Environment) {
	p := j.Branches[e.Branch]
	j.unread(p)
	chained := e.PromotedFrom != "" || slices.ContainsFunc(j.environments, func(o config.Environment) bool { return o.PromotedFrom == e.Name })
	b := branchRole{judge: j, env: e, p: p, chained: chained, pushed: !Asked(e) || j.Type == forge.GitHub || !p.Exists}
	for _, r := range p.Rules {
		b.rule(r)
	}
	b.unprotected()
	if !Asked(e) {
		return
	}
	if p.Merge == forge.No {
		j.add(Problem, e.Branch, "whoever the token belongs to may not merge into it: promote --merge is refused", "put them on the list of those who may, in the protection of the branch")
	}
	j.checks(e)
	if s, asked := j.Branches[branch.Snapshot(e.Name)]; asked {
		snapshot := branchRole{judge: j, env: e, p: s, chained: true, pushed: true, snapshot: true}
		for _, r := range s.Rules {
			snapshot.rule(r)
		}
	}
}

func (j *judge) unread(p forge.Protection) {
	for _, what := range p.Unread {
		j.add(Advice, p.Branch, "not looked at: "+what, "see for yourself, or run it with a token that may read it")
	}
}

// checks looks for required checks that nobody ever reported.
func (j *judge) checks(e config.Environment) {
	seen, looked := j.Reported[e.Name]
	if !looked {
		return
	}
	for _, name := range e.RequiredChecks {
		if !slices.Contains(seen, name) && !slices.Contains(j.Own, name) {
			where := e.Branch
			if e.PromotedFrom != "" {
				where += " and of " + e.PromotedFrom
			}
			j.add(Advice, e.Branch, fmt.Sprintf("requiredChecks names %q, which was not reported on the last commits of %s", name, where), "see that it is spelled as the forge shows it, and that it runs on those commits: without it nothing comes in")
		}
	}
}

// buttons judges what people can do with the merge button of a request.
func (j *judge) buttons() {
	for _, e := range j.environments {
		p := j.Branches[e.Branch]
		if !Asked(e) || j.Type == forge.GitLab || restricted(p) && j.Type == forge.GitHub {
			continue
		}
		methods := p.Methods
		if methods == nil {
			methods = j.Settings.Methods
		}
		methods = slices.DeleteFunc(slices.Clone(methods), func(m forge.Method) bool { return m == forge.FastForward })
		if len(methods) == 0 {
			continue
		}
		text := fmt.Sprintf("the merge button makes another commit (%s), and the branch leaves the line: nothing can be promoted to it until the next sluice commit heals that", list(methods))
		hint := "allow fast-forward-only merges and no others in the repository's settings"
		if j.Type == forge.GitHub {
			hint = "let only the account that runs sluice move it: a ruleset with \"Restrict updates\" and that account in its bypass list"
		}
		j.add(Advice, e.Branch, text, hint)
	}
}

func restricted(p forge.Protection) bool { return has(p, forge.Restricted) }

func has(p forge.Protection, k forge.RuleKind) bool {
	return slices.ContainsFunc(p.Rules, func(r forge.Rule) bool { return r.Kind == k })
}

// autoDelete judges the deletion of merged requests' head branches. Snapshots
// sluice deletes itself; an environment's branch is lost if somebody opens a
// request from it by hand.
func (j *judge) autoDelete() {
	if j.Settings.AutoDelete != forge.Yes {
		return
	}
	for _, e := range j.environments {
		before := slices.IndexFunc(j.environments, func(o config.Environment) bool { return o.Name == e.PromotedFrom })
		if before < 0 {
			continue
		}
		head := j.environments[before].Branch
		if p := j.Branches[head]; !has(p, forge.NoDeletion) {
			j.add(Advice, head, "head branches of merged requests are deleted: this one too, if somebody opens a request from it by hand", "protect it against deletion, or switch off that head branches are deleted")
		}
	}
}

func list(methods []forge.Method) string {
	words := make([]string, len(methods))
	for i, m := range methods {
		words[i] = string(m)
	}
	return strings.Join(words, ", ")
}
