package repo

import (
	"errors"
	"fmt"
	"strings"
)

// ErrNoRemote is the error for a remote that git's config does not name.
var ErrNoRemote = errors.New("no such remote")

// ErrNoRepository is the error of a server that has no repository at the URL, or
// does not show it to whoever asks.
var ErrNoRepository = errors.New("no repository there, or no access to it")

// RemoteError is a conversation with a remote that went wrong on the way: the
// network, a timeout, a server that does not speak git. What was to change
// has not changed.
type RemoteError struct {
	Op   string // "listing", "fetching from", "pushing to"
	URL  string // without credentials
	Err  error
	Hint string // "" if there is none
}

func (e *RemoteError) Error() string { return fmt.Sprintf("%s %q: %v", e.Op, e.URL, e.Err) }

func (e *RemoteError) Unwrap() error { return e.Err }

// AuthError is a server that lets nobody in with the credentials at hand.
type AuthError struct {
	Host  string
	Tried []string // where credentials came from, in order; never the credentials
	Hint  string
}

func (e *AuthError) Error() string {
	tried := "no credentials found"
	if len(e.Tried) > 0 {
		tried = "tried " + strings.Join(e.Tried, ", ")
	}
	return fmt.Sprintf("%s refused access (%s)", e.Host, tried)
}

// RemoteMovedError is a ref of a remote that does not hold the expected value.
// Nothing was moved, unless the results of the push say so of other refs.
type RemoteMovedError struct {
	URL, Ref   string
	Want, Have ID // "" = absent
}

func (e *RemoteMovedError) Error() string {
	word := func(id ID) string {
		if id == "" {
			return "absent"
		}
		return "at " + id.Short()
	}
	return fmt.Sprintf("pushing %q to %q: it is %s there, not %s", e.Ref, e.URL, word(e.Have), word(e.Want))
}

// DeclinedError is a push that the server understood and turned down: a hook,
// a protected branch, a quota.
type DeclinedError struct {
	URL, Ref string
	Reason   string // git's few words
	Said     string // all that the server and its hooks said, as it came
}

func (e *DeclinedError) Error() string {
	return fmt.Sprintf("pushing %q to %q: declined: %s", e.Ref, e.URL, e.Reason)
}

// UnknownOutcomeError is a push whose answer was lost. It may have landed, or, if
// the remote could be asked and still had the old values, may land yet.
type UnknownOutcomeError struct {
	URL   string
	Refs  []string
	Asked bool // the remote still had the old values
	Err   error
}

func (e *UnknownOutcomeError) Error() string {
	refs := strings.Join(e.Refs, ", ")
	if e.Asked {
		return fmt.Sprintf("pushing %s to %q: the answer was lost and nothing has moved so far: %v", refs, e.URL, e.Err)
	}
	return fmt.Sprintf("pushing %s to %q: the answer was lost and asking again did not help: %v", refs, e.URL, e.Err)
}

func (e *UnknownOutcomeError) Unwrap() error { return e.Err }

// NotForwardError is a push that would take commits away from a branch, or, if
// Unknown, could: the history that would tell is cut off.
type NotForwardError struct {
	Ref      string
	Old, New ID
	Unknown  bool
}

func (e *NotForwardError) Error() string {
	if e.Unknown {
		return fmt.Sprintf("pushing %q: the history here does not reach from %s back to %s", e.Ref, e.New.Short(), e.Old.Short())
	}
	return fmt.Sprintf("pushing %q: %s does not come after %s", e.Ref, e.New.Short(), e.Old.Short())
}

// silentError is a remote that sent and took nothing for the time allowed.
type silentError struct{ what string }

func (e silentError) Error() string { return e.what }
func (e silentError) Timeout() bool { return true }

// serverError is what a server says instead of an answer.
type serverError struct{ text string }

func (e *serverError) Error() string { return "the server says: " + e.text }

// statusError is an HTTP answer other than 200.
type statusError struct {
	code int
	text string // "502 Bad Gateway"
	body string // the beginning, if it is plain text
}

func (e *statusError) Error() string {
	if e.body != "" {
		return fmt.Sprintf("the server answers %s: %s", e.text, e.body)
	}
	return "the server answers " + e.text
}
