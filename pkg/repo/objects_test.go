package repo

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

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
