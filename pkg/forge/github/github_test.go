package github

import (
	"cmp"
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
	"github.com/sluice-dev/sluice/pkg/forge/conformance"
	"github.com/sluice-dev/sluice/pkg/forge/github/described"
	"github.com/sluice-dev/sluice/pkg/forge/github/fake"
	"github.com/sluice-dev/sluice/pkg/forge/host"
)

const (
	oldCommit = conformance.Second
	newCommit = conformance.Third
	other     = conformance.Fourth
	head      = "sluice/promote/production"
	base      = "env/production"
	token     = "canary-token"
)

// world is a fake GitHub and a client of it.
type world struct {
	*fake.Server
	*Client
	t       *testing.T
	sleeps  []time.Duration
	options Options
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, Server: &fake.Server{Prefix: "/api/v3", Repo: &host.Repo{
		Git: conformance.Repository(t), Project: "acme/shop", Writers: map[string]bool{"ada": true, "bob": true},
	}}}
	w.move(base, oldCommit)
	w.move(head, newCommit)
	w.move("main", conformance.First)
	all, err := described.All()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(described.Hold(all, "/api/v3", w.Server, func(what string) { t.Error(what) }))
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

// move moves a branch, however it stands.
func (w *world) move(name, to string) {
	if err := w.Git.Update(name, w.Git.Branch(name), to, "test"); err != nil {
		w.t.Fatal(err)
	}
}

// request adds the pull request that a promotion would open.
func (w *world) request() *host.Pull { return w.Add(host.Pull{Head: head, Base: base}) }

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
	w.Add(host.Pull{Head: head, Base: base, Fork: true, Title: "Give me production"})
	w.Add(host.Pull{Head: head, Base: "main"})
	w.Add(host.Pull{Head: head, Base: base, Closed: true})
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
		w.request()
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
	p := w.request()
	p.Draft = true
	for range 150 {
		w.Review(p, "eve", "COMMENTED", newCommit)
	}
	for _, v := range []host.Review{
		{User: "ada", State: "APPROVED", Commit: oldCommit},
		{User: "eve", State: "APPROVED"},
		{User: "bob", State: "CHANGES_REQUESTED"},
		{User: "ada", State: "APPROVED"},
		{User: "bob", State: "DISMISSED"},
		{User: "", State: "APPROVED"},
		{User: "ada", State: "PENDING"},
	} {
		w.Review(p, v.User, v.State, v.Commit)
	}
	for i := range 120 {
		w.Say(newCommit, host.Status{Name: fmt.Sprint("run ", i), State: "success", Run: true})
	}
	for name, state := range map[string]string{"smoke": "success", "neutral": "neutral", "skipped": "skipped", "late": "timed_out", "running": "in_progress"} {
		w.Say(newCommit, host.Status{Name: name, State: state, Run: true})
	}
	w.Say(newCommit, host.Status{Name: "lint", State: "success"})
	for name, state := range map[string]string{"sluice/verify": "success", "smoke": "pending", "lint": "error"} {
		w.Say(newCommit, host.Status{Name: name, State: state})
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
		{Name: "late", State: forge.Failed},
		{Name: "lint", State: forge.Failed},
		{Name: "neutral", State: forge.Passed},
		{Name: "running", State: forge.Pending},
		{Name: "skipped", State: forge.Passed},
		{Name: "sluice/verify", State: forge.Passed},
		{Name: "smoke", State: forge.Passed},
		{Name: "smoke", State: forge.Pending},
	}
	slices.SortFunc(e.Checks, func(a, b forge.Check) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.State, b.State)) })
	named := slices.DeleteFunc(slices.Clone(e.Checks), func(c forge.Check) bool { return strings.HasPrefix(c.Name, "run ") })
	if len(e.Checks) != len(checks)+120 || !slices.Equal(named, checks) {
		t.Errorf("%d checks, among them %+v", len(e.Checks), named)
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
					w.move(m.Branch, to)
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
		"push that did nothing":    {pushed(nil, ""), oldCommit, false, "is at 099b7ba3b7, not at"},
		"an earlier run did it":    {func(w *world) { w.move(base, newCommit) }, newCommit, true, ""},
		"somebody else was faster": {func(w *world) { w.move(base, other) }, other, false, "is at af978bb2fa, not at 099b7ba3b7"},
		"moved between the two": {func(w *world) {
			w.Fault = func(_ http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPatch {
					w.move(base, other)
				}
				return false
			}
		}, other, false, "not a fast forward"},
		"a ruleset": {func(w *world) {
			w.fault("PATCH /git/refs", 1, 422, "", `{"message": "Repository rule violations found"}`)
		}, oldCommit, false, "rule violations"},
		"GitHub does not see":  {func(w *world) { w.move(head, other) }, newCommit, false, ""},
		"server's error, once": {func(w *world) { w.fault("PATCH /git/refs", 1, 502, "", "") }, newCommit, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.request()
			if c.before != nil {
				c.before(w)
			}
			shown, err := w.Merge(context.Background(), forge.Request{Number: 1}, move)
			if shown != c.shown || w.Git.Branch(base) != c.at {
				t.Errorf("shown %t, branch at %s", shown, w.Git.Branch(base))
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
	if got := w.Statuses[newCommit]; len(got) != 1 || got[0].State != "success" || got[0].Name != "sluice/verify" || len(got[0].Description) != maxDescription {
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
		w := newWorld(t)
		w.Review(w.request(), "ada", "APPROVED", "")
		for what, call := range calls {
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
