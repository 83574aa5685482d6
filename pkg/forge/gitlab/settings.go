package gitlab

import (
	"context"
	"errors"
	"net/http"
	"path"
	"slices"
	"strings"

	gitlab "gitlab.com/gitlab-org/api/client-go"

	"github.com/sluice-dev/sluice/pkg/forge"
)

var (
	opSettings   = forge.Op{Doing: "reading the project's settings", Needs: scope}
	opProtection = forge.Op{Doing: "reading the protected branches", Needs: scope}
)

// hidden tells an answer that says no more than that whoever asks does not get
// to see it, or that this edition of GitLab has it not.
func hidden(err error) bool {
	var answered *gitlab.ErrorResponse
	return errors.Is(err, gitlab.ErrNotFound) || errors.As(err, &answered) && answered.Response.StatusCode == http.StatusForbidden
}

// Settings gives how the project merges, and what the token may do
// (docs.gitlab.com/api/projects, docs.gitlab.com/api/personal_access_tokens).
func (c *Client) Settings(ctx context.Context) (forge.Settings, error) {
	p, _, err := c.api.Projects.GetProject(c.project, nil, gitlab.WithContext(ctx))
	if err != nil {
		return forge.Settings{}, c.fail(opSettings, err)
	}
	s := forge.Settings{
		Archived: p.Archived, Requests: forge.FactOf(p.MergeRequestsAccessLevel != gitlab.DisabledAccessControl),
		Write: forge.FactOf(level(p) >= gitlab.DeveloperPermissions), AutoDelete: forge.FactOf(p.RemoveSourceBranchAfterMerge),
		Squash: forge.FactOf(p.SquashOption == gitlab.SquashOptionDefaultOn),
	}
	if p.Permissions == nil { // an administrator of the server, or a job's token
		s.Write = forge.Unknown
		s.Unread = append(s.Unread, "which role the token's owner has in the project")
	}
	switch p.MergeMethod {
	case gitlab.FastForwardMerge:
		s.Methods = append(s.Methods, forge.FastForward)
	case gitlab.RebaseMerge: // rebased, and then with a merge commit
		s.Methods = append(s.Methods, forge.SemiLinear)
	case gitlab.NoFastForwardMerge:
		s.Methods = append(s.Methods, forge.MergeCommit)
	}
	if p.SquashOption == gitlab.SquashOptionAlways {
		s.Methods = append(s.Methods, forge.AlwaysSquash)
	}
	token, _, err := c.api.PersonalAccessTokens.GetSinglePersonalAccessToken(gitlab.WithContext(ctx))
	var answered *gitlab.ErrorResponse
	switch {
	case err == nil && !slices.Contains(token.Scopes, "api"):
		s.Lacks = append(s.Lacks, `the scope "api"`)
	case err != nil && (hidden(err) || errors.As(err, &answered) && answered.Response.StatusCode == http.StatusUnauthorized):
		s.Unread = append(s.Unread, `what the token may do: it needs the scope "api"`) // the token of a job
	case err != nil:
		return s, c.fail(opSettings, err)
	}
	return s, nil
}

// level is what the owner of the token may do in the project.
func level(p *gitlab.Project) gitlab.AccessLevelValue {
	best := gitlab.NoPermissions
	if p.Permissions == nil {
		return best
	}
	if a := p.Permissions.ProjectAccess; a != nil {
		best = max(best, a.AccessLevel)
	}
	if a := p.Permissions.GroupAccess; a != nil {
		best = max(best, a.AccessLevel)
	}
	return best
}

// Protection gives the protection of a branch. Of the rules whose pattern
// matches the one that allows most counts, for force pushes too
// (docs.gitlab.com/user/project/repository/branches/protection_rules).
func (c *Client) Protection(ctx context.Context, branch string) (forge.Protection, error) {
	p := forge.Protection{Branch: branch}
	b, _, err := c.api.Branches.GetBranch(c.project, branch, gitlab.WithContext(ctx))
	if err != nil && !errors.Is(err, gitlab.ErrNotFound) {
		return p, c.fail(opProtection, err)
	}
	p.Exists = err == nil
	var matching []*gitlab.ProtectedBranch
	err = pages(func(o gitlab.ListOptions) (*gitlab.Response, error) {
		list, res, err := c.api.ProtectedBranches.ListProtectedBranches(c.project, &gitlab.ListProtectedBranchesOptions{ListOptions: o}, gitlab.WithContext(ctx))
		for _, v := range list {
			if matches(v.Name, branch) {
				matching = append(matching, v)
			}
		}
		return res, err
	})
	if err != nil && hidden(err) {
		p.Unread = append(p.Unread, "who may push and merge, if the branch is protected: GitLab shows it to maintainers")
		if p.Exists && b.Protected {
			p.Rules = []forge.Rule{{Kind: forge.NoDeletion, By: protection}, {Kind: forge.Restricted, By: protection, Bypass: forge.FactOf(b.CanPush)}}
		}
		return p, nil
	}
	if err != nil || len(matching) == 0 {
		if err != nil {
			err = c.fail(opProtection, err)
		}
		return p, err
	}
	project, _, err := c.api.Projects.GetProject(c.project, nil, gitlab.WithContext(ctx))
	if err != nil {
		return p, c.fail(opProtection, err)
	}
	push := allowed(matching, level(project), func(v *gitlab.ProtectedBranch) []*gitlab.BranchAccessDescription { return v.PushAccessLevels })
	if p.Exists {
		push = forge.FactOf(b.CanPush) // GitLab's own answer, for whoever asks
	}
	p.Merge = allowed(matching, level(project), func(v *gitlab.ProtectedBranch) []*gitlab.BranchAccessDescription { return v.MergeAccessLevels })
	p.Rules = append(p.Rules, forge.Rule{Kind: forge.Restricted, By: protection, Bypass: push}, forge.Rule{Kind: forge.NoDeletion, By: protection})
	if !slices.ContainsFunc(matching, func(v *gitlab.ProtectedBranch) bool { return v.AllowForcePush }) {
		p.Rules = append(p.Rules, forge.Rule{Kind: forge.NoForce, By: protection})
	}
	return p, nil
}

const protection = "the protected branch"

// allowed tells whether a role is enough. Those who are named, or whose group
// is, may do it too: whether that is whoever asks is not told.
func allowed(list []*gitlab.ProtectedBranch, mine gitlab.AccessLevelValue, levels func(*gitlab.ProtectedBranch) []*gitlab.BranchAccessDescription) forge.Fact {
	may := forge.No
	for _, v := range list {
		for _, l := range levels(v) {
			switch {
			case l.UserID != 0 || l.GroupID != 0 || l.DeployKeyID != 0:
				if may == forge.No {
					may = forge.Unknown
				}
			case l.AccessLevel > gitlab.NoPermissions && mine >= l.AccessLevel:
				may = forge.Yes
			}
		}
	}
	return may
}

// matches tells whether a protected branch's name, in which * stands for any
// text, is that of a branch.
func matches(pattern, branch string) bool {
	// path.Match knows more signs than * and stops at a slash.
	pattern = strings.NewReplacer(`\`, `\\`, "[", `\[`, "?", `\?`, "/", "\x00").Replace(pattern)
	ok, err := path.Match(pattern, strings.ReplaceAll(branch, "/", "\x00"))
	return err == nil && ok
}

// Checks gives the latest statuses of a commit.
func (c *Client) Checks(ctx context.Context, commit string) ([]forge.Check, error) {
	found, err := c.statuses(ctx, commit)
	if err != nil {
		return nil, c.fail(opStatus, err)
	}
	return found, nil
}
