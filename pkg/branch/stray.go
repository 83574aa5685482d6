package branch

import (
	"context"
	"fmt"
	"slices"

	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// How is the way in which a branch left its chain's line, as far as Git tells.
type How string

// The ways to leave the line.
const (
	Squashed   How = "squash-merged"
	Rebased    How = "rebase-merged"
	Merged     How = "merged with a merge commit"
	RolledBack How = "rolled back"
	Reverted   How = "reverted"
	OtherFiles How = "other files"      // commits that change no environment and no record
	Apart      How = "hydrated apart"   // by sluice, on a line of its own
	Edited     How = "edited by hand"   // holds what sluice never wrote
	Foreign    How = "foreign"          // says nothing of itself
	Newer      How = "newer sluice"     // says what this version cannot read
	Untold     How = "history not here" // a clone that is cut off before it can be told
)

// Stray is a branch whose tip is not an ancestor of the tip that it could be
// promoted to.
type Stray struct {
	Head Head
	How  How
	// Content is the hydrated commit whose directories and records the tip
	// holds; for a rollback the one rolled back to. Empty where there is none.
	Content repo.ID

	tip repo.ID // to take in as a parent
}

// Diagnose tells how the tip of h came to be none of the ancestors of line;
// nil if it is one. ours is the version of sluice that runs.
func Diagnose(ctx context.Context, r *repo.Repo, h Head, line repo.ID, ours string) (*Stray, error) {
	s := &Stray{Head: h, tip: h.Tip}
	if s.tip == "" {
		s.tip = rootID // where commit makes the branch
	}
	on, err := isAncestor(ctx, r, s.tip, line)
	if err != nil || on == repo.Yes {
		return nil, err
	}
	if on == repo.Unknown {
		s.How = Untold
		if s.tip == rootID {
			return nil, nil // every line that was not adopted begins there
		}
		return s, nil
	}
	return s, s.diagnose(ctx, r, line, ours)
}

// Inspect tells what is to be said of a branch whether or not it is on the
// line: Edited, Foreign, Newer or RolledBack. It is nil if all is as sluice left
// it, or that cannot be told.
func Inspect(ctx context.Context, r *repo.Repo, h Head, line repo.ID, ours string) (*Stray, error) {
	s := &Stray{Head: h, tip: h.Tip}
	if h.Bare() {
		return nil, nil
	}
	if err := s.diagnose(ctx, r, line, ours); err != nil {
		return nil, err
	}
	switch e, ok := recorded(h); {
	case s.How == Edited || s.How == Foreign || s.How == Newer:
		return s, nil
	case ok && e.RolledBackTo != "":
		s.How, s.Content = RolledBack, repo.ID(e.RolledBackTo)
		return s, nil
	}
	return nil, nil
}

// recorded gives what the tip says of the branch's own environment.
func recorded(h Head) (tree.EnvironmentRecord, bool) {
	if h.Provenance == nil {
		return tree.EnvironmentRecord{}, false
	}
	return h.Provenance.Environment(h.Environment.Path)
}

func (s *Stray) diagnose(ctx context.Context, r *repo.Repo, line repo.ID, ours string) error {
	switch {
	case s.Head.Bare():
		s.How = OtherFiles
		return nil
	case s.Head.Foreign:
		s.How = Foreign
		return nil
	case newerSluice("branch "+s.Head.Environment.Branch, s.Head.Damaged, "", ours) != nil:
		s.How = Newer
		return nil
	case s.Head.Damaged != nil:
		s.How = Edited
		return nil
	}
	h, err := readState(r, s.tip)
	if err != nil {
		return err
	}
	is, err := judge(ctx, r, h, line)
	switch {
	case err != nil:
		return err
	case is == byHand:
		s.How = Edited
		return nil
	case is == cannotTell:
		s.How = Untold
		return nil
	}
	brought, err := broughtBy(ctx, r, h)
	if err != nil {
		return err
	}
	on, err := isAncestor(ctx, r, brought.ID, line)
	if err != nil {
		return err
	}
	if on == repo.Yes {
		s.How, s.Content = OtherFiles, brought.ID
		return nil
	}
	return s.from(ctx, r, brought, line)
}

// from tells how a commit that is not on the line came to hold what it holds.
func (s *Stray) from(ctx context.Context, r *repo.Repo, brought *state, line repo.ID) error {
	origin, _, err := writer(ctx, r, brought, line)
	if err != nil {
		return err
	}
	if e, ok := brought.provenance.Environment(s.Head.Environment.Path); origin == nil && ok && e.RolledBackTo != "" {
		s.How, s.Content = RolledBack, repo.ID(e.RolledBackTo)
		return nil
	}
	if origin == nil {
		s.How, s.Content = Apart, brought.ID
		return nil
	}
	s.Content = origin.ID
	for _, p := range brought.Parents[min(1, len(brought.Parents)):] {
		parent, err := readState(r, p)
		if err == nil && parent.records == brought.records {
			s.How = Merged
			return nil
		}
		if err := gone(err); err != nil {
			return err
		}
	}
	had, err := isAncestor(ctx, r, origin.ID, brought.ID)
	switch {
	case err != nil:
		return err
	case had == repo.Yes:
		s.How = Reverted
	case brought.Message == origin.Message && sameSignature(brought.Author, origin.Author):
		s.How = Rebased
	default:
		s.How = Squashed
	}
	return nil
}

func sameSignature(a, b repo.Signature) bool {
	return a.Name == b.Name && a.Email == b.Email && a.When.Equal(b.When)
}

// broughtBy gives the first commit, on the first-parent line of h, from which
// on all has been in directories and records as it is in h.
func broughtBy(ctx context.Context, r *repo.Repo, h *state) (*state, error) {
	brought := h
	_, err := r.WalkFirstParents(ctx, h.ID, func(c *repo.Commit) (bool, error) {
		at, err := readState(r, c.ID)
		if err != nil {
			return false, gone(err)
		}
		if at.records != h.records {
			return false, nil
		}
		agrees, err := at.agrees()
		if agrees {
			brought = at
		}
		return agrees, err
	})
	return brought, err
}

// What says how the environment came to hold what it holds, as what follows its name.
func (s *Stray) What() string {
	switch s.How {
	case Squashed, Rebased, Merged:
		return fmt.Sprintf("has the content of %s but another history: %s", s.Content.Short(), s.How)
	case Reverted:
		return fmt.Sprintf("was taken back to the content of %s: reverted", s.Content.Short())
	case RolledBack:
		return "was rolled back to " + s.Content.Short()
	case OtherFiles:
		return "has commits of its own that change no object"
	case Apart:
		return "has hydrated commits that the line never had"
	case Edited:
		return "was edited by hand"
	case Foreign:
		return "has a branch that sluice did not write"
	case Newer:
		return "was written by another sluice: " + printable(s.Head.Damaged.Error())
	}
	return "may have left the line: the history is not here"
}

// Next says what becomes of the branch.
func (s *Stray) Next() string {
	switch s.How {
	case RolledBack:
		if s.Head.Environment.PromotedFrom == "" {
			return "the next commit renders the source again"
		}
	case Edited:
		return "the next commit is refused unless told to --discard-edits"
	case Foreign:
		return "the next commit is refused unless told to --adopt it"
	case Newer:
		return "use that version"
	case Untold:
		return "fetch it: git fetch --unshallow"
	}
	return "the next commit heals it"
}

// isAncestor answers for the root commit too where that has not been written yet.
func isAncestor(ctx context.Context, r *repo.Repo, a, b repo.ID) (repo.Ancestry, error) {
	switch {
	case a == b:
		return repo.Yes, nil
	case b == rootID:
		return repo.No, nil
	}
	return r.IsAncestor(ctx, a, b)
}

// reduce leaves out tips that other tips contain, and those given twice.
func reduce(ctx context.Context, r *repo.Repo, tips []repo.ID) ([]repo.ID, error) {
	var kept []repo.ID
	for i, tip := range tips {
		contained := slices.Contains(tips[:i], tip)
		for _, other := range tips {
			if contained || other == tip {
				continue
			}
			is, err := isAncestor(ctx, r, tip, other)
			if err != nil {
				return nil, err
			}
			contained = is == repo.Yes
		}
		if !contained {
			kept = append(kept, tip)
		}
	}
	return kept, nil
}
