package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sluice-dev/sluice/pkg/forge/github/fake"
)

// testForge is the GitHub of one session: a fake API before a bare repository
// that real git serves.
type testForge struct {
	api      fake.Server
	dir      string
	readOnly bool // git lets nobody push
	app      *forgeApp
	lies     map[string]string
	fault    func(http.ResponseWriter, *http.Request) bool
}

type forgeKey struct{}

// forgeServe serves the bare repository acme/shop.git and its API, to whoever
// has the token "secret", and puts the repository's URL into $URL and the
// server's into $SERVER.
func forgeServe(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: forge-serve")
	}
	f := ts.Value(forgeKey{}).(*testForge)
	f.dir = ts.MkAbs("acme/shop.git")
	f.api.Prefix, f.api.Project = "/api/v3", "acme/shop"
	f.api.Branch = func(name string) string {
		if to := f.lies[name]; to != "" {
			return to
		}
		out, _ := f.git("rev-parse", "--verify", "-q", "refs/heads/"+name)
		return out
	}
	f.api.Move = func(name, to string) bool {
		if _, err := f.git("merge-base", "--is-ancestor", "refs/heads/"+name, to); err != nil {
			return false
		}
		if f.lies != nil {
			f.lies[name] = to
			return true
		}
		_, err := f.git("update-ref", "refs/heads/"+name, to)
		return err == nil
	}
	served, err := backend(f.dir)
	ts.Check(err)
	git := http.StripPrefix("/acme", served)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		switch {
		case f.fault != nil && f.fault(w, r):
		case strings.HasPrefix(r.URL.Path, "/api/") && !f.admits(r):
			http.Error(w, `{"message": "Bad credentials"}`, http.StatusUnauthorized)
		case strings.HasPrefix(r.URL.Path, "/api/"):
			f.api.ServeHTTP(w, r)
		case password != "secret":
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			http.Error(w, "no", http.StatusUnauthorized)
		case f.readOnly && strings.Contains(r.URL.String(), "git-receive-pack"):
			http.Error(w, "no", http.StatusForbidden)
		default:
			git.ServeHTTP(w, r)
			if f.lies == nil {
				f.api.Settle()
			}
		}
	}))
	ts.Defer(s.Close)
	ts.Setenv("SERVER", s.URL)
	ts.Setenv("URL", s.URL+"/acme/shop.git")
	ts.Setenv("HOST", strings.TrimPrefix(s.URL, "http://"))
}

// admits tells whether the API lets a request in.
func (f *testForge) admits(r *http.Request) bool {
	if f.app != nil {
		return f.app.admits(r)
	}
	return r.Header.Get("Authorization") == "Bearer secret"
}

func (f *testForge) git(args ...string) (string, error) {
	out, err := exec.Command("git", append([]string{"-C", f.dir}, args...)...).Output()
	return strings.TrimSpace(string(out)), err
}

// forgeState looks at the forge's state, or changes it as people and other
// programs do:
//
//	forge list FILE            one line a request
//	forge body N FILE          its text
//	forge write N FILE         give it another text
//	forge title N TITLE        give it another title
//	forge close N
//	forge merged N             somebody pressed its button
//	forge ready N              it is no draft any more
//	forge writer USER          who may write to the repository
//	forge review N USER STATE [REV]
//	forge status REV NAME STATE
//	forge run REV NAME CONCLUSION
//	forge readonly true|false  whether git refuses pushes
//	forge lie                  branches that the API moves only seem to move
//	forge fault STATUS METHOD PATH [MESSAGE]
//	forge hang METHOD PATH FILE  make a file instead of an answer
//	forge move METHOD PATH BRANCH REV  somebody moves a branch just before the next answer
//	forge app ID INSTALLATION  let nobody in but this App; its key goes to $SLUICE_GITHUB_APP_KEY
//	forge mend                 no more faults and lies
//	forge setup FILE           how it is set up: a fake.Setup in JSON
func forgeState(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: forge VERB ARG...")
	}
	f := ts.Value(forgeKey{}).(*testForge)
	arg := func(i int) string {
		if i >= len(args) {
			ts.Fatalf("forge %s: an argument is missing", args[0])
		}
		return args[i]
	}
	rev := func(text string) string {
		id, err := f.git("rev-parse", "--verify", "-q", text)
		ts.Check(err)
		return id
	}
	pull := func() *fake.Pull {
		n, err := strconv.Atoi(arg(1))
		ts.Check(err)
		return f.api.Pulls[n-1]
	}
	put := func(in *map[string][]fake.M, id string, m fake.M) {
		if *in == nil {
			*in = map[string][]fake.M{}
		}
		// GitHub gives the latest of each name.
		(*in)[id] = append([]fake.M{m}, slices.DeleteFunc((*in)[id], func(had fake.M) bool {
			return had["context"] == m["context"] && had["name"] == m["name"]
		})...)
	}
	switch args[0] {
	case "list":
		f.api.Settle()
		var b strings.Builder
		for i, p := range f.api.Pulls {
			state := "open"
			switch {
			case p.Merged:
				state = "merged"
			case p.Closed:
				state = "closed"
			}
			fmt.Fprintf(&b, "#%d %s %s <- %s draft=%t %q %q\n", i+1, state, p.Base, p.Head, p.Draft, p.Labels, p.Title)
		}
		ts.Check(os.WriteFile(ts.MkAbs(arg(1)), []byte(b.String()), 0o600))
	case "body":
		ts.Check(os.WriteFile(ts.MkAbs(arg(2)), []byte(pull().Body+"\n"), 0o600))
	case "write":
		pull().Body = ts.ReadFile(arg(2))
	case "title":
		pull().Title = arg(2)
	case "close":
		pull().Closed = true
	case "merged":
		pull().Merged = true
	case "ready":
		pull().Draft = false
	case "writer":
		if f.api.Writers == nil {
			f.api.Writers = map[string]bool{}
		}
		f.api.Writers[arg(1)] = true
	case "review":
		p := pull()
		id := f.api.Branch(p.Head)
		if len(args) > 4 {
			id = rev(args[4])
		}
		p.Reviews = append(p.Reviews, fake.M{"id": len(p.Reviews) + 1, "user": fake.M{"login": arg(2)}, "state": arg(3), "commit_id": id})
	case "status":
		put(&f.api.Statuses, rev(arg(1)), fake.M{"context": arg(2), "state": arg(3)})
	case "run":
		put(&f.api.Runs, rev(arg(1)), fake.M{"name": arg(2), "status": "completed", "conclusion": arg(3)})
	case "readonly":
		f.readOnly = arg(1) == "true"
	case "fault":
		status, err := strconv.Atoi(arg(1))
		ts.Check(err)
		message := ""
		if len(args) > 4 {
			message = args[4]
		}
		method, path := arg(2), arg(3)
		f.fault = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != method || !strings.Contains(r.URL.Path, path) {
				return false
			}
			http.Error(w, fmt.Sprintf(`{"message": %q}`, message), status)
			return true
		}
	case "setup":
		f.api.Setup = fake.Setup{}
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(arg(1))), &f.api.Setup))
	case "hang":
		method, path, file := arg(1), arg(2), ts.MkAbs(arg(3))
		f.fault = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != method || !strings.Contains(r.URL.Path, path) {
				return false
			}
			ts.Check(os.WriteFile(file, nil, 0o600))
			_, _ = io.Copy(io.Discard, r.Body) // or the server does not notice that the client has gone
			<-r.Context().Done()
			return true
		}
	case "move":
		method, path, to := arg(1), arg(2), rev(arg(4))
		ref, done := "refs/heads/"+arg(3), false
		f.fault = func(_ http.ResponseWriter, r *http.Request) bool {
			if !done && r.Method == method && strings.Contains(r.URL.Path, path) {
				done = true
				_, _ = f.git("update-ref", ref, to)
			}
			return false
		}
	case "app":
		app, key, err := newApp(arg(1), arg(2))
		ts.Check(err)
		f.app = app
		ts.Setenv("SLUICE_GITHUB_APP_KEY", key)
	case "lie":
		f.lies = map[string]string{}
	case "mend":
		f.fault, f.lies = nil, nil
	default:
		ts.Fatalf("forge: no verb %q", args[0])
	}
}
