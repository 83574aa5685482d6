package repo

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// After random edits, staged or not, every file of the commit that lies
// differently in the working tree is among those that Differing gives, and
// Unsure tells the same of the same files. Once git has looked again, and
// nothing is staged, it gives no others.
func TestIndexDiffering(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	g := newGit(t)
	var names []string
	for i := range 24 {
		names = append(names, fmt.Sprintf("%s/f%d", []string{"a", "a/b", "a-b", "c/d/e", "."}[i%5], i))
	}
	for _, n := range names {
		g.write(n, "first "+n)
	}
	must(t, os.Symlink("f0", filepath.Join(g.dir, "a", "link")))
	g.git("add", "-A")
	g.git("commit", "-q", "-m", "one")
	edits := []func(at string){
		func(at string) { must(t, os.WriteFile(at, []byte(fmt.Sprint(rng.IntN(99))), 0o666)) },
		func(at string) { must(t, os.Remove(at)) },
		func(at string) { must(t, os.Remove(at)); must(t, os.Symlink("x", at)) },
		func(at string) { must(t, os.Remove(at)); must(t, os.MkdirAll(at+"/x", 0o777)) },
		func(string) {
			at := filepath.Join(g.dir, "a", "link")
			must(t, os.Remove(at))
			must(t, os.Symlink(fmt.Sprint("f", rng.IntN(9)), at))
		},
		func(at string) { must(t, os.Chtimes(at, time.Now(), time.Now())) },
	}
	for round := range 40 {
		for range rng.IntN(4) {
			at := filepath.Join(g.dir, names[rng.IntN(len(names))])
			if info, err := os.Lstat(at); err == nil && info.Mode().IsRegular() {
				edits[rng.IntN(len(edits))](at)
			}
			if rng.IntN(4) == 0 {
				g.git("add", "-A")
			}
		}
		if rng.IntN(5) == 0 {
			g.write("new", fmt.Sprint(round))
			g.git("add", "new")
			g.git("commit", "-q", "-m", "more")
		}
		g.holds(t, fmt.Sprintf("round %d", round))
		if rng.IntN(3) == 0 {
			g.git("reset", "-q", "--hard")
			g.git("clean", "-qfd")
			// So that nothing is as new as the index; git counts in seconds.
			for _, n := range append([]string{"new"}, names...) {
				_ = os.Chtimes(filepath.Join(g.dir, n), time.Time{}, time.Now().Add(-time.Duration(round+1)*time.Hour))
			}
			g.git("update-index", "-q", "--refresh")
			if rest := g.holds(t, fmt.Sprintf("round %d, reset", round)); len(rest) > 0 {
				t.Errorf("round %d: nothing differs, and there are %q", round, rest)
			}
		}
	}
}

// holds compares with what the files hold, and gives what Differing gives.
func (g *gitRepo) holds(t *testing.T, when string) []string {
	t.Helper()
	r := g.open()
	c, err := r.Commit(g.id("HEAD"))
	must(t, err)
	got, ok := r.Index().Differing(t.Context(), c.Tree)
	if !ok {
		t.Fatalf("%s: the index cannot tell", when)
	}
	blobs, links := map[string]ID{}, map[string]bool{}
	must(t, eachBlob(r, c.Tree, "", blobs, links))
	if also := r.Index().Unsure(t.Context(), blobs); !slices.Equal(got, also) {
		t.Errorf("%s: Differing gives %q, Unsure %q", when, got, also)
	}
	for p, id := range blobs {
		info, err := os.Lstat(filepath.Join(g.dir, p))
		data, _ := os.ReadFile(filepath.Join(g.dir, p))
		if target, err := os.Readlink(filepath.Join(g.dir, p)); err == nil {
			data = []byte(target)
		}
		if (err != nil || info.Mode().IsRegular() == links[p] || BlobID(data) != id) && !slices.Contains(got, p) {
			t.Errorf("%s: %s is not among %q", when, p, got)
		}
	}
	return got
}

// eachBlob collects the files and links of a tree.
func eachBlob(r *Repo, tree ID, at string, blobs map[string]ID, links map[string]bool) error {
	entries, err := r.Tree(tree)
	for _, e := range entries {
		switch e.Mode {
		case ModeDir:
			err = eachBlob(r, e.ID, at+e.Name+"/", blobs, links)
		case ModeFile, ModeExec, ModeLink:
			blobs[at+e.Name], links[at+e.Name] = e.ID, e.Mode == ModeLink
		}
	}
	return err
}

// An index that does not list every file, or that there is none of, cannot tell.
func TestIndexCannotTell(t *testing.T) {
	g := newGit(t)
	g.commit("a/b", "one")
	tree := g.id("HEAD^{tree}")
	tell := func() bool { _, ok := g.open().Index().Differing(t.Context(), tree); return ok }
	if !tell() {
		t.Error("a plain index cannot tell")
	}
	if _, ok := g.open().Index().Differing(t.Context(), ID("4b825dc642cb6eb9a060e54bf8d69288fbee4905")); ok {
		t.Error("it tells of a tree that is not here")
	}
	g.git("update-index", "--index-version", "4")
	if tell() {
		t.Error("an index of version 4 tells")
	}
	g.git("update-index", "--index-version", "2")
	g.git("update-index", "--split-index")
	if tell() {
		t.Error("an index in two files tells")
	}
	must(t, os.Remove(filepath.Join(g.dir, ".git", "index")))
	if tell() {
		t.Error("it tells without an index")
	}
	if got := g.open().Index().Unsure(t.Context(), map[string]ID{"b": "", "a": ""}); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("without an index it is sure of all but %q", got)
	}
}

// Cut off or spoilt anywhere, an index is none or still says nothing wrong: it
// never ends the program.
func TestIndexSpoilt(t *testing.T) {
	g := newGit(t)
	for _, n := range []string{"a/b/c", "a/d", "e"} {
		g.commit(n, n)
	}
	at := filepath.Join(g.dir, ".git", "index")
	whole, err := os.ReadFile(at)
	must(t, err)
	r := g.open()
	tree := g.id("HEAD^{tree}")
	for i := range whole {
		for _, data := range [][]byte{whole[:i], append(append(slices.Clone(whole[:i]), whole[i]^0xff), whole[i+1:]...)} {
			must(t, os.WriteFile(at, data, 0o600))
			x := r.Index()
			x.Differing(t.Context(), tree)
			x.Unsure(t.Context(), map[string]ID{"a/d": "x"})
		}
	}
}

// What looks as it did, and is not what git saw, is not sure: as long, and its
// time set back; behind a link in place of its directory; only meant to be added;
// written in the second in which the index was, where a file system counts those.
func TestIndexNotAsItWas(t *testing.T) {
	old := time.Date(2001, 1, 1, 1, 1, 1, 500, time.UTC)
	tests := map[string]func(g *gitRepo, at string){
		"in place": func(g *gitRepo, at string) {
			must(t, os.WriteFile(at, []byte("two"), 0o666))
			must(t, os.Chtimes(at, old, old))
		},
		"behind a link": func(g *gitRepo, at string) {
			dir := filepath.Dir(at)
			must(t, os.Rename(dir, dir+"x"))
			must(t, os.Symlink(filepath.Base(dir)+"x", dir))
		},
		"behind a link further up": func(g *gitRepo, at string) {
			dir := filepath.Dir(filepath.Dir(at))
			must(t, os.Rename(dir, dir+"x"))
			must(t, os.Symlink(filepath.Base(dir)+"x", dir))
		},
		"whole seconds": func(g *gitRepo, at string) {
			whole := old.Truncate(time.Second).Add(-time.Hour)
			must(t, os.Chtimes(at, whole, whole))
			g.git("update-index", "-q", "--refresh")
			must(t, os.Chtimes(filepath.Join(g.dir, ".git", "index"), whole, whole.Add(time.Second+500)))
		},
	}
	for name, change := range tests {
		g := newGit(t)
		g.commit("a/b/f", "one")
		at := filepath.Join(g.dir, "a", "b", "f")
		must(t, os.Chtimes(at, old, old))
		g.git("update-index", "-q", "--refresh")
		tell := func() []string {
			t.Helper()
			paths, ok := g.open().Index().Differing(t.Context(), g.id("HEAD^{tree}"))
			if !ok {
				t.Fatalf("%s: the index cannot tell", name)
			}
			return paths
		}
		if got := tell(); len(got) > 0 {
			t.Errorf("%s: before, %q differ", name, got)
		}
		change(g, at)
		if got := tell(); !slices.Equal(got, []string{"a/b/f"}) {
			t.Errorf("%s: %q differ", name, got)
		}
	}
	// git takes what is only meant to be added for an empty file.
	g := newGit(t)
	g.commit("empty", "")
	g.git("rm", "-q", "--cached", "empty")
	g.write("empty", "full")
	must(t, os.Chtimes(filepath.Join(g.dir, "empty"), old, old))
	g.git("add", "-N", "empty")
	if got, ok := g.open().Index().Differing(t.Context(), g.id("HEAD^{tree}")); !ok || !slices.Equal(got, []string{"empty"}) {
		t.Errorf("%q differ", got)
	}
}
