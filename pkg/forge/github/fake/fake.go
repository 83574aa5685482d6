// Package fake is a GitHub for tests: as much of its REST API as sluice uses,
// over values in memory. Its answers are held to GitHub's own description of
// the API by the tests of the package above.
package fake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// Server is the API of one repository, below Prefix (/api/v3, or nothing).
type Server struct {
	Prefix  string
	Project string // owner/name
	Branch  func(name string) string
	Move    func(name, to string) bool // false if that is no fast-forward
	Fault   func(w http.ResponseWriter, r *http.Request) bool

	mu       sync.Mutex
	Pulls    []*Pull
	Statuses map[string][]M // by commit, latest first
	Runs     map[string][]M
	Writers  map[string]bool // who may write
	Setup    Setup
}

// M is a JSON object.
type M = map[string]any

// Pull is a pull request.
type Pull struct {
	Title, Body, Head, Base string
	Draft, Fork, Closed     bool
	Merged                  bool
	Labels                  []string
	Reviews                 []M
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if s.Fault != nil && s.Fault(w, r) {
		return
	}
	path, _ := strings.CutPrefix(r.URL.Path, s.Prefix)
	if strings.HasPrefix(path, "/app/installations/") && r.Method == http.MethodPost {
		answer(w, 201, M{"token": "installation-token", "expires_at": "2999-01-01T00:00:00Z", "permissions": M{"contents": "write"}})
		return
	}
	rest, ok := strings.CutPrefix(path, "/repos/"+s.Project)
	if out := s.settings(w, r, rest); ok && out != nil && r.Header.Get("Authorization") != "" {
		answer(w, 200, out)
		return
	}
	rest, slash := strings.CutPrefix(rest, "/")
	if !ok || !slash || r.Header.Get("Authorization") == "" {
		answer(w, 404, M{"message": "Not Found"})
		return
	}
	var in M
	var labels []string
	if strings.HasSuffix(rest, "/labels") {
		_ = json.NewDecoder(r.Body).Decode(&labels)
	} else {
		_ = json.NewDecoder(r.Body).Decode(&in)
	}
	verb, arg, _ := strings.Cut(rest, "/")
	status, out := s.route(w, r, verb, arg, in, labels)
	if out == nil {
		status, out = 404, M{"message": "Not Found"}
	}
	answer(w, status, out)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (s *Server) route(w http.ResponseWriter, r *http.Request, verb, arg string, in M, labels []string) (int, any) {
	what := ""
	if verb != "git" {
		arg, what, _ = strings.Cut(arg, "/")
	}
	n, _ := strconv.Atoi(arg)
	switch {
	case verb == "pulls" && arg == "" && r.Method == http.MethodPost:
		return s.open(in)
	case verb == "pulls" && arg == "":
		return s.list(w, r)
	case (verb == "pulls" || verb == "issues") && (n < 1 || n > len(s.Pulls)):
		return 404, nil
	case verb == "issues" && what == "labels":
		p := s.Pulls[n-1]
		p.Labels = append(p.Labels, labels...)
		return 200, names(p.Labels)
	case verb == "pulls" && what == "reviews":
		return 200, page(w, r, s.Pulls[n-1].Reviews)
	case verb == "pulls" && r.Method == http.MethodPatch:
		p := s.Pulls[n-1]
		p.Title, p.Body = in["title"].(string), in["body"].(string)
		return 200, s.pull(n)
	case verb == "pulls":
		return 200, s.pull(n)
	case verb == "collaborators":
		return 200, M{"permission": map[bool]string{true: "write", false: "read"}[s.Writers[arg]], "role_name": "x", "user": nil}
	case verb == "commits" && what == "status":
		return 200, M{"sha": arg, "state": "pending", "statuses": page(w, r, s.Statuses[arg]), "total_count": len(s.Statuses[arg])}
	case verb == "commits" && what == "check-runs":
		return 200, M{"total_count": len(s.Runs[arg]), "check_runs": page(w, r, s.Runs[arg])}
	case verb == "statuses":
		if s.Statuses == nil {
			s.Statuses = map[string][]M{}
		}
		s.Statuses[arg] = append([]M{in}, s.Statuses[arg]...)
		return 201, in
	case verb == "git":
		return s.ref(r, arg, in)
	}
	return 404, nil
}

func (s *Server) open(in M) (int, any) {
	p := &Pull{Title: in["title"].(string), Body: in["body"].(string), Head: in["head"].(string), Base: in["base"].(string), Draft: in["draft"] == true}
	for i, other := range s.Pulls {
		if other.Head == p.Head && other.Base == p.Base && s.pull(i + 1)["state"] == "open" && !other.Fork {
			return 422, M{"message": "Validation Failed", "documentation_url": "x", "errors": []M{{
				"resource": "PullRequest", "code": "custom", "message": "A pull request already exists for acme:" + p.Head + ".",
			}}}
		}
	}
	s.Pulls = append(s.Pulls, p)
	return 201, s.pull(len(s.Pulls))
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) (int, any) {
	q := r.URL.Query()
	owner, _, _ := strings.Cut(s.Project, "/")
	found := []M{}
	for i, p := range s.Pulls {
		if v := s.pull(i + 1); v["state"] == q.Get("state") && q.Get("head") == owner+":"+p.Head && q.Get("base") == p.Base {
			delete(v, "merged")
			found = append(found, v)
		}
	}
	return 200, page(w, r, found)
}

// pull is a pull request as GitHub shows it: merged, once its base holds its head.
func (s *Server) pull(n int) M {
	p := s.Pulls[n-1]
	sha := s.Branch(p.Head)
	merged := p.Merged || !p.Fork && !p.Closed && sha != "" && s.Branch(p.Base) == sha
	state, head := "open", 1
	if merged || p.Closed {
		state = "closed"
	}
	if p.Fork {
		head = 2
	}
	return M{
		"number": n, "state": state, "title": p.Title, "body": p.Body, "draft": p.Draft, "merged": merged, "labels": names(p.Labels),
		"html_url": fmt.Sprintf("https://github.com/%s/pull/%d", s.Project, n),
		"head":     M{"ref": p.Head, "sha": sha, "repo": M{"id": head}}, "base": M{"ref": p.Base, "sha": s.Branch(p.Base), "repo": M{"id": 1}},
	}
}

// Settle closes what a push has closed: pull requests whose base holds their
// head, and those whose head is gone. Nothing opens them again.
func (s *Server) Settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.Pulls {
		sha := s.Branch(p.Head)
		switch {
		case p.Fork || p.Closed || p.Merged:
		case sha == "":
			p.Closed = true
		case sha == s.Branch(p.Base):
			p.Merged = true
		}
	}
}

func (s *Server) ref(r *http.Request, arg string, in M) (int, any) {
	name := strings.TrimPrefix(strings.TrimPrefix(arg, "ref/heads/"), "refs/heads/")
	if r.Method == http.MethodPatch && (in["force"] != false || !s.Move(name, in["sha"].(string))) {
		return 422, M{"message": "Update is not a fast forward", "documentation_url": "x"}
	}
	if s.Branch(name) == "" {
		return 404, nil
	}
	return 200, M{"ref": "refs/heads/" + name, "node_id": "x", "url": "https://x", "object": M{"type": "commit", "sha": s.Branch(name), "url": "https://x"}}
}

func names(labels []string) []M {
	out := []M{}
	for _, l := range labels {
		out = append(out, M{"name": l})
	}
	return out
}

// page cuts a list as ?page and ?per_page say, and links to the next page.
func page(w http.ResponseWriter, r *http.Request, list []M) []M {
	q := r.URL.Query()
	size, _ := strconv.Atoi(q.Get("per_page"))
	n, _ := strconv.Atoi(q.Get("page"))
	n = max(n, 1)
	from := min((n-1)*size, len(list))
	to := min(from+size, len(list))
	if to < len(list) {
		q.Set("page", strconv.Itoa(n+1))
		w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?%s>; rel="next"`, r.Host, r.URL.Path, q.Encode()))
	}
	return append([]M{}, list[from:to]...)
}
