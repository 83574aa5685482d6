package branch

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	// A .keep file that stays is no fault of the commit: a later run takes it away.
	defer w.Close()
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
	err = move(ctx, r, w, updates, now, madeByCommit)
	var reflog *repo.ReflogError
	if err != nil && !errors.As(err, &reflog) {
		return nil, err
	}
	return moves, err
}

// move moves branches to commits that are written.
func move(ctx context.Context, r *repo.Repo, w *repo.Writer, updates []repo.RefUpdate, now time.Time, message string) error {
	who := r.Committer()
	who.When = now
	err := r.UpdateRefs(ctx, updates, who, message)
	if Landed(r, updates, err) {
		err = nil
	}
	var reflog *repo.ReflogError
	if err != nil && !errors.As(err, &reflog) {
		return err
	}
	// The branches have moved: an interruption must not turn that into an error.
	if gone := w.Recheck(context.WithoutCancel(ctx)); gone != nil {
		err = errors.Join(err, fmt.Errorf("looking again for the objects, when the branches had moved: %w", gone))
	}
	return err
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
	if n.Outcome == Superseded {
		return nil, nil // an older config knows less of which branches there are to be
	}
	if n.Outcome == Committed {
		id, err := n.spec.write(ctx, w)
		if err != nil {
			return nil, err
		}
		moves = append(moves, Moved{Branch: n.Root.Branch, Before: n.local, After: id})
	}
	if len(n.Made) > 0 || slices.Contains(n.spec.parents, rootID) {
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
func (s spec) write(ctx context.Context, w *repo.Writer) (repo.ID, error) {
	root, err := w.Update(s.base, s.changes)
	if err != nil {
		return "", err
	}
	return w.SignedCommit(ctx, repo.CommitSpec{Tree: root, Parents: s.parents, Author: s.author, Committer: s.commit, Message: s.message}, s.signer)
}

func writeRoot(w *repo.Writer) (repo.ID, error) {
	empty, err := w.Tree(nil)
	if err != nil {
		return "", err
	}
	return w.Commit(repo.CommitSpec{Tree: empty, Author: epoch, Committer: epoch, Message: rootMessage})
}
