package repo

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
)

// packOf packs everything in a repository, with deltas of one kind or the other.
func packOf(t *testing.T, g *gitRepo, args ...string) []byte {
	t.Helper()
	all := g.git("rev-list", "--objects", "--all", "--no-object-names")
	out, err := g.try(all+"\n", append([]string{"pack-objects", "-q", "--stdout", "--window=50"}, args...)...)
	must(t, err)
	// The helper cuts a newline off, which may be the last byte of the checksum.
	if n := len(out) - 20; string(sha1Of([]byte(out[:n]))) != out[n:] {
		out += "\n"
	}
	return []byte(out)
}

func someHistory(t *testing.T) *gitRepo {
	g := newGit(t)
	rnd := rand.New(rand.NewSource(5))
	text := make([]string, 400)
	for i := range text {
		text[i] = fmt.Sprint("line ", rnd.Int63())
	}
	for i := range 15 {
		text[rnd.Intn(len(text))] = fmt.Sprint("changed in ", i)
		g.write(fmt.Sprintf("d%d/f", i%4), strings.Join(text, "\n"))
		g.write("empty", "")
		g.commit("f", strings.Join(text[:200], "\n"))
	}
	return g
}

// TestIndexPack makes the same index as git does, of packs with deltas of both
// kinds and of none.
func TestIndexPack(t *testing.T) {
	g := someHistory(t)
	r := g.open()
	for _, args := range [][]string{{"--delta-base-offset"}, {"--no-delta-base-offset"}, {"--depth=0"}} {
		path := filepath.Join(t.TempDir(), "pack.pack")
		must(t, os.WriteFile(path, packOf(t, g, args...), 0o666))
		g.git("index-pack", path)
		want, err := os.ReadFile(strings.TrimSuffix(path, ".pack") + ".idx")
		must(t, err)
		sum, index, count, err := r.indexPack(path)
		if err != nil || !bytes.Equal(index, want) || len(sum) != 20 || count == 0 {
			t.Errorf("%v: the index of %d objects differs from git's (%v)", args, count, err)
		}
	}
}

// TestBadPacks takes no pack that is cut, damaged, thin or too large.
func TestBadPacks(t *testing.T) {
	g := someHistory(t)
	r := newGit(t).open()
	good := packOf(t, g, "--delta-base-offset")
	try := func(name string, data []byte) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "x")
		must(t, os.WriteFile(path, data, 0o666))
		if _, _, _, err := r.indexPack(path); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if path := filepath.Join(t.TempDir(), "x"); os.WriteFile(path, good, 0o666) == nil {
		_, _, _, err := r.indexPack(path)
		must(t, err)
	}
	for _, n := range []int{0, 3, 12, 31, 32, len(good) / 2, len(good) - 1} {
		try(fmt.Sprint("cut at ", n), good[:n])
	}
	rnd := rand.New(rand.NewSource(1))
	for range 200 {
		bad := slices.Clone(good)
		i := rnd.Intn(len(bad))
		bad[i] ^= byte(1 + rnd.Intn(255))
		try(fmt.Sprint("changed at ", i), bad)
		// With a checksum that holds, the change must still do no harm: an error, or
		// objects under the ids that they really have.
		resum := resummed(bad[:len(bad)-20])
		path := filepath.Join(t.TempDir(), "y")
		must(t, os.WriteFile(path, resum, 0o666))
		r.indexPack(path)
	}
	try("more than it says", resummed(append(slices.Clone(good[:len(good)-20]), 'x')))
	tip := g.git("rev-parse", "HEAD")
	thin, err := g.try(tip+"\n^"+tip+"~1\n", "pack-objects", "-q", "--stdout", "--thin", "--revs")
	must(t, err)
	if strings.Count(thin, "PACK") == 1 {
		path := filepath.Join(t.TempDir(), "z")
		must(t, os.WriteFile(path, []byte(thin), 0o666))
		if _, _, _, err := r.indexPack(path); err == nil {
			t.Error("a thin pack is taken")
		}
	}
	if _, err := r.storePack(t.TempDir(), bytes.NewReader(good), 100); err == nil {
		t.Error("a pack over the limit is taken")
	}
}

func resummed(body []byte) []byte {
	return append(slices.Clone(body), sha1Of(body)...)
}

// TestBetween lists all that is missing on the other side, and of what it has
// only what it had long ago.
func TestBetween(t *testing.T) {
	for seed := range int64(3) {
		g, _, ids := randomHistory(t, seed, 30)
		rnd := rand.New(rand.NewSource(seed))
		for range 20 {
			checkBetween(t, g, ids[rnd.Intn(len(ids))], ids[rnd.Intn(len(ids))])
		}
	}
	g := someHistory(t)
	g.git("mv", "d1/f", "moved")
	g.commit("new", "x")
	for n := range 8 {
		if extra := checkBetween(t, g, g.id("HEAD"), g.id(fmt.Sprint("HEAD~", n+1))); extra > 0 {
			t.Errorf("between(HEAD, HEAD~%d) lists %d objects too many", n+1, extra)
		}
	}
}

// checkBetween compares with git and gives how many objects are listed that the
// other side has.
func checkBetween(t *testing.T, g *gitRepo, tip, have ID) (extra int) {
	t.Helper()
	r := g.open()
	got, err := r.between(t.Context(), []ID{tip}, []ID{have, ID(strings.Repeat("b", 40))}, nil, false)
	must(t, err)
	objects := func(rev ID) map[string]bool {
		set := map[string]bool{}
		for id := range strings.FieldsSeq(g.git("rev-list", "--objects", "--no-object-names", string(rev))) {
			set[id] = true
		}
		return set
	}
	there, wanted := objects(have), objects(tip)
	listed := map[string]bool{}
	var commits []string
	for _, id := range got {
		if listed[string(id)] || !wanted[string(id)] {
			t.Errorf("between(%s, %s) lists %s, twice or not part of it", tip, have, id)
		}
		listed[string(id)] = true
		if there[string(id)] {
			extra++
		}
		if _, err := r.Commit(id); err == nil {
			commits = append(commits, string(id))
		}
	}
	for id := range wanted {
		if !there[id] && !listed[id] {
			t.Errorf("between(%s, %s) leaves out %s", tip, have, id)
		}
	}
	want := strings.Fields(g.git("rev-list", string(tip), "^"+string(have)))
	sort.Strings(commits)
	sort.Strings(want)
	if !slices.Equal(commits, want) {
		t.Errorf("between(%s, %s) lists %d commits, git %d", tip, have, len(commits), len(want))
	}
	return extra
}

// TestFetchIncomplete moves no ref to what the server left out.
func TestFetchIncomplete(t *testing.T) {
	bare := newBare(t)
	src, ids := history(t, bare, 4)
	b := local(t, bare.dir)
	// A tip that is here without its parents, as an interrupted fetch may leave it,
	// is no reason not to ask for them.
	for _, object := range []string{string(ids[3]), src.git("rev-parse", "HEAD^{tree}")} {
		kind := src.git("cat-file", "-t", object)
		text, err := src.try("", "cat-file", kind, object)
		must(t, err)
		if kind == "commit" {
			text += "\n"
			b.write("object", text)
			b.git("hash-object", "-t", kind, "-w", filepath.Join(b.dir, "object"))
		}
	}
	_, err := b.remote(b.options()).Fetch(t.Context(), allBranches, FetchOptions{})
	must(t, err)
	b.fsck()
	// With an object missing there, git itself refuses to serve or we refuse to take.
	victim := src.git("rev-parse", "HEAD~1:a")
	must(t, filepath.Walk(filepath.Join(bare.dir, "objects"), func(path string, fi os.FileInfo, err error) error {
		if strings.HasSuffix(filepath.ToSlash(path), victim[:2]+"/"+victim[2:]) {
			return os.Remove(path)
		}
		return err
	}))
	c := local(t, bare.dir)
	if _, err := c.remote(c.options()).Fetch(t.Context(), allBranches, FetchOptions{}); err == nil {
		t.Error("an incomplete history is taken")
	}
	if got := c.git("for-each-ref"); got != "" {
		t.Errorf("refs have moved: %s", got)
	}
	var missing *MissingObjectError
	if _, err := c.open().between(t.Context(), []ID{ids[3]}, nil, nil, false); !errors.As(err, &missing) {
		t.Errorf("between without the objects: %v", err)
	}
}

func sha1Of(b []byte) []byte {
	sum := sha1.Sum(b)
	return sum[:]
}
