package repo

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGreeting passes on no ref name that could become a path somewhere else.
func TestGreeting(t *testing.T) {
	id := strings.Repeat("1", 40)
	var b strings.Builder
	for i, name := range []string{"HEAD", "refs/heads/ok", "refs/heads/../../x", "refs/heads/a.lock", "refs/tags/v1^{}", "/etc/passwd", "refs/heads/\x1b[31m"} {
		caps := ""
		if i == 0 {
			caps = "\x00atomic agent=git/2 symref=HEAD:refs/heads/ok"
		}
		must(t, packet(&b, "%s %s%s\n", id, name, caps))
	}
	must(t, packet(&b, "shallow %s\n", id))
	must(t, flushPacket(&b))
	g, err := readGreeting(newPackets(strings.NewReader(b.String())))
	must(t, err)
	if diff := cmp.Diff(map[string]ID{"HEAD": ID(id), "refs/heads/ok": ID(id)}, g.refs); diff != "" {
		t.Error(diff)
	}
	if !g.can("atomic") || g.can("delete-refs") || g.caps["agent"] != "git/2" {
		t.Errorf("capabilities are %v", g.caps)
	}
	for n := range b.Len() {
		if _, err := readGreeting(newPackets(strings.NewReader(b.String()[:n]))); err == nil {
			t.Fatalf("a greeting cut at %d is no error", n)
		}
	}
}

// TestEnvironment keeps the caller's GIT_DIR away from the programs that serve
// and from helpers.
func TestEnvironment(t *testing.T) {
	bare := newBare(t)
	a := local(t, bare.dir)
	o := a.options()
	for _, name := range []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE", "GIT_COMMON_DIR"} {
		o.Environ = append(o.Environ, name+"="+filepath.Join(t.TempDir(), "none"))
	}
	id := a.commit("x", "1")
	if _, err := a.push(a.remote(o), "main", "", id); err != nil || bare.tip("refs/heads/main") != id {
		t.Errorf("Push = %v", err)
	}
	s := closed(t)
	a.git("config", "remote.origin.url", s.url)
	helperScript(t, a, canary)
	if _, err := a.remote(o).List(t.Context()); err != nil {
		t.Errorf("the helper in the repository's own config is not asked: %v", err)
	}
	a.git("config", "remote.origin.url", bare.dir)
	o.Git = ""
	var remote *RemoteError
	if _, err := a.remote(o).List(t.Context()); !errors.As(err, &remote) || remote.Hint == "" {
		t.Errorf("List without a git program: %v", err)
	}
}

// TestSaidHidesSecrets: a server that repeats the secret does not get it shown.
func TestSaidHidesSecrets(t *testing.T) {
	s := closed(t)
	s.hook("pre-receive", "echo you sent "+canary+" >&2\nexit 1\n")
	a := local(t, s.url)
	o := a.options()
	o.Token = func(string, string) (Credential, bool) { return Credential{Secret: canary, From: "SLUICE_TOKEN"}, true }
	id := a.commit("x", "1")
	results, err := a.push(a.remote(o), "main", "", id)
	var declined *DeclinedError
	if !errors.As(err, &declined) || !strings.Contains(declined.Said, "you sent ***") {
		t.Errorf("Push = %v", err)
	}
	noCanary(t, "the result", fmt.Sprintf("%+v %v %+v", results, err, declined))
	noCanaryIn(t, filepath.Join(a.dir, ".git"))
}

// TestBetweenChecksFiles: a file that is not here is noticed before it is missed.
func TestBetweenChecksFiles(t *testing.T) {
	g := newGit(t)
	tree, err := g.try("100644 blob "+strings.Repeat("2", 40)+"\tx\n", "mktree", "--missing")
	must(t, err)
	id := ID(g.git("commit-tree", "-m", "x", tree))
	var missing *MissingObjectError
	if _, err := g.open().between(t.Context(), []ID{id}, nil, nil, false); !errors.As(err, &missing) {
		t.Errorf("between = %v", err)
	}
	if _, err := g.open().between(t.Context(), []ID{id}, nil, nil, true); err != nil {
		t.Errorf("between in a partial clone = %v", err)
	}
}

// TestGreetingSymrefs keeps the one of HEAD, whatever others there are.
func TestGreetingSymrefs(t *testing.T) {
	g := &greeting{refs: map[string]ID{}, caps: map[string]string{}}
	id := strings.Repeat("a", 40)
	if err := g.add(id + " HEAD\x00symref=HEAD:refs/heads/main symref=refs/remotes/x/HEAD:refs/remotes/x/main"); err != nil {
		t.Fatal(err)
	}
	if got := g.caps["symref"]; got != "HEAD:refs/heads/main" {
		t.Errorf("symref = %q", got)
	}
}
