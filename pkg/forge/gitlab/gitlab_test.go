package gitlab

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/forge/conformance"
	"github.com/sluice-dev/sluice/pkg/forge/gitlab/fake"
	"github.com/sluice-dev/sluice/pkg/forge/host"
)

const (
	oldCommit = conformance.Second
	newCommit = conformance.Third
	head      = "sluice/promote/production"
	base      = "env/production"
)

// world is a fake GitLab and a client of it.
type world struct {
	*Client
	*fake.Server
	changes []string // the requests that change something, with their bodies
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{}
	s, r := conformance.Faked(t, "/api/v4", host.Rule{}, func(r *host.Repo) http.Handler {
		w.Server = &fake.Server{Prefix: "/api/v4", Repo: r}
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet {
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(body))
				w.changes = append(w.changes, r.Method+" "+r.URL.Path+" "+string(body))
			}
			w.Server.ServeHTTP(rw, r)
		})
	})
	r.Project = "acme/team/shop"
	for name, at := range map[string]string{base: oldCommit, head: newCommit} {
		if err := r.Git.Update(name, "", at, "test"); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	w.Client, err = New(forge.Target{Type: forge.GitLab, API: s.API, Web: s.API, Project: r.Project}, &forge.Transport{
		Base: s.API, Via: s.Via, Token: s.Token, From: "GITLAB_TOKEN", Wants: "GITLAB_TOKEN",
		Now: func() time.Time { return time.Unix(0, 0) }, Sleep: func(context.Context, time.Duration) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// fault has a request, "GET /merge_requests", answered by "409 {...}".
func (w *world) fault(what, answer string) {
	w.Fault = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method+" "+strings.TrimPrefix(r.URL.Path, "/api/v4/projects/acme/team/shop") != what {
			return false
		}
		status, body, _ := strings.Cut(answer, " ")
		n, _ := strconv.Atoi(status)
		rw.WriteHeader(n)
		_, _ = io.WriteString(rw, body)
		return true
	}
}

// request adds the merge request that a promotion would open.
func (w *world) request() *host.Pull {
	return w.Add(host.Pull{Head: head, Base: base, Title: "T", Body: "D"})
}

func TestRequests(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	p := forge.Proposal{Environment: "production", Branch: base, Before: oldCommit, Commit: newCommit}
	for range 25 { // more than one page of other people's
		w.Add(host.Pull{Head: head, Base: base, Fork: true})
	}
	got, err := forge.Ensure(ctx, w, head, base, p, true, []string{"promotion"})
	if err != nil || got.Outcome != forge.Opened || got.Number != 26 || got.Head != newCommit {
		t.Fatalf("%+v, %v", got, err)
	}
	if len(w.changes) != 2 || !strings.Contains(w.changes[0], `"title":"Draft: `+p.Title()) || !strings.Contains(w.changes[1], `"add_labels":"promotion"`) {
		t.Errorf("sent %v", w.changes)
	}
	w.changes = nil
	w.Pull(26).Title, w.Pull(26).Body = "T", "D"
	got, err = forge.Ensure(ctx, w, head, base, p, false, []string{"promotion"})
	if err != nil || got.Outcome != forge.Updated || got.Number != 26 || len(w.changes) != 1 || !strings.Contains(w.changes[0], `"title":"Draft: T"`) {
		t.Errorf("%+v, %v: %v", got, err, w.changes)
	}
	w = newWorld(t)
	w.fault("POST /merge_requests", `409 {"message": ["Another open merge request already exists for this source branch: !5"]}`)
	var e *forge.Error
	if _, err = forge.Ensure(ctx, w, head, base, p, false, nil); !errors.As(err, &e) || e.Kind != forge.Exists {
		t.Errorf("one that exists: %v", err)
	}
}

// TestEvidence holds that an approval counts for the head only if it came after it.
func TestEvidence(t *testing.T) {
	w := newWorld(t)
	w.move(t, base, conformance.First)
	w.move(t, head, oldCommit)
	p := w.request()
	w.Review(p, "bob", "APPROVED", "")
	w.move(t, head, newCommit)
	w.Settle()
	w.Review(p, "ada", "APPROVED", "")
	w.Review(p, "eve", "APPROVED", "") // who is no member
	for range 120 {
		w.Review(p, "bob", "COMMENTED", "")
	}
	for _, s := range []host.Status{{Name: "a", State: "failed"}, {Name: "b", State: "running", Run: true}, {Name: "c", State: "canceled"}, {Name: "a", State: "success"}} {
		w.Say(newCommit, s)
	}
	e, err := w.Evidence(context.Background(), forge.Request{Number: 1}, newCommit)
	if err != nil {
		t.Fatal(err)
	}
	want := []forge.Review{{User: "bob", Verdict: forge.Approved, Counts: true}, {User: "ada", Verdict: forge.Approved, Commit: newCommit, Counts: true}}
	if !slices.Equal(e.Reviews, want) {
		t.Errorf("reviews %+v", e.Reviews)
	}
	if checks := []forge.Check{{Name: "a", State: forge.Passed}, {Name: "c", State: forge.Failed}, {Name: "b", State: forge.Pending}}; !slices.Equal(e.Checks, checks) {
		t.Errorf("checks %+v", e.Checks)
	}
}

func (w *world) move(t *testing.T, name, to string) {
	t.Helper()
	if err := w.Git.Update(name, w.Git.Branch(name), to, "test"); err != nil {
		t.Fatal(err)
	}
}

func TestMerge(t *testing.T) {
	const accept = "PUT /merge_requests/1/merge"
	for name, c := range map[string]struct {
		before func(*world)
		kind   forge.Kind // -1 for none
		hint   string
		asked  bool // whether the merge was asked for
	}{
		"done":                   {nil, -1, "", true},
		"an earlier run did it":  {func(w *world) { w.move(t, base, newCommit) }, -1, "", false},
		"somebody was faster":    {func(w *world) { w.move(t, base, conformance.Fourth) }, forge.Moved, "again", false},
		"no fast-forward merges": {func(w *world) { w.Method = "merge" }, forge.Invalid, "Fast-forward merge", false},
		"another head":           {func(w *world) { w.move(t, head, conformance.Fourth) }, forge.Moved, "again", true},
		"not mergeable":          {func(w *world) { w.Rules = map[string]host.Rule{base: {Approvals: 1}} }, forge.Invalid, "in brackets", true},
		"for ever undecided":     {func(w *world) { w.Checking = 99 }, forge.Invalid, "own words", true},
		"may not merge":          {func(w *world) { w.Rules = map[string]host.Rule{base: {Nobody: true}} }, forge.Forbidden, "protected branch", true},
		"moved nothing":          {func(w *world) { w.fault(accept, `200 {"iid": 1}`) }, forge.Moved, "again", true},
	} {
		w := newWorld(t)
		w.request()
		if c.before != nil {
			c.before(w)
		}
		shown, err := w.Merge(context.Background(), forge.Request{Number: 1}, forge.Move{Branch: base, Old: oldCommit, New: newCommit})
		var e *forge.Error
		if c.kind < 0 && (err != nil || !shown) || c.kind >= 0 && (!errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(e.Hint, c.hint) || shown) {
			t.Errorf("%s: %t, %v, %+v", name, shown, err, e)
		}
		if asked := len(w.changes) > 0 && strings.Contains(w.changes[0], `"sha":"`+newCommit+`"`); asked != c.asked {
			t.Errorf("%s: asked for %v", name, w.changes)
		}
	}
}

func TestRefusals(t *testing.T) {
	ctx, r := context.Background(), forge.Request{Number: 1}
	evidence := func(w *world) error { _, err := w.Evidence(ctx, r, newCommit); return err }
	merge := func(w *world) error {
		_, err := w.Merge(ctx, r, forge.Move{Branch: base, Old: oldCommit, New: newCommit})
		return err
	}
	calls := map[string]func(*world) error{
		"GET /merge_requests":                                func(w *world) error { _, err := w.Find(ctx, head, base); return err },
		"POST /merge_requests":                               func(w *world) error { _, err := w.Open(ctx, head, base, forge.Content{}); return err },
		"PUT /merge_requests/1":                              func(w *world) error { return errors.Join(w.Edit(ctx, r, "t", "b"), w.Label(ctx, r, []string{"x"})) },
		"GET /merge_requests/1":                              evidence,
		"GET /merge_requests/1/approvals":                    evidence,
		"GET /repository/commits/" + newCommit + "/statuses": evidence,
		"POST /statuses/" + newCommit:                        func(w *world) error { return w.Report(ctx, newCommit, forge.Status{Name: "x", State: forge.Passed}) },
		"GET /repository/branches/" + base:                   merge,
		"GET ":                                               merge,
	}
	for answer, kind := range map[string]forge.Kind{
		`401 {"message": "401 Unauthorized canary-token"}`: forge.Unauthorized, `403 {"message": "403 Forbidden"}`: forge.Forbidden,
		`404 {"message": "404 Project Not Found"}`: forge.NotFound, `422 {"message": "no"}`: forge.Invalid, `400 {"error": "bad"}`: forge.Invalid,
		`429 {}`: forge.Limited, `502 <html>`: forge.Unavailable, `200 <html>`: forge.Unexpected,
	} {
		w := newWorld(t)
		w.request()
		for what, call := range calls {
			w.fault(what, answer)
			err := call(w)
			var e *forge.Error
			if !errors.As(err, &e) || e.Kind != kind && (what != "GET " || kind != forge.Unauthorized) || e.Hint == "" || strings.Contains(err.Error()+e.Hint, "canary") {
				t.Errorf("%s answered with %s: %v, %+v", what, answer, err, e)
			}
		}
	}
}
