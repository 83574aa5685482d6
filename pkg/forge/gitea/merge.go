package gitea

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"code.gitea.io/sdk/gitea"

	"github.com/sluice-dev/sluice/pkg/forge"
)

// Merge lets the forge fast-forward the base branch to exactly one commit.
func (c *Client) Merge(ctx context.Context, r forge.Request, m forge.Move) (shown bool, err error) {
	api, err := c.api(ctx)
	if err != nil {
		return false, c.fail(opMerge, nil, err)
	}
	at, err := c.branch(api, m.Branch)
	switch {
	case err != nil:
		return false, err
	case at == m.New:
		return true, nil // an earlier run got this far
	case at != m.Old:
		return false, c.moved(opMerge, fmt.Sprintf("%s is at %.10s, not at %.10s", m.Branch, at, m.Old))
	}
	for try := 0; ; try++ {
		refused := c.accept(api, r, m)
		// Where the branch is counts, whatever was answered: an answer may be lost,
		// and what is no fast-forward is answered by a server's error.
		at, err := c.branch(api, m.Branch)
		switch {
		case err == nil && at == m.New:
			return true, nil
		case refused == nil && err != nil:
			return false, err
		case refused == nil:
			return false, c.moved(opMerge, fmt.Sprintf("%s is at %.10s afterwards, not at %.10s", m.Branch, at, m.New))
		case err == nil && at != m.Old:
			return false, c.moved(opMerge, fmt.Sprintf("%s is at %.10s, not at %.10s", m.Branch, at, m.Old))
		case !undecided(refused) || try == maxLooks:
			return false, refused
		}
		if err := c.transport.Sleep(ctx, time.Second<<try); err != nil {
			return false, err
		}
	}
}

// maxLooks bounds the tries to merge what the forge has not looked at yet, half
// a minute together.
const maxLooks = 5

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

func (c *Client) moved(op forge.Op, said string) error {
	return &forge.Error{Op: op.Doing, Host: c.transport.Base.Host, Kind: forge.Moved, Said: said, Hint: "somebody else was faster: run the command again"}
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
