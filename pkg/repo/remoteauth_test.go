package repo

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// closed is a server that lets one user in.
func closed(t *testing.T) *gitServer {
	s := newServer(t)
	s.logins = map[string]string{"x-access-token": canary, "ann": canary}
	return s
}

func basicAuth(user, password string) string {
	return "basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// helperScript gives a credential and writes down what it is asked.
func helperScript(t *testing.T, g *gitRepo, password string) (log string) {
	t.Helper()
	dir := t.TempDir()
	log = filepath.Join(dir, "log")
	script := filepath.Join(dir, "helper")
	text := fmt.Sprintf("#!/bin/sh\nin=$(cat | grep -v ^password | tr '\\n' ' ')\necho \"$1 $in\" >> %s\nif test \"$1\" = get; then echo username=ann; echo password=%s; fi\n", log, password)
	must(t, os.WriteFile(script, []byte(text), 0o700))
	g.git("config", "credential.helper", script)
	return log
}

// TestLogins gets in by each way that people have set up. The secret turns up in
// no file that a run writes.
func TestLogins(t *testing.T) {
	tests := []struct {
		name  string
		setup func(s *gitServer, a *gitRepo, o *RemoteOptions)
	}{
		{"a token given", func(s *gitServer, a *gitRepo, o *RemoteOptions) {
			o.Token = func(string, string) (Credential, bool) { return Credential{Secret: canary, From: "SLUICE_TOKEN"}, true }
		}},
		{"http.extraHeader, as actions/checkout leaves it", func(s *gitServer, a *gitRepo, o *RemoteOptions) {
			a.write("../cred", "[http \""+s.http.URL+"/\"]\n\textraheader = AUTHORIZATION: "+basicAuth("x-access-token", canary)+"\n")
			a.git("config", "include.path", filepath.Join(a.dir, "../cred"))
		}},
		{"the URL", func(s *gitServer, a *gitRepo, o *RemoteOptions) {
			a.git("config", "--global", "url."+strings.Replace(s.url, "http://", "http://ann:"+canary+"@", 1)+".insteadOf", s.url)
		}},
		{"a credential helper", func(s *gitServer, a *gitRepo, o *RemoteOptions) {
			helperScript(t, a, canary)
		}},
		{"netrc", func(s *gitServer, a *gitRepo, o *RemoteOptions) {
			must(t, os.WriteFile(filepath.Join(a.home(), ".netrc"), []byte("machine 127.0.0.1\n  login ann\n  password "+canary+"\n"), 0o600))
		}},
		{"a bad token, and then a helper", func(s *gitServer, a *gitRepo, o *RemoteOptions) {
			o.Token = func(string, string) (Credential, bool) {
				return Credential{Secret: canary + "old", From: "SLUICE_TOKEN"}, true
			}
			helperScript(t, a, canary)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := closed(t)
			a := local(t, s.url)
			o := a.options()
			tt.setup(s, a, &o)
			m := a.remote(o)
			noCanary(t, "URL", m.URL())
			id := a.commit("x", "1")
			if _, err := a.push(m, "env/staging", "", id); err != nil {
				t.Fatalf("Push: %v", err)
			}
			_, err := m.Fetch(t.Context(), []FetchSpec{{"refs/heads/*", "refs/remotes/origin/*"}}, FetchOptions{})
			must(t, err)
			noCanaryIn(t, a.dir)
		})
	}
}

func TestNoLogin(t *testing.T) {
	s := closed(t)
	a := local(t, s.url)
	log := helperScript(t, a, canary+"old")
	must(t, os.WriteFile(filepath.Join(a.home(), ".netrc"), []byte("default login ann password "+canary+"older"), 0o600))
	a.git("config", "http.extraHeader", "Authorization: bearer "+canary+"2")
	o := a.options()
	o.Token = func(_, host string) (Credential, bool) {
		if !strings.HasPrefix(s.http.URL, "http://"+host) {
			t.Errorf("a token is asked for host %q", host)
		}
		return Credential{Secret: canary + "1", From: "SLUICE_TOKEN"}, true
	}
	id := a.commit("x", "1")
	_, err := a.push(a.remote(o), "main", "", id)
	var auth *AuthError
	if !errors.As(err, &auth) {
		t.Fatalf("Push = %v, want *AuthError", err)
	}
	want := []string{"SLUICE_TOKEN", "http.extraHeader", "git's credential helper", "~/.netrc"}
	if diff := cmp.Diff(want, auth.Tried); diff != "" {
		t.Error(diff)
	}
	noCanary(t, "the error", fmt.Sprintf("%v %+v %s", err, auth, auth.Hint))
	asked, err := os.ReadFile(log)
	must(t, err)
	if got := string(asked); !strings.HasPrefix(got, "get protocol=http host=127.0.0.1:") || !strings.Contains(got, "\nerase ") || strings.Contains(got, "store") {
		t.Errorf("the helper was asked: %s", got)
	}
	noCanaryIn(t, filepath.Join(a.dir, ".git", "refs"))
}

// TestHelperApprove tells the helper once that its credential was good, and asks it
// only when nothing else serves.
func TestHelperApprove(t *testing.T) {
	s := closed(t)
	a := local(t, s.url)
	log := helperScript(t, a, canary)
	id := a.commit("x", "1")
	m := a.remote(a.options())
	_, err := a.push(m, "main", "", id)
	must(t, err)
	_, err = m.List(t.Context())
	must(t, err)
	asked, err := os.ReadFile(log)
	must(t, err)
	if got := string(asked); strings.Count(got, "get ") != 1 || strings.Count(got, "store ") != 1 {
		t.Errorf("the helper was asked: %s", got)
	}
	open := newServer(t)
	a.git("config", "remote.origin.url", open.url)
	_, err = a.remote(a.options()).List(t.Context())
	must(t, err)
	if again, _ := os.ReadFile(log); string(again) != string(asked) {
		t.Errorf("the helper is asked for a public repository: %s", again)
	}
}

// TestRedirect follows a renamed repository and no further: credentials do not go
// to another host, and a push does not either.
func TestRedirect(t *testing.T) {
	s := closed(t)
	thief := newServer(t)
	to := s.http.URL
	outer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if rest, ok := strings.CutPrefix(req.URL.Path, "/old.git/"); ok {
			http.Redirect(w, req, to+"/remote.git/"+rest+"?"+req.URL.RawQuery, http.StatusMovedPermanently)
			return
		}
		s.ServeHTTP(w, req)
	}))
	defer outer.Close()
	a := local(t, outer.URL+"/old.git")
	o := a.options()
	o.Token = func(string, string) (Credential, bool) { return Credential{Secret: canary, From: "SLUICE_TOKEN"}, true }
	id := a.commit("x", "1")
	to = outer.URL
	_, err := a.push(a.remote(o), "main", "", id)
	if err != nil {
		t.Errorf("Push to a renamed repository: %v", err)
	}
	to = thief.http.URL
	s.seen = nil
	_, err = a.push(a.remote(o), "main", "", id)
	var remote *RemoteError
	if !errors.As(err, &remote) || !strings.Contains(remote.Hint, "set the remote's URL") || !strings.Contains(err.Error(), thief.url) {
		t.Errorf("Push redirected to another host: %v", err)
	}
	if _, err := a.remote(o).Fetch(t.Context(), []FetchSpec{{"refs/heads/*", "refs/remotes/origin/*"}}, FetchOptions{}); !errors.As(err, &remote) {
		t.Errorf("Fetch redirected to another host: %v", err)
	}
	if len(thief.seen) > 0 {
		t.Errorf("the other host was asked: %v", thief.seen)
	}
	to = strings.Replace(thief.http.URL, "http://", "http://"+canary+"@", 1)
	_, err = a.push(a.remote(o), "main", "", id)
	noCanary(t, "the error", fmt.Sprint(err))
}

// TestAnswers holds odd servers to errors that say what is wrong.
func TestAnswers(t *testing.T) {
	tests := []struct {
		name   string
		handle http.HandlerFunc
		want   string
		as     any
	}{
		{"nothing there", func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, "no repository there", new(*RemoteError)},
		{"forbidden", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "x", http.StatusForbidden) }, "refused access", new(*AuthError)},
		{"a login page", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>log in") }, `"text/html" and not git's`, new(*RemoteError)},
		{"broken", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "out of order", http.StatusBadGateway) }, "502 Bad Gateway: out of order", new(*RemoteError)},
		{"redirect in a circle", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) }, "redirects more than", new(*RemoteError)},
		{"silence", func(w http.ResponseWriter, r *http.Request) { time.Sleep(time.Second) }, "no answer for", new(*RemoteError)},
		{"version 2", git("001e# service=git-upload-pack\n0000000eversion 2\n0000"), "not in git's protocol", new(*RemoteError)},
		{"cut in the middle", git("001e# service=git-upload-pack\n000000"), "unexpected EOF", new(*RemoteError)},
		{"an error in the protocol", git("001e# service=git-upload-pack\n00000017ERR come back later"), "come back later", new(*RemoteError)},
		{"sha256", git("001e# service=git-upload-pack\n0000006a" + strings.Repeat("a", 64) + " refs/heads/main\x00object-format=sha256\n0000"), "SHA-256", new(*RemoteError)},
		{"no length", git("zzzz"), "not in git's protocol", new(*RemoteError)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(tt.handle)
			defer srv.Close()
			a := local(t, srv.URL+"/x.git")
			o := a.options()
			o.Silence = 300 * time.Millisecond
			_, err := a.remote(o).List(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.want) || !errors.As(err, tt.as) {
				t.Errorf("List = %v (%T), want %q, %T", err, err, tt.want, tt.as)
			}
		})
	}
}

func git(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		fmt.Fprint(w, body)
	}
}

// TestProtocolVersions: a server set to version 1 or 2 still speaks 0 to a client that does
// not ask for more.
func TestProtocolVersions(t *testing.T) {
	for _, version := range []string{"0", "1", "2"} {
		s := newServer(t)
		s.env = []string{"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=protocol.version", "GIT_CONFIG_VALUE_0=" + version}
		if version == "1" {
			s.env = append(s.env, "GIT_PROTOCOL=version=1")
		}
		a := local(t, s.url)
		m := a.remote(a.options())
		id := a.commit("x", "1")
		_, err := a.push(m, "main", "", id)
		must(t, err)
		if refs, err := m.List(t.Context()); refs["refs/heads/main"] != id || refs["HEAD"] != id || err != nil {
			t.Errorf("version %s: List = %v, %v", version, refs, err)
		}
	}
}

func TestProxy(t *testing.T) {
	s := newServer(t)
	var seen []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		seen = append(seen, req.URL.Host+" "+req.Header.Get("Proxy-Authorization"))
		s.ServeHTTP(w, req)
	}))
	defer proxy.Close()
	withUser := strings.Replace(proxy.URL, "http://", "http://me:"+canary+"@", 1)
	for _, set := range []func(a *gitRepo, o *RemoteOptions){
		func(a *gitRepo, o *RemoteOptions) { o.HTTPProxy = withUser },
		func(a *gitRepo, o *RemoteOptions) { a.git("config", "http.proxy", withUser) },
		func(a *gitRepo, o *RemoteOptions) { a.git("config", "http.http://git.example/.proxy", withUser) },
		func(a *gitRepo, o *RemoteOptions) { a.git("config", "remote.origin.proxy", withUser) },
	} {
		seen = nil
		a := local(t, "http://git.example/remote.git")
		o := a.options()
		set(a, &o)
		_, err := a.remote(o).List(t.Context())
		if want := "git.example Basic " + strings.TrimPrefix(basicAuth("me", canary), "basic "); err != nil || !slices.Equal(seen, []string{want}) {
			t.Errorf("List = %v, the proxy saw %v", err, seen)
		}
		o.NoProxy = "git.example"
		o.Connect = time.Second
		seen = nil
		if a.remote(o).List(t.Context()); o.HTTPProxy != "" && len(seen) > 0 {
			t.Error("NO_PROXY is not honored")
		}
	}
	a := local(t, "http://git.example/remote.git")
	o := a.options()
	o.HTTPProxy = "http://me:" + canary + "%zz@127.0.0.1:1"
	_, err := a.remote(o).List(t.Context())
	if err == nil {
		t.Error("a malformed proxy is no error")
	}
	noCanary(t, "the error", fmt.Sprint(err))
}

func TestURLErrorsHideSecrets(t *testing.T) {
	for _, u := range []string{
		"https://" + canary + "@127.0.0.1:1/x", "https://u:" + canary + "%zz@127.0.0.1:1/x", "https://" + canary + "@/x",
		"https://u:" + canary + "/y@127.0.0.1:1/x", "https://127.0.0.1:1/x?token=" + canary, "ftp://u:" + canary + "@h/x",
		"http://u:" + canary + "@127.0.0.1:port/x", "git://" + canary + "@h/x", "ext::" + canary,
		"http://u:" + canary + "@127.0.0.1:1/a\nb",
	} {
		a := newGit(t)
		a.write(".git/config", "[core]\nbare=false\n[remote \"origin\"]\nurl = \""+strings.ReplaceAll(u, "\n", "\\n")+"\"\n")
		o := a.options()
		o.Connect, o.Git = time.Second, ""
		m, err := a.openEnv(Env{}).Remote("origin", o)
		if err == nil {
			_, err = m.List(t.Context())
		}
		if err == nil {
			t.Errorf("%s: no error", u)
		}
		noCanary(t, u, strings.ReplaceAll(fmt.Sprintf("%v %#v", err, err), url.QueryEscape(u), ""))
	}
}
