package repo

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"sort"
)

// between lists the objects that tips lead to and have does not, commits first.
// Of have only what is here counts. A commit in cut has no parents, as git
// sees a shallow clone; anything else that is missing is *MissingObjectError, but
// for files of a partial clone if lenient.
//
// An object that is known only to older commits of have is listed too: telling
// that would mean to read their whole history.
func (r *Repo) between(ctx context.Context, tips, have []ID, cut map[ID]bool, lenient bool) ([]ID, error) {
	w := &betweenWalk{walk: *r.newWalk(), cut: cut}
	for _, id := range have {
		if r.objects.has(id) {
			if c, err := r.peel(id); err == nil {
				if err := w.reach(c, fromA, true); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, id := range tips {
		if err := w.reach(id, fromB, false); err != nil {
			return nil, err
		}
	}
	// A commit whose date is wrong may be found to be the other side's only late.
	for slack := maxSlack; w.left > 0 || slack > 0 && w.queue.Len() > 0; {
		if w.left == 0 {
			slack--
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := w.next(); err != nil {
			return nil, err
		}
	}
	return r.contents(ctx, w, lenient)
}

// maxSlack is how many commits are visited after the last that seems new.
const maxSlack = 64

// betweenWalk goes on while commits of tips alone wait to be visited.
type betweenWalk struct {
	walk
	cut   map[ID]bool
	left  int
	order []*node // as visited, from the tips
}

func (w *betweenWalk) reach(id ID, from int, lenient bool) error {
	n := w.seen[id]
	before := n != nil && n.queued && n.from == fromB
	if err := w.push(id, from, lenient); err != nil {
		return err
	}
	n = w.seen[id]
	after := n.queued && n.from == fromB
	if before != after {
		if after {
			w.left++
		} else {
			w.left--
		}
	}
	return nil
}

func (w *betweenWalk) next() error {
	n := heap.Pop(&w.queue).(*node)
	n.queued = false
	if n.from == fromB {
		w.left--
		w.order = append(w.order, n)
	}
	if w.cut[n.id] {
		return nil
	}
	for _, p := range n.commit.Parents {
		// What is behind have may be missing, what is new may not.
		if err := w.reach(p, n.from, n.from&fromA != 0); err != nil {
			return err
		}
	}
	return nil
}

// maxEdges bounds how many commits that the other side has are looked into.
const maxEdges = 32

// contents lists the commits that were reached from tips alone and what is new
// in their trees.
func (r *Repo) contents(ctx context.Context, w *betweenWalk, lenient bool) ([]ID, error) {
	c := &collector{repo: r, seen: map[ID]bool{}, lenient: true}
	edges := 0
	for _, n := range w.edges() {
		if edges++; edges > maxEdges {
			break
		}
		if err := c.tree(ctx, n.commit.Tree); err != nil {
			return nil, err
		}
	}
	c.found, c.lenient = nil, lenient
	var commits []ID
	for _, n := range w.order {
		if n.from != fromB {
			continue // the other side's history joined later
		}
		commits = append(commits, n.id)
		if err := c.tree(ctx, n.commit.Tree); err != nil {
			return nil, err
		}
	}
	return append(commits, c.found...), nil
}

// edges lists commits that the other side has: the parents of new ones first,
// then its tips.
func (w *betweenWalk) edges() []*node {
	var edges []*node
	seen := map[ID]bool{}
	add := func(n *node) {
		if n != nil && n.from&fromA != 0 && n.commit != nil && !seen[n.id] {
			seen[n.id] = true
			edges = append(edges, n)
		}
	}
	for _, n := range w.order {
		for _, p := range n.commit.Parents {
			add(w.seen[p])
		}
	}
	tips := make([]*node, 0, len(w.seen))
	for _, n := range w.seen {
		if n.from == fromA && n.order < maxEdges {
			tips = append(tips, n)
		}
	}
	sort.Slice(tips, func(i, j int) bool { return tips[i].order < tips[j].order })
	for _, n := range tips {
		add(n)
	}
	return edges
}

// collector lists what trees lead to, each object once.
type collector struct {
	repo    *Repo
	seen    map[ID]bool
	found   []ID
	lenient bool
}

func (c *collector) tree(ctx context.Context, root ID) error {
	open := []TreeEntry{{Mode: ModeDir, ID: root}}
	for len(open) > 0 {
		e := open[len(open)-1]
		open = open[:len(open)-1]
		if c.seen[e.ID] || e.Mode == ModeSubmodule {
			continue
		}
		c.seen[e.ID] = true
		if e.Mode != ModeDir {
			if !c.lenient && !c.repo.objects.has(e.ID) {
				return &MissingObjectError{ID: e.ID, Partial: c.repo.objects.partial}
			}
			c.found = append(c.found, e.ID)
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		entries, err := c.repo.Tree(e.ID)
		var missing *MissingObjectError
		if errors.As(err, &missing) && c.lenient {
			continue
		}
		if err != nil {
			return err
		}
		c.found = append(c.found, e.ID)
		open = append(open, entries...)
	}
	return nil
}

// sendPack writes objects as a pack, read one by one.
func (r *Repo) sendPack(out io.Writer, ids []ID) error {
	_, _, err := encodePack(out, ids, func(id ID) (made, error) {
		kind, data, err := r.objects.read(id, noLimit)
		return made{kind, data}, err
	})
	if err != nil {
		return fmt.Errorf("packing what is to be pushed: %w", err)
	}
	return nil
}
