package gitlab

import (
	"context"
	"encoding/json"
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

// inspected gives a client of a GitLab that answers with what stands in
// answers by path, and with 404 to all else.
func inspected(t *testing.T, answers map[string]string) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/api/v4"), "/projects/acme/team/shop")
		text, ok := answers[path]
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("RateLimit-Limit", "1")
		switch {
		case !ok:
			w.WriteHeader(http.StatusNotFound)
			text = `{"message": "404 Not Found"}`
		case strings.HasPrefix(text, "403"), strings.HasPrefix(text, "401"):
			w.WriteHeader(map[string]int{"403": 403, "401": 401}[text])
			text = `{"message": "canary-token"}`
		case !json.Valid([]byte(text)):
			t.Errorf("%s is answered with no JSON", path)
		}
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(server.Close)
	web, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	target := forge.Target{Type: forge.GitLab, API: web.JoinPath("api", "v4"), Web: web, Project: "acme/team/shop"}
	c, err := New(target, &forge.Transport{
		Base: target.API, Via: http.DefaultTransport, Token: "canary-token", From: "GITLAB_TOKEN",
		Now: time.Now, Sleep: func(context.Context, time.Duration) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const maintainer = `"permissions": {"project_access": null, "group_access": {"access_level": 40}}`

func TestSettings(t *testing.T) {
	const self = "/personal_access_tokens/self"
	for name, c := range map[string]struct {
		answers map[string]string
		want    forge.Settings
	}{
		"sound": {
			map[string]string{"": `{"merge_method": "ff", "squash_option": "never", ` + maintainer + `}`, self: `{"scopes": ["api"]}`},
			forge.Settings{Requests: forge.Yes, Write: forge.Yes, AutoDelete: forge.No, Squash: forge.No, Methods: []forge.Method{forge.FastForward}},
		},
		"as GitLab makes it": {
			map[string]string{"": `{"merge_method": "merge", "squash_option": "default_on", "remove_source_branch_after_merge": true, "permissions": {"project_access": {"access_level": 20}}}`, self: `{"scopes": ["read_api"]}`},
			forge.Settings{Requests: forge.Yes, Write: forge.No, AutoDelete: forge.Yes, Squash: forge.Yes, Methods: []forge.Method{forge.MergeCommit}, Lacks: []string{`the scope "api"`}},
		},
		"the token of a job": {
			map[string]string{"": `{"merge_method": "rebase_merge", "squash_option": "always", "merge_requests_access_level": "disabled", "archived": true}`, self: "401"},
			forge.Settings{
				Archived: true, Requests: forge.No, AutoDelete: forge.No, Squash: forge.No, Methods: []forge.Method{forge.SemiLinear, forge.AlwaysSquash},
				Unread: []string{"which role the token's owner has in the project", `what the token may do: it needs the scope "api"`},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := inspected(t, c.answers).Settings(context.Background())
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
	const at, list = "/repository/branches/" + base, "/protected_branches"
	project := `{` + maintainer + `}`
	rule := func(k forge.RuleKind, bypass forge.Fact) forge.Rule {
		return forge.Rule{Kind: k, By: protection, Bypass: bypass}
	}
	for name, c := range map[string]struct {
		answers map[string]string
		want    forge.Protection
	}{
		"not protected": {
			map[string]string{at: `{"protected": false, "can_push": true}`, list: `[{"name": "main"}]`},
			forge.Protection{Exists: true},
		},
		"protected": {
			map[string]string{"": project, at: `{"protected": true, "can_push": true}`, list: `[{"name": "env/*", "merge_access_levels": [{"access_level": 40}]}]`},
			forge.Protection{Exists: true, Merge: forge.Yes, Rules: []forge.Rule{rule(forge.Restricted, forge.Yes), rule(forge.NoDeletion, ""), rule(forge.NoForce, "")}},
		},
		"from all but somebody": {
			map[string]string{"": project, at: `{"protected": true, "can_push": false}`, list: `[{"name": "env/production", "allow_force_push": true, "merge_access_levels": [{"access_level": 0}, {"user_id": 7, "access_level": 40}]}]`},
			forge.Protection{Exists: true, Rules: []forge.Rule{rule(forge.Restricted, forge.No), rule(forge.NoDeletion, "")}},
		},
		"for the owner alone, and not there yet": {
			map[string]string{"": project, list: `[{"name": "*", "push_access_levels": [{"access_level": 0}], "merge_access_levels": [{"access_level": 50}]}]`},
			forge.Protection{Merge: forge.No, Rules: []forge.Rule{rule(forge.Restricted, forge.No), rule(forge.NoDeletion, ""), rule(forge.NoForce, "")}},
		},
		"two of them, and not there yet": {
			map[string]string{"": project, list: `[{"name": "*", "push_access_levels": [{"access_level": 50}]}, {"name": "env/p*n", "push_access_levels": [{"access_level": 30}]}]`},
			forge.Protection{Merge: forge.No, Rules: []forge.Rule{rule(forge.Restricted, forge.Yes), rule(forge.NoDeletion, ""), rule(forge.NoForce, "")}},
		},
		"hidden": {
			map[string]string{at: `{"protected": true, "can_push": false}`, list: "403"},
			forge.Protection{
				Exists: true, Rules: []forge.Rule{rule(forge.NoDeletion, ""), rule(forge.Restricted, forge.No)},
				Unread: []string{"who may push and merge, if the branch is protected: GitLab shows it to maintainers"},
			},
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
	for name, answers := range map[string]map[string]string{
		"no project": {},
		"no token":   {"": "401", "/repository/branches/" + base: "401"},
		"no list":    {"/repository/branches/" + base: `{}`, "/protected_branches": "401"},
		"no statuses": {
			"": `{}`, "/repository/branches/" + base: `{}`, "/protected_branches": `[{"name": "*"}]`, "/personal_access_tokens/self": `[]`, "/repository/commits/" + newCommit + "/statuses": "401",
		},
	} {
		c := inspected(t, answers)
		_, first := c.Settings(context.Background())
		_, second := c.Protection(context.Background(), base)
		_, third := c.Checks(context.Background(), newCommit)
		if err := errors.Join(first, second, third); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
		if third == nil {
			t.Errorf("%s: there are no checks", name)
		}
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, branch string
		want            bool
	}{
		{"env/production", "env/production", true},
		{"env/*", "env/production", true},
		{"*", "env/production", true},
		{"*/p*n", "env/production", true},
		{"env/?", "env/p", false},
		{"env/[p]", "env/p", false},
		{`env\*`, "env/p", false},
		{"env", "env/production", false},
		{"production", "env/production", false},
	} {
		if got := matches(c.pattern, c.branch); got != c.want {
			t.Errorf("%q matches %q: %t", c.pattern, c.branch, got)
		}
	}
}
