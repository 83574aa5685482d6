package branch

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// rolledBack gives the provenance of base with an environment taken back to
// what a hydrated commit holds.
func rolledBack(base tree.Provenance, dir string, to *state) tree.Provenance {
	old, _ := to.provenance.Environment(dir)
	environments := append([]tree.EnvironmentRecord{}, base.Environments...)
	for i, e := range environments {
		if e.Path == dir {
			environments[i].Tree, environments[i].RolledBackTo = old.Tree, string(to.ID)
		}
	}
	base.Environments = environments
	return base
}

// isRollback tells whether a commit holds what a rollback gives: directory and
// records of each environment that it says was rolled back are those of the
// commit named, which is in its history, and all else is as some commit of the
// lines has it.
func isRollback(ctx context.Context, r *repo.Repo, h *state, tips ...repo.ID) (bool, error) {
	for _, e := range h.provenance.Environments {
		if e.RolledBackTo == "" {
			continue
		}
		lies, err := checkRollback(ctx, r, h, e, tips...)
		return lies == "" && err == nil, err
	}
	return false, nil
}

// checkRollback says in what a rollback is not what it says; empty if it is.
func checkRollback(ctx context.Context, r *repo.Repo, h *state, e tree.EnvironmentRecord, tips ...repo.ID) (lies string, err error) {
	to, err := readState(r, repo.ID(e.RolledBackTo))
	if whole, unsure := r.Whole(); gone(err) != nil && unsure == nil && whole {
		return fmt.Sprintf("%s, which %s was rolled back to, does not exist", repo.ID(e.RolledBackTo).Short(), e.Name), nil
	}
	if err != nil {
		return fmt.Sprintf("%s cannot be rolled back to: %v", repo.ID(e.RolledBackTo).Short(), err), gone(err)
	}
	if within, err := inHistory(ctx, r, to.ID, tips); err != nil || !within {
		return fmt.Sprintf("%s, which %s was rolled back to, is not in its history", to.ID.Short(), e.Name), err
	}
	others, own, err := recordIDs(r, h, e.Name)
	if err != nil {
		return "", err
	}
	_, old, err := recordIDs(r, to, e.Name)
	if err != nil {
		return "", err
	}
	if was, ok := to.provenance.Environment(e.Path); !ok || was.Name != e.Name || was.Tree != e.Tree || !maps.Equal(own, old) {
		return fmt.Sprintf("%s does not hold this for %s", to.ID.Short(), e.Name), nil
	}
	found, cut := false, false
	for _, tip := range tips {
		if tip == rootID {
			continue
		}
		complete, err := r.WalkFirstParents(ctx, tip, func(c *repo.Commit) (bool, error) {
			base, err := readState(r, c.ID)
			if err != nil {
				return true, gone(err)
			}
			if found, err = restOf(r, base, h, e, others, to); err != nil {
				return false, err
			}
			return !found, nil
		})
		if err != nil || found {
			return "", err
		}
		cut = cut || !complete
	}
	if cut {
		return "", UnknownHistory(fmt.Sprintf("what %s was rolled back from cannot be told", e.Name))
	}
	return fmt.Sprintf("but for %s it is not what the branch held before", e.Name), nil
}

// restOf tells whether a rollback of base gives h: the provenance, and every
// record but those of the environment.
func restOf(r *repo.Repo, base, h *state, e tree.EnvironmentRecord, others map[string]repo.TreeEntry, to *state) (bool, error) {
	if base.provenance.Source != h.provenance.Source || slices.Equal(base.provenance.Environments, h.provenance.Environments) {
		return false, nil // a commit that says the same proves nothing
	}
	want, err := rolledBack(*base.provenance, e.Path, to).Encode()
	if err != nil {
		return false, err
	}
	if id, err := tree.ID(h.files, tree.ProvenancePath); err != nil || repo.ID(id) != repo.BlobID(want) {
		return false, err
	}
	kept, _, err := recordIDs(r, base, e.Name)
	return err == nil && maps.Equal(kept, others), err
}

// inHistory tells whether a commit is an ancestor of one of the tips. What
// cannot be told is an error.
func inHistory(ctx context.Context, r *repo.Repo, id repo.ID, tips []repo.ID) (bool, error) {
	unknown := false
	for _, tip := range tips {
		is, err := isAncestor(ctx, r, id, tip)
		if err != nil || is == repo.Yes {
			return true, err
		}
		unknown = unknown || is == repo.Unknown
	}
	if unknown {
		return false, UnknownHistory(fmt.Sprintf("whether %s is in the history of %s cannot be told", id.Short(), tips[0].Short()))
	}
	return false, nil
}
