package gitea

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"code.gitea.io/sdk/gitea"

	"github.com/sluice-dev/sluice/pkg/forge"
)

// Merge lets the forge fast-forward the base branch to exactly one commit. What
// is no fast-forward it answers by a server's error.
func (c *Client) Merge(ctx context.Context, r forge.Request, m forge.Move) (shown bool, err error) {
	api, err := c.api(ctx)
	if err != nil {
		return false, c.fail(opMerge, nil, err)
	}
	err = c.transport.FastForward(ctx, opMerge, m, forge.Merging{
		At:        func(context.Context) (string, error) { return c.branch(api, m.Branch) },
		Accept:    func(context.Context) error { return c.accept(api, r, m) },
		Undecided: func(_ context.Context, refused error) bool { return undecided(refused) },
	})
	return err == nil, err
}

// accept asks the forge to merge.
func (c *Client) accept(api *gitea.Client, r forge.Request, m forge.Move) error {
	merged, res, err := api.MergePullRequest(c.owner, c.repo, r.Number, gitea.MergePullRequestOption{Style: gitea.MergeStyleFastForwardOnly, HeadCommitId: m.New})
	switch {
	case err == nil && merged:
		return nil
	case err == nil: // a refused merge is no error to the library
		err = errors.New(words(res))
	}
	err = c.fail(opMerge, res, err)
	var e *forge.Error
	if errors.As(err, &e) && e.Status == http.StatusMethodNotAllowed {
		e.Hint = "see whether the repository allows fast-forward merges, and what its branch protection waits for"
	}
	return err
}

// words gives what the forge says in an answer that the library has closed
// unread. The transport keeps answers in memory.
func words(res *gitea.Response) string {
	var said struct{ Message string }
	_ = json.NewDecoder(res.Body).Decode(&said)
	return said.Message
}

// undecided tells whether the forge refuses only because it is still finding
// out whether it can merge, which it does in a queue.
func undecided(refused error) bool {
	var e *forge.Error
	return errors.As(refused, &e) && e.Status == http.StatusMethodNotAllowed && strings.Contains(e.Said, "try again later")
}

func (c *Client) branch(api *gitea.Client, name string) (string, error) {
	b, res, err := api.GetRepoBranch(c.owner, c.repo, name)
	if err == nil && b.Commit == nil {
		err = &forge.ShapeError{What: "the branch has no commit"}
	}
	if err != nil {
		return "", c.fail(opBranch, res, err)
	}
	return b.Commit.ID, nil
}
