// Package gitea speaks to Gitea and Forgejo: a repository's pull requests,
// what was said of a commit, and the merge that the forge makes itself. It is
// the only importer of Gitea's client.
package gitea

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"code.gitea.io/sdk/gitea"

	"github.com/sluice-dev/sluice/pkg/forge"
)

// Client is one repository on Gitea or Forgejo.
type Client struct {
	transport   *forge.Transport
	web         string
	owner, repo string
}

// New makes a Client. Nothing is asked of the forge yet.
func New(target forge.Target, t *forge.Transport) *Client {
	owner, repo, _ := strings.Cut(target.Project, "/")
	return &Client{transport: t, web: target.Web.String(), owner: owner, repo: repo}
}

// api gives a client of the library for one context, which it keeps. It is not
// to ask for the forge's version: Forgejo's has another count.
func (c *Client) api(ctx context.Context) (*gitea.Client, error) {
	return gitea.NewClient(c.web, gitea.SetContext(ctx), gitea.SetHTTPClient(c.transport.Client(c.transport)), gitea.SetGiteaVersion(""), gitea.SetUserAgent("sluice"))
}

const (
	writes = `a token with the scope "write:repository", of somebody who may write to it`
	issues = `a token with the scopes "write:repository" and "write:issue"`
)

var (
	opFind    = forge.Op{Doing: "looking for the pull request", Needs: writes}
	opOpen    = forge.Op{Doing: "opening the pull request", Needs: writes}
	opEdit    = forge.Op{Doing: "updating the pull request", Needs: writes}
	opLabel   = forge.Op{Doing: "labelling the pull request", Needs: issues}
	opReviews = forge.Op{Doing: "reading the reviews", Needs: writes}
	opAccess  = forge.Op{Doing: "asking what a reviewer may do", Needs: "a token of an administrator of the repository, or a branch protection that requires approvals"}
	opStatus  = forge.Op{Doing: "reading the commit statuses", Needs: writes}
	opReport  = forge.Op{Doing: "reporting the commit status", Needs: writes}
	opBranch  = forge.Op{Doing: "reading the branch", Needs: writes}
	opMerge   = forge.Op{Doing: "merging the pull request", Needs: "a token of somebody whom the branch protection lets merge"}
)

// fail makes the error of a call of the library's. Its errors are bare text;
// the status is in the response.
func (c *Client) fail(op forge.Op, res *gitea.Response, err error) error {
	a := forge.Answer{Err: err}
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case res != nil && res.Response != nil && res.StatusCode >= 300:
		a = forge.Answer{Status: res.StatusCode, Header: res.Header}
		if err != nil {
			a.Said = err.Error()
		}
	case errors.As(err, &syntax), errors.As(err, &kind):
		a.Err = &forge.ShapeError{What: "the answer is none that Gitea gives"}
	}
	return c.transport.Fail(op, a)
}

// Buttons tells that the forge's own merge keeps the commit, if it is a fast-forward.
func (c *Client) Buttons() bool { return true }

// maxPages bounds a list, at 50 entries a page, which every server allows.
const maxPages = 60

func pages(read func(gitea.ListOptions) (int, *gitea.Response, error)) (*gitea.Response, error) {
	for page := range maxPages {
		n, res, err := read(gitea.ListOptions{Page: page + 1, PageSize: 50})
		if err != nil || n == 0 { // a server may have smaller pages than were asked for
			return res, err
		}
	}
	return nil, &forge.ShapeError{What: fmt.Sprintf("the list has more than %d pages", maxPages)}
}

// draft is what stands before a draft's title.
const draft = "WIP: "

// Find gives the open pull requests from a branch of this repository.
func (c *Client) Find(ctx context.Context, head, base string) ([]forge.Request, error) {
	api, err := c.api(ctx)
	if err != nil {
		return nil, c.fail(opFind, nil, err)
	}
	var found []forge.Request
	res, err := pages(func(o gitea.ListOptions) (int, *gitea.Response, error) {
		list, res, err := api.ListRepoPullRequests(c.owner, c.repo, gitea.ListPullRequestsOptions{ListOptions: o, State: gitea.StateOpen})
		for _, p := range list {
			if p.Head != nil && p.Base != nil && p.Head.Ref == head && p.Base.Ref == base && p.Head.RepoID == p.Base.RepoID {
				found = append(found, request(p))
			}
		}
		return len(list), res, err
	})
	if err != nil {
		return nil, c.fail(opFind, res, err)
	}
	slices.SortFunc(found, func(a, b forge.Request) int { return int(a.Number - b.Number) })
	return found, nil
}

func request(p *gitea.PullRequest) forge.Request {
	title, prefixed := strings.CutPrefix(p.Title, draft)
	r := forge.Request{Number: p.Index, URL: p.HTMLURL, Title: title, Body: p.Body, Draft: p.Draft || prefixed}
	if p.Head != nil {
		r.Head = p.Head.Sha
	}
	for _, l := range p.Labels {
		r.Labels = append(r.Labels, l.Name)
	}
	return r
}

// Open opens a pull request between two branches of this repository.
func (c *Client) Open(ctx context.Context, head, base string, content forge.Content) (forge.Request, error) {
	api, err := c.api(ctx)
	if err != nil {
		return forge.Request{}, c.fail(opOpen, nil, err)
	}
	title := content.Title
	if content.Draft {
		title = draft + title
	}
	p, res, err := api.CreatePullRequest(c.owner, c.repo, gitea.CreatePullRequestOption{Head: head, Base: base, Title: title, Body: content.Body})
	if err == nil && p.Index == 0 {
		err = &forge.ShapeError{What: "the answer is empty"}
	}
	if err == nil {
		return request(p), nil
	}
	err = c.fail(opOpen, res, err)
	var e *forge.Error
	if errors.As(err, &e) && e.Kind == forge.Moved { // 409: there is one
		e.Kind, e.Hint = forge.Exists, "run the command again: it brings that one up to date"
	}
	return forge.Request{}, err
}

// Edit gives a pull request another title and body.
func (c *Client) Edit(ctx context.Context, r forge.Request, title, body string) error {
	api, err := c.api(ctx)
	if err != nil {
		return c.fail(opEdit, nil, err)
	}
	if r.Draft {
		title = draft + title
	}
	if _, res, err := api.EditPullRequest(c.owner, c.repo, r.Number, gitea.EditPullRequestOption{Title: title, Body: &body}); err != nil {
		return c.fail(opEdit, res, err)
	}
	return nil
}

// Label adds labels, which have to be there: the forge knows them by number.
func (c *Client) Label(ctx context.Context, r forge.Request, labels []string) error {
	api, err := c.api(ctx)
	if err != nil {
		return c.fail(opLabel, nil, err)
	}
	ids := map[string]int64{}
	res, err := pages(func(o gitea.ListOptions) (int, *gitea.Response, error) {
		list, res, err := api.ListRepoLabels(c.owner, c.repo, gitea.ListLabelsOptions{ListOptions: o})
		for _, l := range list {
			ids[l.Name] = l.ID
		}
		return len(list), res, err
	})
	if err != nil {
		return c.fail(opLabel, res, err)
	}
	var add []int64
	for _, name := range labels {
		id, known := ids[name]
		if !known {
			return &forge.Error{
				Op: opLabel.Doing, Host: c.transport.Base.Host, Kind: forge.Invalid, Said: fmt.Sprintf("the repository has no label %q", name),
				Hint: "make it there, or take it out of forge.labels in the config",
			}
		}
		add = append(add, id)
	}
	if _, res, err := api.AddIssueLabels(c.owner, c.repo, r.Number, gitea.IssueLabelsOption{Labels: add}); err != nil {
		return c.fail(opLabel, res, err)
	}
	return nil
}

// Evidence gives the reviews of a pull request and the statuses of a commit.
func (c *Client) Evidence(ctx context.Context, r forge.Request, commit string) (forge.Evidence, error) {
	api, err := c.api(ctx)
	if err != nil {
		return forge.Evidence{}, c.fail(opFind, nil, err)
	}
	p, res, err := api.GetPullRequest(c.owner, c.repo, r.Number)
	if err != nil {
		return forge.Evidence{}, c.fail(opFind, res, err)
	}
	if p.State != gitea.StateOpen {
		return forge.Evidence{}, c.transport.Moved(opFind, fmt.Sprintf("#%d was closed meanwhile", r.Number))
	}
	now := request(p)
	e := forge.Evidence{Head: now.Head, Draft: now.Draft}
	if e.Reviews, err = c.reviews(api, r); err != nil {
		return forge.Evidence{}, err
	}
	e.Checks, err = c.statuses(api, commit)
	return e, err
}

// reviews gives the reviews in order. The forge calls those official that
// count for its own branch protection; without one, only who may write counts.
func (c *Client) reviews(api *gitea.Client, r forge.Request) ([]forge.Review, error) {
	var list []*gitea.PullReview
	res, err := pages(func(o gitea.ListOptions) (int, *gitea.Response, error) {
		more, res, err := api.ListPullReviews(c.owner, c.repo, r.Number, gitea.ListPullReviewsOptions{ListOptions: o})
		list = append(list, more...)
		return len(more), res, err
	})
	if err != nil {
		return nil, c.fail(opReviews, res, err)
	}
	slices.SortStableFunc(list, func(a, b *gitea.PullReview) int { return a.Submitted.Compare(b.Submitted) })
	var found []forge.Review
	for _, v := range list {
		verdict, decisive := map[gitea.ReviewStateType]forge.Verdict{gitea.ReviewStateApproved: forge.Approved, gitea.ReviewStateRequestChanges: forge.Rejected}[v.State]
		if !decisive || v.Reviewer == nil {
			continue
		}
		if v.Dismissed {
			verdict = forge.Dismissed
		}
		counts := v.Official
		if !counts && verdict != forge.Dismissed {
			level, res, err := api.CollaboratorPermission(c.owner, c.repo, v.Reviewer.UserName)
			if err != nil && (res == nil || res.Response == nil || res.StatusCode != http.StatusNotFound) {
				return nil, c.fail(opAccess, res, err)
			}
			counts = level != nil && (level.Permission == gitea.AccessModeWrite || level.Permission == gitea.AccessModeAdmin || level.Permission == gitea.AccessModeOwner)
		}
		// A rejection stands until it is taken back, whatever is pushed after it.
		counts = counts && (!v.Stale || verdict == forge.Rejected)
		found = append(found, forge.Review{User: v.Reviewer.UserName, Verdict: verdict, Commit: v.CommitID, Counts: counts})
	}
	return found, nil
}

// statuses gives the latest status of each name: the forge lists them all.
func (c *Client) statuses(api *gitea.Client, commit string) ([]forge.Check, error) {
	latest := map[string]*gitea.Status{}
	var names []string
	res, err := pages(func(o gitea.ListOptions) (int, *gitea.Response, error) {
		list, res, err := api.ListStatuses(c.owner, c.repo, commit, gitea.ListStatusesOption{ListOptions: o})
		for _, s := range list {
			if latest[s.Context] == nil {
				names = append(names, s.Context)
			}
			if latest[s.Context] == nil || s.ID > latest[s.Context].ID {
				latest[s.Context] = s
			}
		}
		return len(list), res, err
	})
	if err != nil {
		return nil, c.fail(opStatus, res, err)
	}
	var found []forge.Check
	for _, name := range names {
		state, known := map[gitea.StatusState]forge.State{gitea.StatusSuccess: forge.Passed, gitea.StatusPending: forge.Pending}[latest[name].State]
		if !known {
			state = forge.Failed
		}
		found = append(found, forge.Check{Name: name, State: state})
	}
	return found, nil
}

// Report puts a status on a commit, unless it is there.
func (c *Client) Report(ctx context.Context, commit string, s forge.Status) error {
	api, err := c.api(ctx)
	if err != nil {
		return c.fail(opReport, nil, err)
	}
	have, err := c.statuses(api, commit)
	if err != nil || slices.Contains(have, forge.Check{Name: s.Name, State: s.State}) {
		return err
	}
	state := map[forge.State]gitea.StatusState{forge.Passed: gitea.StatusSuccess, forge.Pending: gitea.StatusPending, forge.Failed: gitea.StatusFailure}[s.State]
	if _, res, err := api.CreateStatus(c.owner, c.repo, commit, gitea.CreateStatusOption{State: state, Context: s.Name, Description: s.Text, TargetURL: s.URL}); err != nil {
		return c.fail(opReport, res, err)
	}
	return nil
}
