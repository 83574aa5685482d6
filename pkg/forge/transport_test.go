package forge

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// clock stands still but for the sleeps.
type clock struct {
	now    time.Time
	sleeps []time.Duration
}

func (c *clock) Now() time.Time { return c.now }

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.sleeps = append(c.sleeps, d)
	c.now = c.now.Add(d)
	return ctx.Err()
}

func transport(t *testing.T, handler http.HandlerFunc) (*Transport, *clock) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{now: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)}
	return &Transport{
		Base: base, Via: http.DefaultTransport, From: "SOME_TOKEN", Wants: "SOME_TOKEN", Token: "canary-token",
		Now: c.Now, Sleep: c.Sleep,
	}, c
}

func TestRetries(t *testing.T) {
	start := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	unix := func(d time.Duration) string { return strconv.FormatInt(start.Add(d).Unix(), 10) }
	const s = time.Second
	for name, c := range map[string]struct {
		method  string
		status  int
		header  map[string]string
		body    string
		fails   int // answers like this before a 200
		sleeps  []time.Duration
		lasting bool // the answer is what the caller gets
	}{
		"fine":                            {method: "GET", status: 200},
		"server's error":                  {method: "GET", status: 502, fails: 2, sleeps: []time.Duration{s, 2 * s}},
		"for ever":                        {method: "GET", status: 500, fails: 99, sleeps: []time.Duration{s, 2 * s, 4 * s, 8 * s}, lasting: true},
		"patch":                           {method: "PATCH", status: 503, fails: 1, sleeps: []time.Duration{s}},
		"post may have happened":          {method: "POST", status: 502, fails: 1, lasting: true},
		"maintenance":                     {method: "GET", status: 503, header: map[string]string{"Retry-After": "7"}, fails: 1, sleeps: []time.Duration{7 * s}},
		"429":                             {method: "POST", status: 429, header: map[string]string{"Retry-After": "3"}, fails: 1, sleeps: []time.Duration{3 * s}},
		"429, by date":                    {method: "GET", status: 429, header: map[string]string{"Retry-After": start.Add(9 * s).Format(http.TimeFormat)}, fails: 1, sleeps: []time.Duration{9 * s}},
		"429, no time":                    {method: "GET", status: 429, fails: 1, sleeps: []time.Duration{60 * s}},
		"429, GitLab":                     {method: "GET", status: 429, header: map[string]string{"RateLimit-Remaining": "0", "RateLimit-Reset": unix(30 * s)}, fails: 1, sleeps: []time.Duration{31 * s}},
		"primary":                         {method: "POST", status: 403, header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": unix(20 * s)}, fails: 1, sleeps: []time.Duration{21 * s}},
		"primary, an hour":                {method: "GET", status: 403, header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": unix(time.Hour)}, fails: 1, lasting: true},
		"secondary":                       {method: "POST", status: 403, body: `{"message": "You have exceeded a secondary rate limit."}`, fails: 1, sleeps: []time.Duration{60 * s}},
		"secondary, told":                 {method: "POST", status: 403, header: map[string]string{"Retry-After": "5"}, fails: 1, sleeps: []time.Duration{5 * s}},
		"secondary, and on, and on":       {method: "POST", status: 429, header: map[string]string{"Retry-After": "50"}, fails: 99, sleeps: []time.Duration{50 * s, 50 * s}, lasting: true},
		"a refusal":                       {method: "GET", status: 403, body: `{"message": "Resource not accessible"}`, fails: 1, lasting: true},
		"refusal with requests remaining": {method: "GET", status: 403, header: map[string]string{"X-RateLimit-Remaining": "12", "X-RateLimit-Reset": unix(9 * s)}, fails: 1, lasting: true},
		"not found":                       {method: "GET", status: 404, fails: 1, lasting: true},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			tr, clk := transport(t, func(w http.ResponseWriter, r *http.Request) {
				if got, _ := io.ReadAll(r.Body); r.Method != "GET" && string(got) != "the body" {
					t.Errorf("try %d comes with body %q", n, got)
				}
				if n++; n > c.fails {
					return
				}
				for k, v := range c.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(c.status)
				io.WriteString(w, c.body)
			})
			var body io.Reader
			if c.method != "GET" {
				body = strings.NewReader("the body")
			}
			req, err := http.NewRequest(c.method, tr.Base.String()+"/x", body)
			if err != nil {
				t.Fatal(err)
			}
			res, err := tr.Client(tr).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			want := 200
			if c.lasting {
				want = c.status
			}
			if got, _ := io.ReadAll(res.Body); res.StatusCode != want || c.lasting && string(got) != c.body {
				t.Errorf("the answer is %d %q, want %d %q", res.StatusCode, got, want, c.body)
			}
			if len(clk.sleeps) != len(c.sleeps) {
				t.Fatalf("slept %v, want %v", clk.sleeps, c.sleeps)
			}
			for i, d := range c.sleeps {
				if clk.sleeps[i] != d {
					t.Errorf("slept %v, want %v", clk.sleeps, c.sleeps)
				}
			}
		})
	}
}

func TestBrokenConnections(t *testing.T) {
	for _, c := range []struct {
		method string
		tries  int
	}{{"GET", maxTries}, {"DELETE", maxTries}, {"POST", 1}} {
		var tries atomic.Int32
		tr, _ := transport(t, func(w http.ResponseWriter, _ *http.Request) {
			tries.Add(1)
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				conn.Close()
			}
		})
		req, _ := http.NewRequest(c.method, tr.Base.String(), nil)
		req.Body, req.GetBody = nil, nil
		_, err := tr.Client(tr).Do(req)
		var e *Error
		if err = tr.Fail(Op{Doing: "asking"}, Answer{Err: err}); !errors.As(err, &e) || e.Kind != Unavailable || e.Hint == "" {
			t.Errorf("%s: %v", c.method, err)
		}
		n := int(tries.Load())
		if n < c.tries || n > 2*c.tries { // net/http itself asks again once
			t.Errorf("%s was tried %d times, want %d", c.method, n, c.tries)
		}
	}
}

func TestTokenStaysAtHome(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another host is asked, with %v", r.Header)
	}))
	defer elsewhere.Close()
	asked := ""
	tr, _ := transport(t, func(w http.ResponseWriter, r *http.Request) {
		asked += r.Method + r.URL.Path + " "
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		case "/renamed":
			http.Redirect(w, r, "/new", http.StatusMovedPermanently)
		}
	})
	get := func(method, path string) (*http.Response, error) {
		req, _ := http.NewRequest(method, tr.Base.String()+path, nil)
		return tr.Client(tr).Do(req)
	}
	_, err := get("GET", "/away")
	var e *Error
	if err = tr.Fail(Op{Doing: "asking"}, Answer{Err: err}); !errors.As(err, &e) || e.Kind != Unexpected || !strings.Contains(err.Error(), "a token is for one host") {
		t.Errorf("redirected to another host: %v", err)
	}
	if res, err := get("GET", "/renamed"); err != nil || res.StatusCode != 200 {
		t.Errorf("redirected on the host: %v", err)
	}
	if res, err := get("POST", "/renamed"); err != nil || res.StatusCode != http.StatusMovedPermanently {
		t.Errorf("a POST is redirected: %v", err)
	}
	if want := "GET/away GET/renamed GET/new POST/renamed "; asked != want {
		t.Errorf("asked %s, want %s", asked, want)
	}
}

func TestEndlessAnswer(t *testing.T) {
	tr, clk := transport(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 34 {
			w.Write(make([]byte, 1<<20))
		}
	})
	_, err := tr.Client(tr).Get(tr.Base.String())
	if err == nil || !strings.Contains(err.Error(), "more than 32 MiB") || len(clk.sleeps) > 0 {
		t.Errorf("%v after %v", err, clk.sleeps)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	tr, clk := transport(t, func(w http.ResponseWriter, _ *http.Request) {
		cancel()
		w.WriteHeader(http.StatusBadGateway)
	})
	req, _ := http.NewRequestWithContext(ctx, "GET", tr.Base.String(), nil)
	_, err := tr.Client(tr).Do(req)
	if err = tr.Fail(Op{}, Answer{Err: err}); !errors.Is(err, context.Canceled) || len(clk.sleeps) > 1 {
		t.Errorf("%v after %v", err, clk.sleeps)
	}
}

func TestFail(t *testing.T) {
	tr, _ := transport(t, nil)
	nobody := *tr
	nobody.From = ""
	op := Op{Doing: "opening the pull request", Needs: "Pull requests: write"}
	for _, c := range []struct {
		tr           *Transport
		status       int
		header, said string
		kind         Kind
		hint         string
	}{
		{tr, 401, "", "Bad credentials", Unauthorized, "SOME_TOKEN is not accepted"},
		{&nobody, 401, "", "", Unauthorized, "no token was found: set SOME_TOKEN"},
		{tr, 403, "", "no", Forbidden, "SOME_TOKEN may not do this: it needs Pull requests: write"},
		{tr, 403, "X-Accepted-GitHub-Permissions: pull_requests=write", "no", Forbidden, "it needs pull_requests=write"},
		{tr, 403, "", "GitHub Actions is not permitted to create or approve pull requests.", Forbidden, "Workflow permissions"},
		{tr, 403, "Retry-After: 4000", "slower", Limited, "no requests before 10:06 UTC"},
		{tr, 404, "", "Not Found", NotFound, "SOME_TOKEN does not get to see it"},
		{tr, 405, "", "not mergeable", Invalid, "own words"},
		{tr, 409, "", "Head branch was modified", Moved, "run the command again"},
		{tr, 422, "", "Validation Failed", Invalid, "own words"},
		{tr, 301, "", "", NotFound, "git remote set-url"},
		{tr, 418, "", "", Unexpected, "forge.type"},
		{tr, 429, "", "", Limited, "later"},
		{tr, 503, "", "", Unavailable, "goes on where it was"},
	} {
		h := http.Header{}
		if k, v, ok := strings.Cut(c.header, ": "); ok {
			h.Set(k, v)
		}
		err := c.tr.Fail(op, Answer{Status: c.status, Header: h, Said: c.said + " canary-token\n" + strings.Repeat("x", 900)})
		var e *Error
		if !errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%d is %+v, want kind %d and %q", c.status, e, c.kind, c.hint)
		}
		if text := err.Error() + e.Hint; strings.Contains(text, "canary") || strings.Contains(text, "\n") || len(e.Said) > maxSaid+3 {
			t.Errorf("%d says %q", c.status, text)
		}
	}
	err := tr.Fail(op, Answer{Err: errors.New("dial canary-token")})
	if strings.Contains(err.Error(), "canary") {
		t.Error(err)
	}
}
