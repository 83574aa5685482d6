package branch

import (
	"context"
	"errors"
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
func (n *Next) Apply(ctx context.Context, r *repo.Repo, now time.Time) (moved []Moved, err error) {
	if n.Outcome != Committed && len(n.Made) == 0 {
		return nil, nil
	}
	w := r.NewWriter()
	defer func() { err = errors.Join(err, w.Close()) }()
	if len(n.Made) > 0 {
		if id, err := writeRoot(w); err != nil || id != rootID {
			return nil, fmt.Errorf("writing the root commit: %w", err)
		}
	}
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
	if err := w.Flush(ctx); err != nil {
		return nil, err
	}
	var updates []repo.RefUpdate
	for _, m := range moved {
		updates = append(updates, repo.RefUpdate{Name: "refs/heads/" + m.Branch, Old: m.Before, New: m.After})
	}
	who := r.Committer()
	who.When = now
	if err := r.UpdateRefs(ctx, updates, who, "sluice commit"); err != nil {
		return nil, err
	}
	return moved, w.Recheck(ctx)
}

// write adds the commit's objects.
func (n *Next) write(w *repo.Writer) (repo.ID, error) {
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
	return w.Commit(repo.CommitSpec{
		Tree: root, Parents: n.spec.parents, Author: n.spec.author, Committer: n.spec.commit, Message: n.spec.message,
	})
}

func writeRoot(w *repo.Writer) (repo.ID, error) {
	empty, err := w.Tree(nil)
	if err != nil {
		return "", err
	}
	return w.Commit(repo.CommitSpec{Tree: empty, Author: epoch, Committer: epoch, Message: rootMessage})
}
