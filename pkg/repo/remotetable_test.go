package repo

import (
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseEndpoint(t *testing.T) {
	tests := []struct{ in, want string }{ // scheme user password host port path
		{"https://github.com/o/r.git", "https|||github.com||/o/r.git"},
		{"HTTPS://u:p%40q@h:8443/o/r", "https|u|p@q|h|8443|/o/r"},
		{"https://h", "https|||h||/"},
		{"http://[::1]:80/x", "http|||::1|80|/x"},
		{"ssh://git@h:2222/o/r.git", "ssh|git||h|2222|/o/r.git"},
		{"git+ssh://h/~me/r", "ssh|||h||~me/r"},
		{"git@github.com:o/r.git", "ssh|git||github.com||o/r.git"},
		{"h:/abs", "ssh|||h||/abs"},
		{"[::1]:r", "ssh|||::1||r"},
		{"u@[h:22]:r", "ssh|u||h|22|r"},
		{"file:///a/b", "file|||||/a/b"},
		{"/a/b", "file|||||/a/b"},
		{"../b", "file|||||/b"},
		{"./a:b", "file|||||/top/a:b"},
		{"file://host/a", "error"},
		{"git://h/r", "error"},
		{"ext::sh -c x", "error"},
		{"https:///r", "error"},
		{"https://h:x/r", "error"},
		{"ssh://-oProxyCommand=x/r", "error"},
		{"-oProxyCommand=x:r", "error"},
		{"https://u%0a:x@h/r", "error"},
		{"https://h/\nr", "error"},
	}
	for _, tt := range tests {
		e, err := parseEndpoint(tt.in, "/top")
		got := strings.Join([]string{e.scheme, e.user, e.password, e.host, e.port, filepath.ToSlash(e.path)}, "|")
		if err != nil {
			got = "error"
		}
		if got != tt.want {
			t.Errorf("parseEndpoint(%q) = %s, want %s (%v)", tt.in, got, tt.want, err)
		}
	}
}

// TestRemoteURLs rewrites as git itself says that it would.
func TestRemoteURLs(t *testing.T) {
	for _, config := range []string{
		"[remote \"origin\"]\nurl = gh:o/r\n[url \"https://github.com/\"]\ninsteadOf = gh:\n",
		"[remote \"origin\"]\nurl = https://github.com/o/r\n[url \"git@github.com:\"]\npushInsteadOf = https://github.com/\n",
		"[remote \"origin\"]\nurl = https://h/a/b\n[url \"ssh://one/\"]\ninsteadOf = https://h/\n[url \"ssh://two/\"]\ninsteadOf = https://h/a/\n",
		"[remote \"origin\"]\nurl = https://h/a\npushurl = gh:a\n[url \"ssh://one/\"]\ninsteadOf = gh:\n[url \"ssh://two/\"]\npushInsteadOf = gh:\n",
		"[remote \"origin\"]\nurl = https://h/a\n[url \"ssh://one/\"]\ninsteadOf = https://h/\npushInsteadOf = https://\n",
	} {
		g := newGit(t)
		g.write(".git/config", "[core]\nbare = false\n"+config)
		fetch, push := g.openEnv(Env{Home: g.home()}).config.remoteURLs("origin")
		if want := g.git("remote", "get-url", "origin"); fetch != want {
			t.Errorf("fetch URL %q, git %q, of\n%s", fetch, want, config)
		}
		if want := g.git("remote", "get-url", "--push", "--all", "origin"); strings.Join(push, "\n") != want {
			t.Errorf("push URLs %q, git %q, of\n%s", push, want, config)
		}
	}
}

// TestForURL picks the same value as git config --get-urlmatch.
func TestForURL(t *testing.T) {
	config := `[http]
	proxy = general
[http "https://github.com/"]
	proxy = host
[http "https://github.com/org"]
	proxy = org
[http "https://*.example.com"]
	proxy = star
[http "https://a.example.com:8443"]
	proxy = port
[http "https://me@github.com/"]
	proxy = user
`
	g := newGit(t)
	must(t, os.WriteFile(filepath.Join(g.home(), ".gitconfig"), []byte(config), 0o666))
	r := g.openEnv(Env{Home: g.home()})
	for _, u := range []string{
		"https://github.com/x/y", "https://github.com/org/y", "https://github.com/organization/y", "https://GitHub.com:443/org", "http://github.com/org",
		"https://a.example.com/x", "https://a.b.example.com/x", "https://a.example.com:8443/x", "https://me@github.com/x", "https://you@github.com/x",
	} {
		at, err := parseEndpoint(u, "/")
		must(t, err)
		values := r.config.forURL("proxy", at)
		if want := g.git("config", "--get-urlmatch", "http.proxy", u); len(values) == 0 || values[len(values)-1] != want {
			t.Errorf("forURL(%q) = %q, git %q", u, values, want)
		}
	}
}

func TestNetrc(t *testing.T) {
	text := "# machine h login no password no\nmachine other login o password po\nmacdef init\nmachine h login no password no\n\n" +
		"machine h\n\tlogin ann\n\taccount x\n\tpassword pa\nmachine H login bob password pb default login d password pd"
	for _, tt := range []struct{ host, user, want string }{
		{"h", "", "ann pa"}, {"h", "bob", "bob pb"}, {"other", "", "o po"}, {"nowhere", "", "d pd"}, {"nowhere", "x", " "},
	} {
		user, password, ok := parseNetrc(text, tt.host, tt.user)
		if got := user + " " + password; got != tt.want || ok != (tt.want != " ") {
			t.Errorf("parseNetrc(%q, %q) = %q, want %q", tt.host, tt.user, got, tt.want)
		}
	}
}

func TestSSHConfig(t *testing.T) {
	home := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(home, ".ssh/conf.d"), 0o700))
	write := func(name, text string) { must(t, os.WriteFile(filepath.Join(home, ".ssh", name), []byte(text), 0o600)) }
	write("config", `# comment
Include conf.d/*
User "first last"
Host *.example.com !bad.example.com
  Port = 2222
  HostName gate.%h
  IdentityFile ~/.ssh/a
Match host gate.*.example.com
  IdentityFile %d/b
Match exec "true"
  IdentityFile no
Match originalhost bad.example.com,c
  Port 7
Match all
  IdentityFile ~/c-%h
  ConnectTimeout 3
Port 99
`)
	write("conf.d/1", "Host a.example.com\nPort 1\nUser inc\n")
	for _, tt := range []struct{ host, name, port, user, ids string }{
		{"a.example.com", "gate.a.example.com", "1", "inc", "~/.ssh/a %d/b ~/c-%h"},
		{"b.example.com", "gate.b.example.com", "2222", "first last", "~/.ssh/a %d/b ~/c-%h"},
		{"bad.example.com", "bad.example.com", "7", "first last", "~/c-%h"},
		{"elsewhere", "elsewhere", "99", "first last", "~/c-%h"},
	} {
		target, err := sshTargetFor(tt.host, home, sshCommand{})
		must(t, err)
		got := []string{target.host(), target.values["port"], target.values["user"], strings.Join(target.ids, " ")}
		if diff := cmp.Diff([]string{tt.name, tt.port, tt.user, tt.ids}, got); diff != "" {
			t.Errorf("%s: %s", tt.host, diff)
		}
		if len(target.skipped) != 1 {
			t.Errorf("%s: skipped %v", tt.host, target.skipped)
		}
	}
	write("config", "Include config\n")
	if _, err := sshTargetFor("h", home, sshCommand{}); err == nil {
		t.Error("a file that includes itself is no error")
	}
}

// TestCertificates trusts a server's own CA when it is named, and nothing less.
func TestCertificates(t *testing.T) {
	s := newServer(t)
	srv := httptest.NewUnstartedServer(s)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	must(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600))
	a := local(t, srv.URL+"/remote.git")
	a.git("config", "http.sslVerify", "false")
	var remote *RemoteError
	if _, err := a.remote(a.options()).List(t.Context()); !errors.As(err, &remote) || !strings.Contains(remote.Hint, "sslCAInfo") {
		t.Errorf("List with an unknown CA: %v", err)
	}
	o := a.options()
	o.CAFile = ca
	if _, err := a.remote(o).List(t.Context()); err != nil {
		t.Error(err)
	}
	a.git("config", "http.sslCAInfo", ca)
	if _, err := a.remote(a.options()).List(t.Context()); err != nil {
		t.Error(err)
	}
	a.git("config", "http.sslCAInfo", a.dir+"/none")
	if _, err := a.remote(a.options()).List(t.Context()); err == nil {
		t.Error("a CA file that is not there is no error")
	}
}

// TestReadThenWrite: that anybody may read says nothing about who may write.
func TestReadThenWrite(t *testing.T) {
	s := closed(t)
	s.public = true
	a := local(t, s.url)
	helperScript(t, a, canary)
	m := a.remote(a.options())
	_, err := m.List(t.Context())
	must(t, err)
	id := a.commit("x", "1")
	if _, err := a.push(m, "main", "", id); err != nil {
		t.Error(err)
	}
}
