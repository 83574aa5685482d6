// Package forge takes what an environment is about to get and gives the pull
// request that asks for it: its text, where it is opened, and whether what
// people and checks said of exactly that commit lets it in. How a forge is
// spoken to is in the packages below.
package forge

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// Requests is a repository's open pull requests, as Ensure needs them.
type Requests interface {
	// Find gives the open requests from branch head to branch base, oldest
	// first. Those whose head is in a fork are left out.
	Find(ctx context.Context, head, base string) ([]Request, error)
	// Open opens a request. Its error has the kind Exists if there is one.
	Open(ctx context.Context, head, base string, c Content) (Request, error)
	// Label adds labels to a request.
	Label(ctx context.Context, r Request, labels []string) error
	// Edit gives an open request another title and body.
	Edit(ctx context.Context, r Request, title, body string) error
}

// Forge is one repository on a forge.
type Forge interface {
	Requests
	Inspector
	// Evidence gives what has been said of a request and of a commit.
	Evidence(ctx context.Context, r Request, commit string) (Evidence, error)
	// Merge moves the request's base branch forward to exactly one commit and
	// reads back that it did. shown tells whether the request shows as merged
	// by now; until then its head branch has to stay.
	Merge(ctx context.Context, r Request, m Move) (shown bool, err error)
	// Report puts a status on a commit.
	Report(ctx context.Context, commit string, s Status) error
	// Buttons tells whether the forge's own merge button keeps the commit's id.
	Buttons() bool
}

// Request is an open pull request, or a merge request.
type Request struct {
	Number      int64
	URL         string // of its page
	Title, Body string
	Head        string // commit at its head
	Draft       bool
	Labels      []string
}

// Content is what a new request is opened with.
type Content struct {
	Title, Body string
	Draft       bool
}

// Move is a branch that goes from one commit to a later one.
type Move struct {
	Branch   string // without refs/heads/
	Old, New string // full commit ids
}

// ErrNoPush is the error of a push that was not let in with git's credentials.
var ErrNoPush = errors.New("pushing with git's credentials is not possible")

// Status is what a program says of a commit.
type Status struct {
	Name  string // sluice/verify
	State State
	Text  string // one line
	URL   string // empty if there is no page about it
}

// State is what a check came to.
type State string

// What a check can come to.
const (
	Passed  State = "passed"
	Pending State = "pending"
	Failed  State = "failed"
)

// Outcome is what became of a request.
type Outcome string

// What can become of a request.
const (
	Opened    Outcome = "opened"
	Updated   Outcome = "updated"
	Unchanged Outcome = "unchanged"
)

// Proposed is a request that says what it is to say.
type Proposed struct {
	Request
	Outcome Outcome
}

// Ensure opens the request that asks for p, or brings the open one up to date.
// It can be run again after any end, and beside another run: there is one
// request in the end. What people wrote beside the text of Section stays.
func Ensure(ctx context.Context, f Requests, head, base string, p Proposal, draft bool, labels []string) (Proposed, error) {
	return ensure(ctx, f, head, base, p, draft, labels)
}

// words are what a request is to say.
type words interface {
	Title() string
	// wrote tells whether an open request has a title of ours, not one that
	// somebody chose.
	wrote(r Request) bool
	// body is the text, around what people wrote in an existing one.
	body(existing string) string
}

func ensure(ctx context.Context, f Requests, head, base string, p words, draft bool, labels []string) (Proposed, error) {
	open, err := f.Find(ctx, head, base)
	if err != nil {
		return Proposed{}, err
	}
	if len(open) == 0 {
		r, err := f.Open(ctx, head, base, Content{Title: p.Title(), Body: p.body(""), Draft: draft})
		if err == nil {
			return Proposed{r, Opened}, label(ctx, f, r, labels)
		}
		if !mayExist(err) {
			return Proposed{}, err
		}
		// Another run was faster, or the answer got lost on the way back.
		again, findErr := f.Find(ctx, head, base)
		if findErr != nil || len(again) == 0 {
			return Proposed{}, err
		}
		open = again
	}
	r := open[0]
	if err := label(ctx, f, r, labels); err != nil {
		return Proposed{}, err
	}
	title, body := r.Title, p.body(r.Body)
	if p.wrote(r) {
		title = p.Title()
	}
	if title == r.Title && plain(body) == plain(r.Body) {
		return Proposed{r, Unchanged}, nil
	}
	if err := f.Edit(ctx, r, title, body); err != nil {
		return Proposed{}, err
	}
	r.Title, r.Body = title, body
	return Proposed{r, Updated}, nil
}

// label adds the labels that a request has not.
func label(ctx context.Context, f Requests, r Request, labels []string) error {
	missing := slices.DeleteFunc(slices.Clone(labels), func(l string) bool { return slices.Contains(r.Labels, l) })
	if len(missing) == 0 {
		return nil
	}
	return f.Label(ctx, r, missing)
}

// mayExist tells whether a request may be there although opening one failed.
func mayExist(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Kind == Exists || e.Kind == Unavailable)
}

// plain takes out what forges change about a text that they keep.
func plain(s string) string {
	return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
}
