package gitea

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
	"github.com/sluice-dev/sluice/pkg/forge/gitea/fake"
	"github.com/sluice-dev/sluice/pkg/forge/host"
)

const (
	oldCommit = conformance.Second
	newCommit = conformance.Third
	head      = "sluice/promote/production"
	base      = "env/production"
)

// world is a fake Gitea and a client of it.
type world struct {
	*Client
	*fake.Server
	changes []string // the requests that change something, with their bodies
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{}
	s, r := conformance.Faked(t, "/git/api/v1", host.Rule{}, func(r *host.Repo) http.Handler {
		w.Server = &fake.Server{Prefix: "/git/api/v1", Repo: r}
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet {
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(body))
				w.changes = append(w.changes, r.Method+" "+r.URL.Path+" "+string(body))
			}
			w.Server.ServeHTTP(rw, r)
		})
	})
	for name, at := range map[string]string{base: oldCommit, head: newCommit} {
		if err := r.Git.Update(name, "", at, "test"); err != nil {
			t.Fatal(err)
		}
	}
	web := *s.API
	web.Path = "/git"
	w.Client = New(forge.Target{Type: forge.Gitea, API: s.API, Web: &web, Project: r.Project}, &forge.Transport{
		Base: s.API, Via: s.Via, Token: s.Token, From: "GITEA_TOKEN", Wants: "GITEA_TOKEN",
		Now: func() time.Time { return time.Unix(0, 0) }, Sleep: func(context.Context, time.Duration) error { return nil },
	})
	return w
}

// fault has a request, "GET /pulls", answered by "409 {...}".
func (w *world) fault(what, answer string) {
	w.Fault = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method+" "+strings.TrimPrefix(r.URL.Path, "/git/api/v1/repos/acme/shop") != what {
			return false
		}
		status, body, _ := strings.Cut(answer, " ")
		n, _ := strconv.Atoi(status)
		rw.WriteHeader(n)
		_, _ = io.WriteString(rw, body)
		return true
	}
}

// request adds the pull request that a promotion would open.
func (w *world) request() *host.Pull {
	return w.Add(host.Pull{Head: head, Base: base, Title: "T", Body: "D"})
}

func (w *world) move(t *testing.T, name, to string) {
	t.Helper()
	if err := w.Git.Update(name, w.Git.Branch(name), to, "test"); err != nil {
		t.Fatal(err)
	}
}

func TestRequests(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	w.Labels = []string{"other", "another", "promotion"}
	p := forge.Proposal{Environment: "production", Branch: base, Before: oldCommit, Commit: newCommit}
	for range 60 { // more than one page of other people's
		w.Add(host.Pull{Head: head, Base: base, Fork: true})
	}
	got, err := forge.Ensure(ctx, w, head, base, p, true, []string{"promotion"})
	if err != nil || got.Outcome != forge.Opened || got.Number != 61 || got.Head != newCommit {
		t.Fatalf("%+v, %v", got, err)
	}
	if len(w.changes) != 2 || !strings.Contains(w.changes[0], `"title":"WIP: `+p.Title()) || !strings.Contains(w.changes[1], `"labels":[3]`) {
		t.Errorf("sent %v", w.changes)
	}
	w.changes = nil
	for range 60 {
		w.Add(host.Pull{Head: head, Base: base, Fork: true})
	}
	w.Pull(61).Title, w.Pull(61).Body = "T", "D"
	got, err = forge.Ensure(ctx, w, head, base, p, false, nil)
	if err != nil || got.Outcome != forge.Updated || got.Number != 61 || len(w.changes) != 1 || !strings.Contains(w.changes[0], `"title":"WIP: T"`) {
		t.Errorf("%+v, %v: %v", got, err, w.changes)
	}
	var e *forge.Error
	if _, err = forge.Ensure(ctx, w, head, base, p, false, []string{"unknown"}); !errors.As(err, &e) || e.Kind != forge.Invalid || !strings.Contains(e.Hint, "forge.labels") {
		t.Errorf("an unknown label: %v", err)
	}
	w = newWorld(t)
	w.fault("POST /pulls", `409 {"message": "pull request already exists for these targets"}`)
	if _, err = forge.Ensure(ctx, w, head, base, p, false, nil); !errors.As(err, &e) || e.Kind != forge.Exists {
		t.Errorf("one that exists: %v", err)
	}
}

func TestEvidence(t *testing.T) {
	w := newWorld(t)
	w.move(t, base, conformance.First)
	w.move(t, head, oldCommit)
	p := w.request()
	w.Review(p, "ada", "APPROVED", "")
	w.Review(p, "bob", "CHANGES_REQUESTED", "")
	w.move(t, head, newCommit)
	w.Settle()
	for _, v := range []host.Review{{User: "eve", State: "APPROVED"}, {User: "bob", State: "COMMENTED"}, {User: "bob", State: "DISMISSED"}, {User: "gone", State: "APPROVED"}, {User: "", State: "APPROVED"}, {User: "ada", State: "APPROVED"}} {
		w.Review(p, v.User, v.State, "")
	}
	for range 70 {
		w.Say(newCommit, host.Status{Name: "b", State: "success"})
	}
	for _, s := range []host.Status{{Name: "a", State: "failure"}, {Name: "c", State: "warning"}, {Name: "b", State: "pending"}, {Name: "a", State: "success"}} {
		w.Say(newCommit, s)
	}
	w.fault("GET /collaborators/gone/permission", `404 {"message": "user does not exist"}`)
	e, err := w.Evidence(context.Background(), forge.Request{Number: 1}, newCommit)
	if err != nil {
		t.Fatal(err)
	}
	want := []forge.Review{
		{User: "ada", Verdict: forge.Approved, Commit: oldCommit},
		{User: "bob", Verdict: forge.Rejected, Commit: oldCommit, Counts: true}, // which stands
		{User: "eve", Verdict: forge.Approved, Commit: newCommit},
		{User: "bob", Verdict: forge.Dismissed, Commit: newCommit},
		{User: "gone", Verdict: forge.Approved, Commit: newCommit},
		{User: "ada", Verdict: forge.Approved, Commit: newCommit, Counts: true},
	}
	if !slices.Equal(e.Reviews, want) {
		t.Errorf("reviews %+v", e.Reviews)
	}
	if checks := []forge.Check{{Name: "a", State: forge.Passed}, {Name: "b", State: forge.Pending}, {Name: "c", State: forge.Failed}}; !slices.Equal(e.Checks, checks) {
		t.Errorf("checks %+v", e.Checks)
	}
	var fe *forge.Error
	w.fault("GET /collaborators/ada/permission", `403 {"message": "Only admins can query all permissions"}`)
	if _, err := w.Evidence(context.Background(), forge.Request{Number: 1}, newCommit); !errors.As(err, &fe) || fe.Kind != forge.Forbidden || !strings.Contains(fe.Hint, "administrator") {
		t.Errorf("who may not ask: %v", err)
	}
}

func TestMerge(t *testing.T) {
	const accept = "POST /pulls/1/merge"
	for name, c := range map[string]struct {
		before func(*world)
		kind   forge.Kind // -1 for none
		hint   string
		asked  int // how often the merge was asked for
	}{
		"done":                   {nil, -1, "", 1},
		"an earlier run did it":  {func(w *world) { w.move(t, base, newCommit) }, -1, "", 0},
		"somebody was faster":    {func(w *world) { w.move(t, base, conformance.Fourth) }, forge.Moved, "again", 0},
		"another head":           {func(w *world) { w.move(t, head, conformance.Fourth) }, forge.Moved, "again", 1},
		"no fast-forward merges": {func(w *world) { w.Closed = true }, forge.Invalid, "allows fast-forward merges", 1},
		"for ever undecided":     {func(w *world) { w.Checking = 99 }, forge.Invalid, "branch protection", 1 + forge.MaxLooks},
		"may not merge":          {func(w *world) { w.fault(accept, `403 {"message": "no"}`) }, forge.Forbidden, "branch protection", 1},
		"moved nothing":          {func(w *world) { w.fault(accept, `200 {}`) }, forge.Moved, "again", 1},
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
		asked := slices.DeleteFunc(w.changes, func(c string) bool {
			return !strings.Contains(c, `"Do":"fast-forward-only"`) || !strings.Contains(c, `"head_commit_id":"`+newCommit+`"`)
		})
		if len(asked) != c.asked {
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
	label := func(w *world) error { return w.Label(ctx, r, []string{"promotion"}) }
	calls := map[string]func(*world) error{
		"GET /pulls":            func(w *world) error { _, err := w.Find(ctx, head, base); return err },
		"POST /pulls":           func(w *world) error { _, err := w.Open(ctx, head, base, forge.Content{Title: "x"}); return err },
		"PATCH /pulls/1":        func(w *world) error { return w.Edit(ctx, r, "t", "b") },
		"GET /labels":           label,
		"POST /issues/1/labels": label,
		"GET /pulls/1":          evidence,
		"GET /pulls/1/reviews":  evidence,
		"GET /commits/" + newCommit + "/statuses": evidence,
		"POST /statuses/" + newCommit:             func(w *world) error { return w.Report(ctx, newCommit, forge.Status{Name: "x", State: forge.Passed}) },
		"GET /branches/" + base:                   merge,
		"POST /pulls/1/merge":                     merge,
	}
	for answer, kind := range map[string]forge.Kind{
		`401 {"message": "invalid token canary-token"}`: forge.Unauthorized, `403 {"message": "no"}`: forge.Forbidden, `404 {"message": "no"}`: forge.NotFound,
		`422 {"message": "no"}`: forge.Invalid, `429 {}`: forge.Limited, `502 <html>`: forge.Unavailable, `201 <html>`: forge.Unexpected,
	} {
		w := newWorld(t)
		w.Labels = []string{"promotion"}
		w.request()
		for what, call := range calls {
			if what == "POST /pulls/1/merge" && kind == forge.Unexpected {
				continue // its body is not read
			}
			w.fault(what, answer)
			err := call(w)
			var e *forge.Error
			if !errors.As(err, &e) || e.Kind != kind || e.Hint == "" || strings.Contains(err.Error()+e.Hint, "canary") {
				t.Errorf("%s answered with %s: %v, %+v", what, answer, err, e)
			}
		}
	}
}
