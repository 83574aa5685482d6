package gitea

import (
	"context"
	"net/http"

	"code.gitea.io/sdk/gitea"

	"github.com/sluice-dev/sluice/pkg/forge"
)

var (
	opSettings   = forge.Op{Doing: "reading the repository's settings", Needs: writes}
	opProtection = forge.Op{Doing: "reading the branch's protection", Needs: writes}
)

// status is that of an answer, 0 without one.
func status(res *gitea.Response) int {
	if res == nil || res.Response == nil {
		return 0
	}
	return res.StatusCode
}

// Settings gives how the repository merges, and what the token's owner may do
// (the forge's own description: /api/swagger, repoGet). What the token itself
// may do, the forge does not tell.
func (c *Client) Settings(ctx context.Context) (forge.Settings, error) {
	api, err := c.api(ctx)
	if err != nil {
		return forge.Settings{}, c.fail(opSettings, nil, err)
	}
	r, res, err := api.GetRepo(c.owner, c.repo)
	if err != nil {
		return forge.Settings{}, c.fail(opSettings, res, err)
	}
	s := forge.Settings{
		Archived: r.Archived, Requests: forge.FactOf(r.HasPullRequests), AutoDelete: forge.FactOf(r.DefaultDeleteBranchAfterMerge),
		Unread: []string{`which scopes the token has: it needs "write:repository" and "write:issue"`},
	}
	if r.Permissions != nil {
		s.Write = forge.FactOf(r.Permissions.Push)
	}
	for _, m := range []struct {
		allowed bool
		method  forge.Method
	}{
		{r.AllowFastForwardOnlyMerge, forge.FastForward},
		{r.AllowMerge, forge.MergeCommit},
		{r.AllowSquash, forge.SquashMerge},
		{r.AllowRebase, forge.RebaseMerge},
		{r.AllowRebaseMerge, forge.SemiLinear},
	} {
		if m.allowed {
			s.Methods = append(s.Methods, m.method)
		}
	}
	return s, nil
}

// Protection gives the protection of a branch. Most of it the branch itself
// says, to everybody; the rest is shown to administrators. A protected branch
// is neither deleted nor, before Gitea 1.23, ever pushed to by force.
func (c *Client) Protection(ctx context.Context, branch string) (forge.Protection, error) {
	p := forge.Protection{Branch: branch}
	api, err := c.api(ctx)
	if err != nil {
		return p, c.fail(opProtection, nil, err)
	}
	b, res, err := api.GetRepoBranch(c.owner, c.repo, branch)
	switch {
	case err != nil && status(res) == http.StatusNotFound:
		p.Unread = append(p.Unread, "a protection for its name: the forge shows it once the branch is there")
		return p, nil
	case err != nil:
		return p, c.fail(opProtection, res, err)
	}
	if p.Exists = true; !b.Protected {
		return p, nil
	}
	const by = "the branch protection"
	p.Merge = forge.FactOf(b.UserCanMerge)
	p.Rules = []forge.Rule{
		{Kind: forge.Restricted, By: by, Bypass: forge.FactOf(b.UserCanPush)},
		{Kind: forge.NoForce, By: by},
		{Kind: forge.NoDeletion, By: by},
	}
	if b.RequiredApprovals > 0 {
		p.Rules = append(p.Rules, forge.Rule{Kind: forge.Approvals, By: by, Count: int(b.RequiredApprovals)})
	}
	if b.EnableStatusCheck && len(b.StatusCheckContexts) > 0 {
		p.Rules = append(p.Rules, forge.Rule{Kind: forge.StatusChecks, By: by, Names: b.StatusCheckContexts})
	}
	if b.EffectiveBranchProtectionName == "" {
		p.Unread = append(p.Unread, "whether commits have to be signed: the forge shows it to administrators")
		return p, nil
	}
	all, res, err := api.GetBranchProtection(c.owner, c.repo, b.EffectiveBranchProtectionName)
	switch {
	case err == nil && all.RequireSignedCommits:
		p.Rules = append(p.Rules, forge.Rule{Kind: forge.Signed, By: by})
	case err != nil && (status(res) == http.StatusForbidden || status(res) == http.StatusNotFound || status(res) == http.StatusUnauthorized):
		p.Unread = append(p.Unread, "whether commits have to be signed: the forge shows it to administrators")
	case err != nil:
		return p, c.fail(opProtection, res, err)
	}
	return p, nil
}

// Checks gives the latest statuses of a commit.
func (c *Client) Checks(ctx context.Context, commit string) ([]forge.Check, error) {
	api, err := c.api(ctx)
	if err != nil {
		return nil, c.fail(opStatus, nil, err)
	}
	return c.statuses(api, commit)
}
