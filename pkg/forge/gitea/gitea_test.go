package gitea

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-dev/sluice/pkg/forge"
)

const (
	oldCommit = "1111111111111111111111111111111111111111"
	newCommit = "2222222222222222222222222222222222222222"
	head      = "sluice/promote/production"
	base      = "env/production"
)

// world answers requests by method and path, and notes those that change something.
type world struct {
	*Client
	answers map[string]string // "GET /pulls": `[]`, perhaps with "409 " before it
	changes []string          // the request, and its body
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{answers: map[string]string{
		"GET /pulls":           `[]`,
		"GET /pulls/1":         pr(1, `"state": "open"`),
		"GET /pulls/1/reviews": `[]`,
		"GET /commits/" + newCommit + "/statuses": `[]`,
		"GET /branches/" + base:                   `{"commit": {"id": "` + oldCommit + `"}}`,
		"GET /labels":                             `[{"id": 3, "name": "promotion"}]`,
		"GET /collaborators/ada/permission":       `{"permission": "write"}`,
		"GET /collaborators/eve/permission":       `{"permission": "read"}`,
		"GET /collaborators/gone/permission":      `404 {"message": "user does not exist"}`,
		"POST /pulls":                             `201 ` + pr(7, ``),
		"POST /issues/7/labels":                   `[]`,
		"POST /issues/1/labels":                   `[]`,
		"PATCH /pulls/1":                          `201 ` + pr(1, ``),
		"POST /pulls/1/merge":                     `200 `,
		"POST /statuses/" + newCommit:             `201 {}`,
	}}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer canary-token" {
			t.Errorf("%s comes without the token", r.URL)
		}
		path, ok := strings.CutPrefix(r.URL.Path, "/git/api/v1/repos/acme/shop")
		if !ok {
			t.Errorf("%s is not the repository", r.URL)
		}
		what := r.Method + " " + path
		if r.Method != http.MethodGet {
			body, _ := io.ReadAll(r.Body)
			w.changes = append(w.changes, what+" "+string(body))
		}
		answer := w.answers[what]
		var status int
		rw.Header().Set("Content-Type", "application/json")
		if n, _ := fmt.Sscanf(answer, "%3d ", &status); n == 1 {
			rw.WriteHeader(status)
			answer = answer[4:]
		} else if answer == "" {
			t.Errorf("nobody answers %s", what)
		}
		if page := r.URL.Query().Get("page"); page != "" && page != "1" && status == 0 {
			if answer = w.answers[what+" "+page]; answer == "" {
				answer = "[]"
			}
		}
		if what == "POST /pulls/1/merge" && status == 200 && answer == "" {
			w.answers["GET /branches/"+base] = `{"commit": {"id": "` + newCommit + `"}}`
		}
		_, _ = io.WriteString(rw, answer)
	}))
	t.Cleanup(server.Close)
	web, err := url.Parse(server.URL + "/git")
	if err != nil {
		t.Fatal(err)
	}
	w.Client = New(forge.Target{Type: forge.Gitea, API: web.JoinPath("api", "v1"), Web: web, Project: "acme/shop"}, &forge.Transport{
		Base: web.JoinPath("api", "v1"), Via: http.DefaultTransport, Token: "canary-token", From: "GITEA_TOKEN", Wants: "GITEA_TOKEN",
		Now: func() time.Time { return time.Unix(0, 0) }, Sleep: func(context.Context, time.Duration) error { return nil },
	})
	return w
}

func pr(n int, more string) string {
	if more != "" {
		more = ", " + more
	}
	return fmt.Sprintf(`{"number": %d, "head": {"ref": %q, "repo_id": 1, "sha": %q}, "base": {"ref": %q, "repo_id": 1}, "title": "T", "body": "D", "html_url": "u"%s}`, n, head, newCommit, base, more)
}

func TestRequests(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	p := forge.Proposal{Environment: "production", Branch: base, Before: oldCommit, Commit: newCommit}
	got, err := forge.Ensure(ctx, w, head, base, p, true, []string{"promotion"})
	if err != nil || got.Outcome != forge.Opened || got.Number != 7 || got.Head != newCommit {
		t.Fatalf("%+v, %v", got, err)
	}
	if len(w.changes) != 2 || !strings.Contains(w.changes[0], `"title":"WIP: `+p.Title()) || !strings.Contains(w.changes[1], `"labels":[3]`) {
		t.Errorf("sent %v", w.changes)
	}

	fork := strings.Replace(pr(1, ``), `"repo_id": 1`, `"repo_id": 2`, 1)
	w.answers["GET /pulls"], w.answers["GET /pulls 2"] = "["+fork+","+pr(9, ``)+"]", "["+strings.Replace(pr(1, ``), `"T"`, `"WIP: T"`, 1)+"]"
	w.changes = nil
	got, err = forge.Ensure(ctx, w, head, base, p, false, nil)
	if err != nil || got.Outcome != forge.Updated || got.Number != 1 || len(w.changes) != 1 || !strings.Contains(w.changes[0], `"title":"WIP: T"`) {
		t.Errorf("%+v, %v: %v", got, err, w.changes)
	}
	var e *forge.Error
	if _, err = forge.Ensure(ctx, w, head, base, p, false, []string{"unknown"}); !errors.As(err, &e) || e.Kind != forge.Invalid || !strings.Contains(e.Hint, "forge.labels") {
		t.Errorf("an unknown label: %v", err)
	}
	w = newWorld(t)
	w.answers["POST /pulls"] = `409 {"message": "pull request already exists for these targets"}`
	if _, err = forge.Ensure(ctx, w, head, base, p, false, nil); !errors.As(err, &e) || e.Kind != forge.Exists {
		t.Errorf("one that exists: %v", err)
	}
}

func TestEvidence(t *testing.T) {
	w := newWorld(t)
	review := func(user, state, commit string, minute int, more string) string {
		return fmt.Sprintf(`{"user": {"login": %q}, "state": %q, "commit_id": %q, "submitted_at": "2026-01-05T09:%02d:00Z"%s}`, user, state, commit, minute, more)
	}
	w.answers["GET /pulls/1/reviews"] = "[" + strings.Join([]string{
		review("ada", "APPROVED", newCommit, 9, ``), review("ada", "APPROVED", oldCommit, 1, `, "stale": true`), review("eve", "APPROVED", newCommit, 2, ``),
		review("bob", "REQUEST_CHANGES", newCommit, 3, `, "official": true`), review("bob", "COMMENT", newCommit, 4, ``),
		review("bob", "APPROVED", newCommit, 5, `, "official": true, "dismissed": true`), review("gone", "APPROVED", newCommit, 6, ``),
	}, ",") + "]"
	w.answers["GET /commits/"+newCommit+"/statuses"] = `[{"id": 1, "context": "a", "status": "failure"}, {"id": 5, "context": "b", "status": "pending"}, {"id": 4, "context": "b", "status": "success"}]`
	w.answers["GET /commits/"+newCommit+"/statuses 2"] = `[{"id": 9, "context": "a", "status": "success"}, {"id": 2, "context": "c", "status": "warning"}]`
	e, err := w.Evidence(context.Background(), forge.Request{Number: 1}, newCommit)
	if err != nil {
		t.Fatal(err)
	}
	want := []forge.Review{
		{User: "ada", Verdict: forge.Approved, Commit: oldCommit},
		{User: "eve", Verdict: forge.Approved, Commit: newCommit},
		{User: "bob", Verdict: forge.Rejected, Commit: newCommit, Counts: true},
		{User: "bob", Verdict: forge.Dismissed, Commit: newCommit, Counts: true},
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
	w.answers["GET /collaborators/ada/permission"] = `403 {"message": "Only admins can query all permissions"}`
	if _, err := w.Evidence(context.Background(), forge.Request{Number: 1}, newCommit); !errors.As(err, &fe) || fe.Kind != forge.Forbidden || !strings.Contains(fe.Hint, "administrator") {
		t.Errorf("who may not ask: %v", err)
	}
	w.answers["GET /pulls/1"] = pr(1, `"state": "closed"`)
	if _, err := w.Evidence(context.Background(), forge.Request{Number: 1}, newCommit); !errors.As(err, &fe) || fe.Kind != forge.Moved {
		t.Errorf("a closed one: %v", err)
	}
}

func TestMerge(t *testing.T) {
	const branch, accept = "GET /branches/" + base, "POST /pulls/1/merge"
	for name, c := range map[string]struct {
		what, answer string
		kind         forge.Kind
		hint         string
		asked        bool // whether the merge was asked for
	}{
		"done":                   {accept, `200 `, -1, "", true},
		"an earlier run did it":  {branch, `{"commit": {"id": "` + newCommit + `"}}`, -1, "", false},
		"somebody was faster":    {branch, `{"commit": {"id": "3333"}}`, forge.Moved, "again", false},
		"another head":           {accept, `409 {"message": "head out of date"}`, forge.Moved, "again", true},
		"no fast-forward merges": {accept, `405 {"message": "not allowed"}`, forge.Invalid, "allows fast-forward merges", true},
		"may not merge":          {accept, `403 {"message": "no"}`, forge.Forbidden, "branch protection", true},
		"moved nothing":          {accept, `200 {}`, forge.Moved, "again", true},
	} {
		w := newWorld(t)
		w.answers[c.what] = c.answer
		shown, err := w.Merge(context.Background(), forge.Request{Number: 1}, forge.Move{Branch: base, Old: oldCommit, New: newCommit})
		var e *forge.Error
		if c.kind < 0 && (err != nil || !shown) || c.kind >= 0 && (!errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(e.Hint, c.hint) || shown) {
			t.Errorf("%s: %t, %v, %+v", name, shown, err, e)
		}
		asked := len(w.changes) == 1 && strings.Contains(w.changes[0], `"Do":"fast-forward-only"`) && strings.Contains(w.changes[0], `"head_commit_id":"`+newCommit+`"`)
		if asked != c.asked {
			t.Errorf("%s: asked for %v", name, w.changes)
		}
	}
}

func TestReport(t *testing.T) {
	w := newWorld(t)
	s := forge.Status{Name: "sluice/verify", State: forge.Passed, Text: "verified"}
	if err := w.Report(context.Background(), newCommit, s); err != nil || len(w.changes) != 1 || !strings.Contains(w.changes[0], `"state":"success"`) {
		t.Errorf("%v: %v", err, w.changes)
	}
	w.answers["GET /commits/"+newCommit+"/statuses"] = `[{"id": 1, "context": "sluice/verify", "status": "success"}]`
	if err := w.Report(context.Background(), newCommit, s); err != nil || len(w.changes) != 1 {
		t.Errorf("set again: %v: %v", err, w.changes)
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
		for what, call := range calls {
			if what == "POST /pulls/1/merge" && kind == forge.Unexpected {
				continue // its body is not read
			}
			w := newWorld(t)
			w.answers[what] = answer
			err := call(w)
			var e *forge.Error
			if !errors.As(err, &e) || e.Kind != kind || e.Hint == "" || strings.Contains(err.Error()+e.Hint, "canary") {
				t.Errorf("%s answered with %s: %v, %+v", what, answer, err, e)
			}
		}
	}
}
