// Package github speaks to github.com and GitHub Enterprise Server: a
// repository's pull requests, what was said of a commit, and its branches. It
// is the only importer of go-github.
package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v57/github"

	"github.com/sluice-dev/sluice/pkg/forge"
)

// Client is one repository on GitHub.
type Client struct {
	transport   *forge.Transport
	http        *http.Client
	owner, repo string
	push        func(context.Context, forge.Move) error
	app         *ghinstallation.Transport // nil without an App
}

// App is a GitHub App that acts in the place of a token's owner.
type App struct {
	ID, Installation int64
	Key              []byte // private, PEM
}

// Options is what a Client is made of.
type Options struct {
	Target    forge.Target
	Transport *forge.Transport
	App       *App // nil for the transport's token
	// Push moves a branch by git's own protocol, which carries the expected old
	// value. nil, and the error forge.ErrNoPush, leave the REST API, which
	// guards against everything but a fast-forward from another commit.
	Push func(context.Context, forge.Move) error
}

// New makes a Client. Nothing is asked of GitHub yet.
func New(o Options) (*Client, error) {
	owner, repo, _ := strings.Cut(o.Target.Project, "/")
	c := &Client{transport: o.Transport, owner: owner, repo: repo, push: o.Push}
	var through http.RoundTripper = o.Transport
	if o.App != nil {
		app, err := ghinstallation.New(o.Transport, o.App.ID, o.App.Installation, o.App.Key)
		if err != nil {
			return nil, errors.New("reading the private key of the GitHub App: it is not an RSA key in PEM") // the library's text may quote it
		}
		app.BaseURL = strings.TrimSuffix(o.Target.API.String(), "/")
		through, c.app = app, app
	}
	c.http = o.Transport.Client(through)
	return c, nil
}

// api gives a fresh client of the library: one that is kept refuses requests
// by itself once a limit was reached, by the machine's clock.
func (c *Client) api() *github.Client {
	api := github.NewClient(c.http)
	api.BaseURL = c.transport.Base.JoinPath("/")
	api.UserAgent = "sluice"
	return api
}

// The requests in words, with the permission that each needs.
var (
	opFind    = forge.Op{Doing: "looking for the pull request", Needs: "Pull requests: read"}
	opOpen    = forge.Op{Doing: "opening the pull request", Needs: "Pull requests: write"}
	opEdit    = forge.Op{Doing: "updating the pull request", Needs: "Pull requests: write"}
	opLabel   = forge.Op{Doing: "labelling the pull request", Needs: "Issues: write or Pull requests: write"}
	opReviews = forge.Op{Doing: "reading the reviews", Needs: "Pull requests: read"}
	opAccess  = forge.Op{Doing: "asking what a reviewer may do", Needs: "Metadata: read"}
	opStatus  = forge.Op{Doing: "reading the commit statuses", Needs: "Commit statuses: read"}
	opChecks  = forge.Op{Doing: "reading the check runs", Needs: "Checks: read"}
	opReport  = forge.Op{Doing: "reporting the commit status", Needs: "Commit statuses: write"}
	opRef     = forge.Op{Doing: "reading the branch", Needs: "Contents: read"}
	opMove    = forge.Op{Doing: "moving the branch", Needs: "Contents: write"}
)

// fail makes the error of a call of the library's.
func (c *Client) fail(op forge.Op, err error) error {
	a := forge.Answer{Err: err}
	var (
		answered  *github.ErrorResponse
		limited   *github.RateLimitError
		secondary *github.AbuseRateLimitError
		app       *ghinstallation.HTTPError
	)
	switch {
	case errors.As(err, &answered):
		a.Status, a.Header, a.Said = answered.Response.StatusCode, answered.Response.Header, said(answered)
	case errors.As(err, &limited):
		a.Status, a.Header, a.Said = limited.Response.StatusCode, limited.Response.Header, limited.Message
	case errors.As(err, &secondary):
		a.Status, a.Header, a.Said = secondary.Response.StatusCode, secondary.Response.Header, secondary.Message+" (secondary rate limit)"
	case errors.As(err, &app) && app.Response != nil:
		op = forge.Op{Doing: "getting a token for the GitHub App", Needs: "an installation on this repository (forge.app in the config)"}
		a.Status, a.Header = app.Response.StatusCode, app.Response.Header
	case unreadable(err):
		a.Err = &forge.ShapeError{What: "the answer is none that GitHub gives"}
	}
	return c.transport.Fail(op, a)
}

// said puts GitHub's message and its details in one line.
func said(r *github.ErrorResponse) string {
	parts := []string{r.Message}
	for _, e := range r.Errors {
		if e.Message != "" {
			parts = append(parts, e.Message)
		} else if e.Field != "" {
			parts = append(parts, e.Field+" "+e.Code)
		}
	}
	return strings.Join(parts, ": ")
}

// Buttons is false: GitHub's buttons make a new commit, whichever is chosen.
func (c *Client) Buttons() bool { return false }

// maxPages bounds a list, at 100 entries a page.
const maxPages = 30

// pages reads a list to its end.
func pages(read func(github.ListOptions) (*github.Response, error)) error {
	o := github.ListOptions{PerPage: 100}
	for range maxPages {
		res, err := read(o)
		if err != nil || res.NextPage == 0 {
			return err
		}
		o.Page = res.NextPage
	}
	return &forge.ShapeError{What: fmt.Sprintf("the list has more than %d entries", 100*maxPages)}
}

// Find gives the open pull requests from a branch of this repository.
func (c *Client) Find(ctx context.Context, head, base string) ([]forge.Request, error) {
	var found []forge.Request
	err := pages(func(o github.ListOptions) (*github.Response, error) {
		list, res, err := c.api().PullRequests.List(ctx, c.owner, c.repo, &github.PullRequestListOptions{
			State: "open", Head: c.owner + ":" + head, Base: base, Sort: "created", Direction: "asc", ListOptions: o,
		})
		for _, p := range list {
			// A filter that a server does not know gives everything.
			if p.GetHead().GetRef() == head && p.GetBase().GetRef() == base && p.GetHead().GetRepo().GetID() == p.GetBase().GetRepo().GetID() {
				found = append(found, request(p))
			}
		}
		return res, err
	})
	if err != nil {
		return nil, c.fail(opFind, err)
	}
	return found, nil
}

func request(p *github.PullRequest) forge.Request {
	r := forge.Request{
		Number: int64(p.GetNumber()), URL: p.GetHTMLURL(), Title: p.GetTitle(), Body: p.GetBody(),
		Head: p.GetHead().GetSHA(), Draft: p.GetDraft(),
	}
	for _, l := range p.Labels {
		r.Labels = append(r.Labels, l.GetName())
	}
	return r
}

// Open opens a pull request between two branches of this repository.
func (c *Client) Open(ctx context.Context, head, base string, content forge.Content) (forge.Request, error) {
	p, _, err := c.api().PullRequests.Create(ctx, c.owner, c.repo, &github.NewPullRequest{
		Title: &content.Title, Head: &head, Base: &base, Body: &content.Body, Draft: &content.Draft,
	})
	if err == nil && p.GetNumber() == 0 { // an empty answer is no error to the library
		err = &forge.ShapeError{What: "the answer is empty"}
	}
	if err == nil {
		return request(p), nil
	}
	err = c.fail(opOpen, err)
	var e *forge.Error
	if errors.As(err, &e) && e.Kind == forge.Invalid {
		switch {
		case strings.Contains(e.Said, "pull request already exists"):
			e.Kind, e.Hint = forge.Exists, "run the command again: it brings that one up to date"
		case strings.Contains(strings.ToLower(e.Said), "draft pull requests are not supported"):
			e.Hint = "take draft out of forge in the config"
		}
	}
	return forge.Request{}, err
}

// Edit gives a pull request another title and body.
func (c *Client) Edit(ctx context.Context, r forge.Request, title, body string) error {
	_, _, err := c.api().PullRequests.Edit(ctx, c.owner, c.repo, int(r.Number), &github.PullRequest{Title: &title, Body: &body})
	if err != nil {
		return c.fail(opEdit, err)
	}
	return nil
}

// Label adds labels; GitHub makes those that it does not know.
func (c *Client) Label(ctx context.Context, r forge.Request, labels []string) error {
	_, _, err := c.api().Issues.AddLabelsToIssue(ctx, c.owner, c.repo, int(r.Number), labels)
	if err != nil {
		return c.fail(opLabel, err)
	}
	return nil
}

// Merge moves the base branch by a push, or by the REST API where no push is
// possible, reads it back and waits a while for GitHub to notice.
func (c *Client) Merge(ctx context.Context, r forge.Request, m forge.Move) (shown bool, err error) {
	err = forge.ErrNoPush
	if c.push != nil {
		err = c.push(ctx, m)
	}
	if errors.Is(err, forge.ErrNoPush) {
		err = c.update(ctx, m)
	}
	if err != nil {
		return false, err
	}
	at, err := c.branch(ctx, m.Branch)
	if err != nil {
		return false, err
	}
	if at != m.New {
		return false, c.moved(m, at)
	}
	for try := range maxLooks {
		p, _, err := c.api().PullRequests.Get(ctx, c.owner, c.repo, int(r.Number))
		if err != nil {
			return false, c.fail(opFind, err)
		}
		if p.GetMerged() {
			return true, nil
		}
		if err := c.transport.Sleep(ctx, time.Second<<try); err != nil {
			return false, err
		}
	}
	return false, nil
}

// maxLooks bounds the looks at a pull request that has been merged, half a
// minute together.
const maxLooks = 5

// update moves a branch by the REST API.
func (c *Client) update(ctx context.Context, m forge.Move) error {
	at, err := c.branch(ctx, m.Branch)
	switch {
	case err != nil:
		return err
	case at == m.New:
		return nil // an earlier run got this far
	case at != m.Old:
		return c.moved(m, at)
	}
	ref := "refs/heads/" + m.Branch
	_, _, err = c.api().Git.UpdateRef(ctx, c.owner, c.repo, &github.Reference{Ref: &ref, Object: &github.GitObject{SHA: &m.New}}, false)
	if err == nil {
		return nil
	}
	err = c.fail(opMove, err)
	var e *forge.Error
	if errors.As(err, &e) && e.Kind == forge.Invalid {
		switch {
		case strings.Contains(e.Said, "not a fast forward"):
			e.Kind, e.Hint = forge.Moved, "somebody else was faster: run the command again"
		default:
			e.Hint = "a rule of the branch does not let it move: let whoever runs this bypass it, or push without a pull request"
		}
	}
	return err
}

func (c *Client) moved(m forge.Move, at string) error {
	return c.transport.Moved(opMove, fmt.Sprintf("%s is at %.10s, not at %.10s", m.Branch, at, m.Old))
}

// branch gives the commit that a branch is at.
func (c *Client) branch(ctx context.Context, name string) (string, error) {
	ref, _, err := c.api().Git.GetRef(ctx, c.owner, c.repo, "heads/"+name)
	if err != nil {
		return "", c.fail(opRef, err)
	}
	return ref.GetObject().GetSHA(), nil
}
