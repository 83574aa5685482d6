package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/go-github/v57/github"

	"github.com/sluice-dev/sluice/pkg/forge"
)

var (
	opSettings   = forge.Op{Doing: "reading the repository's settings", Needs: "Metadata: read"}
	opProtection = forge.Op{Doing: "reading the branch's rules", Needs: "Metadata: read"}
)

// get reads what the library does not: it knows no ruleset that some may
// bypass, and ends at a kind of rule that is younger than it.
func (c *Client) get(ctx context.Context, v any, path string, names ...string) (*github.Response, error) {
	at := fmt.Sprintf("repos/%s/%s", c.owner, c.repo) + path
	for _, n := range names { // a branch may have slashes in it
		at = strings.Replace(at, "{}", url.PathEscape(n), 1)
	}
	api := c.api()
	req, err := api.NewRequest(http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	return api.Do(ctx, req, v)
}

// status is that of an answer, 0 without one.
func status(res *github.Response) int {
	if res == nil || res.Response == nil {
		return 0
	}
	return res.StatusCode
}

// hidden tells an answer that says no more than that whoever asks does not get
// to see it.
func hidden(res *github.Response) bool {
	return status(res) == http.StatusForbidden || status(res) == http.StatusNotFound
}

// Settings gives how the repository merges, and what the token may do. GitHub
// shows how it merges to those only who have Contents: write
// (docs.github.com/rest/repos/repos, "Get a repository").
func (c *Client) Settings(ctx context.Context) (forge.Settings, error) {
	var r struct {
		Archived     bool            `json:"archived"`
		Private      bool            `json:"private"`
		HasRequests  *bool           `json:"has_pull_requests"` // not on older servers
		Permissions  map[string]bool `json:"permissions"`
		Merge        *bool           `json:"allow_merge_commit"`
		Squash       *bool           `json:"allow_squash_merge"`
		Rebase       *bool           `json:"allow_rebase_merge"`
		DeleteBranch *bool           `json:"delete_branch_on_merge"`
	}
	res, err := c.get(ctx, &r, "")
	if err != nil {
		return forge.Settings{}, c.fail(opSettings, err)
	}
	s := forge.Settings{Archived: r.Archived, AutoDelete: fact(r.DeleteBranch), Requests: fact(r.HasRequests)}
	for _, m := range []struct {
		allowed *bool
		method  forge.Method
	}{{r.Merge, forge.MergeCommit}, {r.Squash, forge.SquashMerge}, {r.Rebase, forge.RebaseMerge}} {
		if m.allowed != nil && *m.allowed {
			s.Methods = append(s.Methods, m.method)
		}
	}
	shown := r.Merge != nil || r.Squash != nil || r.Rebase != nil
	switch {
	case shown:
		s.Write = forge.Yes
	case r.Permissions["push"]:
		s.Write, s.Lacks = forge.No, []string{"Contents: write"} // the person may, the token may not
	default:
		s.Write = forge.No
	}
	if !shown {
		s.Unread = append(s.Unread, "how the repository merges: GitHub shows it to those who have Contents: write")
	}
	return c.may(s, res.Header, r.Private), nil
}

// may fills in what the token lacks. Of classic tokens a header says what they
// may do, and of an App's its installation; of others nothing does.
func (c *Client) may(s forge.Settings, h http.Header, private bool) forge.Settings {
	scopes := strings.FieldsFunc(h.Get("X-OAuth-Scopes"), func(r rune) bool { return r == ',' || r == ' ' })
	switch {
	case c.app != nil:
		granted, err := c.app.Permissions()
		if err != nil {
			s.Unread = append(s.Unread, "what the GitHub App may do")
			return s
		}
		for _, p := range []struct {
			name string
			has  *string
			want string
		}{{"Contents", granted.Contents, "write"}, {"Pull requests", granted.PullRequests, "write"}, {"Commit statuses", granted.Statuses, "write"}, {"Checks", granted.Checks, "read"}} {
			text := p.name + ": " + p.want
			if has := p.has; (has == nil || *has != p.want && *has != "write") && !slices.Contains(s.Lacks, text) {
				s.Lacks = append(s.Lacks, text)
			}
		}
	case len(scopes) == 0: // none is what tokens without scopes show too: those of Actions, and fine-grained ones
		s.Unread = append(s.Unread, "what the token may do: it needs Contents, Pull requests and Commit statuses: write, and Checks: read")
	case slices.Contains(scopes, "repo"), !private && slices.Contains(scopes, "public_repo"):
	default:
		s.Lacks = append(s.Lacks, `the scope "repo"`)
	}
	return s
}

func fact(b *bool) forge.Fact {
	if b == nil {
		return forge.Unknown
	}
	return forge.FactOf(*b)
}

// Checks gives the latest statuses and check runs of a commit.
func (c *Client) Checks(ctx context.Context, commit string) ([]forge.Check, error) {
	found, err := c.statuses(ctx, commit)
	if err != nil {
		return nil, err
	}
	runs, err := c.runs(ctx, commit)
	return append(found, runs...), err
}
