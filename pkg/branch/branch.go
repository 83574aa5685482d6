// Package branch takes a chain's hydrated environments and the heads of its
// branches and gives the next hydrated commit: what it holds, its parents and
// its message. Nothing is written before Apply.
package branch

import (
	"errors"
	"fmt"
	"time"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/source"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// Head is where an environment's branch stands.
type Head struct {
	Environment config.Environment
	Tip         repo.ID // empty if there is no such branch, here or at origin
	Local       repo.ID // tip of the branch in this repository; empty in a clone that has origin's only
	// Provenance is what the tip says of itself; nil without a tip, on the
	// chain's root commit, and on a branch that sluice did not write.
	Provenance *tree.Provenance
	Foreign    bool  // sluice did not write the tip
	Damaged    error // why what the tip says of itself cannot be read

	there bool    // what is planned moves nothing here
	asked repo.ID // commit that was asked for, off the branch's line; it may explain what the branch holds
}

// Bare tells whether nothing has been hydrated onto the branch yet.
func (h Head) Bare() bool { return h.Provenance == nil && !h.Foreign && h.Damaged == nil }

// ReadHead reads where an environment's branch stands.
func ReadHead(r *repo.Repo, e config.Environment) (Head, error) {
	h := Head{Environment: e}
	var err error
	if h.Local, err = tip(r.Branch(e.Branch)); err != nil {
		return h, err
	}
	if h.Tip = h.Local; h.Local == "" {
		// A clone has the branches of its origin under other names.
		if h.Tip, err = tip(r.RemoteBranch("origin", e.Branch)); err != nil {
			return h, err
		}
	}
	return h, h.read(r)
}

// Rev is what git calls the tip here: a clone has the branches of its origin
// under other names.
func (h Head) Rev() string {
	if h.Local == "" {
		return "origin/" + h.Environment.Branch
	}
	return h.Environment.Branch
}

// read fills in what the tip says of itself.
func (h *Head) read(r *repo.Repo) error {
	if h.Tip == "" || h.Tip == rootID {
		return nil
	}
	files, err := r.Files(h.Tip)
	if err != nil {
		return fmt.Errorf("reading the tip of branch %q: %w", h.Environment.Branch, err)
	}
	h.Provenance, err = tree.ReadProvenance(files)
	if errors.Is(err, tree.ErrNoProvenance) {
		h.Foreign, err = foreign(r, *h, files)
		return err
	}
	h.Damaged = err
	return nil
}

// foreign tells a branch that sluice did not make from one that it made and
// that holds nothing yet but other files.
func foreign(r *repo.Repo, h Head, files source.Tree) (bool, error) {
	if id, err := tree.ID(files, h.Environment.Path); err != nil || id != "" {
		return true, err
	}
	for id := h.Tip; id != rootID; {
		c, err := r.Commit(id)
		if err != nil {
			return true, gone(err)
		}
		if len(c.Parents) == 0 {
			return true, nil
		}
		id = c.Parents[0]
	}
	return false, nil
}

// Source gives the source commit that the environment's own directory was
// rendered from: after a rollback that of the commit rolled back to. It is empty
// if the branch does not say, or says it with a commit that cannot be read.
func (h Head) Source(r *repo.Repo) repo.ID {
	e, ok := recorded(h)
	switch {
	case h.Provenance == nil:
		return ""
	case !ok || e.RolledBackTo == "":
		return repo.ID(h.Provenance.Source.Commit)
	}
	to, err := readState(r, repo.ID(e.RolledBackTo))
	if err != nil {
		return ""
	}
	return repo.ID(to.provenance.Source.Commit)
}

// tip takes a branch that is surely absent for an empty tip.
func tip(id repo.ID, err error) (repo.ID, error) {
	if errors.Is(err, repo.ErrNoBranch) {
		return "", nil
	}
	return id, err
}

// ReadHeads reads a chain's heads, in the chain's order.
func ReadHeads(r *repo.Repo, chain config.Chain) ([]Head, error) {
	heads := make([]Head, len(chain))
	for i, e := range chain {
		h, err := ReadHead(r, e)
		if err != nil {
			return nil, err
		}
		heads[i] = h
	}
	return heads, nil
}

// The root commit that all branches of all chains share. It is the same in
// every repository, so whoever makes it first makes the same one.
var epoch = repo.Signature{Name: "sluice", Email: "sluice@localhost", When: time.Unix(0, 0).UTC()}

const rootMessage = "Root of the environment branches\n"

func rootCommit() *repo.Commit {
	return &repo.Commit{ID: rootID, Tree: repo.EmptyTree, Author: epoch, Committer: epoch, Message: rootMessage}
}

// rootID is the id of the root commit; a test holds it against git's.
const rootID repo.ID = "4f73e05ca197043da2d5bd9009dac5a076d2d3f9"
