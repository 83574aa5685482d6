package branch

import (
	"fmt"
	"time"

	"github.com/sluice-dev/sluice/pkg/repo"
)

// Moved is one branch that Apply moved or made.
type Moved struct {
	Branch string
	Before repo.ID // empty: the branch was made
	After  repo.ID
}

// Apply writes the commit, if there is one, and moves the branches: all of
// them or none. now is the time for the reflog; the commit has none of it.
func (n *Next) Apply(r *repo.Repo, now time.Time) ([]Moved, error) {
	if n.Outcome != Committed && len(n.Made) == 0 {
		return nil, nil
	}
	w := r.NewWriter()
	if len(n.Made) > 0 {
		if id, err := writeRoot(w); err != nil || id != rootID {
			return nil, fmt.Errorf("writing the root commit: %w", err)
		}
	}
	var moved []Moved
	for _, e := range n.Made {
		if n.Outcome != Committed || e.Name != n.Root.Name {
			moved = append(moved, Moved{Branch: e.Branch, After: rootID})
		}
	}
	if n.Outcome == Committed {
		id, err := n.write(w)
		if err != nil {
			return nil, err
		}
		moved = append([]Moved{{Branch: n.Root.Branch, Before: n.Tip, After: id}}, moved...)
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	var updates []repo.RefUpdate
	for _, m := range moved {
		updates = append(updates, repo.RefUpdate{Name: "refs/heads/" + m.Branch, Old: m.Before, New: m.After})
	}
	who := r.Committer()
	who.When = now
	return moved, r.UpdateRefs(updates, who, "sluice commit")
}

func writeRoot(w *repo.Writer) (repo.ID, error) {
	if _, err := w.Tree(nil); err != nil {
		return "", err
	}
	return w.Commit(repo.CommitSpec{Tree: repo.EmptyTree, Author: epoch, Committer: epoch, Message: rootMessage})
}
