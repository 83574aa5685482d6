package propose

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// world is a source repository made by git, with a bare one as its remote.
type world struct {
	t    *testing.T
	dir  string
	repo *repo.Repo
	to   *repo.Remote
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: filepath.Join(t.TempDir(), "repo")}
	if err := os.MkdirAll(filepath.Join(w.dir, "dir"), 0o777); err != nil {
		t.Fatal(err)
	}
	bare := filepath.Join(filepath.Dir(w.dir), "bare")
	w.git("init", "-q", "-b", "main")
	w.git("init", "-q", "--bare", bare)
	w.git("remote", "add", "origin", bare)
	w.commit("a", "one\n")
	w.commit("dir/b", "b\n")
	r, err := repo.Open(w.dir, repo.Env{ConfigNoSystem: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	if w.to, err = r.Remote("origin", repo.RemoteOptions{Git: git, Environ: os.Environ(), Who: who}); err != nil {
		t.Fatal(err)
	}
	w.repo = r
	return w
}

func (w *world) git(args ...string) string {
	w.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = w.dir
	cmd.Env = append(
		os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.com",
		"GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.com", "GIT_AUTHOR_DATE=1700000000 +0000", "GIT_COMMITTER_DATE=1700000000 +0000",
	)
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (w *world) commit(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.git("add", ".")
	w.git("commit", "-q", "-m", name)
	w.git("push", "-q", "origin", "main")
}

var who = repo.Signature{Name: "Ann", Email: "ann@example.com", When: time.Unix(1700000000, 0).UTC()}

// place is where main and the branch of the request stand on the remote.
func (w *world) place(open bool) Place {
	w.t.Helper()
	at := Place{Base: "main", BaseAt: repo.ID(w.git("rev-parse", "main")), Head: "sluice/x", Open: open}
	if refs, err := w.to.List(w.t.Context()); err != nil {
		w.t.Fatal(err)
	} else {
		at.HeadAt = refs["refs/heads/sluice/x"]
	}
	return at
}

func (w *world) make(at Place, files ...File) (*Next, error) {
	return Make(w.t.Context(), w.repo, at, Change{Files: files, Overwrite: true, Message: "Change it", Author: who, Committer: who})
}

// ask makes the change and pushes it.
func (w *world) ask(open bool, want Outcome, files ...File) *Next {
	w.t.Helper()
	n, err := w.make(w.place(open), files...)
	if err != nil {
		w.t.Fatal(err)
	}
	if n.Outcome != want {
		w.t.Errorf("outcome %s, want %s", n.Outcome, want)
	}
	if _, err := n.Push(w.t.Context(), w.to); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) parents(n *Next) []repo.ID {
	w.t.Helper()
	c, err := w.repo.Commit(n.Commit)
	if err != nil {
		w.t.Fatal(err)
	}
	return c.Parents
}

func text(path, data string) File { return File{Path: path, Data: []byte(data)} }

func TestOutcomes(t *testing.T) {
	w := newWorld(t)
	w.ask(false, Nothing, text("a", "one\n"), File{Path: "absent/x", Remove: true})
	first := w.ask(false, Start, text("a", "two\n"))
	w.ask(false, Unchanged, text("a", "two\n"))
	second := w.ask(true, Follow, text("a", "three\n"))
	if diff := cmp.Diff([]repo.ID{first.Commit}, w.parents(second)); diff != "" {
		t.Error(diff)
	}
	w.commit("c", "c\n")
	third := w.ask(true, Follow, text("a", "three\n"))
	if diff := cmp.Diff([]repo.ID{second.Commit, third.BaseAt}, w.parents(third)); diff != "" {
		t.Error(diff)
	}
	w.ask(true, Unchanged, text("a", "three\n"))
	// The branch of a request that is closed is made anew; of one that is merged it goes on.
	fourth := w.ask(false, Replace, text("a", "four\n"))
	if diff := cmp.Diff([]repo.ID{fourth.BaseAt}, w.parents(fourth)); diff != "" {
		t.Error(diff)
	}
	w.git("fetch", "-q")
	w.git("merge", "-q", "--no-ff", string(fourth.Commit))
	w.git("push", "-q", "origin", "main")
	w.ask(false, Nothing, text("a", "four\n"))
	fifth := w.ask(false, Start, text("a", "five\n"))
	if diff := cmp.Diff([]repo.ID{fifth.BaseAt}, w.parents(fifth)); diff != "" {
		t.Error(diff)
	}
	w.git("fsck", "--strict", "--full")
}

func TestFiles(t *testing.T) {
	w := newWorld(t)
	w.git("update-index", "--chmod=+x", "dir/b")
	w.git("commit", "-qm", "exec")
	w.git("push", "-q", "origin", "main")
	n := w.ask(
		false, Start, text("new/deep/x", "x"), File{Path: "a", Remove: true}, text("dir/b", "other\n"),
		File{Path: "run", Data: []byte("#!"), Mode: repo.ModeExec},
	)
	want := []Changed{{"a", "removed"}, {"dir/b", "changed"}, {"new/deep/x", "added"}, {"run", "added"}}
	if diff := cmp.Diff(want, n.Files); diff != "" {
		t.Error(diff)
	}
	if got := w.git("-C", "../bare", "diff", "--raw", "--abbrev=4", "main", "sluice/x"); strings.Count(got, "100755") != 3 {
		t.Errorf("a mode is lost:\n%s", got)
	}
}

// TestOrder gives one tree for any order of the files.
func TestOrder(t *testing.T) {
	w := newWorld(t)
	files := []File{text("a", "1"), text("dir/c", "2"), text("dir/b", "3"), text("x/y/z", "4"), text("x/a", "5")}
	var want repo.ID
	for range 20 {
		rand.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
		n, err := w.make(w.place(false), files...)
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = n.Commit
		}
		if n.Commit != want {
			t.Errorf("another order of files gives commit %s, not %s", n.Commit, want)
		}
	}
}

func TestFault(t *testing.T) {
	for path, fine := range map[string]bool{
		"a": true, "a/b.yaml": true, "a/.gitignore": true, ".github/x": true, "a/..b": true, "sluice/a": true,
		"": false, ".": false, "..": false, "../a": false, "a/../b": false, "/a": false, "a/": false, "a//b": false, "./a": false,
		".git": false, "a/.git/b": false, "a/.GIT": false, ".git./x": false, ".git /x": false, ".sluice": false, "a/.Sluice/b": false,
		"a\\b": false, "a\nb": false, "a\x7f": false, "a\xff": false,
	} {
		if why := Fault(path); (why == "") != fine {
			t.Errorf("Fault(%q) = %q", path, why)
		}
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t)
	var list finding.List
	if _, err := w.make(w.place(false), text("../a", ""), text("a/b", ""), text("dir", ""), text("c", ""), text("c", "")); !errors.As(err, &list) || len(list) != 4 {
		t.Errorf("Make = %v, want 4 findings", err)
	}
	var refusal *finding.Refusal
	_, err := Make(t.Context(), w.repo, w.place(false), Change{Files: []File{text("a", "x")}, Message: "x", Author: who, Committer: who})
	if !errors.As(err, &refusal) || !strings.Contains(err.Error(), "on main with other content already: a") {
		t.Errorf("Make without Overwrite = %v", err)
	}
	// What the remote has by now is never gone over.
	at := w.place(false)
	w.ask(false, Start, text("a", "two\n"))
	late, err := w.make(at, text("a", "three\n"))
	if err != nil {
		t.Fatal(err)
	}
	var moved *repo.RemoteMovedError
	if _, err := late.Push(t.Context(), w.to); !errors.As(err, &moved) {
		t.Errorf("Push = %v, want a RemoteMovedError", err)
	}
	if !slices.Contains(strings.Fields(w.git("ls-remote", "origin")), "refs/heads/sluice/x") {
		t.Error("the branch is gone")
	}
}
