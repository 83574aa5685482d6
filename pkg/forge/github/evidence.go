package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/google/go-github/v57/github"

	"github.com/sluice-dev/sluice/pkg/forge"
)

// Evidence gives the reviews of a pull request, and the statuses and check
// runs of a commit.
func (c *Client) Evidence(ctx context.Context, r forge.Request, commit string) (forge.Evidence, error) {
	p, _, err := c.api().PullRequests.Get(ctx, c.owner, c.repo, int(r.Number))
	if err != nil {
		return forge.Evidence{}, c.fail(opFind, err)
	}
	if p.GetState() != "open" {
		return forge.Evidence{}, &forge.Error{
			Op: opFind.Doing, Host: c.transport.Base.Host, Kind: forge.Moved,
			Said: fmt.Sprintf("#%d was closed meanwhile", r.Number), Hint: "run the command again",
		}
	}
	e := forge.Evidence{Head: p.GetHead().GetSHA(), Draft: p.GetDraft()}
	if e.Reviews, err = c.reviews(ctx, r); err != nil {
		return forge.Evidence{}, err
	}
	if e.Checks, err = c.statuses(ctx, commit); err != nil {
		return forge.Evidence{}, err
	}
	runs, err := c.runs(ctx, commit)
	e.Checks = append(e.Checks, runs...)
	return e, err
}

// verdicts are GitHub's words. A review that was dismissed says only that.
var verdicts = map[string]forge.Verdict{"APPROVED": forge.Approved, "CHANGES_REQUESTED": forge.Rejected, "DISMISSED": forge.Dismissed}

// reviews gives the reviews in order. Anybody can approve a pull request of a
// public repository: only who may write counts, as it does for GitHub.
func (c *Client) reviews(ctx context.Context, r forge.Request) ([]forge.Review, error) {
	var found []forge.Review
	err := pages(func(o github.ListOptions) (*github.Response, error) {
		list, res, err := c.api().PullRequests.ListReviews(ctx, c.owner, c.repo, int(r.Number), &o)
		for _, v := range list {
			verdict, decisive := verdicts[v.GetState()]
			if user := v.GetUser().GetLogin(); decisive && user != "" {
				found = append(found, forge.Review{User: user, Verdict: verdict, Commit: v.GetCommitID()})
			}
		}
		return res, err
	})
	if err != nil {
		return nil, c.fail(opReviews, err)
	}
	writes := map[string]bool{}
	for i, v := range found {
		may, asked := writes[v.User]
		if !asked {
			level, _, err := c.api().Repositories.GetPermissionLevel(ctx, c.owner, c.repo, v.User)
			var answered *github.ErrorResponse
			if errors.As(err, &answered) && answered.Response.StatusCode == 404 {
				level, err = &github.RepositoryPermissionLevel{}, nil // an account that is gone
			}
			if err != nil {
				return nil, c.fail(opAccess, err)
			}
			may = level.GetPermission() == "admin" || level.GetPermission() == "write"
			writes[v.User] = may
		}
		found[i].Counts = may
	}
	return found, nil
}

// statuses gives the latest commit status of each name.
func (c *Client) statuses(ctx context.Context, commit string) ([]forge.Check, error) {
	list, err := c.combined(ctx, commit)
	if err != nil {
		return nil, c.fail(opStatus, err)
	}
	var found []forge.Check
	for _, s := range list {
		state, known := map[string]forge.State{"success": forge.Passed, "pending": forge.Pending}[s.GetState()]
		if !known {
			state = forge.Failed
		}
		found = append(found, forge.Check{Name: s.GetContext(), State: state})
	}
	return found, nil
}

func (c *Client) combined(ctx context.Context, commit string) ([]*github.RepoStatus, error) {
	var found []*github.RepoStatus
	err := pages(func(o github.ListOptions) (*github.Response, error) {
		s, res, err := c.api().Repositories.GetCombinedStatus(ctx, c.owner, c.repo, commit, &o)
		if s != nil {
			found = append(found, s.Statuses...)
		}
		return res, err
	})
	return found, err
}

// runs gives the latest check runs. What GitHub lets pass for a required
// check passes here.
func (c *Client) runs(ctx context.Context, commit string) ([]forge.Check, error) {
	var found []forge.Check
	latest := "latest"
	err := pages(func(o github.ListOptions) (*github.Response, error) {
		list, res, err := c.api().Checks.ListCheckRunsForRef(ctx, c.owner, c.repo, commit, &github.ListCheckRunsOptions{Filter: &latest, ListOptions: o})
		if list == nil {
			return res, err
		}
		for _, r := range list.CheckRuns {
			state := forge.Failed
			switch {
			case r.GetStatus() != "completed":
				state = forge.Pending
			case r.GetConclusion() == "success", r.GetConclusion() == "neutral", r.GetConclusion() == "skipped":
				state = forge.Passed
			}
			found = append(found, forge.Check{Name: r.GetName(), State: state})
		}
		return res, err
	})
	if err != nil {
		return nil, c.fail(opChecks, err)
	}
	return found, nil
}

// maxDescription is GitHub's bound for a status's description, in characters.
const maxDescription = 140

// Report puts a status on a commit, unless it is there: a commit takes 1,000 of
// one name.
func (c *Client) Report(ctx context.Context, commit string, s forge.Status) error {
	state := map[forge.State]string{forge.Passed: "success", forge.Pending: "pending", forge.Failed: "failure"}[s.State]
	if text := []rune(s.Text); len(text) > maxDescription {
		s.Text = string(text[:maxDescription-3]) + "..."
	}
	list, err := c.combined(ctx, commit)
	if err != nil {
		return c.fail(opStatus, err)
	}
	for _, have := range list {
		if have.GetContext() == s.Name && have.GetState() == state && have.GetDescription() == s.Text {
			return nil
		}
	}
	status := &github.RepoStatus{State: &state, Context: &s.Name, Description: &s.Text}
	if s.URL != "" {
		status.TargetURL = &s.URL
	}
	if _, _, err := c.api().Repositories.CreateStatus(ctx, c.owner, c.repo, commit, status); err != nil {
		return c.fail(opReport, err)
	}
	return nil
}

// unreadable tells an answer that is not the JSON that was asked for.
func unreadable(err error) bool {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	return errors.As(err, &syntax) || errors.As(err, &kind) || errors.Is(err, io.ErrUnexpectedEOF)
}
