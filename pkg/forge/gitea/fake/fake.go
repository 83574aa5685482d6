// Package fake is the REST API of Gitea and Forgejo before a host.Repo, as much
// of it as sluice uses.
package fake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-dev/sluice/pkg/forge/host"
)

// M is a JSON object.
type M = host.M

// Server is the API of one repository, below Prefix.
type Server struct {
	*host.Repo
	Prefix string // /api/v1, perhaps with a directory before it
	Closed bool   // the repository does not allow fast-forward merges
	// Checking is how many more merges are refused because the forge has not
	// looked yet whether the request can be merged, which it does in a queue.
	Checking int
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.Lock()
	defer s.Unlock()
	if s.Fault != nil && s.Fault(w, r) {
		return
	}
	s.Unseen = true // repositories detect a manual merge only if they are told to
	s.Settle()
	user, known := s.User(r)
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), s.Prefix+"/repos/"+s.Project)
	switch {
	case r.Header.Get("Authorization") != "" && !known:
		host.Answer(w, 401, refusal("invalid username, password or token"))
	case !ok || !known:
		host.Answer(w, 404, refusal("The target couldn't be found."))
	default:
		status, out := s.route(r, strings.TrimPrefix(rest, "/"), user)
		host.Answer(w, status, out)
	}
}

func refusal(message string) M {
	return M{"message": message, "url": "https://gitea.example/api/swagger"}
}

func (s *Server) route(r *http.Request, rest, user string) (int, any) {
	var in M
	if r.Method != http.MethodGet {
		_ = json.NewDecoder(r.Body).Decode(&in)
	}
	parts := strings.Split(rest, "/")
	verb := parts[0]
	for len(parts) < 3 {
		parts = append(parts, "")
	}
	n, _ := strconv.Atoi(parts[1])
	p := s.Pull(n)
	get, post := r.Method == http.MethodGet, r.Method == http.MethodPost
	switch {
	case !get && !s.MayWrite(user) && parts[2] != "reviews":
		return 403, refusal("user should have a permission to write to a repo")
	case rest == "pulls" && get:
		return 200, s.list(r)
	case rest == "pulls" && post:
		return s.open(in, user)
	case rest == "labels" && get:
		list := []M{}
		for i, name := range s.Labels {
			list = append(list, M{"id": i + 1, "name": name})
		}
		return 200, page(r, list)
	case (verb == "pulls" || verb == "issues") && p != nil:
		return s.one(r, p, verb, parts[2], in, user)
	case verb == "branches" && get: // whose name is the rest of the path
		name, _ := url.PathUnescape(strings.TrimPrefix(rest, "branches/"))
		if at := s.Git.Branch(name); at != "" {
			return 200, M{"name": name, "commit": M{"id": at}}
		}
	case verb == "commits" && parts[2] == "statuses" && get: // all of them, the newest first
		list := []M{}
		for _, v := range slices.Backward(s.Statuses[parts[1]]) {
			list = append(list, M{"id": v.ID, "context": v.Name, "status": v.State, "description": v.Description, "target_url": v.URL})
		}
		return 200, page(r, list)
	case verb == "statuses" && post:
		if _, err := s.Git.Resolve(parts[1]); err != nil {
			break
		}
		v := s.Say(parts[1], host.Status{Name: text(in, "context"), State: text(in, "state"), Description: text(in, "description"), URL: text(in, "target_url")})
		return 201, M{"id": v.ID, "context": v.Name, "status": v.State}
	case verb == "collaborators" && parts[2] == "permission":
		level := "read"
		if s.MayWrite(parts[1]) {
			level = "write"
		}
		return 200, M{"permission": level, "role_name": level}
	}
	return 404, refusal("The target couldn't be found.")
}

// one answers what is about one request.
func (s *Server) one(r *http.Request, p *host.Pull, verb, what string, in M, user string) (int, any) {
	post := r.Method == http.MethodPost
	switch {
	case verb == "issues" && what == "labels" && post:
		ids, _ := in["labels"].([]any)
		for _, id := range ids {
			if i, ok := id.(float64); ok && int(i) <= len(s.Labels) {
				p.Labels = append(p.Labels, s.Labels[int(i)-1])
			}
		}
		return 200, labels(p.Labels)
	case what == "reviews" && post:
		state := map[string]string{"APPROVED": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}[text(in, "event")]
		if user == p.Author && state != "COMMENTED" {
			return 422, refusal("approve your own pull is not allowed")
		}
		return 200, s.review(p, s.Review(p, user, state, text(in, "commit_id")))
	case what == "reviews":
		list := []M{}
		for _, v := range p.Reviews {
			list = append(list, s.review(p, v))
		}
		return 200, page(r, list)
	case what == "merge" && post:
		return s.merge(p, in, user)
	case what == "" && r.Method == http.MethodPatch:
		if title := text(in, "title"); title != "" {
			p.Title, p.Draft = strings.CutPrefix(title, "WIP: ")
		}
		if body, ok := in["body"].(string); ok {
			p.Body = body
		}
		if state := text(in, "state"); state != "" && !p.Merged {
			p.Closed = state == "closed"
		}
		return 201, s.request(p)
	case what == "":
		return 200, s.request(p)
	}
	return 404, refusal("The target couldn't be found.")
}

// open answers as routers/api/v1/repo/pull.go: 404 without the branches, 409 to
// a request that is there.
func (s *Server) open(in M, user string) (int, any) {
	head, base := text(in, "head"), text(in, "base")
	if s.Git.Branch(head) == "" || s.Git.Branch(base) == "" {
		return 404, refusal("The target couldn't be found.")
	}
	if other := s.Find(head, base); other != nil {
		return 409, refusal(fmt.Sprintf("pull request already exists for these targets [id: %d, issue_id: %d, head_repo_id: 1, base_repo_id: 1, head_branch: %s, base_branch: %s]", other.Number, other.Number, head, base))
	}
	title, draft := strings.CutPrefix(text(in, "title"), "WIP: ")
	return 201, s.request(s.Add(host.Pull{Title: title, Body: text(in, "body"), Head: head, Base: base, Draft: draft, Author: user}))
}

// merge goes through the checks in the order of MergePullRequest in
// routers/api/v1/repo/pull.go. What is no fast-forward it answers with a
// server's error: ErrMergeDivergingFastForwardOnly is not among those that it
// knows.
func (s *Server) merge(p *host.Pull, in M, user string) (int, any) {
	switch {
	case p.Merged:
		return 405, refusal("")
	case p.Closed:
		return 404, refusal("The target couldn't be found.")
	case s.Rules[p.Base].Nobody:
		return 405, refusal("User not allowed to merge PR")
	case p.Draft:
		return 405, refusal("Work in progress PRs cannot be merged")
	case s.Checking > 0:
		s.Checking--
		return 405, refusal("Please try again later")
	case s.Ruled(p, "success") != "":
		return 405, refusal(s.Ruled(p, "success"))
	case text(in, "Do") == "fast-forward-only" && s.Closed:
		return 405, refusal("fast-forward-only is not allowed an allowed merge style for this repository")
	case text(in, "head_commit_id") != "" && text(in, "head_commit_id") != p.SHA:
		return 409, refusal("head out of date")
	}
	if text(in, "Do") != "fast-forward-only" {
		if s.Squash(p, "merge: "+user) != nil {
			return 409, refusal("merge push out of date")
		}
	} else if !s.Forward(p, "api: "+user) {
		return 500, refusal("Merge DivergingFastForwardOnly Error")
	}
	return 200, nil
}

// list gives all open requests, whatever their branches, the newest first.
func (s *Server) list(r *http.Request) []M {
	found := []M{}
	for _, p := range slices.Backward(s.Pulls) {
		if state(p) == r.URL.Query().Get("state") {
			found = append(found, s.request(p))
		}
	}
	return page(r, found)
}

// request is a pull request as Gitea shows it.
func (s *Server) request(p *host.Pull) M {
	title, from := p.Title, 1
	if p.Draft {
		title = "WIP: " + title
	}
	if p.Fork {
		from = 2
	}
	return M{
		"id": 1000 + p.Number, "number": p.Number, "state": state(p), "title": title, "body": p.Body, "draft": p.Draft, "merged": p.Merged, "labels": labels(p.Labels),
		"html_url": fmt.Sprintf("https://gitea.example/%s/pulls/%d", s.Project, p.Number),
		"head":     M{"ref": p.Head, "repo_id": from, "sha": p.SHA}, "base": M{"ref": p.Base, "repo_id": 1, "sha": s.Git.Branch(p.Base)},
	}
}

func state(p *host.Pull) string {
	if p.Open() {
		return "open"
	}
	return "closed"
}

// review is a review as Gitea shows it: official if the branch's protection
// counts it, stale once the head has moved on.
func (s *Server) review(p *host.Pull, v host.Review) M {
	state := map[string]string{"CHANGES_REQUESTED": "REQUEST_CHANGES", "COMMENTED": "COMMENT", "DISMISSED": "APPROVED"}[v.State]
	if state == "" {
		state = v.State
	}
	var user any
	if v.User != "" {
		user = M{"login": v.User}
	}
	return M{
		"id": v.ID, "user": user, "state": state, "commit_id": v.Commit, "submitted_at": v.At, "stale": v.Commit != p.SHA,
		"dismissed": v.Dismissed || v.State == "DISMISSED", "official": s.Rules[p.Base].Approvals > 0 && s.MayWrite(v.User),
	}
}

func labels(names []string) []M {
	out := []M{}
	for _, l := range names {
		out = append(out, M{"name": l})
	}
	return out
}

func text(in M, key string) string {
	v, _ := in[key].(string)
	return v
}

// page cuts a list. Whatever is asked for, 50 entries is what Gitea gives at
// most (MAX_RESPONSE_ITEMS).
func page(r *http.Request, list []M) []M {
	part, _ := host.Page(r, "limit", 30, 50, list)
	return part
}
