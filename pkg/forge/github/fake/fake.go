// Package fake is GitHub's REST API before a host.Repo, as much of it as sluice
// uses. What it answers is held to GitHub's own description of the API.
package fake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/sluice-dev/sluice/pkg/forge/host"
)

// M is a JSON object.
type M = host.M

// Server is the API of one repository, below Prefix (/api/v3, or nothing).
type Server struct {
	*host.Repo
	Prefix string
	Setup  Setup
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.Lock()
	defer s.Unlock()
	if s.Fault != nil && s.Fault(w, r) {
		return
	}
	s.Settle()
	path, _ := strings.CutPrefix(r.URL.Path, s.Prefix)
	user, known := s.User(r)
	rest, ok := strings.CutPrefix(path, "/repos/"+s.Project)
	rest, slash := strings.CutPrefix(rest, "/")
	ok = ok && (slash || rest == "")
	switch {
	case strings.HasPrefix(path, "/app/installations/") && r.Method == http.MethodPost:
		host.Answer(w, 201, M{"token": "installation-token", "expires_at": "2999-01-01T00:00:00Z", "permissions": M{"contents": "write"}})
	case r.Header.Get("Authorization") != "" && !known:
		host.Answer(w, 401, refusal("Bad credentials"))
	case !ok || !known:
		host.Answer(w, 404, refusal("Not Found"))
	default:
		status, out := 200, s.settings(w, r, rest)
		if out == nil {
			status, out = s.route(w, r, rest, user)
		}
		host.Answer(w, status, out)
	}
}

func refusal(message string) M {
	return M{"message": message, "documentation_url": "https://docs.github.com/rest"}
}

// route answers a request by the path below the repository.
func (s *Server) route(w http.ResponseWriter, r *http.Request, rest, user string) (int, any) {
	verb, arg, _ := strings.Cut(rest, "/")
	what := ""
	if verb != "git" {
		arg, what, _ = strings.Cut(arg, "/")
	}
	n, _ := strconv.Atoi(arg)
	p := s.Pull(n)
	switch {
	case r.Method != http.MethodGet && !s.MayWrite(user) && what != "reviews":
		return 403, refusal("Resource not accessible by personal access token")
	case verb == "pulls" && arg == "" && r.Method == http.MethodPost:
		return s.open(r, user)
	case verb == "pulls" && arg == "":
		return s.list(w, r)
	case (verb == "pulls" || verb == "issues") && p == nil:
	case verb == "issues" && what == "labels":
		var labels []string
		_ = json.NewDecoder(r.Body).Decode(&labels)
		p.Labels = append(p.Labels, labels...)
		return 200, names(p.Labels)
	case verb == "pulls" && what == "reviews":
		return 200, page(w, r, s.reviews(p))
	case verb == "pulls" && what == "" && r.Method == http.MethodPatch:
		return s.edit(r, p)
	case verb == "pulls" && what == "":
		return 200, s.pull(p)
	case verb == "collaborators" && what == "permission":
		level := "read"
		if s.MayWrite(arg) {
			level = "write"
		}
		return 200, M{"permission": level, "role_name": level, "user": nil}
	case verb == "commits" && what == "status":
		// GitHub gives the latest of each context, whatever it was before.
		list := s.statuses(arg)
		return 200, M{"sha": arg, "state": "pending", "statuses": page(w, r, list), "total_count": len(list)}
	case verb == "commits" && what == "check-runs":
		list := s.runs(arg)
		return 200, M{"total_count": len(list), "check_runs": page(w, r, list)}
	case verb == "statuses":
		return s.say(r, arg)
	case verb == "git" && (strings.HasPrefix(arg, "ref/heads/") || strings.HasPrefix(arg, "refs/heads/")):
		return s.ref(r, arg, user)
	}
	return 404, refusal("Not Found")
}

func (s *Server) open(r *http.Request, user string) (int, any) {
	var in struct {
		Title, Body, Head, Base string
		Draft                   bool
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	invalid := func(e M) (int, any) {
		e["resource"] = "PullRequest"
		v := refusal("Validation Failed")
		v["errors"] = []M{e}
		return 422, v
	}
	head, base := s.Git.Branch(in.Head), s.Git.Branch(in.Base)
	owner, _, _ := strings.Cut(s.Project, "/")
	switch {
	case head == "":
		return invalid(M{"field": "head", "code": "invalid"})
	case base == "":
		return invalid(M{"field": "base", "code": "invalid"})
	case s.Find(in.Head, in.Base) != nil:
		return invalid(M{"code": "custom", "message": "A pull request already exists for " + owner + ":" + in.Head + "."})
	case s.Git.Contains(base, head):
		return invalid(M{"code": "custom", "message": fmt.Sprintf("No commits between %s and %s", in.Base, in.Head)})
	}
	return 201, s.pull(s.Add(host.Pull{Title: in.Title, Body: in.Body, Head: in.Head, Base: in.Base, Draft: in.Draft, Author: user}))
}

func (s *Server) edit(r *http.Request, p *host.Pull) (int, any) {
	var in struct{ Title, Body, State *string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	if in.Title != nil {
		p.Title = *in.Title
	}
	if in.Body != nil {
		p.Body = *in.Body
	}
	if in.State != nil && !p.Merged {
		p.Closed = *in.State == "closed"
	}
	return 200, s.pull(p)
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) (int, any) {
	q := r.URL.Query()
	owner, _, _ := strings.Cut(s.Project, "/")
	found := []M{}
	for _, p := range s.Pulls {
		if state(p) == q.Get("state") && q.Get("head") == owner+":"+p.Head && q.Get("base") == p.Base {
			v := s.pull(p)
			delete(v, "merged") // which only a single one tells
			found = append(found, v)
		}
	}
	return 200, page(w, r, found)
}

// pull is a pull request as GitHub shows it.
func (s *Server) pull(p *host.Pull) M {
	from := 1
	if p.Fork {
		from = 2
	}
	return M{
		"number": p.Number, "state": state(p), "title": p.Title, "body": p.Body, "draft": p.Draft, "merged": p.Merged, "labels": names(p.Labels),
		"html_url": fmt.Sprintf("https://github.com/%s/pull/%d", s.Project, p.Number),
		"head":     M{"ref": p.Head, "sha": p.SHA, "repo": M{"id": from}}, "base": M{"ref": p.Base, "sha": s.Git.Branch(p.Base), "repo": M{"id": 1}},
	}
}

func state(p *host.Pull) string {
	if p.Open() {
		return "open"
	}
	return "closed"
}

func (s *Server) reviews(p *host.Pull) []M {
	var list []M
	for _, v := range p.Reviews {
		state := v.State
		if v.Dismissed {
			state = "DISMISSED"
		}
		var user any // nobody: the account is gone
		if v.User != "" {
			user = M{"login": v.User}
		}
		list = append(list, M{"id": v.ID, "user": user, "state": state, "commit_id": v.Commit})
	}
	return list
}

func (s *Server) statuses(commit string) []M {
	var list []M
	for _, v := range s.Latest(commit, false) {
		list = append(list, M{"context": v.Name, "state": v.State, "description": v.Description, "target_url": optional(v.URL)})
	}
	return list
}

func (s *Server) runs(commit string) []M {
	var list []M
	for _, v := range s.Latest(commit, true) {
		run := M{"name": v.Name, "status": "completed", "conclusion": v.State}
		switch v.State {
		case "queued", "in_progress":
			run["status"], run["conclusion"] = v.State, nil
		}
		list = append(list, run)
	}
	return list
}

func (s *Server) say(r *http.Request, commit string) (int, any) {
	var in struct {
		State, Context, Description string
		Target                      string `json:"target_url"`
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	if _, err := s.Git.Resolve(commit); err != nil {
		return 422, refusal("No commit found for SHA: " + commit)
	}
	s.Say(commit, host.Status{Name: in.Context, State: in.State, Description: in.Description, URL: in.Target})
	return 201, M{"context": in.Context, "state": in.State, "description": in.Description, "target_url": optional(in.Target)}
}

// ref reads or moves a branch. Without force GitHub moves it to whatever
// follows it, wherever it is by then.
func (s *Server) ref(r *http.Request, arg, user string) (int, any) {
	name := strings.TrimPrefix(strings.TrimPrefix(arg, "ref/heads/"), "refs/heads/")
	at := s.Git.Branch(name)
	if at == "" {
		return 404, refusal("Not Found")
	}
	if r.Method == http.MethodPatch {
		var in struct {
			SHA   string
			Force bool
		}
		_ = json.NewDecoder(r.Body).Decode(&in)
		switch {
		case s.Rules[name].Nobody:
			return 422, refusal("Repository rule violations found")
		case in.Force || !s.Git.Contains(in.SHA, at) || s.Git.Update(name, at, in.SHA, "api: "+user) != nil:
			return 422, refusal("Update is not a fast forward")
		}
		s.Settle()
		at = in.SHA
	}
	return 200, M{"ref": "refs/heads/" + name, "node_id": "x", "url": "https://x", "object": M{"type": "commit", "sha": at, "url": "https://x"}}
}

func names(labels []string) []M {
	out := []M{}
	for _, l := range labels {
		out = append(out, M{"name": l})
	}
	return out
}

func optional(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// page cuts a list and links to the next page, as GitHub does.
func page(w http.ResponseWriter, r *http.Request, list []M) []M {
	part, next := host.Page(r, "per_page", 30, 100, list)
	if next > 0 {
		q := r.URL.Query()
		q.Set("page", strconv.Itoa(next))
		w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?%s>; rel="next"`, r.Host, r.URL.Path, q.Encode()))
	}
	return part
}
