package repo

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// gitRepo is a repository made by git itself, with fixed people and dates.
type gitRepo struct {
	t   testing.TB
	dir string
	env []string
}

func newGit(t testing.TB, args ...string) *gitRepo {
	t.Helper()
	g := &gitRepo{t: t, dir: t.TempDir()}
	g.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C", "TZ=UTC",
		"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.com", "GIT_AUTHOR_DATE=1700000000 +0100",
		"GIT_COMMITTER_NAME=Bob", "GIT_COMMITTER_EMAIL=bob@example.com", "GIT_COMMITTER_DATE=1700000000 +0100",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=protocol.file.allow", "GIT_CONFIG_VALUE_0=always",
	}
	g.git(append([]string{"init", "-q", "-b", "main"}, args...)...)
	return g
}

// at is the same setting with another directory.
func (g *gitRepo) at(dir string) *gitRepo {
	return &gitRepo{t: g.t, dir: dir, env: g.env}
}

func (g *gitRepo) try(stdin string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env, cmd.Stdin = g.dir, g.env, strings.NewReader(stdin)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return out.String(), errors.New(strings.TrimSpace(errOut.String()) + ": " + err.Error())
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

func (g *gitRepo) git(args ...string) string {
	g.t.Helper()
	out, err := g.try("", args...)
	if err != nil {
		g.t.Fatalf("git %s: %v", strings.Join(args, " "), err)
	}
	return out
}

func (g *gitRepo) id(rev string) ID { g.t.Helper(); return ID(g.git("rev-parse", "--verify", rev)) }

func (g *gitRepo) write(name, text string) {
	g.t.Helper()
	path := filepath.Join(g.dir, name)
	must(g.t, os.MkdirAll(filepath.Dir(path), 0o777))
	must(g.t, os.WriteFile(path, []byte(text), 0o666))
}

// commit writes a file and commits it; every commit is a minute after the last.
func (g *gitRepo) commit(name, text string) ID {
	g.t.Helper()
	g.write(name, text)
	g.git("add", "-A")
	g.git("commit", "-q", "--allow-empty", "-m", name+" "+text)
	return g.id("HEAD")
}

func (g *gitRepo) open() *Repo {
	g.t.Helper()
	return g.openEnv(Env{LockWait: 50 * time.Millisecond})
}

func (g *gitRepo) openEnv(env Env) *Repo {
	g.t.Helper()
	env.ConfigNoSystem = true
	r, err := Open(g.dir, env)
	if err != nil {
		g.t.Fatalf("Open(%q): %v", g.dir, err)
	}
	g.t.Cleanup(func() { r.Close() })
	return r
}

// fsck holds everything in the repository to git's strictest check.
func (g *gitRepo) fsck() {
	g.t.Helper()
	if out, err := g.try("", "fsck", "--strict", "--full", "--no-dangling"); err != nil || out != "" {
		g.t.Errorf("git fsck: %s %v", out, err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// who is a signature with a zone that no machine here is in.
var who = Signature{Name: "Ann", Email: "ann@example.com", When: time.Unix(1700000000, 0).In(time.FixedZone("", 19800))}
