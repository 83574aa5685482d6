package repo

import (
	"bytes"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Ancestry answers whether one commit is an ancestor of another.
type Ancestry int

// Unknown is the answer where the history is cut off, by a shallow or partial
// clone, before it could be told. It never means No.
const (
	Unknown Ancestry = iota
	No
	Yes
)

func (a Ancestry) String() string {
	return [...]string{"unknown", "no", "yes"}[a]
}

// IsAncestor says whether a is b or an ancestor of b.
func (r *Repo) IsAncestor(ctx context.Context, a, b ID) (Ancestry, error) {
	if a == b {
		_, err := r.Commit(a)
		return Yes, err
	}
	w := r.newWalk()
	// An a that is not here can still stand as a parent in b's history.
	if err := w.push(a, fromA, true); err != nil {
		return Unknown, err
	}
	if err := w.push(b, fromB, false); err != nil {
		return Unknown, err
	}
	// Once all that is left to visit is common to both, nothing behind it can be
	// a: a would be its own ancestor. Dates only choose the order, so that wrong
	// ones cost time and never change the answer.
	for w.open > 0 {
		if err := ctx.Err(); err != nil {
			return Unknown, err
		}
		if err := w.next(); err != nil {
			return Unknown, err
		}
		if w.seen[a].from&fromB != 0 {
			return Yes, nil
		}
	}
	for _, n := range w.seen {
		if n.cut && n.from == fromB {
			return Unknown, nil
		}
	}
	return No, nil
}

// CountBetween counts the commits reachable from b and not from a. It is not
// known if the history is cut off.
func (r *Repo) CountBetween(ctx context.Context, a, b ID) (n int, known bool, err error) {
	w := r.newWalk()
	if err := w.push(a, fromA, false); err != nil {
		return 0, false, err
	}
	if err := w.push(b, fromB, false); err != nil {
		return 0, false, err
	}
	// Only the end of the history proves that no commit with a wrong date
	// joins both sides later.
	for w.queue.Len() > 0 {
		if err := ctx.Err(); err != nil {
			return 0, false, err
		}
		if err := w.next(); err != nil {
			return 0, false, err
		}
	}
	known = true
	for _, node := range w.seen {
		switch {
		case node.from == fromB && node.cut, node.from == fromA && node.cut:
			known = false
		case node.from == fromB:
			n++
		}
	}
	return n, known, nil
}

// Walk visits from and its ancestors, each once, later commit dates first, and
// goes on to a commit's parents where visit says so. complete is false if a parent
// was cut off.
func (r *Repo) Walk(ctx context.Context, from ID, visit func(*Commit) (descend bool, err error)) (complete bool, err error) {
	w := r.newWalk()
	if err := w.push(from, fromB, false); err != nil {
		return false, err
	}
	complete = true
	for w.queue.Len() > 0 {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		node := heap.Pop(&w.queue).(*node)
		descend, err := visit(node.commit)
		if err != nil {
			return false, err
		}
		if !descend {
			continue
		}
		if err := w.pushParents(node); err != nil {
			return false, err
		}
		complete = complete && !node.cut
	}
	return complete, nil
}

// WalkFirstParents visits from, its first parent, that one's first parent and so on.
func (r *Repo) WalkFirstParents(ctx context.Context, from ID, visit func(*Commit) (descend bool, err error)) (complete bool, err error) {
	for id := from; ; {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		c, err := r.Commit(id)
		var missing *MissingObjectError
		if errors.As(err, &missing) && id != from {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		descend, err := visit(c)
		if err != nil || !descend || len(c.Parents) == 0 {
			return err == nil, err
		}
		id = c.Parents[0]
	}
}

// The sides that a commit was reached from.
const (
	fromA = 1 << iota
	fromB
)

// node is one commit on a walk. cut says that a parent of it is not here.
type node struct {
	commit *Commit // nil if the commit is not here
	id     ID
	order  int
	from   int
	queued bool
	cut    bool
}

// walk visits history from one or two sides, later commit dates first. It reads
// what the commits themselves say of their parents, so that the file "shallow"
// need not be asked: history is cut off where a parent is not here.
type walk struct {
	repo  *Repo
	seen  map[ID]*node
	queue queue
	open  int // nodes in the queue that were reached from one side only
}

func (r *Repo) newWalk() *walk { return &walk{repo: r, seen: map[ID]*node{}} }

// push marks a commit as reached and queues it if that is news. A commit that
// is not here is an error unless lenient.
func (w *walk) push(id ID, from int, lenient bool) error {
	n := w.seen[id]
	if n == nil {
		n = &node{id: id, order: len(w.seen)}
		c, err := w.repo.Commit(id)
		var missing *MissingObjectError
		if err != nil && !(lenient && errors.As(err, &missing)) {
			return err
		}
		n.commit = c
		w.seen[id] = n
	}
	if n.from|from == n.from {
		return nil
	}
	if n.queued && n.from != fromA|fromB {
		w.open--
	}
	n.from |= from
	n.cut = n.cut || n.commit == nil
	if n.commit == nil {
		return nil
	}
	if !n.queued {
		n.queued = true
		heap.Push(&w.queue, n)
	}
	if n.from != fromA|fromB {
		w.open++
	}
	return nil
}

func (w *walk) next() error {
	n := heap.Pop(&w.queue).(*node)
	n.queued = false
	if n.from != fromA|fromB {
		w.open--
	}
	return w.pushParents(n)
}

func (w *walk) pushParents(n *node) error {
	for _, p := range n.commit.Parents {
		if err := w.push(p, n.from, true); err != nil {
			return err
		}
		if w.seen[p].commit == nil {
			n.cut = true
		}
	}
	return nil
}

// queue is a heap of nodes, later commit dates first, then in order of arrival.
type queue []*node

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q queue) Less(i, j int) bool {
	a, b := q[i].commit.Committer.When, q[j].commit.Committer.When
	if !a.Equal(b) {
		return a.After(b)
	}
	return q[i].order < q[j].order
}
func (q *queue) Push(x any) { *q = append(*q, x.(*node)) }
func (q *queue) Pop() any {
	old := *q
	n := old[len(old)-1]
	*q = old[:len(old)-1]
	return n
}

// Shallow says whether this is a shallow clone, one whose history is cut off.
func (r *Repo) Shallow() (bool, error) {
	b, err := os.ReadFile(filepath.Join(r.commonDir, "shallow"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("reading the shallow boundary: %w", err)
	}
	return len(bytes.TrimSpace(b)) > 0, nil
}

// Whole tells whether all of the history is here: what is named and missing was
// never part of it.
func (r *Repo) Whole() (bool, error) {
	shallow, err := r.Shallow()
	return !shallow && !r.objects.partial, err
}
