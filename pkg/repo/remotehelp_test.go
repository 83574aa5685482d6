package repo

import (
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// canary is the secret of every test that needs one. It must turn up nowhere.
const canary = "ghp_canaryCANARYcanary0123456789"

// gitServer is a bare repository behind git's own HTTP server.
type gitServer struct {
	*gitRepo // the bare repository
	url      string
	http     *httptest.Server
	logins   map[string]string // user to password; nil lets everybody in
	public   bool              // everybody may read
	mu       sync.Mutex
	seen     []string // Authorization, a line a request
	env      []string // for git http-backend
}

func newBare(t testing.TB) *gitRepo {
	t.Helper()
	seed := newGit(t)
	dir := filepath.Join(t.TempDir(), "remote.git")
	seed.git("init", "-q", "--bare", "-b", "main", dir)
	return seed.at(dir)
}

func newServer(t testing.TB) *gitServer {
	t.Helper()
	s := &gitServer{gitRepo: newBare(t)}
	s.git("config", "http.receivepack", "true")
	s.http = httptest.NewServer(s)
	t.Cleanup(s.http.Close)
	s.url = s.http.URL + "/remote.git"
	return s
}

func (s *gitServer) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	s.mu.Lock()
	s.seen = append(s.seen, req.Method+" "+req.Header.Get("Authorization"))
	s.mu.Unlock()
	if s.logins != nil && !(s.public && strings.Contains(req.URL.String(), "upload-pack")) {
		user, password, _ := req.BasicAuth()
		if want, ok := s.logins[user]; !ok || want != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			// A server that repeats what it was sent must not make us repeat it.
			http.Error(w, "bad credentials: "+req.Header.Get("Authorization")+" "+password, http.StatusUnauthorized)
			return
		}
	}
	s.backend(w, req)
}

func (s *gitServer) backend(w http.ResponseWriter, req *http.Request) {
	git, err := exec.LookPath("git")
	if err != nil {
		panic(err)
	}
	h := &cgi.Handler{
		Path: git, Args: []string{"http-backend"}, Dir: s.dir, Root: "/",
		Env:    append(append([]string{"GIT_PROJECT_ROOT=" + filepath.Dir(s.dir), "GIT_HTTP_EXPORT_ALL=1"}, s.gitRepo.env...), s.env...),
		Stderr: new(strings.Builder),
	}
	h.ServeHTTP(w, req)
}

// hook installs a shell script as a hook of the bare repository.
func (g *gitRepo) hook(name, script string) {
	g.t.Helper()
	path := filepath.Join(g.dir, "hooks", name)
	must(g.t, os.MkdirAll(filepath.Dir(path), 0o777))
	must(g.t, os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o777))
}

// local is a repository with the remote as origin.
func local(t testing.TB, url string) *gitRepo {
	t.Helper()
	g := newGit(t)
	g.git("remote", "add", "origin", url)
	return g
}

// options are for a remote that anybody may use.
func (g *gitRepo) options() RemoteOptions {
	git, err := exec.LookPath("git")
	must(g.t, err)
	return RemoteOptions{Git: git, Environ: g.env, Who: who, Silence: 10 * time.Second, Connect: 5 * time.Second}
}

func (g *gitRepo) home() string {
	for _, v := range g.env {
		if home, ok := strings.CutPrefix(v, "HOME="); ok {
			return home
		}
	}
	g.t.Fatal("no HOME")
	return ""
}

func (g *gitRepo) remote(options RemoteOptions) *Remote {
	g.t.Helper()
	m, err := g.openEnv(Env{Home: g.home()}).Remote("origin", options)
	must(g.t, err)
	return m
}

// transports are the ways to one bare repository that need nothing installed.
func transports(t *testing.T, run func(t *testing.T, bare *gitRepo, url string)) {
	t.Run("file", func(t *testing.T) {
		bare := newBare(t)
		run(t, bare, "file://"+bare.dir)
	})
	t.Run("http", func(t *testing.T) {
		s := newServer(t)
		run(t, s.gitRepo, s.url)
	})
}

func noCanary(t *testing.T, where, text string) {
	t.Helper()
	if strings.Contains(text, canary) || strings.Contains(text, "canary") {
		t.Errorf("%s shows the secret: %s", where, text)
	}
}

// noCanaryIn looks through every file of a repository.
func noCanaryIn(t *testing.T, dir string) {
	t.Helper()
	must(t, filepath.Walk(dir, func(path string, fi os.FileInfo, err error) error {
		if err != nil || fi.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		noCanary(t, path, string(b))
		return err
	}))
}

// push pushes one branch from what it is at there.
func (g *gitRepo) push(m *Remote, branch string, old, new ID) ([]PushResult, error) {
	return m.Push(g.t.Context(), []PushRef{{Name: "refs/heads/" + branch, Old: old, New: new}})
}

func outcome(results []PushResult) string {
	var words []string
	for _, r := range results {
		words = append(words, fmt.Sprint(r.Outcome))
	}
	return strings.Join(words, ",")
}
