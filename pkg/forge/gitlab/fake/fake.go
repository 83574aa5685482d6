// Package fake is GitLab's REST API before a host.Repo, as much of it as sluice
// uses.
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

// Server is the API of one project, below Prefix.
type Server struct {
	*host.Repo
	Prefix string // /api/v4
	Method string // how the project merges; ff if it is empty
	// Checking is how many more requests are told that GitLab has not looked yet
	// whether a merge request can be merged, which it does beside its answers.
	Checking int
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.Lock()
	defer s.Unlock()
	if s.Fault != nil && s.Fault(w, r) {
		return
	}
	// MergeRequests::RefreshService marks what a push has merged; a merge request
	// whose source branch is gone stays open and broken.
	s.KeepsDeleted = true
	s.Settle()
	user, known := s.User(r)
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), s.Prefix+"/projects/"+url.PathEscape(s.Project))
	switch {
	case !known:
		host.Answer(w, 401, M{"message": "401 Unauthorized"})
	case !ok:
		host.Answer(w, 404, M{"message": "404 Project Not Found"})
	default:
		status, out := s.route(w, r, strings.TrimPrefix(rest, "/"), user)
		host.Answer(w, status, out)
	}
}

func (s *Server) route(w http.ResponseWriter, r *http.Request, rest, user string) (int, any) {
	in := M{}
	if r.Method != http.MethodGet {
		_ = json.NewDecoder(r.Body).Decode(&in)
	}
	parts := strings.Split(rest, "/")
	for len(parts) < 4 {
		parts = append(parts, "")
	}
	n, _ := strconv.Atoi(parts[1])
	p := s.Pull(n)
	get, post, put := r.Method == http.MethodGet, r.Method == http.MethodPost, r.Method == http.MethodPut
	switch {
	case rest == "" && get:
		method := s.Method
		if method == "" {
			method = "ff"
		}
		return 200, M{"id": 1, "path_with_namespace": s.Project, "merge_method": method}
	case !get && !s.MayWrite(user) && parts[2] != "approve":
		return 403, M{"message": "403 Forbidden"}
	case rest == "merge_requests" && get:
		return 200, s.list(w, r)
	case rest == "merge_requests" && post:
		return s.open(in, user)
	case parts[0] == "merge_requests" && p != nil:
		return s.one(w, r, p, parts[2], in, user)
	case parts[0] == "repository" && parts[1] == "branches" && get:
		name, _ := url.PathUnescape(parts[2])
		if at := s.Git.Branch(name); at != "" {
			return 200, M{"name": name, "commit": M{"id": at}}
		}
		return 404, M{"message": "404 Branch Not Found"}
	case parts[0] == "repository" && parts[1] == "commits" && parts[3] == "statuses" && get:
		return 200, page(w, r, s.statuses(parts[2]))
	case parts[0] == "statuses" && post:
		return s.say(parts[1], in)
	case put:
		return 405, M{"error": "405 Not Allowed"}
	}
	return 404, M{"message": "404 Not Found"}
}

// one answers what is about one merge request.
func (s *Server) one(w http.ResponseWriter, r *http.Request, p *host.Pull, what string, in M, user string) (int, any) {
	switch {
	case what == "" && r.Method == http.MethodPut:
		return s.edit(p, in)
	case what == "":
		return 200, s.request(p)
	case what == "approvals":
		list := []M{}
		for _, name := range s.approved(p) {
			list = append(list, M{"user": M{"username": name}})
		}
		return 200, M{"iid": p.Number, "approved_by": list}
	case what == "versions": // newest first
		list := []M{}
		for i, v := range slices.Backward(p.Heads) {
			list = append(list, M{"id": i + 1, "head_commit_sha": v.Commit, "created_at": v.At})
		}
		return 200, page(w, r, list)
	case what == "notes":
		return 200, page(w, r, notes(p))
	case what == "merge" && r.Method == http.MethodPut:
		return s.merge(p, in, user)
	}
	return 404, M{"message": "404 Not Found"}
}

// open follows lib/api/merge_requests.rb: handle_merge_request_errors! answers
// 409 to a merge request that is there, 422 to other values that are not valid.
func (s *Server) open(in M, user string) (int, any) {
	head, base := text(in, "source_branch"), text(in, "target_branch")
	title, draft := strings.CutPrefix(text(in, "title"), "Draft: ")
	if other := s.Find(head, base); other != nil {
		return 409, M{"message": []string{fmt.Sprintf("Another open merge request already exists for this source branch: !%d", other.Number)}}
	}
	if s.Git.Branch(head) == "" {
		return 422, M{"message": M{"source_branch": []string{"does not exist"}}}
	}
	if s.Git.Branch(base) == "" {
		return 422, M{"message": M{"target_branch": []string{"does not exist"}}}
	}
	return 201, s.request(s.Add(host.Pull{Title: title, Body: text(in, "description"), Head: head, Base: base, Draft: draft, Author: user}))
}

func (s *Server) edit(p *host.Pull, in M) (int, any) {
	if _, ok := in["title"]; ok {
		p.Title, p.Draft = strings.CutPrefix(text(in, "title"), "Draft: ")
	}
	if _, ok := in["description"]; ok {
		p.Body = text(in, "description")
	}
	if add := text(in, "add_labels"); add != "" {
		p.Labels = append(p.Labels, strings.Split(add, ",")...)
	}
	switch text(in, "state_event") {
	case "close":
		p.Closed = true
	case "reopen":
		p.Closed = p.Merged
	}
	return 200, s.request(p)
}

// merge goes through the checks in the order of lib/api/merge_requests.rb: who
// may (401), whether it can be merged now (405), the given commit (409), and
// 422 for a merge that then fails.
func (s *Server) merge(p *host.Pull, in M, user string) (int, any) {
	switch {
	case s.Rules[p.Base].Nobody:
		return 401, M{"message": "401 Unauthorized"}
	case s.status(p) != "mergeable":
		return 405, M{"message": "405 Method Not Allowed"}
	case text(in, "sha") != "" && text(in, "sha") != p.SHA:
		return 409, M{"message": "SHA does not match HEAD of source branch: " + p.SHA}
	}
	if s.Method != "" && s.Method != "ff" {
		if s.Squash(p, "merge: "+user) != nil {
			return 422, M{"message": "Branch cannot be merged"}
		}
	} else if !s.Forward(p, "api: "+user) {
		return 422, M{"message": "Branch cannot be merged"}
	}
	return 200, s.request(p)
}

// status is detailed_merge_status, in the words of doc/api/merge_requests.md.
func (s *Server) status(p *host.Pull) string {
	base := s.Git.Branch(p.Base)
	switch {
	case !p.Open():
		return "not_open"
	case s.Checking > 0:
		s.Checking--
		return "checking"
	case s.Git.Branch(p.Head) == "" || base == "":
		return "broken_status"
	case p.Draft:
		return "draft_status"
	case s.Ruled(p, "success") != "":
		return "not_approved"
	case !s.Git.Contains(p.SHA, base):
		return "need_rebase"
	}
	return "mergeable"
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) []M {
	q := r.URL.Query()
	found := []M{}
	for _, p := range s.Pulls {
		if state(p) == q.Get("state") && q.Get("source_branch") == p.Head && q.Get("target_branch") == p.Base {
			found = append(found, s.request(p))
		}
	}
	return page(w, r, found)
}

// request is a merge request as GitLab shows it.
func (s *Server) request(p *host.Pull) M {
	title, from := p.Title, 1
	if p.Draft {
		title = "Draft: " + title
	}
	if p.Fork {
		from = 2
	}
	return M{
		"id": 1000 + p.Number, "iid": p.Number, "source_branch": p.Head, "target_branch": p.Base, "source_project_id": from, "target_project_id": 1,
		"sha": p.SHA, "title": title, "description": p.Body, "draft": p.Draft, "labels": append([]string{}, p.Labels...), "state": state(p),
		"detailed_merge_status": s.status(p), "web_url": fmt.Sprintf("https://gitlab.com/%s/-/merge_requests/%d", s.Project, p.Number),
	}
}

func state(p *host.Pull) string {
	switch {
	case p.Merged:
		return "merged"
	case p.Closed:
		return "closed"
	}
	return "opened"
}

// approved gives who approves. Only members can, and GitLab has no word for who
// changed their mind but that the approval is gone.
func (s *Server) approved(p *host.Pull) []string {
	var names []string
	for _, v := range p.Reviews {
		if v.State == "COMMENTED" {
			continue
		}
		names = slices.DeleteFunc(names, func(n string) bool { return n == v.User })
		if v.State == "APPROVED" && !v.Dismissed && s.MayWrite(v.User) {
			names = append(names, v.User)
		}
	}
	return names
}

// notes are the notes of a merge request, the newest first; GitLab writes one
// for each approval.
func notes(p *host.Pull) []M {
	list := []M{}
	for _, v := range slices.Backward(p.Reviews) {
		body, system := map[string]string{"APPROVED": "approved this merge request", "CHANGES_REQUESTED": "requested changes", "DISMISSED": "unapproved this merge request"}[v.State], true
		if body == "" {
			body, system = "approved this merge request", false // what a person may write
		}
		list = append(list, M{"id": v.ID, "system": system, "body": body, "author": M{"username": v.User}, "created_at": v.At})
	}
	return list
}

// statuses gives the latest status of each name, jobs among them.
func (s *Server) statuses(commit string) []M {
	list := []M{}
	for _, v := range append(s.Latest(commit, false), s.Latest(commit, true)...) {
		list = append(list, M{"id": v.ID, "sha": commit, "name": v.Name, "status": v.State, "description": v.Description, "target_url": v.URL})
	}
	return list
}

// say follows lib/api/commit_statuses.rb: to set what is set is refused.
func (s *Server) say(commit string, in M) (int, any) {
	if _, err := s.Git.Resolve(commit); err != nil {
		return 404, M{"message": "404 Commit Not Found"}
	}
	v := host.Status{Name: text(in, "name"), State: text(in, "state"), Description: text(in, "description"), URL: text(in, "target_url")}
	for _, had := range s.Latest(commit, false) {
		if had.Name == v.Name && had.State == v.State {
			return 400, M{"message": "Cannot transition status via :enqueue from :" + v.State}
		}
	}
	v = s.Say(commit, v)
	return 201, M{"id": v.ID, "sha": commit, "name": v.Name, "status": v.State}
}

func text(in M, key string) string {
	v, _ := in[key].(string)
	return v
}

// page cuts a list and names the next page in a header, as GitLab does.
func page(w http.ResponseWriter, r *http.Request, list []M) []M {
	part, next := host.Page(r, "per_page", 20, 100, list)
	w.Header().Set("X-Next-Page", "")
	if next > 0 {
		w.Header().Set("X-Next-Page", strconv.Itoa(next))
	}
	return part
}
