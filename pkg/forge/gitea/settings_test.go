package gitea

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-dev/sluice/pkg/forge"
)

// inspected gives a client of a Gitea that answers with what stands in answers
// by path, and with 404 to all else.
func inspected(t *testing.T, answers map[string]string) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := answers[strings.TrimPrefix(r.URL.Path, "/api/v1/repos/acme/shop")]
		w.Header().Set("Content-Type", "application/json")
		switch {
		case !ok:
			w.WriteHeader(http.StatusNotFound)
			text = `{"message": "not found"}`
		case text == "403" || text == "401":
			w.WriteHeader(map[string]int{"403": 403, "401": 401}[text])
			text = `{"message": "canary-token"}`
		case r.URL.Query().Get("page") == "2":
			text = "[]"
		}
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(server.Close)
	web, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	target := forge.Target{Type: forge.Gitea, API: web.JoinPath("api", "v1"), Web: web, Project: "acme/shop"}
	return New(target, &forge.Transport{
		Base: target.API, Via: http.DefaultTransport, Token: "canary-token", From: "GITEA_TOKEN",
		Now: time.Now, Sleep: func(context.Context, time.Duration) error { return nil },
	})
}

func TestSettings(t *testing.T) {
	scopes := []string{`which scopes the token has: it needs "write:repository" and "write:issue"`}
	for name, c := range map[string]struct {
		answer string
		want   forge.Settings
	}{
		"sound": {
			`{"permissions": {"push": true}, "has_pull_requests": true, "allow_fast_forward_only_merge": true}`,
			forge.Settings{Write: forge.Yes, Requests: forge.Yes, AutoDelete: forge.No, Methods: []forge.Method{forge.FastForward}, Unread: scopes},
		},
		"all else": {
			`{"archived": true, "permissions": {"pull": true}, "allow_merge_commits": true, "allow_squash_merge": true, "allow_rebase": true, "allow_rebase_explicit": true, "default_delete_branch_after_merge": true}`,
			forge.Settings{
				Archived: true, Write: forge.No, Requests: forge.No, AutoDelete: forge.Yes, Unread: scopes,
				Methods: []forge.Method{forge.MergeCommit, forge.SquashMerge, forge.RebaseMerge, forge.SemiLinear},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := inspected(t, map[string]string{"": c.answer}).Settings(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestProtection(t *testing.T) {
	const at, rules, by = "/branches/" + base, "/branch_protections/env/*", "the branch protection"
	rule := func(k forge.RuleKind, bypass forge.Fact) forge.Rule {
		return forge.Rule{Kind: k, By: by, Bypass: bypass}
	}
	hidden := []string{"whether commits have to be signed: the forge shows it to administrators"}
	for name, c := range map[string]struct {
		answers map[string]string
		want    forge.Protection
	}{
		"not there":     {nil, forge.Protection{Unread: []string{"a protection for its name: the forge shows it once the branch is there"}}},
		"not protected": {map[string]string{at: `{"protected": false, "user_can_push": true, "user_can_merge": true}`}, forge.Protection{Exists: true}},
		"protected, and more is hidden": {
			map[string]string{at: `{"protected": true, "user_can_push": true, "user_can_merge": true}`},
			forge.Protection{Exists: true, Merge: forge.Yes, Unread: hidden, Rules: []forge.Rule{rule(forge.Restricted, forge.Yes), rule(forge.NoForce, ""), rule(forge.NoDeletion, "")}},
		},
		"protected, and more is refused": {
			map[string]string{at: `{"protected": true, "effective_branch_protection_name": "env/*"}`, rules: "403"},
			forge.Protection{Exists: true, Merge: forge.No, Unread: hidden, Rules: []forge.Rule{rule(forge.Restricted, forge.No), rule(forge.NoForce, ""), rule(forge.NoDeletion, "")}},
		},
		"protected": {
			map[string]string{
				at:    `{"protected": true, "required_approvals": 2, "enable_status_check": true, "status_check_contexts": ["ci"], "effective_branch_protection_name": "env/*"}`,
				rules: `{"require_signed_commits": true}`,
			},
			forge.Protection{Exists: true, Merge: forge.No, Rules: []forge.Rule{
				rule(forge.Restricted, forge.No), rule(forge.NoForce, ""), rule(forge.NoDeletion, ""),
				{Kind: forge.Approvals, By: by, Count: 2},
				{Kind: forge.StatusChecks, By: by, Names: []string{"ci"}},
				rule(forge.Signed, ""),
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := inspected(t, c.answers).Protection(context.Background(), base)
			if err != nil {
				t.Fatal(err)
			}
			c.want.Branch = base
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestInspectRefusals(t *testing.T) {
	at, statuses := "/branches/"+base, "/commits/"+newCommit+"/statuses"
	for _, answers := range []map[string]string{
		{"": "401", at: "401", statuses: "401"},
		{"": "[]", at: `{"protected": true, "effective_branch_protection_name": "x"}`, "/branch_protections/x": `[]`, statuses: `{}`},
	} {
		c := inspected(t, answers)
		_, first := c.Settings(context.Background())
		_, second := c.Protection(context.Background(), base)
		_, third := c.Checks(context.Background(), newCommit)
		if first == nil || second == nil || third == nil || strings.Contains(errors.Join(first, second, third).Error(), "canary") {
			t.Errorf("%v, %v, %v", first, second, third)
		}
	}
	checks, err := inspected(t, map[string]string{statuses: `[{"id": 1, "context": "ci", "status": "success"}]`}).Checks(context.Background(), newCommit)
	if d := cmp.Diff([]forge.Check{{Name: "ci", State: forge.Passed}}, checks); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
}
