package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// remote is a bare repository behind git's own HTTP server, which can lose the
// requests and answers of pushes.
type remote struct {
	dir, url string
	git      http.Handler
	faults   bool
	cuts     int    // so many pushes are cut before they get there
	applied  func() // runs once, when a push has been applied, before its answer is lost
	lost     struct {
		sync.Mutex
		before, during, after, asking int
	}
}

// newRemote serves a source of n commits on main. A hook notes it if a push
// would take anything back.
func newRemote(t *testing.T, n int, faults bool) (r *remote, sources []string) {
	t.Helper()
	r = &remote{dir: filepath.Join(t.TempDir(), "remote.git"), faults: faults}
	work := t.TempDir()
	git(t, work, "init", "-q", "-b", "main")
	git(t, work, "init", "-q", "--bare", "-b", "main", r.dir)
	git(t, r.dir, "config", "uploadpack.allowAnySHA1InWant", "true")
	put(t, filepath.Join(work, "sluice.yaml"), "kubectlApply: [a.yaml]\nenvironments:\n- name: staging\n- name: production\n  promotedFrom: staging\n")
	for i := range n {
		put(t, filepath.Join(work, "a.yaml"), fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {n: n%d}\n", i))
		git(t, work, "add", "-A")
		git(t, work, "commit", "-qm", fmt.Sprint("source ", i))
		sources = append(sources, git(t, work, "rev-parse", "HEAD"))
	}
	git(t, work, "push", "-q", r.dir, "main")
	hook := filepath.Join(r.dir, "hooks/update")
	put(t, hook, "#!/bin/sh\ncase $2 in 0000*) exit 0;; esac\ngit merge-base --is-ancestor $2 $3 && exit 0\necho \"$@\" >>taken-back\nexit 1\n")
	if err := os.Chmod(hook, 0o700); err != nil {
		t.Fatal(err)
	}
	var err error
	if r.git, err = backend(r.dir); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL + "/remote.git"
	return r, sources
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (r *remote) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	push := strings.HasSuffix(req.URL.Path, "/git-receive-pack")
	asks := strings.Contains(req.URL.RawQuery, "git-receive-pack")
	chance := rand.IntN(10)
	switch applied := r.takeApplied(push); {
	case push && r.takeCut():
		cut(w)
	case applied != nil:
		r.git.ServeHTTP(httptest.NewRecorder(), req)
		applied()
		cut(w)
	case r.faults && push && chance < 2:
		r.count(&r.lost.before)
		cut(w)
	case r.faults && push && chance < 4:
		// The server has all of it and goes on with nobody listening.
		r.count(&r.lost.during)
		var body bytes.Buffer
		body.ReadFrom(req.Body)
		again := req.Clone(context.WithoutCancel(req.Context()))
		again.Body = io.NopCloser(&body)
		cut(w)
		r.git.ServeHTTP(httptest.NewRecorder(), again)
	case r.faults && push && chance < 6:
		r.count(&r.lost.after)
		r.git.ServeHTTP(httptest.NewRecorder(), req)
		cut(w)
	case r.faults && asks && chance < 2:
		r.count(&r.lost.asking)
		cut(w)
	default:
		r.git.ServeHTTP(w, req)
	}
}

func (r *remote) takeCut() bool {
	r.lost.Lock()
	defer r.lost.Unlock()
	r.cuts--
	return r.cuts >= 0
}

func (r *remote) takeApplied(push bool) func() {
	r.lost.Lock()
	defer r.lost.Unlock()
	if !push {
		return nil
	}
	f := r.applied
	r.applied = nil
	return f
}

func (r *remote) count(n *int) {
	r.lost.Lock()
	defer r.lost.Unlock()
	*n++
}

// cut ends a connection without a word.
func cut(w http.ResponseWriter) {
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		conn.Close()
	}
}

// clone gives a working copy at a source commit, in one of the shapes that
// people and CI have: complete, one commit deep, a linked working tree.
func (r *remote) clone(t *testing.T, i int, source, shared string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "clone")
	switch i % 3 {
	case 0:
		git(t, ".", "clone", "-q", r.dir, dir)
		git(t, dir, "checkout", "-q", "--detach", source)
	case 1:
		git(t, ".", "init", "-q", dir)
		git(t, dir, "fetch", "-q", "--depth", "1", "file://"+r.dir, source)
		git(t, dir, "checkout", "-q", "--detach", source)
		git(t, dir, "remote", "add", "origin", r.url)
	case 2:
		git(t, shared, "worktree", "add", "-q", "--detach", dir, source)
	}
	git(t, dir, "remote", "set-url", "origin", r.url)
	return dir
}

func (r *remote) tip(t *testing.T) string {
	t.Helper()
	return git(t, r.dir, "for-each-ref", "--format=%(objectname)", "refs/heads/env/staging")
}
