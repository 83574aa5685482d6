//go:build crash && linux && amd64

// Package crash holds sluice to what it promises of a repository whatever
// happens: it is killed at each of its system calls, the disk is full or fails
// at each of them, the power goes, and git works on the same repository.
package crash

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 7 && os.Args[1] == tracerArg {
		os.Exit(tracerMain(os.Args[2:]))
	}
	dir, err := os.MkdirTemp("", "sluice-crash")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	sluice = filepath.Join(dir, "sluice")
	build := exec.Command("go", "build", "-o", sluice, "..")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	code := 1
	if build.Run() == nil {
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// sluice is the program as people have it; TestMain builds it.
var sluice string

// full asks for every point instead of a sample.
var full = os.Getenv("CRASH") == "full"

// The source of the repository: two chains, three environments.
var files = map[string]string{
	"sluice.yaml": `conduit: {version: v0.3.0}
environments:
- name: staging
- name: production
  promotedFrom: staging
- name: sandbox
apps:
- name: web
  kubectlApply: ["web/{env}"]
  conduitInject: [web/all/base.yaml]
- name: settings
  kubectlApply: [settings.yaml]
`,
	"web/all/base.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:v1"}]}
`,
	"web/staging/kustomization.yaml":    "resources: [../all]\nnamespace: staging\n",
	"web/production/kustomization.yaml": "resources: [../all]\nnamespace: production\n",
	"web/sandbox/kustomization.yaml":    "resources: [../all]\nnamespace: sandbox\n",
	"web/all/kustomization.yaml":        "resources: [base.yaml]\n",
	"settings.yaml":                     "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {text: one}\n",
}

// branches are the environments' branches.
var branches = []string{"env/staging", "env/production", "env/sandbox"}

// environ is the surroundings of each git and sluice: fixed people and dates,
// so that ids can be compared.
func environ(dir string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C", "TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_AUTHOR_DATE=2026-01-05T09:00:00Z",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com", "GIT_COMMITTER_DATE=2026-01-05T09:00:00Z",
	}
}

// place gives a directory for repositories, in memory where that is to be had:
// when a process is killed, what it wrote stays, whatever the disk.
func place(t testing.TB) string {
	t.Helper()
	if dir, err := os.MkdirTemp("/dev/shm", "sluice-crash"); err == nil {
		t.Cleanup(func() { os.RemoveAll(dir) })
		return dir
	}
	return t.TempDir()
}

// result is what a program gave.
type result struct {
	code        int
	out, stderr string
}

func (r result) String() string { return fmt.Sprintf("exit %d\n%s%s", r.code, r.out, r.stderr) }

func execute(dir, name string, args ...string) (result, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, environ(dir)
	var out, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &stderr
	cmd.WaitDelay = 10 * time.Second
	err := cmd.Run()
	if cmd.ProcessState == nil {
		return result{}, err
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), stderr.String()}, nil
}

// git runs git and gives what it prints; an error has the rest.
func git(dir string, args ...string) (string, error) {
	r, err := execute(dir, "git", args...)
	if err == nil && r.code != 0 {
		err = fmt.Errorf("git %s: %v", strings.Join(args, " "), r)
	}
	return strings.TrimSpace(r.out), err
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustGit(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out, err := git(dir, args...)
	must(t, err)
	return out
}

func mustSluice(t testing.TB, dir string, args ...string) string {
	t.Helper()
	r, err := execute(dir, sluice, args...)
	must(t, err)
	if r.code != 0 {
		t.Fatalf("sluice %v: %v", args, r)
	}
	return r.out
}

// newSource makes a repository with one commit of files on main.
func newSource(t testing.TB, dir string) {
	t.Helper()
	for path, text := range files {
		to := filepath.Join(dir, path)
		must(t, os.MkdirAll(filepath.Dir(to), 0o777))
		must(t, os.WriteFile(to, []byte(text), 0o666))
	}
	mustGit(t, dir, "init", "-q", "-b", "main", "--template=")
	mustGit(t, dir, "config", "gc.auto", "0")
	mustGit(t, dir, "config", "core.filesRefLockTimeout", "20") // a dead run's lock is taken over after that
	mustGit(t, dir, "add", "-A")
	mustGit(t, dir, "commit", "-qm", "one")
}

// edit commits another text of the settings.
func edit(t testing.TB, dir, text string) {
	t.Helper()
	settings := strings.Replace(files["settings.yaml"], "one", text, 1)
	must(t, os.WriteFile(filepath.Join(dir, "settings.yaml"), []byte(settings), 0o666))
	mustGit(t, dir, "commit", "-qam", text)
}

// copyTree copies a repository.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := to + strings.TrimPrefix(p, from)
		if d.IsDir() {
			return os.MkdirAll(target, 0o777)
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, fi.Mode())
	})
}

// heads gives where the branches are; one that is absent is not in it.
func heads(dir string) (map[string]string, error) {
	out, err := git(dir, "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads/env")
	if err != nil {
		return nil, err
	}
	at := map[string]string{}
	for line := range strings.Lines(out) {
		name, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		at[name] = id
	}
	return at, nil
}

// fsck is git's own check of every object and ref.
func fsck(dir string) error {
	r, err := execute(dir, "git", "fsck", "--strict", "--full", "--no-dangling", "--no-progress")
	if err == nil && (r.code != 0 || r.out+r.stderr != "") {
		err = fmt.Errorf("git fsck: %v", r)
	}
	return err
}

// beside runs a function for each number below n, as many at a time as there
// are processors.
func beside(n int, f func(int)) {
	var wg sync.WaitGroup
	next := make(chan int)
	for range runtime.NumCPU() {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}
