package repo

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluice-dev/sluice/pkg/source"
)

// shape makes a repository whose HEAD is at the commit that holds a/b.txt = "hello\n", and
// gives the directory to open. top is the wanted working tree, "" for a bare one.
type shape struct {
	name string
	make func(t *testing.T) (g *gitRepo, top string)
}

func plain(t *testing.T) *gitRepo {
	g := newGit(t)
	g.commit("first", "1")
	g.commit("a/b.txt", "hello\n")
	return g
}

var shapes = []shape{
	{"plain", func(t *testing.T) (*gitRepo, string) { g := plain(t); return g, g.dir }},
	{"subdirectory", func(t *testing.T) (*gitRepo, string) { g := plain(t); return g.at(filepath.Join(g.dir, "a")), g.dir }},
	{"inside .git", func(t *testing.T) (*gitRepo, string) {
		g := plain(t)
		return g.at(filepath.Join(g.dir, ".git")), g.dir
	}},
	{"packed", func(t *testing.T) (*gitRepo, string) {
		g := plain(t)
		g.git("gc", "-q")
		return g, g.dir
	}},
	{"multi-pack-index", func(t *testing.T) (*gitRepo, string) {
		g := plain(t)
		g.git("gc", "-q")
		g.git("multi-pack-index", "write")
		return g, g.dir
	}},
	{"commit-graph", func(t *testing.T) (*gitRepo, string) {
		g := plain(t)
		g.git("commit-graph", "write", "--reachable")
		return g, g.dir
	}},
	{"detached", func(t *testing.T) (*gitRepo, string) {
		g := plain(t)
		g.git("checkout", "-q", "--detach")
		return g, g.dir
	}},
	{"split index", func(t *testing.T) (*gitRepo, string) {
		g := plain(t)
		g.git("update-index", "--split-index")
		return g, g.dir
	}},
	{"sparse", func(t *testing.T) (*gitRepo, string) {
		g := plain(t)
		g.git("sparse-checkout", "set", "nothing")
		return g, g.dir
	}},
	{"bare", func(t *testing.T) (*gitRepo, string) {
		g := plain(t)
		dir := filepath.Join(t.TempDir(), "x.git")
		g.git("clone", "-q", "--bare", ".", dir)
		return g.at(dir), ""
	}},
	{"mirror in a subdirectory of it", func(t *testing.T) (*gitRepo, string) {
		g := plain(t)
		dir := filepath.Join(t.TempDir(), "x.git")
		g.git("clone", "-q", "--mirror", ".", dir)
		return g.at(filepath.Join(dir, "refs", "heads")), ""
	}},
	{"shared clone (alternates)", func(t *testing.T) (*gitRepo, string) {
		g := plain(t)
		dir := filepath.Join(t.TempDir(), "x")
		g.git("clone", "-q", "--shared", ".", dir)
		return g.at(dir), dir
	}},
	{"alternates of alternates, packed", func(t *testing.T) (*gitRepo, string) {
		g := plain(t)
		g.git("gc", "-q")
		one, two := filepath.Join(t.TempDir(), "x"), filepath.Join(t.TempDir(), "y")
		g.git("clone", "-q", "--shared", ".", one)
		g.git("clone", "-q", "--shared", one, two)
		must(t, os.WriteFile(filepath.Join(two, ".git/objects/info/alternates"), []byte("# comment\n"+filepath.Join(one, ".git/objects")+"\n"), 0o666))
		return g.at(two), two
	}},
	{"linked working tree", func(t *testing.T) (*gitRepo, string) {
		g := plain(t)
		dir := filepath.Join(t.TempDir(), "x")
		g.git("worktree", "add", "-q", dir, "-b", "other")
		return g.at(dir), dir
	}},
	{"linked working tree of a bare repository", func(t *testing.T) (*gitRepo, string) {
		g := plain(t)
		bare, dir := filepath.Join(t.TempDir(), "x.git"), filepath.Join(t.TempDir(), "x")
		g.git("clone", "-q", "--bare", ".", bare)
		g.at(bare).git("worktree", "add", "-q", dir, "-b", "other")
		return g.at(dir), dir
	}},
	{"linked sparse working tree, subdirectory", func(t *testing.T) (*gitRepo, string) {
		g := plain(t)
		dir := filepath.Join(t.TempDir(), "x")
		g.git("worktree", "add", "-q", dir, "-b", "other")
		g.at(dir).git("sparse-checkout", "set", "a")
		return g.at(filepath.Join(dir, "a")), dir
	}},
	{"shallow", func(t *testing.T) (*gitRepo, string) {
		g := plain(t)
		dir := filepath.Join(t.TempDir(), "x")
		g.git("clone", "-q", "--depth=1", "file://"+g.dir, dir)
		return g.at(dir), dir
	}},
	{"partial with everything here", func(t *testing.T) (*gitRepo, string) {
		g := plain(t)
		g.git("config", "uploadpack.allowFilter", "true")
		dir := filepath.Join(t.TempDir(), "x")
		g.git("clone", "-q", "--filter=blob:none", "file://"+g.dir, dir)
		return g.at(dir), dir
	}},
	{"separate git dir", func(t *testing.T) (*gitRepo, string) {
		g := plain(t)
		g.git("init", "-q", "--separate-git-dir", filepath.Join(t.TempDir(), "elsewhere"))
		return g, g.dir
	}},
	{"submodule", func(t *testing.T) (*gitRepo, string) {
		g, sub := plain(t), plain(t)
		g.git("submodule", "--quiet", "add", sub.dir, "sub")
		return g.at(filepath.Join(g.dir, "sub")), filepath.Join(g.dir, "sub")
	}},
	{"symbolic link to it", func(t *testing.T) (*gitRepo, string) {
		g := plain(t)
		dir := filepath.Join(t.TempDir(), "link")
		must(t, os.Symlink(g.dir, dir))
		return g.at(dir), g.dir
	}},
	{"harmless extensions", func(t *testing.T) (*gitRepo, string) {
		g := plain(t)
		g.git("config", "core.repositoryformatversion", "1")
		must(t, appendFile(filepath.Join(g.dir, ".git/config"), "[extensions]\n\tnoop = true\n\tpreciousObjects = true\n"))
		return g, g.dir
	}},
	{"unknown extension in format 0", func(t *testing.T) (*gitRepo, string) {
		g := plain(t)
		must(t, appendFile(filepath.Join(g.dir, ".git/config"), "[extensions]\n\tfuture = true\n"))
		return g, g.dir
	}},
}

func appendFile(path, text string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, text...), 0o666)
}

func TestShapes(t *testing.T) {
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			g, top := s.make(t)
			want := ID("")
			if out, err := g.try("", "rev-parse", "HEAD"); err == nil {
				want = ID(out)
			}
			r := g.open()
			if r.WorkTree() != top {
				t.Errorf("WorkTree() = %q, want %q", r.WorkTree(), top)
			}
			_, id, err := r.Head()
			must(t, err)
			if want != "" && id != want {
				t.Errorf("Head() = %s, want %s", id, want)
			}
			files, err := r.Files(id)
			must(t, err)
			b, err := files.ReadFile("a/b.txt", 100)
			if err != nil || string(b) != "hello\n" {
				t.Errorf("a/b.txt = %q, %v", b, err)
			}
			// What git sees in a shape, it also sees after a write.
			if s.name != "inside .git" {
				writeOne(t, g, r)
			}
		})
	}
}

// writeOne makes a commit on a new branch and has git read it.
func writeOne(t *testing.T, g *gitRepo, r *Repo) ID {
	t.Helper()
	ctx := context.Background()
	w := r.NewWriter()
	defer w.Close()
	tree, err := w.Update("", []Change{{Path: "staging", Files: []File{{Path: "x.yaml", Data: []byte("x: 1\n")}}}})
	must(t, err)
	id, err := w.Commit(CommitSpec{Tree: tree, Author: who, Committer: who, Message: "staging"})
	must(t, err)
	must(t, w.Flush(ctx))
	must(t, r.UpdateRefs(ctx, []RefUpdate{{Name: "refs/heads/env/staging", New: id}}, who, "commit: staging"))
	must(t, w.Recheck(ctx))
	if got := g.id("refs/heads/env/staging"); got != id {
		t.Errorf("git reads %s, written was %s", got, id)
	}
	if got := g.git("show", "env/staging:staging/x.yaml"); got != "x: 1" {
		t.Errorf("git shows %q", got)
	}
	g.fsck()
	return id
}

func TestOpenRefuses(t *testing.T) {
	extension := func(version, line string) func(t *testing.T) string {
		return func(t *testing.T) string {
			g := plain(t)
			g.git("config", "core.repositoryformatversion", version)
			must(t, appendFile(filepath.Join(g.dir, ".git/config"), "[extensions]\n\t"+line+"\n"))
			return g.dir
		}
	}
	for _, c := range []struct {
		name string
		make func(t *testing.T) string
		want string
	}{
		{"sha256", func(t *testing.T) string { return newGit(t, "--object-format=sha256").dir }, "sha256"},
		{"reftable", extension("1", "refStorage = reftable"), "reftable"},
		{"unknown extension", extension("1", "future = true"), "future"},
		{"unknown format", extension("2", "noop = true"), `"2"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Open(c.make(t), Env{ConfigNoSystem: true})
			var unsupported *UnsupportedError
			if !errors.As(err, &unsupported) || !strings.Contains(unsupported.What, c.want) || unsupported.Hint == "" {
				t.Errorf("Open: %v", err)
			}
		})
	}
	if _, err := Open(t.TempDir(), Env{ConfigNoSystem: true}); !errors.Is(err, ErrNotRepository) {
		t.Errorf("Open of an empty directory: %v", err)
	}
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, ".git"), []byte("gitdir: nowhere\n"), 0o666))
	if _, err := Open(dir, Env{ConfigNoSystem: true}); !errors.Is(err, ErrNotRepository) {
		t.Errorf("Open of a .git file that leads nowhere: %v", err)
	}
	g := plain(t)
	must(t, appendFile(filepath.Join(g.dir, ".git/config"), "[core\n"))
	if _, err := Open(g.dir, Env{ConfigNoSystem: true}); err == nil || !strings.Contains(err.Error(), "config") {
		t.Errorf("Open with a broken config: %v", err)
	}
}

func TestGitDirFromEnv(t *testing.T) {
	g := plain(t)
	r, err := Open(t.TempDir(), Env{GitDir: filepath.Join(g.dir, ".git"), WorkTree: g.dir, ConfigNoSystem: true})
	must(t, err)
	if _, id, err := r.Head(); err != nil || id != g.id("HEAD") || r.WorkTree() != g.dir {
		t.Errorf("Head() = %s, %v; WorkTree() = %q", id, err, r.WorkTree())
	}
	if _, err := Open(g.dir, Env{GitDir: "nowhere", ConfigNoSystem: true}); !errors.Is(err, ErrNotRepository) {
		t.Errorf("Open with GIT_DIR=nowhere: %v", err)
	}
}

func TestHead(t *testing.T) {
	g := newGit(t)
	var unborn *UnbornError
	if branch, _, err := g.open().Head(); !errors.As(err, &unborn) || branch != "main" {
		t.Errorf("unborn: %q, %v", branch, err)
	}
	id := g.commit("a", "1")
	if branch, got, err := g.open().Head(); branch != "main" || got != id || err != nil {
		t.Errorf("Head() = %q, %s, %v", branch, got, err)
	}
	g.git("checkout", "-q", "--detach")
	if branch, got, err := g.open().Head(); branch != "" || got != id || err != nil {
		t.Errorf("detached Head() = %q, %s, %v", branch, got, err)
	}
}

func TestPartialCloneWithoutBlob(t *testing.T) {
	g := plain(t)
	g.git("config", "uploadpack.allowFilter", "true")
	dir := filepath.Join(t.TempDir(), "x")
	g.git("clone", "-q", "--no-checkout", "--filter=blob:none", "file://"+g.dir, dir)
	r := g.at(dir).open()
	_, id, err := r.Head()
	must(t, err)
	files, err := r.Files(id)
	must(t, err)
	_, err = files.ReadFile("a/b.txt", 100)
	var missing *MissingObjectError
	if !errors.As(err, &missing) || !missing.Partial {
		t.Errorf("reading a blob that is not here: %v", err)
	}
}

func TestFiles(t *testing.T) {
	g := newGit(t)
	g.write("a/x", "x")
	g.write("a.b", "ab")
	g.write("a-b/y", strings.Repeat("y", 100))
	must(t, os.Symlink("a/x", filepath.Join(g.dir, "link")))
	must(t, os.Symlink("a", filepath.Join(g.dir, "dirlink")))
	g.git("add", "-A")
	g.git("update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("1", 40)+",sub")
	g.git("commit", "-q", "-m", "x")
	for _, packed := range []bool{false, true} {
		if packed {
			g.git("gc", "-q")
		}
		r := g.open()
		files, err := r.Files(g.id("HEAD"))
		must(t, err)
		entries, err := files.ReadDir(".")
		must(t, err)
		var got []string
		for _, e := range entries {
			got = append(got, e.Name+" "+string(rune('0'+int(e.Kind))))
		}
		want := "a 2,a-b 2,a.b 1,dirlink 3,link 3,sub 4"
		if strings.Join(got, ",") != want {
			t.Errorf("ReadDir = %s, want %s", strings.Join(got, ","), want)
		}
		if e, err := files.Lookup("a/x"); err != nil || e.ID != string(g.id("HEAD:a/x")) || e.Kind != source.File {
			t.Errorf("Lookup(a/x) = %v, %v", e, err)
		}
		if e, err := files.Lookup("."); err != nil || e.ID != string(g.id("HEAD^{tree}")) || e.Kind != source.Dir {
			t.Errorf("Lookup(.) = %v, %v", e, err)
		}
		if b, err := files.ReadFile("link", 10); err != nil || string(b) != "a/x" {
			t.Errorf("link = %q, %v", b, err)
		}
		for _, name := range []string{"nope", "a/nope", "a/x/y", "dirlink/x", "sub/x"} {
			if _, err := files.Lookup(name); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("Lookup(%q): %v", name, err)
			}
		}
		for _, name := range []string{"", "/a", "a/", "../x", "a/../a", "./a"} {
			if _, err := files.Lookup(name); err == nil {
				t.Errorf("Lookup(%q) is accepted", name)
			}
		}
		if _, err := files.ReadFile("a-b/y", 99); !errors.Is(err, source.ErrTooLarge) {
			t.Errorf("file over the limit: %v", err)
		}
		if _, err := files.ReadFile("a-b/y", 100); err != nil {
			t.Errorf("file at the limit: %v", err)
		}
		if _, err := files.ReadFile("a", 99); err == nil {
			t.Error("a directory is read as a file")
		}
		if _, err := files.ReadDir("a.b"); err == nil {
			t.Error("a file is listed as a directory")
		}
	}
}
