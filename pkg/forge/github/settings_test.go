package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/forge/host"
)

// setup sets the fake up, and answers with JSON as the server would.
func (w *world) setup(t *testing.T, text string) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &w.Setup); err != nil {
		t.Fatal(err)
	}
}

const untold = "what the token may do: it needs Contents, Pull requests and Commit statuses: write, and Checks: read"

func TestSettings(t *testing.T) {
	all := []forge.Method{forge.MergeCommit, forge.SquashMerge, forge.RebaseMerge}
	hidden := "how the repository merges: GitHub shows it to those who have Contents: write"
	for name, c := range map[string]struct {
		setup string
		want  forge.Settings
	}{
		"new": {`{}`, forge.Settings{Write: forge.Yes, Methods: all, AutoDelete: forge.No, Unread: []string{untold}}},
		"narrow": {
			`{"scopes": "gist, repo", "repository": {"archived": true, "allow_merge_commit": false, "allow_squash_merge": true, "allow_rebase_merge": false, "delete_branch_on_merge": true, "permissions": {"push": true}}}`,
			forge.Settings{Archived: true, Write: forge.Yes, Methods: []forge.Method{forge.SquashMerge}, AutoDelete: forge.Yes},
		},
		"a reader": {
			`{"scopes": "repo", "repository": {"permissions": {"push": false, "pull": true}}}`,
			forge.Settings{Write: forge.No, Unread: []string{hidden}},
		},
		"a writer's reading token": {
			`{"repository": {"permissions": {"push": true}}}`,
			forge.Settings{Write: forge.No, Lacks: []string{"Contents: write"}, Unread: []string{hidden, untold}},
		},
		"a scope that is not enough": {
			`{"scopes": "public_repo", "repository": {"private": true, "allow_merge_commit": true}}`,
			forge.Settings{Write: forge.Yes, Lacks: []string{`the scope "repo"`}, Methods: all[:1]},
		},
		"a scope that is enough": {
			`{"scopes": "public_repo", "repository": {"private": false, "allow_merge_commit": true}}`,
			forge.Settings{Write: forge.Yes, Methods: all[:1]},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.setup(t, c.setup)
			got, err := w.Settings(context.Background())
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
	const line = `"rulesets": {"7": {"name": "line", "current_user_can_bypass": %q}}, "rules": {"env/production": [%s]}`
	rule := func(k forge.RuleKind, bypass forge.Fact) forge.Rule {
		return forge.Rule{Kind: k, By: `ruleset "line"`, Bypass: bypass}
	}
	classic := func(k forge.RuleKind, bypass forge.Fact) forge.Rule {
		return forge.Rule{Kind: k, By: "branch protection", Bypass: bypass}
	}
	for name, c := range map[string]struct {
		setup   string
		rules   []forge.Rule
		methods []forge.Method
		unread  string // a part of the only text
	}{
		"nothing": {setup: `{}`},
		"plain rules": {
			setup: fmt.Sprintf(`{`+line+`}`, "never", `{"type": "creation", "ruleset_id": 7}, {"type": "update", "ruleset_id": 7}, {"type": "deletion", "ruleset_id": 7},
				{"type": "required_linear_history", "ruleset_id": 7}, {"type": "required_signatures", "ruleset_id": 7}, {"type": "non_fast_forward", "ruleset_id": 7},
				{"type": "merge_queue", "ruleset_id": 7}, {"type": "required_deployments", "ruleset_id": 7}, {"type": "workflows", "ruleset_id": 7}`),
			rules: []forge.Rule{
				rule(forge.NoCreation, forge.No), rule(forge.Restricted, forge.No), rule(forge.NoDeletion, forge.No), rule(forge.Linear, forge.No), rule(forge.Signed, forge.No),
				rule(forge.NoForce, forge.No), rule(forge.Queue, forge.No), rule(forge.Deployments, forge.No), rule(forge.Workflows, forge.No),
			},
		},
		"requests and checks": {
			setup: fmt.Sprintf(`{`+line+`}`, "always", `{"type": "pull_request", "ruleset_id": 7, "parameters": {"required_approving_review_count": 2, "allowed_merge_methods": ["squash", "rebase"]}},
				{"type": "pull_request", "ruleset_id": 7, "parameters": {"required_approving_review_count": 0, "allowed_merge_methods": ["merge", "squash"]}},
				{"type": "required_status_checks", "ruleset_id": 7, "parameters": {"required_status_checks": [{"context": "ci"}, {"context": "lint"}]}}`),
			rules: []forge.Rule{
				{Kind: forge.ByRequest, By: `ruleset "line"`, Bypass: forge.Yes, Count: 2},
				rule(forge.ByRequest, forge.Yes),
				{Kind: forge.StatusChecks, By: `ruleset "line"`, Bypass: forge.Yes, Names: []string{"ci", "lint"}},
			},
			methods: []forge.Method{forge.SquashMerge},
		},
		"a rule of another year": {
			setup: fmt.Sprintf(`{`+line+`}`, "always", `{"type": "phase_of_the_moon", "ruleset_id": 7, "parameters": {}}`),
			rules: []forge.Rule{{Kind: forge.Other, By: `ruleset "line"`, Bypass: forge.Yes, Names: []string{"phase_of_the_moon"}}},
		},
		"past it on pull requests only": {
			setup: fmt.Sprintf(`{`+line+`}`, "pull_requests_only", `{"type": "update", "ruleset_id": 7}`),
			rules: []forge.Rule{rule(forge.Restricted, forge.No)},
		},
		"a ruleset that is hidden": {
			setup: `{"rules": {"env/production": [{"type": "update", "ruleset_id": 9}]}}`,
			rules: []forge.Rule{{Kind: forge.Restricted, By: "ruleset 9"}},
		},
		"a classic one that is hidden": {
			setup:  `{"protections": {"env/production": {}}}`,
			unread: "GitHub shows it to administrators",
		},
		"a classic one": {
			setup: `{"admin": true, "protections": {"env/production": {"required_status_checks": {"contexts": ["ci"]}, "enforce_admins": {"enabled": true},
				"required_pull_request_reviews": {"required_approving_review_count": 1}, "restrictions": {"users": []}, "required_linear_history": {"enabled": true},
				"allow_force_pushes": {"enabled": false}, "allow_deletions": {"enabled": true}, "required_signatures": {"enabled": true}, "lock_branch": {"enabled": true}}}}`,
			rules: []forge.Rule{
				classic(forge.Linear, forge.No),
				{Kind: forge.ByRequest, By: "branch protection", Bypass: forge.No, Count: 1},
				{Kind: forge.StatusChecks, By: "branch protection", Bypass: forge.No, Names: []string{"ci"}},
				classic(forge.Signed, forge.No), classic(forge.Restricted, forge.No), classic(forge.Restricted, forge.Unknown), classic(forge.NoForce, forge.No),
			},
		},
		"one that does not hold for administrators": {
			setup: `{"admin": true, "protections": {"env/production": {"restrictions": {"users": []}, "allow_force_pushes": {"enabled": true}}}}`,
			rules: []forge.Rule{classic(forge.Restricted, forge.Yes), classic(forge.NoDeletion, forge.Yes)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.setup(t, c.setup)
			got, err := w.Protection(context.Background(), base)
			if err != nil {
				t.Fatal(err)
			}
			if unread := strings.Join(got.Unread, "; "); (unread == "") != (c.unread == "") || !strings.Contains(unread, c.unread) {
				t.Errorf("not read: %q, want %q", unread, c.unread)
			}
			got.Unread = nil
			if d := cmp.Diff(forge.Protection{Branch: base, Exists: true, Rules: c.rules, Methods: c.methods}, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

// TestBypass has the words of all servers; those of before 3.18 lack one.
func TestBypass(t *testing.T) {
	for word, want := range map[string]forge.Fact{"always": forge.Yes, "exempt": forge.Yes, "never": forge.No, "pull_requests_only": forge.No, "": forge.Unknown, "other": forge.Unknown} {
		if got := (ruleset{Can: word}).bypass(); got != want {
			t.Errorf("%q is %q, want %q", word, got, want)
		}
	}
}

// TestProtectionUnmade holds that rules are known of a branch that is not there.
func TestProtectionUnmade(t *testing.T) {
	w := newWorld(t)
	w.setup(t, `{"rules": {"*": [{"type": "deletion", "ruleset_id": 7}]}, "rulesets": {"7": {"name": "all"}}}`)
	for range 150 {
		w.Setup.Rules["*"] = append(w.Setup.Rules["*"], host.M{"type": "update", "ruleset_id": 7})
	}
	got, err := w.Protection(context.Background(), "env/new")
	if err != nil || got.Exists || len(got.Rules) != 151 || len(got.Unread) != 1 || !strings.Contains(got.Unread[0], "once the branch is there") {
		t.Errorf("%v: exists %t, %d rules, not read %q", err, got.Exists, len(got.Rules), got.Unread)
	}
	w.fault("GET /rules", -1, 404, "", `{"message": "Not Found"}`)
	if got, err = w.Protection(context.Background(), base); err != nil || len(got.Unread) != 1 || !strings.Contains(got.Unread[0], "rulesets") {
		t.Errorf("a server without rulesets: %v, not read %q", err, got.Unread)
	}
}

// TestInspectRefusals holds that what is not known is never taken for what is not so.
func TestInspectRefusals(t *testing.T) {
	protection := func(w *world) error { _, err := w.Protection(context.Background(), base); return err }
	for what, call := range map[string]func(*world) error{
		"GET ":                                  func(w *world) error { _, err := w.Settings(context.Background()); return err },
		"GET /rules/branches/" + base:           protection,
		"GET /rulesets/7":                       protection,
		"GET /branches/" + base:                 protection,
		"GET /branches/" + base + "/protection": protection,
		"GET /commits/" + newCommit + "/status": func(w *world) error { _, err := w.Checks(context.Background(), newCommit); return err },
		"GET /commits/" + newCommit + "/check-": func(w *world) error { _, err := w.Checks(context.Background(), newCommit); return err },
	} {
		for status, body := range map[int]string{401: `{"message": "Bad credentials canary-token"}`, 500: `<html>`, 200: `{"type": `} {
			w := newWorld(t)
			w.setup(t, `{"admin": true, "protections": {"env/production": {}}, "rules": {"*": [{"type": "deletion", "ruleset_id": 7}]}, "rulesets": {"7": {"name": "all"}}}`)
			w.fault(what, -1, status, "", body)
			err := call(w)
			var e *forge.Error
			if !errors.As(err, &e) || e.Hint == "" || strings.Contains(err.Error(), "canary") {
				t.Errorf("%s answered with %d: %v", what, status, err)
			}
		}
	}
	w := newWorld(t)
	w.setup(t, `{"rules": {"*": [{"type": "pull_request", "ruleset_id": 7, "parameters": {"allowed_merge_methods": ["merge"]}}]}, "rulesets": {"7": {}}}`)
	w.fault("GET /rules/", -1, http.StatusOK, "", `[{"type": "pull_request", "ruleset_id": 7, "parameters": {"allowed_merge_methods": "merge"}}]`)
	if err := protection(w); err == nil {
		t.Error("a rule of another shape is taken for none")
	}
}

func TestChecks(t *testing.T) {
	w := newWorld(t)
	w.Say(newCommit, host.Status{Name: "ci", State: "success"})
	w.Say(newCommit, host.Status{Name: "lint", State: "in_progress", Run: true})
	got, err := w.Checks(context.Background(), newCommit)
	if d := cmp.Diff([]forge.Check{{Name: "ci", State: forge.Passed}, {Name: "lint", State: forge.Pending}}, got); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
}
