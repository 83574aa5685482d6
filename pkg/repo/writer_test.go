package repo

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

func packs(t *testing.T, g *gitRepo) int {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(g.dir, ".git/objects/pack/*.pack"))
	must(t, err)
	return len(found)
}

// TestGolden: the same values give the same ids, anywhere.
func TestGolden(t *testing.T) {
	g := newGit(t)
	id := writeOne(t, g, g.open())
	if want := ID("7b6097384306f7f8473a0c05cf7d1d7b1e3109ca"); id != want {
		t.Errorf("the commit is %s, want %s", id, want)
	}
	text := g.git("cat-file", "commit", string(id))
	if !strings.HasSuffix(text, "\nauthor Ann <ann@example.com> 1700000000 +0530\ncommitter Ann <ann@example.com> 1700000000 +0530\n\nstaging") {
		t.Errorf("the commit reads\n%s", text)
	}
	c, err := g.open().Commit(id)
	must(t, err)
	if !c.Author.When.Equal(who.When) || c.Author.When.Format("-0700") != "+0530" || c.Message != "staging\n" || c.Subject() != "staging" {
		t.Errorf("read back: %+v", c)
	}
}

func TestSignatures(t *testing.T) {
	g := newGit(t)
	r := g.open()
	w := r.NewWriter()
	defer w.Close()
	tree, err := w.Tree(nil)
	must(t, err)
	zones := []int{0, 3600, -3600, 12600, -12600, 50400, -43200, 1800, -1800, 20}
	var parents []ID
	for i, zone := range zones {
		s := Signature{Name: "A <b>\n\x00c. ", Email: "x@y>\n", When: time.Unix(int64(i), 0).In(time.FixedZone("", zone))}
		if i%2 == 1 {
			s.Name = ""
		}
		id, err := w.Commit(CommitSpec{Tree: tree, Parents: parents, Author: s, Committer: s, Message: "x\xff\n\n"})
		must(t, err)
		parents = []ID{id}
	}
	must(t, w.Flush(t.Context()))
	must(t, r.UpdateRefs(t.Context(), move("x", "", parents[0]), who, "x"))
	g.fsck()
	for _, s := range []Signature{{}, {Name: "x"}, {When: time.Unix(1, 0)}, {Name: "<>", When: time.Unix(1, 0)}, {Name: "x", When: time.Unix(-1, 0)}} {
		if _, err := w.Commit(CommitSpec{Tree: tree, Author: s, Committer: who}); err == nil {
			t.Errorf("author %+v is accepted", s)
		}
		if _, err := w.Commit(CommitSpec{Tree: tree, Author: who, Committer: s}); err == nil {
			t.Errorf("committer %+v is accepted", s)
		}
	}
	for _, spec := range []CommitSpec{
		{Tree: ""}, {Tree: "x"}, {Tree: tree, Parents: []ID{"x"}}, {Tree: tree, Parents: []ID{parents[0], parents[0]}}, {Tree: tree, Message: "a\x00b"},
	} {
		spec.Author, spec.Committer = who, who
		if _, err := w.Commit(spec); err == nil {
			t.Errorf("commit %+v is accepted", spec)
		}
	}
}

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
			{Path: name, File: &File{}}, {Path: name, Tree: EmptyTree}, {Path: name + "/x", File: &File{}}, {Path: "d/" + name, File: &File{}},
			{Path: "d", Files: []File{{Path: name}}}, {Path: "d", Files: []File{{Path: name + "/x"}}}, {Path: name, Files: []File{{Path: "x"}}},
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
		{{Name: "a", Mode: 0o100600, ID: blob}}, {{Name: "a", Mode: ModeFile, ID: "x"}}, {{Name: "a", Mode: ModeFile}},
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
		{{Path: "x/y", File: &File{}}}, {{Path: "sub/y"}}, {{Path: "a"}, {Path: "a/b"}}, {{Path: "a"}, {Path: "a"}}, {{Path: "."}, {Path: "a"}},
		{{Path: ".", File: &File{}}}, {{Path: "a", Tree: base, File: &File{}}}, {{Path: "../a"}}, {{Path: ""}},
		{{Path: "a", Files: []File{{Path: "x"}, {Path: "x"}}}}, {{Path: "a", Files: []File{{Path: "x"}, {Path: "x/y"}}}}, {{Path: "a", Files: []File{{Path: "x/y"}, {Path: "x"}}}},
		{{Path: "a", Files: []File{{Path: "x", Mode: ModeDir}}}}, {{Path: "a", Tree: "x"}}, {{Path: "a", Files: []File{{Path: ".."}}}},
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

// TestNothingTwice: what a branch leads to is not written again, and one Flush
// is one pack.
func TestNothingTwice(t *testing.T) {
	g := newGit(t)
	r := g.open()
	write := func(base ID, n int) ID {
		t.Helper()
		w := r.NewWriter()
		defer w.Close()
		var files []File
		for i := range 300 {
			files = append(files, File{Path: fmt.Sprintf("d%d/f%d", i%7, i), Data: []byte(fmt.Sprint("text ", i, max(0, n-i)))})
		}
		id, err := w.Update(base, []Change{{Path: "env", Files: files}})
		must(t, err)
		must(t, w.Flush(t.Context()))
		must(t, w.Flush(t.Context())) // nothing more to do
		return id
	}
	count := func() (n int) {
		for line := range strings.Lines(g.git("count-objects", "-v")) {
			fmt.Sscanf(line, "in-pack: %d", &n)
		}
		return n
	}
	tree := write("", 0)
	first := count()
	if packs(t, g) != 1 || first != 300+7+2 {
		t.Errorf("%d packs with %d objects", packs(t, g), first)
	}
	if write(tree, 0) != tree || packs(t, g) != 1 {
		t.Errorf("the same files again: %d packs", packs(t, g))
	}
	write(tree, 1) // one file changed: blob, directory, env, root
	if packs(t, g) != 2 || count() != first+4 {
		t.Errorf("one file changed: %d packs, %d more objects", packs(t, g), count()-first)
	}
	if keeps, _ := filepath.Glob(filepath.Join(g.dir, ".git/objects/pack/*.keep")); len(keeps) > 0 {
		t.Errorf("left behind: %v", keeps)
	}
}

// TestKeptUntilClose: a gc between Flush and the ref takes nothing away, and
// Recheck puts back what somebody removed by force.
func TestKeptUntilClose(t *testing.T) {
	ctx := t.Context()
	g := newGit(t)
	g.commit("a", "1")
	r := g.open()
	w := r.NewWriter()
	tree, err := w.Update("", []Change{{Path: "x", File: &File{Data: []byte("x")}}})
	must(t, err)
	id, err := w.Commit(CommitSpec{Tree: tree, Author: who, Committer: who})
	must(t, err)
	must(t, w.Flush(ctx))
	g.git("gc", "-q", "--prune=now")
	must(t, r.UpdateRefs(ctx, move("x", "", id), who, "x"))
	g.fsck()
	found, err := filepath.Glob(filepath.Join(g.dir, ".git/objects/pack/*.keep"))
	if err != nil || len(found) != 1 {
		t.Fatalf("kept: %v, %v", found, err)
	}
	for _, suffix := range []string{"pack", "idx"} {
		must(t, os.Remove(strings.TrimSuffix(found[0], "keep")+suffix))
	}
	must(t, w.Recheck(ctx))
	must(t, w.Close())
	g.fsck()
	if g.git("show", "x:x") != "x" {
		t.Error("the file is gone")
	}
}

func TestSweep(t *testing.T) {
	g := newGit(t)
	dir := filepath.Join(g.dir, ".git/objects/pack")
	old := time.Now().Add(-48 * time.Hour)
	for name, text := range map[string]string{"sluice-tmp.1_0": "", "pack-1.keep": keepText, "pack-2.keep": "git's own", "tmp_pack_x": ""} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666))
		must(t, os.Chtimes(filepath.Join(dir, name), old, old))
	}
	must(t, os.WriteFile(filepath.Join(dir, "sluice-tmp.2_0"), nil, 0o666))
	ref := filepath.Join(g.dir, ".git/refs/heads/env/sluice-tmp.1_0.lock")
	must(t, os.MkdirAll(filepath.Dir(ref), 0o777))
	must(t, os.WriteFile(ref, nil, 0o666))
	must(t, os.Chtimes(ref, old, old))
	writeOne(t, g, g.open())
	for name, want := range map[string]bool{"sluice-tmp.1_0": false, "pack-1.keep": false, "pack-2.keep": true, "tmp_pack_x": true, "sluice-tmp.2_0": true} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != want {
			t.Errorf("%s is still there: %v, want %v", name, err == nil, want)
		}
	}
	if _, err := os.Stat(ref); err == nil {
		t.Error("an old temporary file among the refs is still there")
	}
}

// TestPermissions compares with the files that git makes.
func TestPermissions(t *testing.T) {
	for _, umask := range []int{0o022, 0o077, 0o002} {
		for _, shared := range []string{"", "group", "all", "0640", "0660"} {
			t.Run(fmt.Sprintf("%03o %s", umask, shared), func(t *testing.T) {
				defer syscall.Umask(syscall.Umask(umask))
				g := newGit(t)
				if shared != "" {
					g.git("config", "core.sharedRepository", shared)
				}
				a := g.commit("a", "1")
				g.git("update-ref", "-m", "x", "refs/heads/theirs/x", string(a))
				g.git("gc", "-q")
				g.git("update-ref", "-m", "x", "refs/heads/theirs/y", string(a))
				mode := func(pattern string) os.FileMode {
					t.Helper()
					found, _ := filepath.Glob(filepath.Join(g.dir, ".git", pattern))
					if len(found) == 0 {
						t.Fatalf("no %s", pattern)
					}
					fi, err := os.Stat(found[0])
					must(t, err)
					return fi.Mode()
				}
				theirs := map[string]os.FileMode{}
				for _, p := range []string{"objects/pack/pack-*.pack", "objects/pack/pack-*.idx"} {
					theirs[p] = mode(p)
					found, _ := filepath.Glob(filepath.Join(g.dir, ".git", p))
					must(t, os.Rename(found[0], found[0]+".moved"))
				}
				must(t, os.RemoveAll(filepath.Join(g.dir, ".git/refs/heads/env")))
				for from, to := range map[string]string{"refs/heads/theirs/y": "refs/heads/env/staging", "refs/heads/theirs": "refs/heads/env", "logs/refs/heads/theirs/y": "logs/refs/heads/env/staging", "logs/refs/heads/theirs": "logs/refs/heads/env"} {
					theirs[to] = mode(from)
				}
				r := g.open()
				w := r.NewWriter()
				defer w.Close()
				tree, err := w.Update("", []Change{{Path: "x", File: &File{}}})
				must(t, err)
				id, err := w.Commit(CommitSpec{Tree: tree, Author: who, Committer: who})
				must(t, err)
				must(t, w.Flush(t.Context()))
				must(t, r.UpdateRefs(t.Context(), move("env/staging", "", id), who, "x"))
				for path, want := range theirs {
					if got := mode(path); got != want {
						t.Errorf("%s has mode %v, git gives %v", path, got, want)
					}
				}
			})
		}
	}
}

// TestReadPacks reads everything that git packs, in each form of delta.
func TestReadPacks(t *testing.T) {
	rnd := rand.New(rand.NewSource(5))
	text := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte('a' + rnd.Intn(26))
		}
		return b
	}
	g := newGit(t)
	big := text(300_000)
	for i := range 12 {
		copy(big[rnd.Intn(len(big)-50):], text(50))
		g.write("big", string(big))
		g.write("empty", "")
		g.commit(fmt.Sprintf("d/f%d", i), string(text(40)))
	}
	want := map[ID][]byte{}
	for line := range strings.Lines(g.git("rev-list", "--all", "--objects") + "\n") {
		id := strings.Fields(line)[0]
		kind := g.git("cat-file", "-t", id)
		out, err := g.try("", "cat-file", kind, id)
		must(t, err)
		if strings.HasSuffix(out, "\n") || kind == "commit" {
			out += "\n"
		}
		want[ID(id)] = []byte(out)
	}
	for _, how := range [][]string{nil, {"repack", "-adfq"}, {"-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq"}, {"-c", "core.compression=0", "repack", "-adFq"}} {
		if how != nil {
			g.git(how...)
		}
		r := g.open()
		for id, data := range want {
			kind, got, err := r.objects.read(id, noLimit)
			if err != nil {
				t.Fatalf("%v: %v", how, err)
			}
			if kind.String() != "tree" && !bytes.Equal(got, data) && !bytes.Equal(got, bytes.TrimSuffix(data, []byte("\n"))) {
				t.Errorf("%v: %s %s differs", how, kind, id)
			}
			if _, _, err := r.objects.read(id, int64(len(got))); err != nil {
				t.Errorf("%v: at its limit: %v", how, err)
			}
			if len(got) > 0 {
				if _, _, err := r.objects.read(id, int64(len(got))-1); !errors.Is(err, errTooLarge) {
					t.Errorf("%v: over the limit: %v", how, err)
				}
			}
		}
	}
}

// TestCorruptPack flips bytes: what is read is right or an error, never wrong.
func TestCorruptPack(t *testing.T) {
	rnd := rand.New(rand.NewSource(9))
	g := newGit(t)
	for i := range 6 {
		g.commit("a", strings.Repeat(fmt.Sprint("line ", i%2, "\n"), 200)+fmt.Sprint(i))
	}
	g.git("repack", "-adfq")
	var ids []ID
	for line := range strings.Lines(g.git("rev-list", "--all", "--objects") + "\n") {
		ids = append(ids, ID(strings.Fields(line)[0]))
	}
	for _, suffix := range []string{"pack", "idx"} {
		found, err := filepath.Glob(filepath.Join(g.dir, ".git/objects/pack/*."+suffix))
		must(t, err)
		good, err := os.ReadFile(found[0])
		must(t, err)
		must(t, os.Chmod(found[0], 0o644))
		for range 150 {
			b := bytes.Clone(good)
			for range 1 + rnd.Intn(3) {
				b[rnd.Intn(len(b))] ^= byte(1 + rnd.Intn(255))
			}
			if rnd.Intn(4) == 0 {
				b = b[:rnd.Intn(len(b))]
			}
			must(t, os.WriteFile(found[0], b, 0o644))
			r, err := Open(g.dir, Env{ConfigNoSystem: true})
			if err != nil {
				continue
			}
			for _, id := range ids {
				if kind, data, err := r.objects.read(id, noLimit); err == nil && hashObject(kind, data) != id {
					t.Fatalf("%s comes out wrong", id)
				}
			}
			r.Close()
		}
		must(t, os.WriteFile(found[0], good, 0o644))
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

// TestWrongObject: a whole object under another one's id is no object.
func TestWrongObject(t *testing.T) {
	g := newGit(t)
	a, b := g.commit("a", "1"), g.commit("a", "2")
	path := func(id ID) string { return loosePath(filepath.Join(g.dir, ".git/objects"), id) }
	data, err := os.ReadFile(path(a))
	must(t, err)
	must(t, os.Remove(path(b)))
	must(t, os.WriteFile(path(b), data, 0o444))
	if _, err := g.open().Commit(b); err == nil || !strings.Contains(err.Error(), "corrupt") {
		t.Errorf("Commit: %v", err)
	}
}
