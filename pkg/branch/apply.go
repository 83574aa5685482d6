package branch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sluice-dev/sluice/pkg/repo"
)

// Moved is one branch that Apply moved or made.
type Moved struct {
	Branch string
	Before repo.ID // empty: the branch was made
	After  repo.ID
}

// Apply writes the commits of all chains and moves their branches: all of
// them or none. It gives the moves of each chain in order. now is the time for
// the reflog; the commits have none of it. Commits are signed before anything
// is written. After a *repo.ReflogError all has been done but the reflog.
func Apply(ctx context.Context, r *repo.Repo, chains []*Next, now time.Time) (moves [][]Moved, err error) {
	w := r.NewWriter()
	defer func() { err = errors.Join(err, w.Close()) }()
	moves = make([][]Moved, len(chains))
	var updates []repo.RefUpdate
	for i, n := range chains {
		if moves[i], err = n.moves(ctx, w); err != nil {
			return nil, err
		}
		for _, m := range moves[i] {
			updates = append(updates, repo.RefUpdate{Name: "refs/heads/" + m.Branch, Old: m.Before, New: m.After})
		}
	}
	if len(updates) == 0 {
		return moves, nil
	}
	if err := w.Flush(ctx); err != nil {
		return nil, err
	}
	who := r.Committer()
	who.When = now
	err = r.UpdateRefs(ctx, updates, who, "sluice commit")
	if Landed(r, updates, err) {
		err = nil
	}
	var reflog *repo.ReflogError
	if err != nil && !errors.As(err, &reflog) {
		return nil, err
	}
	// The branches have moved: an interruption must not turn that into an error.
	return moves, errors.Join(err, w.Recheck(context.WithoutCancel(ctx)))
}

// Landed tells whether an update that lost a race lost it to a run that did
// the same: every branch is where it was to go. Commits have the same id
// whoever makes them.
func Landed(r *repo.Repo, updates []repo.RefUpdate, err error) bool {
	var moved *repo.MovedError
	if !errors.As(err, &moved) {
		return false
	}
	for _, u := range updates {
		if at, err := r.Branch(strings.TrimPrefix(u.Name, "refs/heads/")); err != nil || at != u.New {
			return false
		}
	}
	return true
}

// moves adds a chain's objects and says which branches are to move to them.
func (n *Next) moves(ctx context.Context, w *repo.Writer) ([]Moved, error) {
	var moves []Moved
	if n.Outcome == Committed {
		id, err := n.write(ctx, w)
		if err != nil {
			return nil, err
		}
		moves = append(moves, Moved{Branch: n.Root.Branch, Before: n.local, After: id})
	}
	if len(n.Made) > 0 {
		if id, err := writeRoot(w); err != nil || id != rootID {
			return nil, fmt.Errorf("writing the root commit: %w", err)
		}
	}
	for _, e := range n.Made {
		if n.Outcome != Committed || e.Name != n.Root.Name {
			moves = append(moves, Moved{Branch: e.Branch, After: rootID})
		}
	}
	return moves, nil
}

// write adds the commit's objects.
func (n *Next) write(ctx context.Context, w *repo.Writer) (repo.ID, error) {
	var changes []repo.Change
	for dir, files := range n.spec.dirs {
		c := repo.Change{Path: dir}
		for _, p := range files.Paths() {
			c.Files = append(c.Files, repo.File{Path: p, Data: files[p]})
		}
		changes = append(changes, c)
	}
	root, err := w.Update(n.spec.base, changes)
	if err != nil {
		return "", err
	}
	return w.SignedCommit(ctx, repo.CommitSpec{
		Tree: root, Parents: n.spec.parents, Author: n.spec.author, Committer: n.spec.commit, Message: n.spec.message,
	}, n.spec.signer)
}

func writeRoot(w *repo.Writer) (repo.ID, error) {
	empty, err := w.Tree(nil)
	if err != nil {
		return "", err
	}
	return w.Commit(repo.CommitSpec{Tree: empty, Author: epoch, Committer: epoch, Message: rootMessage})
}
