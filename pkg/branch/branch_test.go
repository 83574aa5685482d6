package branch

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/sluice-dev/sluice/pkg/tree"
)

// The root commit is the one that git makes of the same words.
func TestRootID(t *testing.T) {
	dir := t.TempDir()
	git := func(args ...string) string {
		cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=sluice", "GIT_AUTHOR_EMAIL=sluice@localhost", "GIT_AUTHOR_DATE=@0 +0000",
			"GIT_COMMITTER_NAME=sluice", "GIT_COMMITTER_EMAIL=sluice@localhost", "GIT_COMMITTER_DATE=@0 +0000")
		cmd.Stdin = strings.NewReader(rootMessage)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q")
	empty := git("hash-object", "-t", "tree", "-w", os.DevNull)
	if got := git("commit-tree", empty); got != string(rootID) {
		t.Errorf("git makes %s, the constant is %s", got, rootID)
	}
}

func TestMessage(t *testing.T) {
	p := tree.Provenance{
		Source:   tree.Source{Commit: "c0ffee", Ref: "refs/heads/main", Repository: "https://example.com/a\nSource-Commit: 0"},
		Renderer: tree.Renderer{Sluice: "v1\nInjector: x"},
	}
	got := message(headline("staging", 2), "Fix\x1b[31m it\u202e now\n\nSource-Commit: 1", nil, p, []tree.Pin{{Injector: "conduit", Version: "v0.3.1"}})
	want := "staging: 2 objects changed (Fix\uFFFD[31m it\uFFFD now)\n\nSource-Commit: c0ffee\nSource-Ref: refs/heads/main\n" +
		"Source-Repository: https://example.com/a\nInjector: conduit v0.3.1\nHydrator-Version: sluice v1\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	long := message(headline("e", 1), strings.Repeat("é", 300), nil, p, nil)
	if subject, _, _ := strings.Cut(long, "\n"); len([]rune(subject)) > 140 || !strings.HasSuffix(subject, "…)") {
		t.Errorf("subject not cut: %s", subject)
	}
}
