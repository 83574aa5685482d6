package branch

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/source"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// state is a commit with what it says of itself.
type state struct {
	*repo.Commit
	files      source.Tree
	records    string // tree id of tree.Dir; empty if there is none
	provenance *tree.Provenance
	apps       map[string][]tree.Summary // by environment, once agrees has read them
	own        bool                      // sluice made the commit in this repository
}

// readState reads a commit of a branch. The error is tree.ErrNoProvenance
// for a commit that says nothing of itself.
func readState(r *repo.Repo, id repo.ID) (*state, error) {
	c, err := r.Commit(id)
	if err != nil {
		return nil, err
	}
	h := &state{Commit: c}
	if h.files, err = r.TreeFiles(c.Tree); err != nil {
		return nil, err
	}
	if h.records, err = tree.ID(h.files, tree.Dir); err != nil {
		return nil, err
	}
	h.provenance, err = tree.ReadProvenance(h.files)
	return h, err
}

// readTip reads a commit whose records may be at fault.
func readTip(r *repo.Repo, id repo.ID) (*state, error) {
	h, err := readState(r, id)
	if err := gone(err); err != nil {
		return nil, err
	}
	return h, nil
}

// agrees tells whether every environment's directory is the one recorded, and
// every record can be read.
func (h *state) agrees() (bool, error) {
	apps := map[string][]tree.Summary{}
	for _, e := range h.provenance.Environments {
		id, err := tree.ID(h.files, e.Path)
		if err != nil || id != e.Tree {
			return false, err
		}
		if apps[e.Name], err = tree.Summaries(h.files, e.Name); err != nil {
			return false, gone(err)
		}
	}
	h.apps = apps
	return true, nil
}

// gone gives the error of an object that is not here: all else that a record
// can be at fault with is an answer.
func gone(err error) error {
	var missing *repo.MissingObjectError
	if errors.As(err, &missing) {
		return err
	}
	return nil
}

// wrote tells whether a commit's message ends with the trailers of a
// provenance. Which trailers there are beside this one depends on the version
// that wrote them.
func wrote(c *repo.Commit, p *tree.Provenance) bool {
	paragraphs := strings.Split(strings.TrimRight(c.Message, "\n"), "\n\n")
	last := strings.Split(paragraphs[len(paragraphs)-1], "\n")
	return len(paragraphs) > 1 && slices.Contains(last, "Source-Commit: "+p.Source.Commit)
}

// writer finds, on the first-parent lines of tips, the commit of sluice's that
// brought the records that h holds; nil if there is none. complete is false if
// a line is cut off before its beginning.
func writer(ctx context.Context, r *repo.Repo, h *state, tips ...repo.ID) (found *repo.Commit, complete bool, err error) {
	complete = true
	for _, tip := range tips {
		if tip == rootID {
			continue // it says nothing, and may not be written yet
		}
		whole, err := r.WalkFirstParents(ctx, tip, func(c *repo.Commit) (bool, error) {
			files, err := r.TreeFiles(c.Tree)
			if err != nil {
				return false, err
			}
			id, err := tree.ID(files, tree.Dir)
			if err != nil {
				return false, err
			}
			if id == h.records && wrote(c, h.provenance) {
				found = c
			}
			return found == nil, nil
		})
		if err != nil || found != nil {
			return found, true, err
		}
		complete = complete && whole
	}
	return nil, complete, nil
}

// A verdict is what can be told of what a commit holds.
type verdict int

const (
	cannotTell verdict = iota // the history is not here
	byHand                    // somebody edited directories or records
	bySluice                  // a commit of the chain, or a rollback, held just this
)

// judge tells whether directories and records of a commit are, as they stand,
// those of a commit that sluice wrote. lines are the tips of branches that it
// may stand on, beside h itself.
func judge(ctx context.Context, r *repo.Repo, h *state, lines ...repo.ID) (verdict, error) {
	if h.own {
		return bySluice, nil
	}
	agrees, err := h.agrees()
	if err != nil {
		return cannotTell, err
	}
	_, err = r.Commit(repo.ID(h.provenance.Source.Commit))
	var other *repo.KindError
	if !agrees || errors.As(err, &other) {
		return byHand, nil // a source that is not here is another question
	}
	tips := append([]repo.ID{h.ID}, lines...)
	if len(h.Parents) > 1 {
		tips = append(tips, h.Parents[1:]...) // what a forge's merge button made stands beside the line that it merged
	}
	if slices.ContainsFunc(h.provenance.Environments, func(e tree.EnvironmentRecord) bool { return e.RolledBackTo != "" }) {
		is, err := isRollback(ctx, r, h, tips...)
		var unknown *finding.Refusal
		switch {
		case errors.As(err, &unknown):
			return cannotTell, nil
		case err != nil || is:
			return bySluice, err
		}
		return byHand, nil
	}
	found, complete, err := writer(ctx, r, h, tips...)
	switch {
	case err != nil || found != nil:
		return bySluice, err
	case !complete:
		return cannotTell, nil
	}
	return byHand, nil
}

// before finds the last commit, on the first-parent line of an edited one,
// that nobody had edited; nil if there is none.
func before(ctx context.Context, r *repo.Repo, edited repo.ID, lines ...repo.ID) (*state, error) {
	var found *state
	_, err := r.WalkFirstParents(ctx, edited, func(c *repo.Commit) (bool, error) {
		h, err := readState(r, c.ID)
		if err != nil {
			return true, gone(err)
		}
		is, err := judge(ctx, r, h, lines...)
		if err == nil && is == bySluice {
			found = h
		}
		return found == nil, err
	})
	return found, err
}

// recordIDs gives the records of a commit by path, except an environment's and
// the provenance, and those of the environment.
func recordIDs(r *repo.Repo, h *state, environment string) (others, own map[string]repo.TreeEntry, err error) {
	others, own = map[string]repo.TreeEntry{}, map[string]repo.TreeEntry{}
	err = eachFile(r, repo.ID(h.records), tree.Dir, func(p string, e repo.TreeEntry) {
		switch {
		case p == tree.ProvenancePath:
		case p == tree.RecordPath(environment, "") || strings.HasPrefix(p, path.Join(tree.Dir, environment)+"/"):
			own[p] = e
		default:
			others[p] = e
		}
	})
	return others, own, err
}

// eachFile visits what is not a directory below a tree.
func eachFile(r *repo.Repo, id repo.ID, at string, visit func(path string, e repo.TreeEntry)) error {
	if id == "" {
		return nil
	}
	entries, err := r.Tree(id)
	if err != nil {
		return err
	}
	for _, e := range entries {
		p := path.Join(at, e.Name)
		if e.Mode != repo.ModeDir {
			visit(p, e)
			continue
		}
		if err := eachFile(r, e.ID, p, visit); err != nil {
			return err
		}
	}
	return nil
}
