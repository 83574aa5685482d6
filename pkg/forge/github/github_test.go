package github

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/forge/github/fake"
)

const (
	oldCommit = "1111111111111111111111111111111111111111"
	newCommit = "2222222222222222222222222222222222222222"
	other     = "3333333333333333333333333333333333333333"
	head      = "sluice/promote/production"
	base      = "env/production"
	token     = "canary-token"
)

// world is a fake GitHub and a client of it.
type world struct {
	*fake.Server
	*Client
	branches map[string]string
	sleeps   []time.Duration
	options  Options
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{branches: map[string]string{base: oldCommit, head: newCommit}}
	w.Server = &fake.Server{
		Prefix: "/api/v3", Project: "acme/shop", Writers: map[string]bool{"ada": true, "bob": true},
		Branch: func(name string) string { return w.branches[name] },
		Move: func(name, to string) bool {
			if w.branches[name] > to { // a line of commits is a line of numbers here
				return false
			}
			w.branches[name] = to
			return true
		},
	}
	server := httptest.NewServer(describe(t).hold(t, "/api/v3", w.Server))
	t.Cleanup(server.Close)
	api, err := url.Parse(server.URL + "/api/v3")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	w.options = Options{
		Target: forge.Target{Type: forge.GitHub, API: api, Web: api, Project: "acme/shop"},
		Transport: &forge.Transport{
			Base: api, Via: http.DefaultTransport, Token: token, From: "GITHUB_TOKEN", Wants: "GITHUB_TOKEN",
			Now: func() time.Time { return now },
			Sleep: func(ctx context.Context, d time.Duration) error {
				w.sleeps = append(w.sleeps, d)
				return ctx.Err()
			},
		},
	}
	if w.Client, err = New(w.options); err != nil {
		t.Fatal(err)
	}
	return w
}

// fault answers the requests that begin with want, in place of the fake, once
// or always.
func (w *world) fault(want string, times, status int, header, body string) {
	w.Fault = func(rw http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.Method+" "+strings.TrimPrefix(r.URL.Path, "/api/v3/repos/acme/shop"), want) || times == 0 {
			return false
		}
		times--
		rw.Header().Set("X-Not-GitHub", "true")
		if k, v, ok := strings.Cut(header, ": "); ok {
			rw.Header().Set(k, v)
		}
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, body)
		return true
	}
}

func proposal() forge.Proposal {
	return forge.Proposal{Environment: "production", From: "staging", Branch: base, Path: "production", Before: oldCommit, Commit: newCommit, Merge: "sluice promote production --merge"}
}

func TestEnsure(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	w.Pulls = []*fake.Pull{
		{Head: head, Base: base, Fork: true, Title: "Give me production"},
		{Head: head, Base: "main"},
		{Head: head, Base: base, Closed: true},
	}
	step := func(want forge.Outcome, p forge.Proposal, labels ...string) forge.Proposed {
		t.Helper()
		got, err := forge.Ensure(ctx, w, head, base, p, false, labels)
		if err != nil || got.Outcome != want || got.Number != 4 || len(w.Pulls) != 4 {
			t.Fatalf("%s #%d of %d, %v; want %s", got.Outcome, got.Number, len(w.Pulls), err, want)
		}
		return got
	}
	opened := step(forge.Opened, proposal(), "promotion")
	if opened.URL != "https://github.com/acme/shop/pull/4" || opened.Head != newCommit {
		t.Errorf("opened %+v", opened)
	}
	pull := w.Pulls[3]
	if !slices.Equal(pull.Labels, []string{"promotion"}) || !strings.Contains(pull.Body, newCommit) {
		t.Errorf("it is %+v", pull)
	}
	step(forge.Unchanged, proposal(), "promotion")
	pull.Body = strings.ReplaceAll(pull.Body, "\n", "\r\n")
	step(forge.Unchanged, proposal())
	if !slices.Equal(pull.Labels, []string{"promotion"}) {
		t.Errorf("the labels are %v", pull.Labels)
	}

	pull.Title, pull.Body = "Release for the fair", "For the fair.\n\n"+pull.Body
	next := proposal()
	next.Commit = other
	step(forge.Updated, next)
	if pull.Title != "Release for the fair" || !strings.HasPrefix(pull.Body, "For the fair.") || !strings.Contains(pull.Body, other) {
		t.Errorf("people's words are lost: %+v", pull)
	}
	pull.Title = proposal().Title()
	step(forge.Updated, next)
	if pull.Title != next.Title() {
		t.Errorf("the title is %q", pull.Title)
	}
}

// TestTwoRuns holds that runs beside each other make one pull request.
func TestTwoRuns(t *testing.T) {
	w := newWorld(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if got, err := forge.Ensure(context.Background(), w, head, base, proposal(), false, nil); err != nil || got.Number != 1 {
				t.Errorf("#%d, %v", got.Number, err)
			}
		})
	}
	group.Wait()
	if len(w.Pulls) != 1 {
		t.Errorf("there are %d pull requests", len(w.Pulls))
	}
}

// TestLostAnswer holds that a pull request whose opening was not confirmed is found.
func TestLostAnswer(t *testing.T) {
	w := newWorld(t)
	w.Fault = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost {
			return false
		}
		w.Pulls = append(w.Pulls, &fake.Pull{Head: head, Base: base})
		rw.Header().Set("X-Not-GitHub", "true")
		rw.WriteHeader(http.StatusBadGateway)
		return true
	}
	got, err := forge.Ensure(context.Background(), w, head, base, proposal(), false, nil)
	if err != nil || got.Number != 1 || got.Outcome != forge.Updated || len(w.Pulls) != 1 {
		t.Errorf("%s #%d, %v", got.Outcome, got.Number, err)
	}
	if len(w.sleeps) != 0 {
		t.Errorf("a POST was tried again after %v", w.sleeps)
	}
}

func TestEvidence(t *testing.T) {
	w := newWorld(t)
	review := func(user, state, commit string) fake.M {
		return fake.M{"state": state, "commit_id": commit, "user": fake.M{"login": user}}
	}
	w.Pulls = []*fake.Pull{{Head: head, Base: base, Draft: true}}
	for range 150 {
		w.Pulls[0].Reviews = append(w.Pulls[0].Reviews, review("eve", "COMMENTED", newCommit))
	}
	w.Pulls[0].Reviews = append(w.Pulls[0].Reviews,
		review("ada", "APPROVED", oldCommit), review("eve", "APPROVED", newCommit), review("bob", "CHANGES_REQUESTED", newCommit),
		review("ada", "APPROVED", newCommit), review("bob", "DISMISSED", newCommit), fake.M{"state": "APPROVED", "commit_id": newCommit, "user": nil}, review("ada", "PENDING", newCommit))
	w.Statuses = map[string][]fake.M{newCommit: {
		{"context": "sluice/verify", "state": "success"}, {"context": "smoke", "state": "pending"}, {"context": "lint", "state": "error"},
	}}
	w.Runs = map[string][]fake.M{newCommit: {
		{"name": "smoke", "status": "completed", "conclusion": "success"},
		{"name": "neutral", "status": "completed", "conclusion": "neutral"},
		{"name": "skipped", "status": "completed", "conclusion": "skipped"},
		{"name": "late", "status": "completed", "conclusion": "timed_out"},
		{"name": "running", "status": "in_progress", "conclusion": nil},
	}}
	for i := range 120 {
		w.Runs[newCommit] = append(w.Runs[newCommit], fake.M{"name": fmt.Sprint("run ", i), "status": "completed", "conclusion": "success"})
	}
	e, err := w.Evidence(context.Background(), forge.Request{Number: 1}, newCommit)
	if err != nil {
		t.Fatal(err)
	}
	if e.Head != newCommit || !e.Draft {
		t.Errorf("head %s, draft %t", e.Head, e.Draft)
	}
	want := []forge.Review{
		{User: "ada", Verdict: forge.Approved, Commit: oldCommit, Counts: true},
		{User: "eve", Verdict: forge.Approved, Commit: newCommit},
		{User: "bob", Verdict: forge.Rejected, Commit: newCommit, Counts: true},
		{User: "ada", Verdict: forge.Approved, Commit: newCommit, Counts: true},
		{User: "bob", Verdict: forge.Dismissed, Commit: newCommit, Counts: true},
	}
	if !slices.Equal(e.Reviews, want) {
		t.Errorf("reviews %+v, want %+v", e.Reviews, want)
	}
	checks := []forge.Check{
		{Name: "sluice/verify", State: forge.Passed},
		{Name: "smoke", State: forge.Pending},
		{Name: "lint", State: forge.Failed},
		{Name: "smoke", State: forge.Passed},
		{Name: "neutral", State: forge.Passed},
		{Name: "skipped", State: forge.Passed},
		{Name: "late", State: forge.Failed},
		{Name: "running", State: forge.Pending},
	}
	if len(e.Checks) != len(checks)+120 || !slices.Equal(e.Checks[:len(checks)], checks) {
		t.Errorf("%d checks, beginning with %+v", len(e.Checks), e.Checks[:len(checks)])
	}

	w.Pulls[0].Closed = true
	var fe *forge.Error
	if _, err := w.Evidence(context.Background(), forge.Request{Number: 1}, newCommit); !errors.As(err, &fe) || fe.Kind != forge.Moved {
		t.Errorf("a closed pull request: %v", err)
	}
}

func TestMerge(t *testing.T) {
	move := forge.Move{Branch: base, Old: oldCommit, New: newCommit}
	pushed := func(err error, to string) func(*world) {
		return func(w *world) {
			w.Client.push = func(_ context.Context, m forge.Move) error {
				if to != "" {
					w.branches[m.Branch] = to
				}
				return err
			}
		}
	}
	for name, c := range map[string]struct {
		before func(*world)
		at     string // the branch afterwards
		shown  bool
		want   string // in the error
	}{
		"by REST":                  {nil, newCommit, true, ""},
		"by push":                  {pushed(nil, newCommit), newCommit, true, ""},
		"no push possible":         {pushed(fmt.Errorf("x: %w", forge.ErrNoPush), ""), newCommit, true, ""},
		"push declined":            {pushed(errors.New("declined"), ""), oldCommit, false, "declined"},
		"push that did nothing":    {pushed(nil, ""), oldCommit, false, "is at 1111111111, not at"},
		"an earlier run did it":    {func(w *world) { w.branches[base] = newCommit }, newCommit, true, ""},
		"somebody else was faster": {func(w *world) { w.branches[base] = other }, other, false, "is at 3333333333, not at 1111111111"},
		"moved between the two": {func(w *world) {
			w.Fault = func(_ http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPatch {
					w.branches[base] = other
				}
				return false
			}
		}, other, false, "not a fast forward"},
		"a ruleset": {func(w *world) {
			w.fault("PATCH /git/refs", 1, 422, "", `{"message": "Repository rule violations found"}`)
		}, oldCommit, false, "rule violations"},
		"GitHub does not see":  {func(w *world) { w.branches[head] = other }, newCommit, false, ""},
		"server's error, once": {func(w *world) { w.fault("PATCH /git/refs", 1, 502, "", "") }, newCommit, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.Pulls = []*fake.Pull{{Head: head, Base: base}}
			if c.before != nil {
				c.before(w)
			}
			shown, err := w.Merge(context.Background(), forge.Request{Number: 1}, move)
			if shown != c.shown || w.branches[base] != c.at {
				t.Errorf("shown %t, branch at %s", shown, w.branches[base])
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want %q", err, c.want)
			}
			if len(w.sleeps) > maxLooks {
				t.Errorf("slept %v", w.sleeps)
			}
		})
	}
}

func TestReport(t *testing.T) {
	w := newWorld(t)
	status := forge.Status{Name: "sluice/verify", State: forge.Passed, Text: strings.Repeat("verified ", 40), URL: "https://ci.example.com/1"}
	for range 3 {
		if err := w.Report(context.Background(), newCommit, status); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.Statuses[newCommit]; len(got) != 1 || got[0]["state"] != "success" || got[0]["context"] != "sluice/verify" || len(got[0]["description"].(string)) != maxDescription {
		t.Errorf("the statuses are %v", got)
	}
	status.State = forge.Failed
	if err := w.Report(context.Background(), newCommit, status); err != nil || len(w.Statuses[newCommit]) != 2 {
		t.Errorf("%v: %v", err, w.Statuses[newCommit])
	}
}

// TestRefusals sends every refusal in answer to every kind of request.
func TestRefusals(t *testing.T) {
	calls := map[string]func(*world) error{
		"GET /pulls": func(w *world) error { _, err := w.Find(context.Background(), head, base); return err },
		"POST /pulls": func(w *world) error {
			_, err := w.Open(context.Background(), head, base, forge.Content{Draft: true})
			return err
		},
		"PATCH /pulls/1":                            func(w *world) error { return w.Edit(context.Background(), forge.Request{Number: 1}, "t", "b") },
		"POST /issues/1/labels":                     func(w *world) error { return w.Label(context.Background(), forge.Request{Number: 1}, []string{"x"}) },
		"GET /pulls/1":                              evidence,
		"GET /pulls/1/reviews":                      evidence,
		"GET /collaborators/ada":                    evidence,
		"GET /commits/" + newCommit + "/status":     evidence,
		"GET /commits/" + newCommit + "/check-runs": evidence,
		"POST /statuses/":                           func(w *world) error { return w.Report(context.Background(), newCommit, forge.Status{Name: "x"}) },
		"GET /git/ref":                              merge,
		"PATCH /git/refs":                           merge,
	}
	for _, c := range []struct {
		status       int
		header, body string
		kind         forge.Kind
		hint         string
	}{
		{401, "", `{"message": "Bad credentials canary-token"}`, forge.Unauthorized, "GITHUB_TOKEN is not accepted"},
		{403, "X-Accepted-GitHub-Permissions: pull_requests=write", `{"message": "Resource not accessible by integration"}`, forge.Forbidden, "pull_requests=write"},
		{403, "", `{"message": "no"}`, forge.Forbidden, ": "},
		{404, "", `{"message": "Not Found"}`, forge.NotFound, "GITHUB_TOKEN does not get to see it"},
		{409, "", `{"message": "Git Repository is empty."}`, forge.Moved, "run the command again"},
		{422, "", `{"message": "Validation Failed", "errors": [{"field": "base", "code": "invalid"}]}`, forge.Invalid, ""},
		{403, "Retry-After: 3600", `{"message": "slower", "documentation_url": "x#secondary-rate-limits"}`, forge.Limited, "10:00 UTC"},
		{429, "Retry-After: 3600", `{"message": "slower"}`, forge.Limited, "10:00 UTC"},
		{500, "", `<html>`, forge.Unavailable, "goes on where it was"},
		{301, "", ``, forge.NotFound, "git remote set-url"},
		{200, "", `<html>Sign in</html>`, forge.Unexpected, "forge.type"},
		{200, "", `{"number": `, forge.Unexpected, "forge.type"},
	} {
		for what, call := range calls {
			w := newWorld(t)
			w.Pulls = []*fake.Pull{{Head: head, Base: base, Reviews: []fake.M{{"state": "APPROVED", "commit_id": newCommit, "user": fake.M{"login": "ada"}}}}}
			w.fault(what, -1, c.status, c.header, c.body)
			if c.status == 404 && strings.HasPrefix(what, "GET /collaborators") {
				continue // an account that is gone
			}
			if what == "GET /pulls/1" { // not its reviews
				inner := w.Fault
				w.Fault = func(rw http.ResponseWriter, r *http.Request) bool {
					return !strings.HasSuffix(r.URL.Path, "reviews") && inner(rw, r)
				}
			}
			err := call(w)
			var e *forge.Error
			if !errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(e.Hint, c.hint) || e.Hint == "" {
				t.Errorf("%s answered with %d: %v, %+v; want kind %d", what, c.status, err, e, c.kind)
				continue
			}
			if strings.Contains(err.Error()+e.Hint, "canary") {
				t.Errorf("%s answered with %d: the token is in %q", what, c.status, err)
			}
		}
	}
}

func evidence(w *world) error {
	_, err := w.Evidence(context.Background(), forge.Request{Number: 1}, newCommit)
	return err
}

func merge(w *world) error {
	_, err := w.Merge(context.Background(), forge.Request{Number: 1}, forge.Move{Branch: base, Old: oldCommit, New: newCommit})
	return err
}

func TestOpenRefused(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		kind   forge.Kind
		hint   string
	}{
		{403, `{"message": "GitHub Actions is not permitted to create or approve pull requests."}`, forge.Forbidden, "Workflow permissions"},
		{422, `{"message": "Validation Failed", "errors": [{"message": "Draft pull requests are not supported in this repository."}]}`, forge.Invalid, "take draft out"},
		{422, `{"message": "Validation Failed", "errors": [{"message": "A pull request already exists for acme:x."}]}`, forge.Exists, "again"},
		{201, ``, forge.Unexpected, "forge.type"},
	} {
		w := newWorld(t)
		w.fault("POST /pulls", 1, c.status, "", c.body)
		_, err := w.Open(context.Background(), head, base, forge.Content{})
		var e *forge.Error
		if !errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%d %s: %v, %+v", c.status, c.body, err, e)
		}
	}
}

func TestApp(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	encoded := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	w := newWorld(t)
	w.options.App = &App{ID: 4711, Installation: 815, Key: encoded}
	w.options.Transport.Token, w.options.Transport.From = "", "the GitHub App"
	if w.Client, err = New(w.options); err != nil {
		t.Fatal(err)
	}
	var seen []string
	refuse := false
	w.Fault = func(rw http.ResponseWriter, r *http.Request) bool {
		kind, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if r.Header.Get("Authorization") == "token installation-token" {
			kind = "installation"
		}
		seen = append(seen, kind)
		if refuse && strings.Contains(r.URL.Path, "/installations/815/") {
			rw.Header().Set("X-Not-GitHub", "true")
			rw.WriteHeader(http.StatusNotFound)
		}
		return refuse
	}
	for range 2 {
		if _, err := w.Find(context.Background(), head, base); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"Bearer", "installation", "installation"}; !slices.Equal(seen, want) {
		t.Errorf("asked as %v, want %v", seen, want)
	}
	settings, err := w.Settings(context.Background())
	lacks := []string{"Pull requests: write", "Commit statuses: write", "Checks: read"} // the installation has Contents: write
	if err != nil || !slices.Equal(settings.Lacks, lacks) || len(settings.Unread) > 0 {
		t.Errorf("%v: the App lacks %q, not read %q", err, settings.Lacks, settings.Unread)
	}
	refuse = true
	if w.Client, err = New(w.options); err != nil {
		t.Fatal(err)
	}
	_, err = w.Find(context.Background(), head, base)
	var e *forge.Error
	if !errors.As(err, &e) || e.Kind != forge.NotFound || !strings.Contains(e.Hint, "forge.app") || !strings.Contains(e.Op, "App") {
		t.Errorf("no installation: %v, %+v", err, e)
	}
	w.options.App.Key = []byte("canary-key")
	if _, err := New(w.options); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("a bad key: %v", err)
	}
}
