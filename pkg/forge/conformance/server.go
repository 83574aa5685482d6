package conformance

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-dev/sluice/pkg/forge"
)

// Server is a forge with a repository, as the suite drives it.
type Server struct {
	API   *url.URL
	Token string // of somebody who may write, and on a real forge administers the repository
	// Make makes sluice's client of the repository, or of one that is not there.
	Make    func(t *forge.Transport, missing bool) (forge.Forge, error)
	Remote  string   // what git pushes to
	Git     []string // git's environment, with whatever lets it in
	People  People
	Atomic  bool // looks whether a request is there and makes it in one step
	Detects bool // a base that a push moved to the head shows the request as merged
	// Patience is how long what follows from a push or an answer may take.
	Patience time.Duration
	Sleep    func(time.Duration)
	Via      http.RoundTripper
	// Busy has the forge say that it does not know yet whether it can merge. nil
	// where it cannot be made to.
	Busy func()
}

// People is what people do at a forge. An error NotTried says that nobody is
// there to do it.
type People interface {
	Review(r forge.Request, v forge.Verdict) error // by somebody else than the author, who may write
	Close(r forge.Request) error
	State(r forge.Request) (string, error) // open, closed, merged
	Label(name string) error               // makes one known
	Protect(branch string) error           // against merges that nobody has approved
}

// NotTried is why a part of the suite is left out.
type NotTried string

func (e NotTried) Error() string { return string(e) }

// line carries requests, and loses answers.
type line struct {
	via  http.RoundTripper
	lose int // how many answers to what changes something
}

func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := l.via.RoundTrip(r)
	if err != nil || l.lose == 0 || r.Method == http.MethodGet {
		return res, err
	}
	l.lose--
	res.Body.Close()
	return nil, fmt.Errorf("reading the answer: connection reset by peer")
}

// suite is one case: an environment of its own, in one server.
type suite struct {
	*Server
	t          *testing.T
	ctx        context.Context
	f          forge.Forge
	line       *line
	dir        string // of a repository here
	base, head string
	commits    []string // each on the one before; the base begins at the first
	aside      string   // on the first one, beside the second
}

// begin makes the branches of an environment.
func begin(t *testing.T, s *Server, name string) *suite {
	t.Helper()
	u := &suite{Server: s, t: t, ctx: t.Context(), base: "env/" + name, head: "sluice/promote/" + name, dir: filepath.Join(t.TempDir(), "here")}
	u.f = u.client(s.Token, false)
	u.git("", "init", "-q", u.dir)
	var stream strings.Builder
	for i, content := range []string{name + " 0", name + " 1", name + " 2", name + " 3", name + " aside"} {
		from, branch := fmt.Sprintf("from :%d\n", i), "line"
		switch i {
		case 0:
			from = ""
		case 4:
			from, branch = "from :1\n", "aside"
		}
		fmt.Fprintf(&stream, "commit refs/heads/%s\nmark :%d\ncommitter Ada <ada@example.com> 1767603600 +0000\ndata %d\n%s\n%sM 100644 inline object.yaml\ndata %d\n%s\n\n",
			branch, i+1, len(content), content, from, len(content), content)
	}
	u.git(stream.String(), "fast-import", "--quiet")
	u.commits = strings.Fields(u.git("", "rev-list", "--reverse", "line"))
	u.aside = u.git("", "rev-parse", "aside")
	u.push(u.base, u.commits[0])
	return u
}

// client makes a client with a token.
func (u *suite) client(token string, missing bool) forge.Forge {
	u.t.Helper()
	u.line = &line{via: u.Via}
	f, err := u.Make(&forge.Transport{
		Base: u.API, Via: u.line, Token: token, From: "THE_TOKEN", Wants: "THE_TOKEN",
		Now:   func() time.Time { return time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC) },
		Sleep: func(ctx context.Context, d time.Duration) error { u.Sleep(d); return ctx.Err() },
	}, missing)
	if err != nil {
		u.t.Fatal(err)
	}
	return f
}

// git runs git in the repository here.
func (u *suite) git(stdin string, args ...string) string {
	u.t.Helper()
	cmd := exec.Command("git", args...)
	if args[0] != "init" {
		cmd.Args = append([]string{"git", "-C", u.dir}, args...)
	}
	cmd.Stdin, cmd.Env = strings.NewReader(stdin), slices.Concat(u.Git, []string{
		"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nowhere", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_AUTHOR_DATE=2026-01-05T09:00:00Z",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com", "GIT_COMMITTER_DATE=2026-01-05T09:00:00Z",
	})
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		u.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// push moves a branch at the forge however it stands, or deletes it.
func (u *suite) push(branch, to string) {
	u.t.Helper()
	u.git("", "push", "-q", "--force", u.Remote, to+":refs/heads/"+branch)
}

// at gives the commit of a branch, as git sees it at the forge.
func (u *suite) at(branch string) string {
	u.t.Helper()
	id, _, _ := strings.Cut(u.git("", "ls-remote", u.Remote, "refs/heads/"+branch), "\t")
	return id
}

// soon waits until something holds, as long as the server's patience lasts.
func (u *suite) soon(what string, holds func() string) {
	u.t.Helper()
	wrong := holds()
	for waited := time.Duration(0); wrong != "" && waited < u.Patience; waited += time.Second / 4 {
		u.Sleep(time.Second / 4)
		wrong = holds()
	}
	if wrong != "" {
		u.t.Fatalf("%s: %s", what, wrong)
	}
}

// done ends a part that people were needed for. It gives false, aloud, if there
// was nobody.
func (u *suite) done(err error) bool {
	u.t.Helper()
	if why, ok := err.(NotTried); ok {
		u.t.Logf("NOT TRIED: %s", string(why))
		return false
	}
	if err != nil {
		u.t.Fatal(err)
	}
	return true
}
