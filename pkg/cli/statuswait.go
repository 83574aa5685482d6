package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// waiting is a commit that an environment has yet to get: of the source for the
// first of a chain, else of the branch that it is promoted from.
type waiting struct {
	Commit  repo.ID `json:"commit"`
	Author  string  `json:"author"`
	Date    string  `json:"date"`
	Subject string  `json:"subject"`
}

// maxWaiting is how many of them are listed.
const maxWaiting = 100

// waiting lists the n commits that to has and from has not, newest first.
func (w *workspace) waiting(ctx context.Context, from, to repo.ID, n int) ([]waiting, error) {
	list := []waiting{}
	_, err := w.repo.Walk(ctx, to, func(commit *repo.Commit) (bool, error) {
		if len(list) == min(n, maxWaiting) {
			return false, nil
		}
		had, err := w.repo.IsAncestor(ctx, commit.ID, from)
		if err != nil || had != repo.No {
			return false, err
		}
		list = append(list, waiting{commit.ID, commit.Author.Name, commit.Author.When.Format(time.RFC3339), commit.Subject()})
		return true, nil
	})
	return list, err
}

// request is an open pull request.
type request struct {
	Number int64  `json:"number"`
	URL    string `json:"url"`
	Title  string `json:"title"`
	Draft  bool   `json:"draft,omitempty"`
	Head   string `json:"head"` // the commit that it asks for
}

func (r *request) name() string {
	if r == nil {
		return "-"
	}
	return fmt.Sprintf("#%d", r.Number)
}

// askWithin bounds what status waits for a forge.
const askWithin = 10 * time.Second

// findRequests asks the forge for the open requests, if it can be asked. What
// the branches say is worth knowing without it.
func (c *command) findRequests(ctx context.Context, w *workspace, cfg *config.Config, rows []standing) {
	t, err := c.target(w, cfg, "origin")
	if err != nil || t.Type == forge.None {
		return
	}
	f, err := c.forge(t, cfg, nil)
	if err != nil {
		return // there are no credentials for it
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	for i := range rows {
		r := &rows[i]
		open, err := f.Find(ctx, branch.Snapshot(r.Environment), r.Branch)
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				c.note("warning: open requests are not shown: %v", err)
			}
			return
		}
		if len(open) > 0 {
			o := open[0]
			r.Request = &request{o.Number, o.URL, o.Title, o.Draft, o.Head}
		}
	}
}
