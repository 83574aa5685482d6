// Package propose takes files of the source as they are to be, and where the
// branch that they are for and the branch of a request stand; it gives the one
// commit that a request asks for.
//
// A request's branch is never forced: what follows on the base, or on another
// wish, is one more commit on it. Its tree is that of the base with the files,
// never a merge of text, so there are no conflicts and nothing of an earlier wish
// is left. See docs/decisions/054-a-request-goes-forward.md.
package propose

import (
	"context"
	"fmt"
	"strings"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// Place is where a change goes and what is there.
type Place struct {
	Base   string  // branch that is to have the change: main
	BaseAt repo.ID // its commit
	Head   string  // branch that the request comes from: sluice/images/api
	HeadAt repo.ID // its commit; "" if it does not exist
	Open   bool    // a request from Head to Base is open
}

// Change is what is to become of the source.
type Change struct {
	Files     []File
	Overwrite bool // replace files that are there with other content
	Message   string
	Author    repo.Signature
	Committer repo.Signature
	Signer    *repo.Signer // nil signs nothing
}

// Outcome is what there is to do.
type Outcome string

// What there can be to do. Follow and Replace differ in what becomes of the
// commits that Head has: they stay before the new one, or go with the branch,
// which no request is about any more.
const (
	Nothing   Outcome = "nothing"   // Base holds the change
	Unchanged Outcome = "unchanged" // Head holds it
	Start     Outcome = "start"     // Head is made, or goes on from Base
	Follow    Outcome = "follow"
	Replace   Outcome = "replace"
)

// Next is the commit that Head is to be at.
type Next struct {
	Place
	Outcome Outcome
	Commit  repo.ID   // that holds the change; that of Base if there is Nothing to do
	Files   []Changed // against Base
	writer  *repo.Writer
}

// Changed is a file that differs from what the base has.
type Changed struct {
	Path   string `json:"path"`
	Status string `json:"status"` // added, changed or removed
}

// Make gives the next commit. Nothing is written. What is wrong with the paths
// is a finding.List; a file or a commit of somebody else's in the way is a
// *finding.Refusal.
func Make(ctx context.Context, r *repo.Repo, at Place, ch Change) (*Next, error) {
	base, err := r.Commit(at.BaseAt)
	if err != nil {
		return nil, fmt.Errorf("reading the tip of %q: %w", at.Base, err)
	}
	changes, files, err := compare(r, at.Base, base.Tree, ch)
	if err != nil {
		return nil, err
	}
	n := &Next{Place: at, Outcome: Nothing, Commit: base.ID, Files: files, writer: r.NewWriter()}
	if len(changes) == 0 {
		return n, nil
	}
	tree, err := n.writer.Update(base.Tree, changes)
	if err != nil {
		return nil, err
	}
	parents, err := n.parents(ctx, r, tree)
	if err != nil || n.Outcome == Unchanged {
		return n, err
	}
	n.Commit, err = n.writer.SignedCommit(ctx, repo.CommitSpec{
		Tree: tree, Parents: parents, Author: ch.Author, Committer: ch.Committer,
		Message: strings.TrimSpace(ch.Message) + "\n\n" + trailer(tree),
	}, ch.Signer)
	return n, err
}

// parents decides the outcome for a tree that Base has not, and what its commit
// comes after.
func (n *Next) parents(ctx context.Context, r *repo.Repo, tree repo.ID) ([]repo.ID, error) {
	n.Outcome = Start
	if n.HeadAt == "" {
		return []repo.ID{n.BaseAt}, nil
	}
	merged, err := r.IsAncestor(ctx, n.HeadAt, n.BaseAt)
	if err != nil || merged == repo.Yes {
		return []repo.ID{n.BaseAt}, err
	}
	tip, err := r.Commit(n.HeadAt)
	if err != nil {
		return nil, fmt.Errorf("reading the tip of %q: %w", n.Head, err)
	}
	if err := n.checkOurs(ctx, r, tip); err != nil {
		return nil, err
	}
	within, err := r.IsAncestor(ctx, n.BaseAt, n.HeadAt)
	switch {
	case err != nil:
		return nil, err
	case tip.Tree == tree && (n.Open || within == repo.Yes):
		n.Outcome, n.Commit = Unchanged, tip.ID
		return nil, nil
	case !n.Open:
		n.Outcome = Replace
		return []repo.ID{n.BaseAt}, nil
	}
	n.Outcome = Follow
	if within == repo.Yes {
		return []repo.ID{n.HeadAt}, nil
	}
	// Where the history is cut off, a parent that is one already does no harm.
	return []repo.ID{n.HeadAt, n.BaseAt}, nil
}

// trailer is by which a commit is known again as ours. It names the tree, so that
// it does not hold for what somebody has amended.
func trailer(tree repo.ID) string { return "Proposed-Tree: " + string(tree) }

// maxUpdates bounds the merges of the base into a head that are looked through.
const maxUpdates = 100

// checkOurs refuses a head on which somebody else has committed. A merge of
// the base that brings nothing of its own, as the forges' buttons make it, is
// nobody's work.
func (n *Next) checkOurs(ctx context.Context, r *repo.Repo, tip *repo.Commit) error {
	for c, i := tip, 0; i < maxUpdates; i++ {
		for line := range strings.Lines(c.Message) {
			if strings.TrimSpace(line) == trailer(c.Tree) {
				return nil
			}
		}
		if len(c.Parents) != 2 {
			break
		}
		of, err := r.IsAncestor(ctx, c.Parents[1], n.BaseAt)
		if err != nil {
			return err
		}
		before, err := r.Commit(c.Parents[0])
		if err != nil {
			return err
		}
		with, err := r.Commit(c.Parents[1])
		if err != nil {
			return err
		}
		adds, err := brings(r, c.Tree, before.Tree, with.Tree)
		if err != nil {
			return err
		}
		if of != repo.Yes || adds {
			break
		}
		c = before
	}
	return &finding.Refusal{
		Text: fmt.Sprintf("%s on the remote holds a commit of somebody else: %s %q", n.Head, tip.ID.Short(), tip.Subject()),
		Hint: fmt.Sprintf("merge or close its request; what is on it goes with the branch: git push origin --delete %s", n.Head),
	}
}

// brings tells whether a tree holds an entry that neither of two others has in
// the same place.
func brings(r *repo.Repo, tree, a, b repo.ID) (bool, error) {
	if tree == a || tree == b {
		return false, nil
	}
	entries, err := r.Tree(tree)
	if err != nil {
		return false, err
	}
	var others [2]map[string]repo.TreeEntry
	for i, id := range []repo.ID{a, b} {
		if others[i], err = entriesOf(r, id); err != nil {
			return false, err
		}
	}
	for _, e := range entries {
		x, y := others[0][e.Name], others[1][e.Name]
		if e == x || e == y {
			continue
		}
		if e.Mode != repo.ModeDir || x.Mode != repo.ModeDir || y.Mode != repo.ModeDir {
			return true, nil
		}
		if adds, err := brings(r, e.ID, x.ID, y.ID); adds || err != nil {
			return adds, err
		}
	}
	return false, nil
}

// Push writes the commit and moves Head there. What the server had to say is
// given as it came.
func (n *Next) Push(ctx context.Context, m *repo.Remote) (said string, err error) {
	if n.Outcome == Nothing || n.Outcome == Unchanged {
		return "", nil
	}
	defer n.writer.Close()
	if err := n.writer.Flush(ctx); err != nil {
		return "", err
	}
	full, old := "refs/heads/"+n.Head, n.HeadAt
	if n.Outcome == Replace {
		if _, err := m.Push(ctx, []repo.PushRef{{Name: full, Old: old}}); err != nil {
			return "", err
		}
		old = ""
	}
	results, err := m.Push(ctx, []repo.PushRef{{Name: full, Old: old, New: n.Commit}})
	if len(results) > 0 {
		said = results[0].Said
	}
	return said, err
}
