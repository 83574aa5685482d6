package repo

import (
	"bytes"
	"fmt"
	"math/rand"
	"sort"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
)

func TestTreeNames(t *testing.T) {
	g := newGit(t)
	r := g.open()
	w := r.NewWriter()
	defer w.Close()
	blob := w.Blob(nil)
	bad := []string{
		"", ".", "..", "a/b", "/", "a\x00b", `a\b`, ".git", ".GIT", ".Git", "git~1", "GIT~1", ".git ", ".git.", ".git . .", ".git::$INDEX_ALLOCATION",
		".g\u200cit", "\ufeff.git", ".git\u202e", strings.Repeat("a", 256),
	}
	for _, name := range bad {
		if _, err := w.Tree([]TreeEntry{{Name: name, Mode: ModeFile, ID: blob}}); err == nil {
			t.Errorf("Tree accepts %q", name)
		}
		if name == "." {
			continue
		}
		for _, c := range []Change{
			{Path: name, File: &File{}},
			{Path: name, Tree: EmptyTree},
			{Path: name + "/x", File: &File{}},
			{Path: "d/" + name, File: &File{}},
			{Path: "d", Files: []File{{Path: name}}},
			{Path: "d", Files: []File{{Path: name + "/x"}}},
			{Path: name, Files: []File{{Path: "x"}}},
		} {
			if strings.Contains(name, "/") && fsValid(name) {
				continue
			}
			if _, err := w.Update("", []Change{c}); err == nil {
				t.Errorf("Update accepts %q in %+v", name, c)
			}
		}
	}
	good := []string{".gitignore", ".gitattributes", "git", "..a", "a..", ".git2", "git~2", "a:b", "x.git", "a", "a.b", "a-b", "ä", strings.Repeat("a", 255)}
	var entries []TreeEntry
	for _, name := range good {
		entries = append(entries, TreeEntry{Name: name, Mode: ModeFile, ID: blob})
	}
	entries = append(entries, TreeEntry{Name: "a-", Mode: ModeDir, ID: EmptyTree}, TreeEntry{Name: "a0", Mode: ModeExec, ID: blob})
	rand.New(rand.NewSource(1)).Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	tree, err := w.Tree(entries)
	must(t, err)
	_, err = w.Tree(nil)
	must(t, err)
	for _, e := range [][]TreeEntry{
		{{Name: "a", Mode: ModeFile, ID: blob}, {Name: "a", Mode: ModeDir, ID: EmptyTree}},
		{{Name: "a", Mode: 0o100600, ID: blob}},
		{{Name: "a", Mode: ModeFile, ID: "x"}},
		{{Name: "a", Mode: ModeFile}},
	} {
		if _, err := w.Tree(e); err == nil {
			t.Errorf("Tree accepts %+v", e)
		}
	}
	id, err := w.Commit(CommitSpec{Tree: tree, Author: who, Committer: who})
	must(t, err)
	must(t, w.Flush(t.Context()))
	must(t, r.UpdateRefs(t.Context(), move("x", "", id), who, "x"))
	g.fsck()
}

func fsValid(name string) bool { return !strings.HasPrefix(name, "/") && !strings.HasSuffix(name, "/") }

// TestUpdateAsGit: random changes to random trees give what git's index gives.
func TestUpdateAsGit(t *testing.T) {
	rnd := rand.New(rand.NewSource(3))
	names := []string{"a", "b", "a.b", "a-b", "c"}
	path := func() string {
		var parts []string
		for range 1 + rnd.Intn(3) {
			parts = append(parts, names[rnd.Intn(len(names))])
		}
		return strings.Join(parts, "/")
	}
	g := newGit(t)
	r := g.open()
	model := map[string]string{}
	var base ID
	for round := range 60 {
		next := map[string]string{}
		for k, v := range model {
			next[k] = v
		}
		clear := func(p string) {
			for k := range next {
				if k == p || strings.HasPrefix(k, p+"/") {
					delete(next, k)
				}
			}
		}
		var changes []Change
		for range 1 + rnd.Intn(3) {
			p := path()
			switch rnd.Intn(4) {
			case 0:
				changes = append(changes, Change{Path: p})
				clear(p)
			case 1:
				text := fmt.Sprint("file ", rnd.Intn(50))
				changes = append(changes, Change{Path: p, File: &File{Data: []byte(text)}})
				clear(p)
				next[p] = text
			default:
				c := Change{Path: p}
				clear(p)
				seen := []string{}
			files:
				for range rnd.Intn(4) {
					f := path()
					for _, s := range seen {
						if s == f || strings.HasPrefix(s, f+"/") || strings.HasPrefix(f, s+"/") {
							continue files
						}
					}
					seen = append(seen, f)
					text := fmt.Sprint("dir ", rnd.Intn(50))
					c.Files = append(c.Files, File{Path: f, Data: []byte(text)})
					next[p+"/"+f] = text
				}
				changes = append(changes, c)
			}
		}
		w := r.NewWriter()
		id, err := w.Update(base, changes)
		if conflicting(model, changes) {
			if err == nil {
				t.Fatalf("round %d: %+v on %v is accepted", round, changes, model)
			}
			w.Close()
			continue
		}
		must(t, err)
		must(t, w.Flush(t.Context()))
		must(t, w.Close())
		if want := treeByGit(g, next); id != want {
			t.Fatalf("round %d: tree %s, git makes %s of %v", round, id, want, next)
		}
		base, model = id, next
	}
	if len(model) == 0 {
		t.Error("the walk ended with nothing")
	}
}

// conflicting says whether changes lie in each other or run through a file.
func conflicting(model map[string]string, changes []Change) bool {
	for i, c := range changes {
		for k := range model {
			if strings.HasPrefix(c.Path, k+"/") {
				return true
			}
		}
		for j, d := range changes {
			if i != j && (c.Path == d.Path || strings.HasPrefix(d.Path, c.Path+"/")) {
				return true
			}
			// Whether a change below a new file comes first or last, one of them loses.
		}
	}
	return false
}

func treeByGit(g *gitRepo, files map[string]string) ID {
	g.t.Helper()
	var lines []string
	for path, text := range files {
		id, err := g.try(text, "hash-object", "-w", "--stdin")
		must(g.t, err)
		lines = append(lines, "100644 "+id+"\t"+path)
	}
	sort.Strings(lines)
	g.git("read-tree", "--empty")
	_, err := g.try(strings.Join(lines, "\n")+"\n", "update-index", "--index-info")
	must(g.t, err)
	return ID(g.git("write-tree"))
}

// TestUpdateKeeps: what is not named stays as it is, odd modes and submodules included.
func TestUpdateKeeps(t *testing.T) {
	g := newGit(t)
	g.write("x", "x")
	g.write("keep/y", "y")
	g.git("add", "-A")
	sub := strings.Repeat("1", 40)
	g.git("update-index", "--add", "--cacheinfo", "160000,"+sub+",sub", "--cacheinfo", "100755,"+g.git("hash-object", "x")+",run")
	g.git("commit", "-q", "-m", "x")
	r := g.open()
	w := r.NewWriter()
	defer w.Close()
	base := g.id("HEAD^{tree}")
	id, err := w.Update(base, []Change{{Path: "new/deep", Files: []File{{Path: "f", Mode: ModeExec, Data: []byte("f")}, {Path: "g", ID: g.id("HEAD:x")}}}, {Path: "copy", Tree: g.id("HEAD:keep")}})
	must(t, err)
	must(t, w.Flush(t.Context()))
	got := g.git("ls-tree", "-r", string(id))
	want := g.git("ls-tree", "-r", string(base))
	for _, line := range strings.Split(want, "\n") {
		if !strings.Contains(got, line) {
			t.Errorf("%q is gone from\n%s", line, got)
		}
	}
	for _, line := range []string{"\tcopy/y", "100755 blob " + string(BlobID([]byte("f"))) + "\tnew/deep/f", "\tnew/deep/g"} {
		if !strings.Contains(got, line) {
			t.Errorf("%q is not in\n%s", line, got)
		}
	}
	for _, c := range [][]Change{
		{{Path: "x/y", File: &File{}}},
		{{Path: "sub/y"}},
		{{Path: "a"}, {Path: "a/b"}},
		{{Path: "a"}, {Path: "a"}},
		{{Path: "."}, {Path: "a"}},
		{{Path: ".", File: &File{}}},
		{{Path: "a", Tree: base, File: &File{}}},
		{{Path: "../a"}},
		{{Path: ""}},
		{{Path: "a", Files: []File{{Path: "x"}, {Path: "x"}}}},
		{{Path: "a", Files: []File{{Path: "x"}, {Path: "x/y"}}}},
		{{Path: "a", Files: []File{{Path: "x/y"}, {Path: "x"}}}},
		{{Path: "a", Files: []File{{Path: "x", Mode: ModeDir}}}},
		{{Path: "a", Tree: "x"}},
		{{Path: "a", Files: []File{{Path: ".."}}}},
	} {
		if _, err := w.Update(base, c); err == nil {
			t.Errorf("Update accepts %+v", c)
		}
	}
	if id, err := w.Update(base, []Change{{Path: "."}}); id != EmptyTree || err != nil {
		t.Errorf("removing everything gives %s, %v", id, err)
	}
	if id, err := w.Update(base, nil); id != base || err != nil {
		t.Errorf("changing nothing gives %s, %v", id, err)
	}
	if id, err := w.Update(base, []Change{{Path: ".", Tree: base}}); id != base || err != nil {
		t.Errorf("taking the root over gives %s, %v", id, err)
	}
}

// TestHostileTree: no reader gets a name that leaves the tree, and no writer
// hands one on.
func TestHostileTree(t *testing.T) {
	g := newGit(t)
	r := g.open()
	for name, read := range map[string]bool{"..": false, ".": false, "a/b": false, "": false, "a\x00100644 a": false, ".git": true, ".GIT": true, `a\b`: true} {
		w := r.NewWriter()
		var raw bytes.Buffer
		writeEntry(&raw, TreeEntry{Name: "a", Mode: ModeFile, ID: w.Blob([]byte("a"))})
		if name == "a\x00100644 a" {
			name = "a"
		}
		writeEntry(&raw, TreeEntry{Name: name, Mode: ModeFile, ID: w.Blob([]byte("x"))})
		base := w.add(plumbing.TreeObject, raw.Bytes())
		must(t, w.Flush(t.Context()))
		if _, err := r.TreeFiles(base); (err == nil) != read {
			t.Errorf("TreeFiles of a tree with %q: %v", name, err)
		}
		_, err := w.Update(base, []Change{{Path: "new", File: &File{}}})
		if (err == nil) != (read && !isDotGit(name)) {
			t.Errorf("Update of a tree with %q: %v", name, err)
		}
		must(t, w.Close())
	}
}
