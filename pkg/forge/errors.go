package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Kind is the sort of an error, for those who go on differently after it.
type Kind int

// The kinds of errors.
const (
	Unexpected   Kind = iota
	Unauthorized      // no token, or one that is not valid
	Forbidden         // a token that may not do this
	NotFound          // or not shown to whoever asks
	Moved             // a branch or request is not where it was
	Exists            // what was to be made is there
	Invalid           // the forge will not take this
	Limited           // too many requests
	Unavailable       // the network or the forge; what was asked may have happened
)

// Error is a forge that did not do what it was asked.
type Error struct {
	Op     string // "opening the pull request"
	Host   string
	Kind   Kind
	Status int    // of HTTP; 0 without an answer
	Said   string // the forge's own words, shortened; they may hold anything
	Hint   string
	Err    error // may be nil
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%s at %q", e.Op, e.Host)
	switch {
	case e.Status != 0 && e.Said != "":
		return fmt.Sprintf("%s: %d %s: %s", text, e.Status, http.StatusText(e.Status), e.Said)
	case e.Status != 0:
		return fmt.Sprintf("%s: %d %s", text, e.Status, http.StatusText(e.Status))
	case e.Said != "":
		return text + ": " + e.Said
	case e.Err != nil:
		return fmt.Sprintf("%s: %v", text, e.Err)
	}
	return text
}

// Unwrap gives the reason, context.Canceled for one.
func (e *Error) Unwrap() error { return e.Err }

// Op is a request to a forge, in words.
type Op struct {
	Doing string // "opening the pull request"
	Needs string // the permission, by the name that the forge has for it
}

// Answer is what a forge's client library says of a request that failed.
type Answer struct {
	Status int
	Header http.Header
	Said   string
	Err    error // where there was no answer, or none that could be read
}

// maxSaid bounds what is shown of a forge's words, in bytes.
const maxSaid = 400

// Fail makes the error of a request that failed. The token's own text never
// gets into it.
func (t *Transport) Fail(op Op, a Answer) error {
	if errors.Is(a.Err, context.Canceled) {
		return a.Err
	}
	e := &Error{Op: op.Doing, Host: t.host(), Status: a.Status, Said: t.shorten(a.Said)}
	var withURL *url.Error
	if errors.As(a.Err, &withURL) {
		a.Err = withURL.Err // its text would repeat the URL
	}
	if a.Status == 0 {
		e.Kind, e.Err, e.Hint = Unavailable, scrubbed(a.Err, t.scrub), "see whether the forge can be reached, and run the command again: it goes on where it was"
		var refused *elsewhereError
		var shape *ShapeError
		switch {
		case errors.As(a.Err, &refused):
			e.Kind, e.Hint = Unexpected, "forge.url in the config says where the forge is"
		case errors.As(a.Err, &shape):
			e.Kind, e.Hint = Unexpected, "see whether forge.type and forge.url in the config name the forge that is there"
		}
		return e
	}
	t.judge(e, op, a)
	return e
}

// judge fills in kind and hint by the status.
func (t *Transport) judge(e *Error, op Op, a Answer) {
	switch {
	case limited(a.Status, a.Header, a.Said):
		e.Kind, e.Hint = Limited, "the forge wants fewer requests: run the command again later, it goes on where it was"
		if until, ok := reset(a.Header, t.Now()); ok {
			e.Hint = fmt.Sprintf("the forge wants no requests before %s: run the command again then, it goes on where it was", until.UTC().Format("15:04 MST"))
		}
	case a.Status == http.StatusUnauthorized && t.From == "":
		e.Kind, e.Hint = Unauthorized, "no token was found: set "+t.Wants
	case a.Status == http.StatusUnauthorized:
		e.Kind, e.Hint = Unauthorized, t.From+" is not accepted: it may have expired or been taken back"
	case a.Status == http.StatusForbidden:
		e.Kind, e.Hint = Forbidden, forbidden(op, a, t.From)
	case a.Status == http.StatusNotFound:
		e.Kind, e.Hint = NotFound, "there is no such repository, or "+or(t.From, "who has no token")+" does not get to see it: it needs "+op.Needs
	case a.Status == http.StatusConflict:
		e.Kind, e.Hint = Moved, "somebody else was faster: run the command again"
	case a.Status == http.StatusUnprocessableEntity, a.Status == http.StatusBadRequest, a.Status == http.StatusMethodNotAllowed:
		e.Kind, e.Hint = Invalid, "the forge's own words say what it will not take"
	case a.Status >= 300 && a.Status < 400:
		e.Kind, e.Hint = NotFound, "the repository has moved: git remote set-url origin, with its new address"
	case a.Status >= 500:
		e.Kind, e.Hint = Unavailable, "the forge is in trouble: run the command again later, it goes on where it was"
	default:
		e.Kind, e.Hint = Unexpected, "see whether forge.type and forge.url in the config name the forge that is there"
	}
}

// forbidden names the permission that is missing: GitHub tells it in a header.
func forbidden(op Op, a Answer, from string) string {
	if strings.Contains(a.Said, "not permitted to create or approve pull requests") {
		return "allow it in the settings of the repository or organization: Actions, General, Workflow permissions; or use another token"
	}
	needs := op.Needs
	if named := a.Header.Get("X-Accepted-GitHub-Permissions"); named != "" && len(named) < 200 {
		needs = named
	}
	return or(from, "whoever has no token") + " may not do this: it needs " + needs
}

// shorten makes one bounded line of what a forge says, without the token.
func (t *Transport) shorten(said string) string {
	said = strings.Join(strings.Fields(t.scrub(said)), " ")
	if len(said) > maxSaid {
		said = strings.ToValidUTF8(said[:maxSaid], "") + "..."
	}
	return said
}

// scrub takes the token out of a text.
func (t *Transport) scrub(text string) string {
	if len(t.Token) < 4 { // less would blot out words, and guards nothing
		return text
	}
	return strings.ReplaceAll(text, t.Token, "***")
}

// scrubbed gives an error whose text holds no secret.
func scrubbed(err error, scrub func(string) string) error {
	if err == nil || scrub(err.Error()) == err.Error() {
		return err
	}
	return errors.New(scrub(err.Error()))
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// ShapeError is an answer that no forge of the type gives.
type ShapeError struct{ What string }

func (e *ShapeError) Error() string { return e.What }
