package forge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Bounds of a conversation with a forge.
const (
	maxTries   = 5                // of one request
	maxWait    = 2 * time.Minute  // for one request, all pauses together
	maxAttempt = 60 * time.Second // one try, from the first byte to the last
	maxAnswer  = 32 << 20         // bytes
)

// Transport carries requests to one forge and to nowhere else. It waits and
// tries again as the forge says, within bounds. Without a Token it adds none;
// the other fields are needed.
type Transport struct {
	Base  *url.URL // where the API is; nothing is sent to another host
	Via   http.RoundTripper
	Token string // sent to that host alone, and in no error
	From  string // where the token came from, as errors name it
	Wants string // where it could have come from
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
}

// Client gives an HTTP client that goes through t.
func (t *Transport) Client(through http.RoundTripper) *http.Client {
	return &http.Client{Transport: through, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		// What changes something would arrive as a mere GET.
		if len(via) >= 5 || via[0].Method != http.MethodGet {
			return http.ErrUseLastResponse
		}
		return nil
	}}
}

func (t *Transport) host() string { return t.Base.Host }

// elsewhereError is a request that would leave the forge.
type elsewhereError struct{ host string }

func (e *elsewhereError) Error() string {
	return fmt.Sprintf("it sends on to %q, which is not asked: a token is for one host", e.host)
}

// RoundTrip sends a request, and sends it again where that can help: after a
// rate limit always, after a broken connection or a server's own error only
// what has the same effect twice.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != t.Base.Host || req.URL.Scheme != t.Base.Scheme {
		return nil, &elsewhereError{req.URL.Host}
	}
	body, err := drain(req)
	if err != nil {
		return nil, err
	}
	waited := time.Duration(0)
	for try := 1; ; try++ {
		res, err := t.once(req, body)
		if err != nil && (req.Context().Err() != nil || errors.As(err, new(*tooLargeError))) {
			return nil, err
		}
		pause, again := t.pause(req.Method, res, err, try)
		if !again || try == maxTries || waited+pause > maxWait {
			return res, err
		}
		if res != nil {
			res.Body.Close()
		}
		waited += pause
		if err := t.Sleep(req.Context(), pause); err != nil {
			return nil, err
		}
	}
}

// drain takes the body of a request, so that it can be sent more than once.
func drain(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	defer req.Body.Close()
	return io.ReadAll(req.Body)
}

// once sends a request and reads the whole answer.
func (t *Transport) once(req *http.Request, body []byte) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), maxAttempt)
	defer cancel()
	r := req.Clone(ctx)
	r.Body, r.GetBody = nil, nil
	if body != nil {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	if t.Token != "" {
		r.Header.Set("Authorization", "Bearer "+t.Token)
	}
	res, err := t.Via.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if len(data) > maxAnswer {
		return nil, &tooLargeError{}
	}
	res.Body = io.NopCloser(bytes.NewReader(data))
	res.Request = req
	return res, nil
}

type tooLargeError struct{}

func (*tooLargeError) Error() string {
	return fmt.Sprintf("the answer has more than %d MiB", maxAnswer>>20)
}

// pause tells how long to wait before the next try, if one can help.
func (t *Transport) pause(method string, res *http.Response, err error, try int) (time.Duration, bool) {
	backoff := time.Second << (try - 1)
	twice := method != http.MethodPost // PATCH sets values, which is the same twice
	switch {
	case err != nil:
		return backoff, twice
	case limited(res.StatusCode, res.Header, peek(res)):
		if until, ok := reset(res.Header, t.Now()); ok {
			return max(until.Sub(t.Now()), time.Second), true
		}
		return max(backoff, time.Minute), true // what GitHub asks for where it says no time
	case res.StatusCode >= 500:
		if until, ok := retryAfter(res.Header, t.Now()); ok {
			return max(until.Sub(t.Now()), backoff), twice
		}
		return backoff, twice
	}
	return 0, false
}

// peek reads the body of an answer without taking it away.
func peek(res *http.Response) string {
	data, _ := io.ReadAll(res.Body) // it is in memory
	res.Body = io.NopCloser(bytes.NewReader(data))
	return string(data)
}

// limited tells a rate limit from a refusal: GitHub answers both with 403.
func limited(status int, h http.Header, said string) bool {
	switch status {
	case http.StatusTooManyRequests:
		return true
	case http.StatusForbidden:
		return h.Get("Retry-After") != "" || h.Get("X-RateLimit-Remaining") == "0" ||
			strings.Contains(strings.ToLower(said), "secondary rate limit") || strings.Contains(said, "secondary-rate-limits")
	}
	return false
}

// reset gives the time before which a limited request is of no use.
func reset(h http.Header, now time.Time) (time.Time, bool) {
	if until, ok := retryAfter(h, now); ok {
		return until, true
	}
	if h.Get("X-RateLimit-Remaining") != "0" && h.Get("RateLimit-Remaining") != "0" {
		return time.Time{}, false
	}
	for _, name := range []string{"X-RateLimit-Reset", "RateLimit-Reset"} { // GitHub's and GitLab's
		if unix, err := strconv.ParseInt(h.Get(name), 10, 64); err == nil && unix > 0 {
			return time.Unix(unix, 0).Add(time.Second), true // their clock may be ahead
		}
	}
	return time.Time{}, false
}

// retryAfter reads a header of seconds or of a date.
func retryAfter(h http.Header, now time.Time) (time.Time, bool) {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil && seconds >= 0 {
		return now.Add(time.Duration(seconds) * time.Second), true
	}
	if at, err := http.ParseTime(text); err == nil {
		return at, true
	}
	return time.Time{}, false
}
