package gitlab

import (
	"context"
	"errors"
	"fmt"
	"time"

	gitlab "gitlab.com/gitlab-org/api/client-go"

	"github.com/sluice-dev/sluice/pkg/forge"
)

// Merge lets GitLab fast-forward the target branch to exactly one commit. A
// project that merges in another way is refused before anything happens.
func (c *Client) Merge(ctx context.Context, r forge.Request, m forge.Move) (shown bool, err error) {
	at, err := c.branch(ctx, m.Branch)
	switch {
	case err != nil:
		return false, err
	case at == m.New:
		return true, nil // an earlier run got this far
	case at != m.Old:
		return false, c.moved(opMerge, fmt.Sprintf("%s is at %.10s, not at %.10s", m.Branch, at, m.Old))
	}
	p, _, err := c.api.Projects.GetProject(c.project, nil, gitlab.WithContext(ctx))
	if err != nil {
		return false, c.fail(opMerge, err)
	}
	if p.MergeMethod != gitlab.FastForwardMerge {
		return false, &forge.Error{
			Op: opMerge.Doing, Host: c.transport.Base.Host, Kind: forge.Invalid, Said: fmt.Sprintf("the project's merge method is %q: it would make another commit", p.MergeMethod),
			Hint: "set it in the project: Settings, Merge requests, Fast-forward merge",
		}
	}
	for try := 0; ; try++ {
		refused := c.accept(ctx, r, m)
		// Where the branch is counts, whatever was answered: an answer may be lost,
		// and the request is repeated then.
		at, err := c.branch(ctx, m.Branch)
		switch {
		case err == nil && at == m.New:
			return true, nil
		case refused == nil && err != nil:
			return false, err
		case refused == nil:
			return false, c.moved(opMerge, fmt.Sprintf("%s is at %.10s afterwards, not at %.10s", m.Branch, at, m.New))
		case err == nil && at != m.Old:
			return false, c.moved(opMerge, fmt.Sprintf("%s is at %.10s, not at %.10s", m.Branch, at, m.Old))
		}
		again, err := c.undecided(ctx, r, refused)
		if err != nil || !again || try == maxLooks {
			return false, refused
		}
		if err := c.transport.Sleep(ctx, time.Second<<try); err != nil {
			return false, err
		}
	}
}

// maxLooks bounds the tries to merge what GitLab has not looked at yet, half a
// minute together.
const maxLooks = 5

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
func (c *Client) undecided(ctx context.Context, r forge.Request, refused error) (bool, error) {
	var e *forge.Error
	if !errors.As(refused, &e) || e.Kind != forge.Invalid {
		return false, nil
	}
	m, _, err := c.api.MergeRequests.GetMergeRequest(c.project, r.Number, nil, gitlab.WithContext(ctx))
	if err != nil {
		return false, c.fail(opFind, err)
	}
	switch m.DetailedMergeStatus { // https://docs.gitlab.com/api/merge_requests/#merge-status
	case "unchecked", "checking", "preparing", "approvals_syncing":
		return true, nil
	case "mergeable": // by now
		return true, nil
	case "":
		return false, nil
	}
	e.Said += fmt.Sprintf(" (%q)", m.DetailedMergeStatus)
	e.Hint = "the word in brackets is GitLab's for what it waits for"
	return false, nil
}

func (c *Client) moved(op forge.Op, said string) error {
	return &forge.Error{Op: op.Doing, Host: c.transport.Base.Host, Kind: forge.Moved, Said: said, Hint: "somebody else was faster: run the command again"}
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
