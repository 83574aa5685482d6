package main

import (
	"fmt"
	"io/fs"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// build gives a binary as people have it.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "sluice")
	out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput()
	if err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	return bin
}

// demo copies the demo's repository to a directory, its files written in
// random order, and commits it.
func demo(t *testing.T, dir string, rng *rand.Rand) {
	t.Helper()
	from := "../../testdata/demo/repo"
	var files []string
	if err := filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, p)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	rng.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
	for _, p := range files {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, strings.TrimPrefix(p, from))
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"commit", "-qm", "Serve hello"}} {
		git(t, dir, args...)
	}
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
	cmd.Env = append(
		os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull,
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_AUTHOR_DATE=2026-01-05T09:00:00Z",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com", "GIT_COMMITTER_DATE=2026-01-05T09:00:00Z",
	)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// One repository gives one commit, whatever surrounds the run, and the same
// bytes from the working tree.
func TestSameBytesEverywhere(t *testing.T) {
	bin := build(t)
	rng := rand.New(rand.NewSource(1))
	type result struct{ commit, tree string }
	var first result
	for i, v := range []struct{ umask, env string }{
		{"022", "GOMAXPROCS=1 TZ=UTC LANG=C HOME=/"},
		{"077", "GOMAXPROCS=2 TZ=Asia/Kathmandu LANG=tr_TR.UTF-8 HOME=/nonexistent"},
		{"000", "GOMAXPROCS=8 TZ=America/St_Johns LC_ALL=ja_JP.EUC-JP"},
		{"027", "GOGC=1 GODEBUG=randautoseed=0 KUSTOMIZE_PLUGIN_HOME=/tmp USER=somebody"},
	} {
		dir := filepath.Join(t.TempDir(), fmt.Sprintf("place %d", i))
		demo(t, dir, rng)
		run := func(cwd, script string) {
			cmd := exec.Command("sh", "-c", "umask "+v.umask+"; exec env -i PATH=$PATH GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.com "+v.env+" "+script)
			cmd.Dir = filepath.Join(dir, cwd)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", v.env, err, out)
			}
		}
		run("overlays", bin+" commit")
		run(".", bin+" render --out '"+dir+"-out'")
		git(t, dir+"-out", "init", "-q")
		git(t, dir+"-out", "add", "-A")
		got := result{git(t, dir, "rev-parse", "env/staging"), git(t, dir+"-out", "write-tree")}
		if want := git(t, dir, "rev-parse", "env/staging:staging"); want != git(t, dir+"-out", "rev-parse", got.tree+":staging") {
			t.Errorf("%s: the working tree renders to other bytes than the commit", v.env)
		}
		if i == 0 {
			first = got
		} else if got != first {
			t.Errorf("%s: got %v, want %v", v.env, got, first)
		}
	}
}

// Rendering makes no network call and runs nothing but itself.
func TestRenderingIsHermetic(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed: that nothing is run or called cannot be seen (apt-get install strace)")
	}
	bin := build(t)
	dir := t.TempDir()
	demo(t, dir, rand.New(rand.NewSource(1)))
	trace := filepath.Join(t.TempDir(), "trace")
	cmd := exec.Command(strace, "-f", "-qq", "-e", "trace=network,execve", "-o", trace, bin, "render")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	runs := 0
	call := regexp.MustCompile(`^\d+ +(\w+)\((?:"([^"]*)")?`)
	for line := range strings.Lines(string(lines)) {
		m := call.FindStringSubmatch(line)
		switch {
		case m == nil:
		case m[1] == "execve" && (m[2] == bin || m[2] == "/proc/self/exe"):
			runs++
		default:
			t.Errorf("while rendering: %s", line)
		}
	}
	if runs < 2 {
		t.Errorf("%d runs of sluice seen, want itself and a worker: was anything traced?", runs)
	}
}
