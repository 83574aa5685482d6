package check_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-dev/sluice/pkg/check"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/forge"
)

const (
	staging    = "env/staging"
	production = "env/production"
	snapshot   = "sluice/promote/production"
)

func chain() []config.Environment {
	return []config.Environment{
		{Name: "staging", Branch: staging},
		{Name: "production", Branch: production, PromotedFrom: "staging", Approvals: 1, RequiredChecks: []string{"smoke"}},
	}
}

// sound is a forge at which nothing is to be found.
func sound(kind forge.Type) check.Forge {
	f := check.Forge{
		Type: kind, Own: []string{"sluice/verify"},
		Settings: forge.Settings{Write: forge.Yes, Requests: forge.Yes, AutoDelete: forge.No, Methods: []forge.Method{forge.FastForward}},
		Branches: map[string]forge.Protection{snapshot: {Branch: snapshot}},
		Reported: map[string][]string{"production": {"smoke"}},
	}
	for _, b := range []string{staging, production} {
		f.Branches[b] = forge.Protection{Branch: b, Exists: true, Merge: forge.Yes, Rules: []forge.Rule{
			{Kind: forge.NoForce, Bypass: forge.No}, {Kind: forge.NoDeletion, Bypass: forge.No},
		}}
	}
	if kind == forge.GitHub {
		f.Settings.Methods = []forge.Method{forge.MergeCommit, forge.SquashMerge, forge.RebaseMerge}
		add(production, forge.Rule{Kind: forge.Restricted, By: "x", Bypass: forge.Yes})(&f)
	}
	return f
}

// add gives a branch one more rule.
func add(branch string, r forge.Rule) func(*check.Forge) {
	return func(f *check.Forge) {
		p := f.Branches[branch]
		p.Rules = append(p.Rules, r)
		f.Branches[branch] = p
	}
}

// set changes what is known of a branch.
func set(branch string, change func(*forge.Protection)) func(*check.Forge) {
	return func(f *check.Forge) {
		p := f.Branches[branch]
		change(&p)
		f.Branches[branch] = p
	}
}

func settings(change func(*forge.Settings)) func(*check.Forge) {
	return func(f *check.Forge) { change(&f.Settings) }
}

func rule(k forge.RuleKind, bypass forge.Fact) forge.Rule {
	return forge.Rule{Kind: k, By: "x", Bypass: bypass}
}

func absent(p *forge.Protection)      { p.Exists = false }
func unprotected(p *forge.Protection) { p.Rules = nil }

func TestForge(t *testing.T) {
	all := []forge.Type{forge.GitHub, forge.GitLab, forge.Gitea}
	hub, lab, tea := all[:1], all[1:2], all[2:]
	own := all[1:]
	for name, c := range map[string]struct {
		at     []forge.Type
		change []func(*check.Forge)
		want   []string // "severity where: part of the text"
	}{
		"sound": {all, nil, nil},

		"archived":         {all, do(settings(func(s *forge.Settings) { s.Archived = true })), of("problem : archived")},
		"may not write":    {all, do(settings(func(s *forge.Settings) { s.Write = forge.No })), of("problem : may not write to the repository")},
		"write not told":   {all, do(settings(func(s *forge.Settings) { s.Write = forge.Unknown })), nil},
		"token lacks":      {all, do(settings(func(s *forge.Settings) { s.Write, s.Lacks = forge.No, []string{"Contents: write"} })), of("problem : the token lacks Contents: write")},
		"not shown":        {all, do(settings(func(s *forge.Settings) { s.Unread = []string{"this"} })), of("advice : not shown to this token: this")},
		"no requests":      {all, do(settings(func(s *forge.Settings) { s.Requests = forge.No })), of("problem : no pull requests")},
		"branch not shown": {all, do(set(staging, func(p *forge.Protection) { p.Unread = []string{"that"} })), of("advice env/staging: not looked at: that")},

		"GitLab merges":       {lab, do(settings(func(s *forge.Settings) { s.Methods = []forge.Method{forge.MergeCommit} })), of("problem : merges by merge commit")},
		"GitLab squashes":     {lab, do(settings(func(s *forge.Settings) { s.Methods = append(s.Methods, forge.AlwaysSquash) })), of("problem : every merge request is squashed")},
		"GitLab may squash":   {lab, do(settings(func(s *forge.Settings) { s.Squash = forge.Yes })), of("advice : squashed unless")},
		"Gitea merges":        {tea, do(settings(func(s *forge.Settings) { s.Methods = []forge.Method{forge.SquashMerge} })), of("problem : merges by squash", "advice env/production: makes another commit (squash)")},
		"Gitea merges too":    {tea, do(settings(func(s *forge.Settings) { s.Methods = append(s.Methods, forge.RebaseMerge) })), of("advice env/production: makes another commit (rebase)")},
		"may not merge":       {own, do(set(production, func(p *forge.Protection) { p.Merge = forge.No })), of("problem env/production: may not merge into it")},
		"merge not told":      {own, do(set(production, func(p *forge.Protection) { p.Merge = forge.Unknown })), nil},
		"pushed by the forge": {own, do(add(production, rule(forge.Restricted, forge.No))), nil},
		"made by a push":      {own, do(add(production, rule(forge.Restricted, forge.No)), set(production, absent)), of("problem env/production: not everybody may push to it: sluice commit --push is refused")},

		"GitHub's buttons":      {hub, do(set(production, unprotected)), of("advice env/production: keeps those who may write", "advice env/production: makes another commit (merge commit, squash, rebase)")},
		"one button":            {hub, do(set(production, func(p *forge.Protection) { p.Rules, p.Methods = p.Rules[:2], []forge.Method{forge.SquashMerge} })), of("advice env/production: makes another commit (squash)")},
		"no button is shown":    {hub, do(set(production, func(p *forge.Protection) { p.Rules = p.Rules[:2] }), settings(func(s *forge.Settings) { s.Methods = nil })), nil},
		"unprotected":           {all, do(set(staging, unprotected)), of("advice env/staging: nothing keeps those who may write to the repository from this: to push to it by force and to delete it")},
		"unprotected, perhaps":  {all, do(set(staging, func(p *forge.Protection) { p.Rules, p.Unread = p.Rules[:1], []string{"y"} })), of("advice env/staging: not looked at: y", "advice env/staging: nothing that this token is shown keeps")},
		"heads are deleted":     {all, do(settings(func(s *forge.Settings) { s.AutoDelete = forge.Yes })), nil},
		"env branch is deleted": {all, do(settings(func(s *forge.Settings) { s.AutoDelete = forge.Yes }), set(staging, func(p *forge.Protection) { p.Rules = p.Rules[:1] })), of("advice env/staging: to delete it", "advice env/staging: head branches of merged requests are deleted")},

		"linear":               {all, do(add(staging, rule(forge.Linear, forge.No))), of("problem env/staging: two parents")},
		"linear everywhere":    {all, do(add(staging, rule(forge.Linear, forge.No)), add(production, rule(forge.Linear, forge.No))), of("problem env/staging, env/production: two parents")},
		"linear, passed":       {all, do(add(staging, rule(forge.Linear, forge.Yes))), nil},
		"linear, not told":     {all, do(add(staging, rule(forge.Linear, forge.Unknown))), of("advice env/staging: which is not told")},
		"linear snapshots":     {all, do(add(snapshot, rule(forge.Linear, forge.No))), of("problem sluice/promote/production: two parents")},
		"requests at the root": {all, do(add(staging, rule(forge.ByRequest, forge.No))), of("problem env/staging: sluice commit --push pushes to it")},
		"requests":             {hub, do(add(production, rule(forge.ByRequest, forge.No))), of("problem env/production: sluice promote production --merge pushes to it")},
		"requests, passed":     {hub, do(add(production, rule(forge.ByRequest, forge.Yes))), nil},
		"requests for a merge": {own, do(add(production, rule(forge.ByRequest, forge.No))), nil},
		"requests, snapshots":  {all, do(add(snapshot, rule(forge.ByRequest, forge.No))), of("problem sluice/promote/production: sluice promote production pushes to it")},
		"restricted root":      {all, do(add(staging, rule(forge.Restricted, forge.No))), of("problem env/staging: not everybody may push")},
		"restricted":           {hub, do(add(production, rule(forge.Restricted, forge.No))), of("problem env/production: promote production --merge is refused")},
		"a queue":              {hub, do(add(production, rule(forge.Queue, forge.No))), of("problem env/production: through a merge queue")},
		"a queue for a merge":  {own, do(add(production, rule(forge.Queue, forge.No))), nil},
		"merges at the root":   {own, do(set(staging, func(p *forge.Protection) { p.Merge = forge.No })), nil},
		"deployments":          {all, do(add(staging, rule(forge.Deployments, forge.No))), of("problem env/staging: through deployments")},
		"workflows":            {all, do(add(staging, rule(forge.Workflows, forge.No))), of("problem env/staging: through workflows")},
		"no creation":          {all, do(add(staging, rule(forge.NoCreation, forge.No)), set(staging, absent)), of("problem env/staging: cannot be made")},
		"created already":      {all, do(add(staging, rule(forge.NoCreation, forge.No))), nil},
		"snapshots stay":       {all, do(add(snapshot, rule(forge.NoDeletion, forge.No))), of("problem sluice/promote/production: cannot be deleted")},
		"signed":               {all, do(add(staging, rule(forge.Signed, forge.No))), of("advice env/staging: have to be signed")},
		"signed, not made":     {all, do(add(staging, rule(forge.Signed, forge.No)), set(staging, absent)), of("problem env/staging: the root commit")},
		"another rule":         {all, do(add(staging, forge.Rule{Kind: forge.Other, By: "x", Names: []string{"max_file_size"}})), of(`advice env/staging: the rule "max_file_size"`)},
		"another rule, passed": {all, do(add(staging, forge.Rule{Kind: forge.Other, By: "x", Bypass: forge.Yes, Names: []string{"max_file_size"}})), nil},

		"checks at the root":   {all, do(add(staging, forge.Rule{Kind: forge.StatusChecks, By: "x", Bypass: forge.No, Names: []string{"ci"}})), of("problem env/staging: once ci has passed")},
		"checks":               {all, do(add(production, forge.Rule{Kind: forge.StatusChecks, By: "x", Names: []string{"smoke", "ci"}})), of("advice env/production: waits for ci (x)")},
		"checks that it knows": {all, do(add(production, forge.Rule{Kind: forge.StatusChecks, By: "x", Names: []string{"smoke"}})), nil},
		"approvals":            {all, do(add(production, forge.Rule{Kind: forge.Approvals, By: "x", Count: 2})), of("advice env/production: asks for 2 approvals (x) and the config for 1")},
		"approvals, passed":    {all, do(add(production, forge.Rule{Kind: forge.ByRequest, By: "x", Bypass: forge.Yes, Count: 2})), of("advice env/production: which sluice may pass, and the config for 1")},
		"as many approvals":    {all, do(add(production, forge.Rule{Kind: forge.Approvals, By: "x", Count: 1})), nil},
		"a check never seen":   {all, do(func(f *check.Forge) { f.Reported["production"] = []string{"smoek"} }), of(`advice env/production: requiredChecks names "smoke"`)},
		"nothing to see":       {all, do(func(f *check.Forge) { delete(f.Reported, "production") }), nil},
		"sluice's own check":   {all, do(func(f *check.Forge) { f.Own, f.Reported["production"] = []string{"smoke"}, nil }), nil},
	} {
		for _, kind := range c.at {
			t.Run(name+" on "+string(kind), func(t *testing.T) {
				f := sound(kind)
				for _, change := range c.change {
					change(&f)
				}
				hold(t, f.Findings(chain()), c.want)
			})
		}
	}
}

// TestHints holds that what to set is told in the words of the forge.
func TestHints(t *testing.T) {
	for kind, want := range map[forge.Type]string{forge.GitHub: "Restrict updates", forge.Gitea: "fast-forward-only", forge.GitLab: "Fast-forward merge"} {
		f := sound(kind)
		f.Settings.Methods = []forge.Method{forge.SquashMerge}
		set(production, func(p *forge.Protection) { p.Rules = p.Rules[:2] })(&f)
		found := f.Findings(chain())
		if len(found) == 0 || !strings.Contains(found[len(found)-1].Hint, want) {
			t.Errorf("%s: %+v, want %q", kind, found, want)
		}
	}
}

// TestSingle holds that one environment alone needs no line to be kept.
func TestSingle(t *testing.T) {
	f := sound(forge.GitLab)
	f.Settings.Methods, f.Settings.Requests = []forge.Method{forge.MergeCommit}, forge.No
	add(staging, rule(forge.Linear, forge.No))(&f)
	hold(t, f.Findings(chain()[:1]), nil)
}

// TestAsked holds that a first environment with gates is one that is asked for:
// its commits are not pushed, and the forge's own conditions go with the config's.
func TestAsked(t *testing.T) {
	const waits = "sluice/promote/staging"
	environments := chain()
	environments[0].Approvals, environments[0].RequiredChecks = 1, []string{"smoke"}
	all := []forge.Type{forge.GitHub, forge.GitLab, forge.Gitea}
	hub, own := all[:1], all[1:]
	for name, c := range map[string]struct {
		at     []forge.Type
		change []func(*check.Forge)
		want   []string
	}{
		"sound":                {all, nil, nil},
		"requests":             {own, do(add(staging, rule(forge.ByRequest, forge.No))), nil},
		"requests on GitHub":   {hub, do(add(staging, rule(forge.ByRequest, forge.No))), of("problem env/staging: sluice promote staging --merge pushes to it")},
		"restricted":           {own, do(add(staging, rule(forge.Restricted, forge.No))), nil},
		"may not merge":        {own, do(set(staging, func(p *forge.Protection) { p.Merge = forge.No })), of("problem env/staging: may not merge into it")},
		"checks":               {all, do(add(staging, forge.Rule{Kind: forge.StatusChecks, By: "x", Names: []string{"smoke"}})), nil},
		"other checks":         {all, do(add(staging, forge.Rule{Kind: forge.StatusChecks, By: "x", Names: []string{"ci"}})), of("advice env/staging: waits for ci (x)")},
		"approvals":            {all, do(add(staging, forge.Rule{Kind: forge.Approvals, By: "x", Count: 2})), of("advice env/staging: asks for 2 approvals (x) and the config for 1")},
		"a check never seen":   {all, do(func(f *check.Forge) { f.Reported["staging"] = nil }), of(`advice env/staging: requiredChecks names "smoke", which was not reported on the last commits of env/staging`)},
		"not made":             {all, do(add(staging, rule(forge.NoCreation, forge.No)), set(staging, absent)), of("problem env/staging: sluice commit --pull-request is refused")},
		"a later one not made": {all, do(add(production, rule(forge.NoCreation, forge.No)), set(production, absent)), of("problem env/production: sluice commit --pull-request is refused")},
		"requests, snapshots":  {all, do(add(waits, rule(forge.ByRequest, forge.No))), of("problem sluice/promote/staging: sluice commit --pull-request pushes to it")},
		"snapshots stay":       {all, do(add(waits, rule(forge.NoDeletion, forge.No))), of("problem sluice/promote/staging: cannot be deleted")},
	} {
		for _, kind := range c.at {
			t.Run(name+" on "+string(kind), func(t *testing.T) {
				f := sound(kind)
				f.Branches[waits] = forge.Protection{Branch: waits}
				if kind == forge.GitHub {
					add(staging, forge.Rule{Kind: forge.Restricted, By: "x", Bypass: forge.Yes})(&f)
				}
				for _, change := range c.change {
					change(&f)
				}
				hold(t, f.Findings(environments), c.want)
			})
		}
	}
	f := sound(forge.GitLab)
	f.Settings.Methods, f.Settings.Requests = []forge.Method{forge.MergeCommit}, forge.No
	hold(t, f.Findings(environments[:1]), of("problem : no pull requests", "problem : merges by merge commit"))
	hold(t, check.Gates(environments[:1]), of(`problem env/staging: environment "staging" asks for approvals or checks`))
}

func do(changes ...func(*check.Forge)) []func(*check.Forge) { return changes }
func of(want ...string) []string                            { return want }

// hold compares findings with the severity, the place and a part of the text
// that they are to have.
func hold(t *testing.T, found []check.Finding, want []string) {
	t.Helper()
	var got []string
	for i, f := range found {
		line := string(f.Severity) + " " + f.Where + ": " + f.Text
		if i < len(want) {
			head, part, _ := strings.Cut(want[i], ": ")
			if strings.HasPrefix(line, head+": ") && strings.Contains(f.Text, part) {
				line = want[i]
			}
		}
		got = append(got, line)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}
