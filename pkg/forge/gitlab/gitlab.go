// Package gitlab speaks to GitLab: a project's merge requests, what was said
// of a commit, and the merge that GitLab makes itself. It is the only importer
// of GitLab's client.
package gitlab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	gitlab "gitlab.com/gitlab-org/api/client-go"

	"github.com/sluice-dev/sluice/pkg/forge"
)

// Client is one project on GitLab.
type Client struct {
	transport *forge.Transport
	api       *gitlab.Client
	project   string
}

// unhurried lets every request through: how fast they may come is the
// transport's to know.
type unhurried struct{}

func (unhurried) Wait(context.Context) error { return nil }

// New makes a Client. Nothing is asked of GitLab yet.
func New(target forge.Target, t *forge.Transport) (*Client, error) {
	api, err := gitlab.NewAuthSourceClient(gitlab.Unauthenticated{},
		gitlab.WithBaseURL(target.API.String()), gitlab.WithHTTPClient(t.Client(t)), gitlab.WithoutRetries(),
		gitlab.WithCustomLimiter(unhurried{}), gitlab.WithUserAgent("sluice"))
	if err != nil {
		return nil, fmt.Errorf("making a client for %q: %w", target.API.Host, err)
	}
	return &Client{transport: t, api: api, project: target.Project}, nil
}

const (
	scope   = `a token with the scope "api" and the role Developer`
	masters = `a token with the scope "api", of somebody whom the protected branch lets merge`
)

var (
	opFind    = forge.Op{Doing: "looking for the merge request", Needs: scope}
	opOpen    = forge.Op{Doing: "opening the merge request", Needs: scope}
	opEdit    = forge.Op{Doing: "updating the merge request", Needs: scope}
	opReviews = forge.Op{Doing: "reading the approvals", Needs: scope}
	opStatus  = forge.Op{Doing: "reading the commit statuses", Needs: scope}
	opReport  = forge.Op{Doing: "reporting the commit status", Needs: scope}
	opBranch  = forge.Op{Doing: "reading the branch", Needs: scope}
	opMerge   = forge.Op{Doing: "merging the merge request", Needs: masters}
)

// fail makes the error of a call of the library's.
func (c *Client) fail(op forge.Op, err error) error {
	a := forge.Answer{Err: err}
	var answered *gitlab.ErrorResponse
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, gitlab.ErrNotFound): // the library keeps no more of a 404 than that
		a.Status, a.Header = http.StatusNotFound, http.Header{}
	case errors.As(err, &answered):
		a.Status, a.Header, a.Said = answered.Response.StatusCode, answered.Response.Header, answered.Message
	case errors.As(err, &syntax), errors.As(err, &kind):
		a.Err = &forge.ShapeError{What: "the answer is none that GitLab gives"}
	}
	if op == opMerge && a.Status == http.StatusUnauthorized && c.transport.From != "" {
		a.Status = http.StatusForbidden // what GitLab answers to who may not merge
	}
	return c.transport.Fail(op, a)
}

// Buttons tells that GitLab's button keeps the commit, with fast-forward merges.
func (c *Client) Buttons() bool { return true }

// maxPages bounds a list, at 100 entries a page.
const maxPages = 30

func pages(read func(gitlab.ListOptions) (*gitlab.Response, error)) error {
	o := gitlab.ListOptions{PerPage: 100, Page: 1}
	for range maxPages {
		res, err := read(o)
		if err != nil || res.NextPage == 0 {
			return err
		}
		o.Page = res.NextPage
	}
	return &forge.ShapeError{What: fmt.Sprintf("the list has more than %d entries", 100*maxPages)}
}

// draft is what stands before a draft's title.
const draft = "Draft: "

// Find gives the open merge requests from a branch of this project.
func (c *Client) Find(ctx context.Context, head, base string) ([]forge.Request, error) {
	var found []forge.Request
	err := pages(func(o gitlab.ListOptions) (*gitlab.Response, error) {
		list, res, err := c.api.MergeRequests.ListProjectMergeRequests(c.project, &gitlab.ListProjectMergeRequestsOptions{
			ListOptions: o, State: gitlab.Ptr("opened"), SourceBranch: &head, TargetBranch: &base, OrderBy: gitlab.Ptr("created_at"), Sort: gitlab.Ptr("asc"),
		}, gitlab.WithContext(ctx))
		for _, m := range list {
			if m.SourceBranch == head && m.TargetBranch == base && m.SourceProjectID == m.TargetProjectID {
				found = append(found, request(m))
			}
		}
		return res, err
	})
	if err != nil {
		return nil, c.fail(opFind, err)
	}
	return found, nil
}

func request(m *gitlab.BasicMergeRequest) forge.Request {
	return forge.Request{
		Number: m.IID, URL: m.WebURL, Title: strings.TrimPrefix(m.Title, draft), Body: m.Description,
		Head: m.SHA, Draft: m.Draft, Labels: m.Labels,
	}
}

// Open opens a merge request between two branches of this project.
func (c *Client) Open(ctx context.Context, head, base string, content forge.Content) (forge.Request, error) {
	title := content.Title
	if content.Draft {
		title = draft + title
	}
	m, _, err := c.api.MergeRequests.CreateMergeRequest(c.project, &gitlab.CreateMergeRequestOptions{
		Title: &title, Description: &content.Body, SourceBranch: &head, TargetBranch: &base, Squash: gitlab.Ptr(false),
	}, gitlab.WithContext(ctx))
	if err == nil && m.IID == 0 {
		err = &forge.ShapeError{What: "the answer is empty"}
	}
	if err == nil {
		return request(&m.BasicMergeRequest), nil
	}
	err = c.fail(opOpen, err)
	var e *forge.Error
	if errors.As(err, &e) && e.Kind == forge.Moved { // 409: there is one
		e.Kind, e.Hint = forge.Exists, "run the command again: it brings that one up to date"
	}
	return forge.Request{}, err
}

// Edit gives a merge request another title and description.
func (c *Client) Edit(ctx context.Context, r forge.Request, title, body string) error {
	if r.Draft {
		title = draft + title
	}
	_, _, err := c.api.MergeRequests.UpdateMergeRequest(c.project, r.Number, &gitlab.UpdateMergeRequestOptions{Title: &title, Description: &body}, gitlab.WithContext(ctx))
	if err != nil {
		return c.fail(opEdit, err)
	}
	return nil
}

// Label adds labels; GitLab makes those that it does not know.
func (c *Client) Label(ctx context.Context, r forge.Request, labels []string) error {
	list := gitlab.LabelOptions(labels)
	_, _, err := c.api.MergeRequests.UpdateMergeRequest(c.project, r.Number, &gitlab.UpdateMergeRequestOptions{AddLabels: &list}, gitlab.WithContext(ctx))
	if err != nil {
		return c.fail(opEdit, err)
	}
	return nil
}

// Evidence gives the approvals of a merge request and the statuses of a commit.
func (c *Client) Evidence(ctx context.Context, r forge.Request, commit string) (forge.Evidence, error) {
	m, _, err := c.api.MergeRequests.GetMergeRequest(c.project, r.Number, nil, gitlab.WithContext(ctx))
	if err != nil {
		return forge.Evidence{}, c.fail(opFind, err)
	}
	if m.State != "opened" {
		return forge.Evidence{}, c.transport.Moved(opFind, fmt.Sprintf("!%d was closed meanwhile", r.Number))
	}
	e := forge.Evidence{Head: m.SHA, Draft: m.Draft}
	if e.Reviews, err = c.approvals(ctx, r, m.SHA); err != nil {
		return forge.Evidence{}, c.fail(opReviews, err)
	}
	if e.Checks, err = c.statuses(ctx, commit); err != nil {
		return forge.Evidence{}, c.fail(opStatus, err)
	}
	return e, nil
}

// approvals gives who approves now. GitLab does not say of which commit, and
// may keep approvals when the head moves. So an approval counts for the head
// only if it was given after the head got there: both have a time.
func (c *Client) approvals(ctx context.Context, r forge.Request, head string) ([]forge.Review, error) {
	given, _, err := c.api.MergeRequestApprovals.GetConfiguration(c.project, r.Number, gitlab.WithContext(ctx))
	if err != nil || len(given.ApprovedBy) == 0 {
		return nil, err
	}
	versions, _, err := c.api.MergeRequests.GetMergeRequestDiffVersions(c.project, r.Number, nil, gitlab.WithContext(ctx)) // newest first
	if err != nil {
		return nil, err
	}
	approved := map[string]time.Time{} // by user, the latest
	err = pages(func(o gitlab.ListOptions) (*gitlab.Response, error) {
		notes, res, err := c.api.Notes.ListMergeRequestNotes(c.project, r.Number, &gitlab.ListMergeRequestNotesOptions{ListOptions: o}, gitlab.WithContext(ctx))
		for _, n := range notes {
			// GitLab's own notes are in English whatever its users speak.
			if n.System && n.Body == "approved this merge request" && n.CreatedAt != nil && n.CreatedAt.After(approved[n.Author.Username]) {
				approved[n.Author.Username] = *n.CreatedAt
			}
		}
		return res, err
	})
	if err != nil {
		return nil, err
	}
	var found []forge.Review
	for _, a := range given.ApprovedBy {
		if a.User == nil {
			continue
		}
		v := forge.Review{User: a.User.Username, Verdict: forge.Approved, Counts: true} // only members can approve
		if len(versions) > 0 && versions[0].HeadCommitSHA == head && versions[0].CreatedAt != nil && approved[v.User].After(*versions[0].CreatedAt) {
			v.Commit = head
		}
		found = append(found, v)
	}
	return found, nil
}

// statuses gives the latest status of each name, jobs of pipelines among them.
func (c *Client) statuses(ctx context.Context, commit string) ([]forge.Check, error) {
	var found []forge.Check
	err := pages(func(o gitlab.ListOptions) (*gitlab.Response, error) {
		list, res, err := c.api.Commits.GetCommitStatuses(c.project, commit, &gitlab.GetCommitStatusesOptions{ListOptions: o}, gitlab.WithContext(ctx))
		for _, s := range list {
			state := forge.Failed
			switch s.Status {
			case "success":
				state = forge.Passed
			case "created", "waiting_for_resource", "preparing", "pending", "running", "manual", "scheduled":
				state = forge.Pending
			}
			found = append(found, forge.Check{Name: s.Name, State: state})
		}
		return res, err
	})
	return found, err
}

// Report puts a status on a commit, unless it is there: GitLab refuses to set
// what is set.
func (c *Client) Report(ctx context.Context, commit string, s forge.Status) error {
	have, err := c.statuses(ctx, commit)
	if err != nil {
		return c.fail(opStatus, err)
	}
	for _, h := range have {
		if h.Name == s.Name && h.State == s.State {
			return nil
		}
	}
	state := map[forge.State]gitlab.BuildStateValue{forge.Passed: gitlab.Success, forge.Pending: gitlab.Pending, forge.Failed: gitlab.Failed}[s.State]
	o := &gitlab.SetCommitStatusOptions{State: state, Name: &s.Name, Description: &s.Text}
	if s.URL != "" {
		o.TargetURL = &s.URL
	}
	if _, _, err := c.api.Commits.SetCommitStatus(c.project, commit, o, gitlab.WithContext(ctx)); err != nil {
		return c.fail(opReport, err)
	}
	return nil
}
