package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	giteafake "github.com/sluice-dev/sluice/pkg/forge/gitea/fake"
	"github.com/sluice-dev/sluice/pkg/forge/github/described"
	githubfake "github.com/sluice-dev/sluice/pkg/forge/github/fake"
	gitlabfake "github.com/sluice-dev/sluice/pkg/forge/gitlab/fake"
	"github.com/sluice-dev/sluice/pkg/forge/host"
)

// testForge is the forge of one session: a fake API before a bare repository
// that real git serves.
type testForge struct {
	*host.Repo
	t        testscript.T
	odd      []string // what GitHub's description does not have
	setup    *githubfake.Setup
	readOnly bool // git lets nobody push
	app      *forgeApp
	fault    func(http.ResponseWriter, *http.Request) bool
}

type forgeKey struct{}

// forgeServe [github|gitlab|gitea] serves the bare repository acme/shop.git and
// its API, to whoever has the token "secret", and puts the repository's URL into
// $URL and the server's into $SERVER.
func forgeServe(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 {
		ts.Fatalf("usage: forge-serve [github|gitlab|gitea]")
	}
	f := ts.Value(forgeKey{}).(*testForge)
	f.Repo = &host.Repo{Git: host.Git{Dir: ts.MkAbs("acme/shop.git")}, Project: "acme/shop", Tokens: map[string]string{"secret": host.Owner}}
	var api http.Handler
	switch strings.Join(args, "") {
	case "", "github":
		s := &githubfake.Server{Prefix: "/api/v3", Repo: f.Repo}
		f.setup = &s.Setup
		descriptions, err := described.All()
		ts.Check(err)
		api = described.Hold(descriptions, s.Prefix, s, func(what string) {
			f.Lock()
			defer f.Unlock()
			f.odd = append(f.odd, what)
		})
		ts.Defer(func() {
			if len(f.odd) > 0 {
				f.t.Fatal("not as GitHub describes it: " + strings.Join(f.odd, "\n"))
			}
		})
	case "gitlab":
		api = &gitlabfake.Server{Prefix: "/api/v4", Repo: f.Repo}
	case "gitea":
		api = &giteafake.Server{Prefix: "/api/v1", Repo: f.Repo}
	default:
		ts.Fatalf("no forge %q", args[0])
	}
	served, err := backend(f.Git.Dir)
	ts.Check(err)
	git := http.StripPrefix("/acme", served)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		switch {
		case f.fault != nil && f.fault(w, r):
		case strings.HasPrefix(r.URL.Path, "/api/") && !f.admits(r):
			http.Error(w, `{"message": "Bad credentials"}`, http.StatusUnauthorized)
		case strings.HasPrefix(r.URL.Path, "/api/"):
			api.ServeHTTP(w, r)
		case password != "secret":
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			http.Error(w, "no", http.StatusUnauthorized)
		case f.readOnly && strings.Contains(r.URL.String(), "git-receive-pack"):
			http.Error(w, "no", http.StatusForbidden)
		default:
			git.ServeHTTP(w, r)
			f.Lock()
			f.Settle()
			f.Unlock()
		}
	}))
	ts.Defer(s.Close)
	ts.Setenv("SERVER", s.URL)
	ts.Setenv("URL", s.URL+"/acme/shop.git")
	ts.Setenv("HOST", strings.TrimPrefix(s.URL, "http://"))
}

// admits tells whether the API lets a request in.
func (f *testForge) admits(r *http.Request) bool {
	return f.app == nil || f.app.admits(r)
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
//	forge squash N             press the button that makes another commit
//	forge ready N              it is no draft any more
//	forge writer USER          who may write to the repository
//	forge review N USER STATE [REV]   in GitHub's words, on each forge
//	forge status REV NAME STATE       in the forge's words
//	forge run REV NAME CONCLUSION     a check run, or a job
//	forge protect BRANCH              nobody may merge there
//	forge label NAME                  the repository has such a label
//	forge readonly true|false  whether git refuses pushes
//	forge lie                  branches that the API moves only seem to move
//	forge fault STATUS METHOD PATH [MESSAGE]
//	forge hang METHOD PATH FILE  make a file instead of an answer
//	forge move METHOD PATH BRANCH REV  somebody moves a branch just before the next answer
//	forge app ID INSTALLATION  let nobody in but this App; its key goes to $SLUICE_GITHUB_APP_KEY
//	forge mend                 no more faults and lies
//	forge setup FILE           how GitHub is set up: a fake.Setup in JSON
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
	f.Lock()
	defer f.Unlock()
	rev := func(text string) string {
		id, err := f.Git.Resolve(text)
		ts.Check(err)
		return id
	}
	pull := func() *host.Pull {
		n, err := strconv.Atoi(arg(1))
		ts.Check(err)
		if f.Pull(n) == nil {
			ts.Fatalf("there is no request %d", n)
		}
		return f.Pull(n)
	}
	switch args[0] {
	case "list":
		f.Settle()
		var b strings.Builder
		for i, p := range f.Pulls {
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
	case "squash":
		ts.Check(f.Squash(pull(), "button"))
	case "writer":
		if f.Writers == nil {
			f.Writers = map[string]bool{}
		}
		f.Writers[arg(1)] = true
	case "review":
		id := ""
		if len(args) > 4 {
			id = rev(args[4])
		}
		f.Settle()
		f.Review(pull(), arg(2), arg(3), id)
	case "status":
		f.Say(rev(arg(1)), host.Status{Name: arg(2), State: arg(3)})
	case "run":
		f.Say(rev(arg(1)), host.Status{Name: arg(2), State: arg(3), Run: true})
	case "protect":
		f.Rules = map[string]host.Rule{arg(1): {Nobody: true}}
	case "label":
		f.Labels = append(f.Labels, arg(1))
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
		*f.setup = githubfake.Setup{}
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(arg(1))), f.setup))
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
		method, path, name, to := arg(1), arg(2), arg(3), rev(arg(4))
		done := false
		f.fault = func(_ http.ResponseWriter, r *http.Request) bool {
			if !done && r.Method == method && strings.Contains(r.URL.Path, path) {
				done = true
				f.Lock()
				defer f.Unlock()
				_ = f.Git.Update(name, f.Git.Branch(name), to, "somebody")
			}
			return false
		}
	case "app":
		app, key, err := newApp(arg(1), arg(2))
		ts.Check(err)
		f.app, f.Tokens = app, nil // it lets in whom the App lets in
		ts.Setenv("SLUICE_GITHUB_APP_KEY", key)
	case "lie":
		f.Git.Lies = map[string]string{}
	case "mend":
		f.fault, f.Git.Lies = nil, nil
	default:
		ts.Fatalf("forge: no verb %q", args[0])
	}
}
