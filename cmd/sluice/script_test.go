package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"sluice": main})
}

// TestScript runs the sessions of testdata/script: the real main against real
// git. People and dates are fixed, so the ids in them are literal.
func TestScript(t *testing.T) {
	p := params(buildPrograms(t))
	p.Dir, p.RequireUniqueNames, p.UpdateScripts = "../../testdata/script", true, os.Getenv("UPDATE_SCRIPTS") != ""
	testscript.Run(t, p)
}

// params is what all sessions have.
func params(programs string) testscript.Params {
	return testscript.Params{
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Values[forgeKey{}] = &testForge{t: env.T()}
			env.Values[hooksKey{}] = &testHooks{}
			return surround(env, programs)
		},
		Condition: func(name string) (bool, error) {
			if name != "root" {
				return false, fmt.Errorf("no condition %q", name)
			}
			return os.Geteuid() == 0, nil // who may give files to others
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"fsck": fsck, "tree": printTree, "code": code, "http-serve": httpServe, "ssh-serve": sshServe, "serve": serve, "forge-serve": forgeServe, "forge": forgeState, "workflow": runWorkflow, "webhook-serve": webhookServe, "webhook-got": webhookGot},
	}
}

// surround gives a session git's config, fixed dates, and the programs.
func surround(env *testscript.Env, programs string) error {
	env.Vars = append(env.Vars,
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+filepath.Join(env.WorkDir, ".gitconfig"),
		"GIT_AUTHOR_DATE=2026-01-05T09:00:00Z", "GIT_COMMITTER_DATE=2026-01-05T09:00:00Z",
		"GIT_CEILING_DIRECTORIES="+env.WorkDir, "LC_ALL=C", "TZ=UTC",
		"PROGRAMS="+programs, "PLATFORM="+runtime.GOOS+"/"+runtime.GOARCH,
		"XDG_CACHE_HOME="+filepath.Join(env.WorkDir, ".cache"),
	)
	config := "[user]\n\tname = Ada Example\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n"
	return os.WriteFile(filepath.Join(env.WorkDir, ".gitconfig"), []byte(config), 0o600)
}

// buildPrograms builds the programs that sessions pin as tools.
func buildPrograms(t *testing.T) string {
	dir := t.TempDir()
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", dir+"/", "./testdata/programs/...")
	build.Dir, build.Env = "../../pkg/inject/program", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the programs: %v\n%s", err, out)
	}
	return dir
}

// serve VAR dir puts the address of a web server of a directory into a variable.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: serve VAR dir")
	}
	server := httptest.NewServer(http.FileServer(http.Dir(ts.MkAbs(args[1]))))
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.URL)
}

// fsck [dir] holds a repository against git's own check of every object and ref.
func fsck(ts *testscript.TestScript, neg bool, args []string) {
	dir := ts.MkAbs(".")
	if len(args) > 0 {
		dir = ts.MkAbs(args[0])
	}
	cmd := exec.Command("git", "-C", dir, "fsck", "--strict", "--full", "--no-dangling", "--no-progress")
	out, err := cmd.CombinedOutput()
	if (err != nil || len(out) > 0) != neg {
		ts.Fatalf("git fsck: %v\n%s", err, out)
	}
}

// tree rev prints every file of a commit with its content, as one text.
func printTree(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: tree rev [path...]")
	}
	git := func(args ...string) string {
		out, err := exec.Command("git", append([]string{"-C", ts.MkAbs(".")}, args...)...).Output()
		ts.Check(err)
		return string(out)
	}
	var b strings.Builder
	for _, file := range strings.Fields(git(append([]string{"ls-tree", "-r", "--name-only", args[0], "--"}, args[1:]...)...)) {
		b.WriteString("## " + file + "\n" + git("cat-file", "blob", args[0]+":"+file))
	}
	ts.Check(os.WriteFile(ts.MkAbs("tree.txt"), []byte(b.String()), 0o600))
}

// code N command... runs a command that has to end with exit status N.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command...")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}
