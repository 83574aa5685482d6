package repo

import (
	"errors"
	"fmt"
	"math/rand"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// randomHistory makes commits with up to three parents and dates that may run
// backwards, each on a branch c0, c1, …
func randomHistory(t *testing.T, seed int64, n int) (*gitRepo, *Repo, []ID) {
	t.Helper()
	rnd := rand.New(rand.NewSource(seed))
	g := newGit(t)
	r := g.open()
	w := r.NewWriter()
	defer w.Close()
	var ids []ID
	var updates []RefUpdate
	for i := range n {
		parents := map[ID]bool{}
		for range rnd.Intn(3) {
			if i > 0 {
				parents[ids[max(0, i-1-rnd.Intn(6))]] = true
			}
		}
		spec := CommitSpec{Message: fmt.Sprint("c", i), Author: who, Committer: who}
		for _, p := range ids {
			if parents[p] {
				spec.Parents = append(spec.Parents, p)
			}
		}
		spec.Committer.When = time.Unix(1700000000+int64(i*60+rnd.Intn(2000)-1000), 0).UTC()
		var err error
		spec.Tree, err = w.Update("", []Change{{Path: "x", File: &File{Data: []byte("x")}}})
		must(t, err)
		id, err := w.Commit(spec)
		must(t, err)
		ids = append(ids, id)
		updates = append(updates, RefUpdate{Name: fmt.Sprint("refs/heads/c", i), New: id})
	}
	must(t, w.Flush(t.Context()))
	must(t, r.UpdateRefs(t.Context(), updates, who, "x"))
	return g, r, ids
}

func TestAncestryAsGit(t *testing.T) {
	for seed := range int64(3) {
		g, r, ids := randomHistory(t, seed, 40)
		g.fsck()
		rnd := rand.New(rand.NewSource(seed))
		for i := range 60 {
			a, b := ids[rnd.Intn(len(ids))], ids[rnd.Intn(len(ids))]
			if i == 0 {
				b = a
			}
			want := No
			if _, err := g.try("", "merge-base", "--is-ancestor", string(a), string(b)); err == nil {
				want = Yes
			}
			if got, err := r.IsAncestor(t.Context(), a, b); got != want || err != nil {
				t.Errorf("seed %d: IsAncestor(%s, %s) = %s, %v, want %s", seed, a, b, got, err, want)
			}
			count, err := strconv.Atoi(g.git("rev-list", "--count", string(a)+".."+string(b)))
			must(t, err)
			if n, known, err := r.CountBetween(t.Context(), a, b); n != count || !known || err != nil {
				t.Errorf("seed %d: CountBetween(%s, %s) = %d, %v, %v, want %d", seed, a, b, n, known, err, count)
			}
		}
	}
}

func TestShallowAncestry(t *testing.T) {
	for depth := 1; depth <= 5; depth++ {
		g := newGit(t)
		var ids []ID
		for i := range 5 {
			ids = append(ids, g.commit("a", fmt.Sprint(i)))
		}
		g.git("checkout", "-q", "-b", "side", string(ids[1]))
		side := g.commit("b", "1")
		g.git("checkout", "-q", "main")
		dir := filepath.Join(t.TempDir(), "x")
		g.git("clone", "-q", "--single-branch", fmt.Sprint("--depth=", depth), "file://"+g.dir, dir)
		r := g.at(dir).open()
		// At depth 5 git writes the root commit down, which cuts nothing off.
		if cut, err := r.Shallow(); !cut || err != nil {
			t.Errorf("depth %d: Shallow() = %v, %v", depth, cut, err)
		}
		for i, a := range ids {
			want := Yes
			if depth < 5-i-1 {
				want = Unknown // even the parent's id is out of sight
			}
			if got, err := r.IsAncestor(t.Context(), a, ids[4]); got != want || err != nil {
				t.Errorf("depth %d: IsAncestor(c%d, c4) = %s, %v, want %s", depth, i, got, err, want)
			}
		}
		n := 0
		complete, err := r.Walk(t.Context(), ids[4], func(*Commit) (bool, error) { n++; return true, nil })
		if n != depth || complete != (depth == 5) || err != nil {
			t.Errorf("depth %d: Walk visits %d, %v, %v", depth, n, complete, err)
		}
		n = 0
		complete, err = r.WalkFirstParents(t.Context(), ids[4], func(*Commit) (bool, error) { n++; return true, nil })
		if n != depth || complete != (depth == 5) || err != nil {
			t.Errorf("depth %d: WalkFirstParents visits %d, %v, %v", depth, n, complete, err)
		}
		// The tip of the side branch is no ancestor, but that is certain only once
		// both histories meet or end: with c4, c3, c2 and side, c1, c0 here.
		g.at(dir).git("fetch", "-q", fmt.Sprint("--depth=", depth), "origin", "side")
		want, known := Unknown, false
		if depth >= 3 {
			want, known = No, true
		}
		if got, err := r.IsAncestor(t.Context(), side, ids[4]); got != want || err != nil {
			t.Errorf("depth %d: IsAncestor(side, c4) = %s, %v, want %s", depth, got, err, want)
		}
		if _, got, err := r.CountBetween(t.Context(), side, ids[4]); got != known || err != nil {
			t.Errorf("depth %d: CountBetween(side, c4) known = %v, %v, want %v", depth, got, err, known)
		}
	}
}

func TestWalk(t *testing.T) {
	g, r, ids := randomHistory(t, 7, 40)
	tip := ids[len(ids)-1]
	var got []string
	complete, err := r.Walk(t.Context(), tip, func(c *Commit) (bool, error) {
		got = append(got, string(c.ID))
		return true, nil
	})
	must(t, err)
	if want := g.git("rev-list", string(tip)); strings.Join(got, "\n") != want || !complete {
		t.Errorf("Walk = %v, complete %v, want\n%s", got, complete, want)
	}
	got = nil
	_, err = r.WalkFirstParents(t.Context(), tip, func(c *Commit) (bool, error) {
		got = append(got, string(c.ID))
		return true, nil
	})
	must(t, err)
	if want := g.git("rev-list", "--first-parent", string(tip)); strings.Join(got, "\n") != want {
		t.Errorf("WalkFirstParents = %v, want\n%s", got, want)
	}
	n := 0
	if _, err := r.Walk(t.Context(), tip, func(*Commit) (bool, error) { n++; return false, nil }); n != 1 || err != nil {
		t.Errorf("a walk that does not descend visits %d, %v", n, err)
	}
	stop := errors.New("stop")
	if _, err := r.Walk(t.Context(), tip, func(*Commit) (bool, error) { return true, stop }); !errors.Is(err, stop) {
		t.Errorf("a walk that fails: %v", err)
	}
	if _, err := r.IsAncestor(t.Context(), tip, ID(strings.Repeat("a", 40))); err == nil {
		t.Error("an absent descendant is no error")
	}
}
