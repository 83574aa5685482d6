package gitlab

import (
	"context"
	"errors"
	"fmt"

	gitlab "gitlab.com/gitlab-org/api/client-go"

	"github.com/sluice-dev/sluice/pkg/forge"
)

// Merge lets GitLab fast-forward the target branch to exactly one commit. A
// project that merges in another way is refused before anything happens.
func (c *Client) Merge(ctx context.Context, r forge.Request, m forge.Move) (shown bool, err error) {
	err = c.transport.FastForward(ctx, opMerge, m, forge.Merging{
		At:        func(ctx context.Context) (string, error) { return c.branch(ctx, m.Branch) },
		Ready:     c.ready,
		Accept:    func(ctx context.Context) error { return c.accept(ctx, r, m) },
		Undecided: func(ctx context.Context, refused error) bool { return c.undecided(ctx, r, refused) },
	})
	return err == nil, err
}

// ready refuses a project that merges in another way.
func (c *Client) ready(ctx context.Context) error {
	p, _, err := c.api.Projects.GetProject(c.project, nil, gitlab.WithContext(ctx))
	if err != nil {
		return c.fail(opMerge, err)
	}
	if p.MergeMethod != gitlab.FastForwardMerge {
		return &forge.Error{
			Op: opMerge.Doing, Host: c.transport.Base.Host, Kind: forge.Invalid, Said: fmt.Sprintf("the project's merge method is %q: it would make another commit", p.MergeMethod),
			Hint: "set it in the project: Settings, Merge requests, Fast-forward merge",
		}
	}
	return nil
}

// accept asks GitLab to merge.
func (c *Client) accept(ctx context.Context, r forge.Request, m forge.Move) error {
	_, _, err := c.api.MergeRequests.AcceptMergeRequest(c.project, r.Number, &gitlab.AcceptMergeRequestOptions{
		SHA: &m.New, Squash: gitlab.Ptr(false), ShouldRemoveSourceBranch: gitlab.Ptr(false),
	}, gitlab.WithContext(ctx))
	if err != nil {
		return c.fail(opMerge, err)
	}
	return nil
}

// undecided tells whether GitLab refuses only because it is still finding out
// whether it can merge: it does that beside its answers. What else there is goes
// into the refusal, for GitLab says no more than "Method Not Allowed".
func (c *Client) undecided(ctx context.Context, r forge.Request, refused error) bool {
	var e *forge.Error
	if !errors.As(refused, &e) || e.Kind != forge.Invalid {
		return false
	}
	m, _, err := c.api.MergeRequests.GetMergeRequest(c.project, r.Number, nil, gitlab.WithContext(ctx))
	if err != nil {
		return false
	}
	switch m.DetailedMergeStatus { // https://docs.gitlab.com/api/merge_requests/#merge-status
	case "unchecked", "checking", "preparing", "approvals_syncing":
		return true
	case "mergeable": // by now
		return true
	case "":
		return false
	}
	e.Said += fmt.Sprintf(" (%q)", m.DetailedMergeStatus)
	e.Hint = "the word in brackets is GitLab's for what it waits for"
	return false
}

func (c *Client) branch(ctx context.Context, name string) (string, error) {
	b, _, err := c.api.Branches.GetBranch(c.project, name, gitlab.WithContext(ctx))
	if err != nil {
		return "", c.fail(opBranch, err)
	}
	if b.Commit == nil {
		return "", c.fail(opBranch, &forge.ShapeError{What: "the branch has no commit"})
	}
	return b.Commit.ID, nil
}
