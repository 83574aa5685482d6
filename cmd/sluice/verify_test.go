package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluice-dev/sluice/pkg/cli"
)

// lying is a repository whose hydrated commits are forged.
type lying struct {
	t       *testing.T
	dir     string
	env     map[string]string
	version string // of sluice
}

func (l *lying) git(stdin string, args ...string) string {
	l.t.Helper()
	cmd := exec.Command("git", append([]string{"-C", l.dir}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = append(os.Environ(), "GIT_AUTHOR_DATE=2026-01-05T09:00:00Z", "GIT_COMMITTER_DATE=2026-01-05T09:00:00Z")
	for k, v := range l.env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	out, err := cmd.Output()
	if err != nil {
		l.t.Fatalf("git %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}

func (l *lying) sluice(args ...string) (int, string) {
	var out, errOut bytes.Buffer
	code := cli.Main(l.t.Context(), cli.Program{
		Args: append([]string{"sluice", "-C", l.dir}, args...), In: strings.NewReader(""), Out: &out, Err: &errOut,
		Env: func(name string) string { return l.env[name] }, Now: func() time.Time { return time.Unix(1, 0) }, Version: l.version,
	})
	return code, out.String() + errOut.String()
}

// TestVerifyFindsEveryMutation forges the last hydrated commit in every way
// that changes one thing: a file lost, added, renamed, of another kind or mode,
// each of its lines lost, two bytes of each line another, one by one. The rest of the commit
// stays, its message and parents too.
func TestVerifyFindsEveryMutation(t *testing.T) {
	l := &lying{t: t, dir: t.TempDir(), version: "v1.0.0", env: map[string]string{"GIT_CONFIG_NOSYSTEM": "1", "HOME": t.TempDir()}}
	l.env["GIT_CONFIG_GLOBAL"] = filepath.Join(l.env["HOME"], ".gitconfig")
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(l.env["GIT_CONFIG_GLOBAL"], []byte("[user]\nname = Ada\nemail = ada@example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l.git("", "init", "-q", "-b", "main")
	l.git("", "remote", "add", "origin", "https://git.example.com/shop.git")
	write("sluice.yaml", `
conduit: {version: v0.3.1}
environments: [{name: staging}, {name: production, promotedFrom: staging}]
apps:
- {name: api, kubectlApply: [api.yaml], conduitInject: [api.yaml]}
- {name: words, kubectlApply: [words.yaml]}
`)
	write("words.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: words}}")
	for _, version := range []string{"v1", "v2"} {
		write("api.yaml", fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: "registry.example/api:%s"}]}
`, version))
		l.git("", "add", "-A")
		l.git("", "commit", "-qm", version)
		if code, out := l.sluice("commit"); code != 0 {
			t.Fatal(out)
		}
	}
	if code, out := l.sluice("verify", "--all"); code != 0 {
		t.Fatal(out)
	}
	names := l.mutate()
	if len(names) < 500 {
		t.Errorf("only %d mutations", len(names))
	}
	if code, out := l.sluice("verify", "env/staging~1..m/0"); code != 0 {
		t.Fatalf("nothing changed: %s", out)
	}
	for i, name := range names[1:] {
		i++
		if code, out := l.sluice("verify", fmt.Sprintf("env/staging~1..m/%d", i)); code == 0 {
			change := l.git("", "diff", "--unified=0", "env/staging", fmt.Sprintf("m/%d", i))
			t.Errorf("%s: %s%s", name, out, change)
		}
	}
	l.version = "v2.0.0"
	if code, out := l.sluice("verify", "env/staging~1..m/0"); code != 0 {
		t.Errorf("verified by another version: %s", out)
	}
	if _, out := l.sluice("verify", "env/staging~1..m/1"); !strings.Contains(out, "says that it was made by sluice v1.0.0 with kustomize v") {
		t.Errorf("other bytes from another version: %s", out)
	}
}

// mutate makes a branch m/N for each mutation and gives their names.
func (l *lying) mutate() (names []string) {
	_, message, _ := strings.Cut(l.git("", "cat-file", "commit", "env/staging"), "\n\n")
	parent := strings.TrimSpace(l.git("", "rev-parse", "env/staging~1"))
	tree := map[string]string{}
	var paths []string
	for path := range strings.Lines(l.git("", "ls-tree", "-r", "--name-only", "env/staging")) {
		path = strings.TrimSuffix(path, "\n")
		paths = append(paths, path)
		tree[path] = l.git("", "cat-file", "blob", "env/staging:"+path)
	}
	var stream strings.Builder
	file := func(mode, path, text string) string {
		return fmt.Sprintf("M %s inline %q\ndata %d\n%s\n", mode, path, len(text), text)
	}
	add := func(name, change string) {
		fmt.Fprintf(&stream, "commit refs/heads/m/%d\ncommitter Ada <ada@example.com> 0 +0000\ndata %d\n%s\nfrom %s\n", len(names), len(message), message, parent)
		stream.WriteString("deleteall\n")
		for _, p := range paths {
			stream.WriteString(file("100644", p, tree[p]))
		}
		stream.WriteString(change + "\n")
		names = append(names, name)
	}
	add("nothing", "")
	for _, path := range paths {
		text := tree[path]
		add("without "+path, fmt.Sprintf("D %q\n", path))
		add("beside "+path, file("100644", filepath.Dir(path)+"/zz", text))
		add("renamed "+path, fmt.Sprintf("R %q %q\n", path, path+"x"))
		add("mode of "+path, file("100755", path, text))
		add("link "+path, file("120000", path, text))
		add("more in "+path, file("100644", path, text+"\n"))
		lines := strings.SplitAfter(text, "\n")
		for i, line := range lines[:len(lines)-1] {
			rest := strings.Join(lines[i+1:], "")
			before := strings.Join(lines[:i], "")
			add(fmt.Sprintf("without line %d of %s", i+1, path), file("100644", path, before+rest))
			for _, at := range []int{len(line) / 2, len(line) - 2} {
				add(fmt.Sprintf("byte %d of line %d of %s", at, i+1, path), file("100644", path, before+line[:at]+string(line[at]^1)+line[at+1:]+rest))
			}
		}
	}
	l.git(stream.String(), "fast-import", "--quiet")
	return names
}
