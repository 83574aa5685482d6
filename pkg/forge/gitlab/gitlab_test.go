package gitlab

import (
	"context"
	"encoding/json"
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
	answers map[string]string // "GET /merge_requests": `[]`, perhaps with "409 " before it
	changes []string          // the request, and its body
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{answers: map[string]string{
		"GET /merge_requests":                                `[]`,
		"GET /merge_requests/1":                              mr(1, `"state": "opened"`),
		"GET /merge_requests/1/approvals":                    `{"approved_by": []}`,
		"GET /repository/commits/" + newCommit + "/statuses": `[]`,
		"GET ":                             `{"merge_method": "ff"}`,
		"GET /repository/branches/" + base: `{"commit": {"id": "` + oldCommit + `"}}`,
		"POST /merge_requests":             mr(7, ``),
		"PUT /merge_requests/7":            mr(7, ``),
		"PUT /merge_requests/1":            mr(1, ``),
		"PUT /merge_requests/1/merge":      mr(1, ``),
		"POST /statuses/" + newCommit:      `{}`,
		"GET /merge_requests/1/versions":   `[]`,
		"GET /merge_requests/1/notes":      `[]`,
	}}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer canary-token" {
			t.Errorf("%s comes without the token", r.URL)
		}
		path, ok := strings.CutPrefix(r.URL.Path, "/api/v4/projects/acme/team/shop")
		if !ok || !strings.HasPrefix(r.URL.RawPath+r.URL.Path, "/api/v4/projects/acme%2Fteam%2Fshop") {
			t.Errorf("%s is not the project", r.URL)
		}
		what := r.Method + " " + path
		if r.Method != http.MethodGet {
			body, _ := io.ReadAll(r.Body)
			w.changes = append(w.changes, what+" "+string(body))
		}
		answer := w.answers[what]
		if page := r.URL.Query().Get("page"); page == "2" {
			answer = w.answers[what+" 2"]
		} else if w.answers[what+" 2"] != "" {
			rw.Header().Set("X-Next-Page", "2")
		}
		rw.Header().Set("Content-Type", "application/json")
		rw.Header().Set("RateLimit-Limit", "1")
		var status int
		if n, _ := fmt.Sscanf(answer, "%3d ", &status); n == 1 {
			rw.WriteHeader(status)
			answer = answer[4:]
		} else if answer == "" {
			t.Errorf("nobody answers %s", what)
		}
		if what == "PUT /merge_requests/1/merge" && status == 0 {
			w.answers["GET /repository/branches/"+base] = `{"commit": {"id": "` + newCommit + `"}}`
		}
		_, _ = io.WriteString(rw, answer)
	}))
	t.Cleanup(server.Close)
	api, err := url.Parse(server.URL + "/api/v4")
	if err != nil {
		t.Fatal(err)
	}
	w.Client, err = New(forge.Target{Type: forge.GitLab, API: api, Web: api, Project: "acme/team/shop"}, &forge.Transport{
		Base: api, Via: http.DefaultTransport, Token: "canary-token", From: "GITLAB_TOKEN", Wants: "GITLAB_TOKEN",
		Now: func() time.Time { return time.Unix(0, 0) }, Sleep: func(context.Context, time.Duration) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func mr(n int, more string) string {
	if more != "" {
		more = ", " + more
	}
	return fmt.Sprintf(`{"iid": %d, "source_branch": %q, "target_branch": %q, "source_project_id": 1, "target_project_id": 1, "sha": %q, "title": "T", "description": "D", "web_url": "u"%s}`, n, head, base, newCommit, more)
}

func TestRequests(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	p := forge.Proposal{Environment: "production", Branch: base, Before: oldCommit, Commit: newCommit}
	got, err := forge.Ensure(ctx, w, head, base, p, true, []string{"promotion"})
	if err != nil || got.Outcome != forge.Opened || got.Number != 7 || got.Head != newCommit {
		t.Fatalf("%+v, %v", got, err)
	}
	var sent map[string]any
	_ = json.Unmarshal([]byte(strings.TrimPrefix(w.changes[0], "POST /merge_requests ")), &sent)
	if sent["title"] != "Draft: "+p.Title() || sent["source_branch"] != head || sent["target_branch"] != base {
		t.Errorf("sent %v", sent)
	}
	if len(w.changes) != 2 || !strings.Contains(w.changes[1], `"add_labels":"promotion"`) {
		t.Errorf("labels: %v", w.changes[1:])
	}

	fork := strings.Replace(mr(1, ``), `"source_project_id": 1`, `"source_project_id": 2`, 1)
	w.answers["GET /merge_requests"], w.answers["GET /merge_requests 2"] = "["+fork+"]", "["+mr(1, `"draft": true, "labels": ["promotion"]`)+"]"
	w.changes = nil
	got, err = forge.Ensure(ctx, w, head, base, p, false, []string{"promotion"})
	if err != nil || got.Outcome != forge.Updated || got.Number != 1 || len(w.changes) != 1 || !strings.Contains(w.changes[0], `"title":"Draft: T"`) {
		t.Errorf("%+v, %v: %v", got, err, w.changes)
	}
	w.answers["GET /merge_requests"], w.answers["GET /merge_requests 2"] = "[]", ""
	w.answers["POST /merge_requests"] = `409 {"message": ["Another open merge request already exists for this source branch: !5"]}`
	var e *forge.Error
	if _, err = forge.Ensure(ctx, w, head, base, p, false, nil); !errors.As(err, &e) || e.Kind != forge.Exists {
		t.Errorf("one that exists: %v", err)
	}
}

func TestEvidence(t *testing.T) {
	w := newWorld(t)
	at := func(minute int) string { return fmt.Sprintf("2026-01-05T09:%02d:00Z", minute) }
	note := func(user, text string, minute int, system bool) string {
		return fmt.Sprintf(`{"system": %t, "body": %q, "author": {"username": %q}, "created_at": %q}`, system, text, user, at(minute))
	}
	w.answers["GET /merge_requests/1/approvals"] = `{"approved_by": [{"user": {"username": "ada"}}, {"user": {"username": "bob"}}, {"user": {"username": "eve"}}]}`
	w.answers["GET /merge_requests/1/versions"] = `[{"head_commit_sha": "` + newCommit + `", "created_at": "` + at(10) + `"}, {"head_commit_sha": "` + oldCommit + `", "created_at": "` + at(1) + `"}]`
	w.answers["GET /merge_requests/1/notes"] = "[" + note("bob", "approved this merge request", 5, true) + "," + note("eve", "approved this merge request", 20, false) + "]"
	w.answers["GET /merge_requests/1/notes 2"] = "[" + note("ada", "approved this merge request", 11, true) + "]"
	w.answers["GET /repository/commits/"+newCommit+"/statuses"] = `[{"name": "a", "status": "success"}, {"name": "b", "status": "running"}, {"name": "c", "status": "canceled"}]`
	e, err := w.Evidence(context.Background(), forge.Request{Number: 1}, newCommit)
	if err != nil {
		t.Fatal(err)
	}
	want := []forge.Review{
		{User: "ada", Verdict: forge.Approved, Commit: newCommit, Counts: true},
		{User: "bob", Verdict: forge.Approved, Counts: true},
		{User: "eve", Verdict: forge.Approved, Counts: true},
	}
	if !slices.Equal(e.Reviews, want) {
		t.Errorf("reviews %+v", e.Reviews)
	}
	if checks := []forge.Check{{Name: "a", State: forge.Passed}, {Name: "b", State: forge.Pending}, {Name: "c", State: forge.Failed}}; !slices.Equal(e.Checks, checks) {
		t.Errorf("checks %+v", e.Checks)
	}
	w.answers["GET /merge_requests/1"] = mr(1, `"state": "merged"`)
	var fe *forge.Error
	if _, err := w.Evidence(context.Background(), forge.Request{Number: 1}, newCommit); !errors.As(err, &fe) || fe.Kind != forge.Moved {
		t.Errorf("a closed one: %v", err)
	}
}

func TestMerge(t *testing.T) {
	const branch = "GET /repository/branches/" + base
	for name, c := range map[string]struct {
		what, answer string
		kind         forge.Kind
		hint         string
		asked        bool // whether the merge was asked for
	}{
		"done":                   {"GET ", `{"merge_method": "ff"}`, -1, "", true},
		"an earlier run did it":  {branch, `{"commit": {"id": "` + newCommit + `"}}`, -1, "", false},
		"somebody was faster":    {branch, `{"commit": {"id": "3333"}}`, forge.Moved, "again", false},
		"no fast-forward merges": {"GET ", `{"merge_method": "merge"}`, forge.Invalid, "Fast-forward merge", false},
		"another head":           {"PUT /merge_requests/1/merge", `409 {"message": "SHA does not match HEAD of source branch"}`, forge.Moved, "again", true},
		"not mergeable":          {"PUT /merge_requests/1/merge", `405 {"message": "405 Method Not Allowed"}`, forge.Invalid, "own words", true},
		"may not merge":          {"PUT /merge_requests/1/merge", `401 {"message": "401 Unauthorized"}`, forge.Forbidden, "protected branch", true},
		"moved nothing":          {"PUT /merge_requests/1/merge", `200 {"iid": 1}`, forge.Moved, "again", true},
	} {
		w := newWorld(t)
		w.answers[c.what] = c.answer
		shown, err := w.Merge(context.Background(), forge.Request{Number: 1}, forge.Move{Branch: base, Old: oldCommit, New: newCommit})
		var e *forge.Error
		if c.kind < 0 && (err != nil || !shown) || c.kind >= 0 && (!errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(e.Hint, c.hint) || shown) {
			t.Errorf("%s: %t, %v, %+v", name, shown, err, e)
		}
		if asked := len(w.changes) == 1 && strings.Contains(w.changes[0], `"sha":"`+newCommit+`"`); asked != c.asked {
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
	w.answers["GET /repository/commits/"+newCommit+"/statuses"] = `[{"name": "sluice/verify", "status": "success"}]`
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
		for what, call := range calls {
			w := newWorld(t)
			w.answers[what] = answer
			err := call(w)
			var e *forge.Error
			if !errors.As(err, &e) || e.Kind != kind && (what != "GET " || kind != forge.Unauthorized) || e.Hint == "" || strings.Contains(err.Error()+e.Hint, "canary") {
				t.Errorf("%s answered with %s: %v, %+v", what, answer, err, e)
			}
		}
	}
}
