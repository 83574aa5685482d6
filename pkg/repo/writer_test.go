package repo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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

// TestSamePack: the same changes make the same pack, so that a run after a killed
// one does not leave a second one.
func TestSamePack(t *testing.T) {
	g := newGit(t)
	r := g.open()
	for range 20 {
		w := r.NewWriter()
		var changes []Change
		for i := range 8 {
			changes = append(changes, Change{Path: fmt.Sprintf("d%d/e/f", i), File: &File{Data: []byte(fmt.Sprint(i))}})
		}
		_, err := w.Update("", changes)
		must(t, err)
		must(t, w.Flush(t.Context()))
		must(t, w.Close())
	}
	if n := packs(t, g); n != 1 {
		t.Errorf("%d packs of the same objects", n)
	}
}
