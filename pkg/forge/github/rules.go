package github

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/google/go-github/v57/github"

	"github.com/sluice-dev/sluice/pkg/forge"
)

// Protection gives the rules of a branch: those of rulesets, which everybody
// who can read may see and which hold for branches that are not there yet, and
// those of a classic branch protection, which show neither.
func (c *Client) Protection(ctx context.Context, branch string) (forge.Protection, error) {
	p := forge.Protection{Branch: branch}
	if err := c.rulesets(ctx, &p); err != nil {
		return p, err
	}
	return p, c.classic(ctx, &p)
}

// rule is one of GitHub's (docs.github.com/rest/repos/rules, "Get rules for a
// branch"). Those that are not in force are not among them.
type rule struct {
	Type       string          `json:"type"`
	Ruleset    int64           `json:"ruleset_id"`
	Parameters json.RawMessage `json:"parameters"`
}

// kinds are the rules that need no look at their parameters.
var kinds = map[string]forge.RuleKind{
	"creation": forge.NoCreation, "update": forge.Restricted, "deletion": forge.NoDeletion, "non_fast_forward": forge.NoForce,
	"required_linear_history": forge.Linear, "required_signatures": forge.Signed, "merge_queue": forge.Queue,
	"required_deployments": forge.Deployments, "workflows": forge.Workflows,
}

func (c *Client) rulesets(ctx context.Context, p *forge.Protection) error {
	var rules []rule
	var last *github.Response
	err := pages(func(o github.ListOptions) (res *github.Response, err error) {
		var more []rule
		last, err = c.get(ctx, &more, fmt.Sprintf("/rules/branches/{}?per_page=%d&page=%d", o.PerPage, max(o.Page, 1)), p.Branch)
		rules = append(rules, more...)
		return last, err
	})
	if err != nil && hidden(last) { // a server without rulesets, or a plan
		p.Unread = append(p.Unread, "rulesets: they are not shown")
		return nil
	}
	if err != nil {
		return c.fail(opProtection, err)
	}
	bypass := map[int64]ruleset{}
	for _, r := range rules {
		from, asked := bypass[r.Ruleset]
		if !asked {
			if from, err = c.ruleset(ctx, r.Ruleset); err != nil {
				return err
			}
			bypass[r.Ruleset] = from
		}
		if err := take(p, r, from); err != nil {
			return c.fail(opProtection, &forge.ShapeError{What: "a rule is none that GitHub has"})
		}
	}
	return nil
}

// take adds a rule of a ruleset.
func take(p *forge.Protection, r rule, from ruleset) error {
	out := forge.Rule{Kind: kinds[r.Type], By: from.by(), Bypass: from.bypass()}
	var v struct {
		Count   int      `json:"required_approving_review_count"`
		Methods []string `json:"allowed_merge_methods"`
		Checks  []struct {
			Context string `json:"context"`
		} `json:"required_status_checks"`
	}
	if len(r.Parameters) > 0 {
		if err := json.Unmarshal(r.Parameters, &v); err != nil {
			return err
		}
	}
	switch {
	case out.Kind != "":
	case r.Type == "pull_request":
		out.Kind, out.Count = forge.ByRequest, v.Count
		narrow(p, v.Methods)
	case r.Type == "required_status_checks":
		out.Kind = forge.StatusChecks
		for _, c := range v.Checks {
			out.Names = append(out.Names, c.Context)
		}
	default:
		out.Kind, out.Names = forge.Other, []string{r.Type}
	}
	p.Rules = append(p.Rules, out)
	return nil
}

// narrow leaves the ways to merge that a rule of the branch allows.
func narrow(p *forge.Protection, allowed []string) {
	if len(allowed) == 0 {
		return
	}
	words := map[string]forge.Method{"merge": forge.MergeCommit, "squash": forge.SquashMerge, "rebase": forge.RebaseMerge}
	methods := []forge.Method{}
	for _, word := range allowed {
		if m := words[word]; m != "" && (p.Methods == nil || slices.Contains(p.Methods, m)) {
			methods = append(methods, m)
		}
	}
	p.Methods = methods
}

// ruleset is what a rule belongs to.
type ruleset struct {
	ID   int64
	Name string `json:"name"`
	Can  string `json:"current_user_can_bypass"`
}

func (r ruleset) by() string {
	if r.Name == "" {
		return fmt.Sprintf("ruleset %d", r.ID)
	}
	return fmt.Sprintf("ruleset %q", r.Name)
}

// bypass tells whether a push of whoever asks is let past the rules. Who may
// bypass them on pull requests only is not: sluice pushes.
func (r ruleset) bypass() forge.Fact {
	switch r.Can {
	case "always", "exempt":
		return forge.Yes
	case "never", "pull_requests_only":
		return forge.No
	}
	return forge.Unknown
}

// ruleset asks for a ruleset; one of an organization may be hidden.
func (c *Client) ruleset(ctx context.Context, id int64) (ruleset, error) {
	r := ruleset{ID: id}
	res, err := c.get(ctx, &r, fmt.Sprintf("/rulesets/%d", id))
	r.ID = id
	if err != nil && hidden(res) {
		return r, nil
	}
	if err != nil {
		return r, c.fail(opProtection, err)
	}
	return r, nil
}

// enabled is a switch of a classic branch protection.
type enabled struct {
	Enabled bool `json:"enabled"`
}

// classic is a branch protection (docs.github.com/rest/branches/branch-protection).
type classic struct {
	Checks *struct {
		Contexts []string `json:"contexts"`
	} `json:"required_status_checks"`
	Admins  enabled `json:"enforce_admins"`
	Reviews *struct {
		Count int `json:"required_approving_review_count"`
	} `json:"required_pull_request_reviews"`
	Restrictions *struct{} `json:"restrictions"`
	Linear       enabled   `json:"required_linear_history"`
	Force        enabled   `json:"allow_force_pushes"`
	Deletions    enabled   `json:"allow_deletions"`
	Signatures   enabled   `json:"required_signatures"`
	Lock         enabled   `json:"lock_branch"`
}

// classic reads a branch protection. Only administrators may see all of it; of a
// branch that is not there yet nobody is told which one will hold for its name.
func (c *Client) classic(ctx context.Context, p *forge.Protection) error {
	var b struct {
		Protected  bool    `json:"protected"`
		Protection enabled `json:"protection"`
	}
	res, err := c.get(ctx, &b, "/branches/{}", p.Branch)
	switch {
	case err != nil && status(res) == http.StatusNotFound:
		p.Unread = append(p.Unread, "a classic branch protection for its name: GitHub shows it once the branch is there")
		return nil
	case err != nil:
		return c.fail(opProtection, err)
	}
	if p.Exists = true; !b.Protected || !b.Protection.Enabled && len(p.Rules) > 0 {
		return nil
	}
	var v classic
	res, err = c.get(ctx, &v, "/branches/{}/protection", p.Branch)
	if err != nil && hidden(res) {
		if b.Protection.Enabled {
			p.Unread = append(p.Unread, "its classic branch protection: GitHub shows it to administrators")
		}
		return nil
	}
	if err != nil {
		return c.fail(opProtection, err)
	}
	p.Rules = append(p.Rules, v.rules()...)
	return nil
}

// rules gives a branch protection as rules. Who sees all of it is an
// administrator, whom it does not hold for unless it says so.
func (v classic) rules() []forge.Rule {
	out := forge.Rule{By: "branch protection", Bypass: forge.FactOf(!v.Admins.Enabled)}
	var rules []forge.Rule
	add := func(is bool, kind forge.RuleKind, count int, names ...string) {
		if is {
			r := out
			r.Kind, r.Count, r.Names = kind, count, names
			rules = append(rules, r)
		}
	}
	add(v.Linear.Enabled, forge.Linear, 0)
	if v.Reviews != nil {
		add(true, forge.ByRequest, v.Reviews.Count)
	}
	if v.Checks != nil {
		add(len(v.Checks.Contexts) > 0, forge.StatusChecks, 0, v.Checks.Contexts...)
	}
	add(v.Signatures.Enabled, forge.Signed, 0)
	add(v.Lock.Enabled, forge.Restricted, 0)
	if v.Restrictions != nil { // who is on the list is not looked up: it may be by team
		add(true, forge.Restricted, 0)
		if r := &rules[len(rules)-1]; r.Bypass == forge.No {
			r.Bypass = forge.Unknown
		}
	}
	add(!v.Force.Enabled, forge.NoForce, 0)
	add(!v.Deletions.Enabled, forge.NoDeletion, 0)
	return rules
}
