package branch

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// line is what a chain's next commit goes on from.
type line struct {
	from    Head         // its tip is the first parent; Provenance is the last that sluice wrote
	records *state       // the state whose records are carried on; nil without one
	parent  *repo.Commit // the tip of from, or the root commit
	strays  []*Stray     // taken in as further parents
	edits   []Edit       // overwritten
	adopted []string     // branches that sluice did not write
	untold  []string     // branches of which nothing could be told
	unsaid  bool         // no commit of the line itself says that it brought the records: it cannot be verified
	outside []repo.Change
}

// follow gives what the next commit of a chain goes on from: the tip of its
// first branch, and the tips of later branches that are not in its history.
// It refuses what would lose somebody's work.
func follow(ctx context.Context, r *repo.Repo, heads []Head, ours string, o Options) (*line, error) {
	from, err := start(ctx, r, heads)
	if err != nil {
		return nil, err
	}
	l := &line{from: from}
	if from.Tip == "" || from.Tip == rootID {
		l.parent = rootCommit()
	} else if l.parent, err = r.Commit(from.Tip); err != nil {
		return nil, err
	}
	if err := l.checkFrom(ctx, r, ours, o); err != nil {
		return nil, err
	}
	for _, h := range heads {
		if h.Environment.Name == from.Environment.Name {
			continue
		}
		if err := l.takeIn(ctx, r, h, ours, o); err != nil {
			return nil, err
		}
	}
	if len(l.edits) > 0 && !o.DiscardEdits {
		return nil, &EditedError{l.edits}
	}
	return l, nil
}

// start gives the head that the next commit follows. That is the first one,
// unless it is new and put before branches that are hydrated already.
func start(ctx context.Context, r *repo.Repo, heads []Head) (Head, error) {
	root := heads[0]
	if !root.Bare() {
		return root, nil
	}
	start := root
	for _, h := range heads[1:] {
		if h.Provenance == nil {
			continue
		}
		for _, e := range h.Provenance.Environments {
			if e.Name == root.Environment.Name {
				return root, lost(root, h)
			}
		}
		if start.Provenance != nil {
			further, err := isAncestor(ctx, r, start.Tip, h.Tip)
			if err != nil {
				return root, err
			}
			if further != repo.Yes {
				continue
			}
		}
		start = h
	}
	return start, nil
}

// lost refuses to begin a second line beside the one that later environments
// stand on, where the branch of the first one is gone: it may have held more.
func lost(root, later Head) error {
	what, force := "does not exist", ""
	if root.Tip != "" {
		what, force = "is empty", "-f "
	}
	return &finding.Refusal{
		Text: fmt.Sprintf("branch %s %s, and %s holds what was promoted from it: it may have held more than that", root.Environment.Branch, what, later.Environment.Branch),
		Hint: fmt.Sprintf("fetch it, or go on from what is left: git branch %s%s %s", force, root.Environment.Branch, later.Tip),
	}
}

// checkFrom looks at the tip that the next commit follows.
func (l *line) checkFrom(ctx context.Context, r *repo.Repo, ours string, o Options) error {
	h := l.from
	switch {
	case h.Bare():
		return nil
	case h.Foreign:
		return l.adopt(h, o)
	}
	var lines []repo.ID
	if h.asked != "" {
		lines = append(lines, h.asked)
	}
	edit, since, err := editAt(ctx, r, h, ours, lines...)
	if err != nil {
		return err
	}
	if edit != nil {
		l.edits = append(l.edits, *edit)
		l.from.Provenance = nil
	}
	if l.records = since; since != nil {
		l.from.Provenance = since.provenance
	}
	if edit == nil && (len(lines) > 0 || len(l.parent.Parents) > 1) && !slices.ContainsFunc(since.provenance.Environments, func(e tree.EnvironmentRecord) bool { return e.RolledBackTo != "" }) {
		brought, complete, err := writer(ctx, r, since, h.Tip)
		l.unsaid = brought == nil && complete
		return err
	}
	return nil
}

// editAt finds an edit by hand. A newer version's branch is none.
func editAt(ctx context.Context, r *repo.Repo, h Head, ours string, lines ...repo.ID) (*Edit, *state, error) {
	files, err := r.Files(h.Tip)
	if err != nil {
		return nil, nil, err
	}
	if err := CheckVersion(files, "branch "+h.Environment.Branch, ours); err != nil {
		return nil, nil, err
	}
	return findEdit(ctx, r, h, lines...)
}

// adopt refuses a branch that sluice did not write, unless it is to be taken over.
func (l *line) adopt(h Head, o Options) error {
	branch := h.Environment.Branch
	if o.Adopt {
		l.adopted = append(l.adopted, branch)
		return nil
	}
	return &finding.Refusal{
		Text: fmt.Sprintf("branch %s was not written by sluice: its tip %s has no %s", branch, h.Tip.Short(), tree.ProvenancePath),
		Hint: fmt.Sprintf("give environment %q another branch, or take this one over: --adopt replaces %s/ and leaves other files alone", h.Environment.Name, h.Environment.Path),
	}
}

// takeIn looks at a later branch and takes its tip in where it left the line.
func (l *line) takeIn(ctx context.Context, r *repo.Repo, h Head, ours string, o Options) error {
	s, err := Diagnose(ctx, r, h, l.parent.ID, ours)
	if err != nil || s == nil {
		return err
	}
	switch s.How {
	case Untold:
		l.untold = append(l.untold, h.Environment.Branch)
		return nil
	case Foreign:
		if err := l.adopt(h, o); err != nil {
			return err
		}
	case Edited, Newer:
		edit, _, err := editAt(ctx, r, h, ours, l.parent.ID)
		if err != nil {
			return err
		}
		if edit != nil {
			l.edits = append(l.edits, *edit)
		}
	}
	l.strays = append(l.strays, s)
	return nil
}

// parents gives the parents of the next commit.
func (l *line) parents(ctx context.Context, r *repo.Repo) ([]repo.ID, error) {
	var tips []repo.ID
	for _, s := range l.strays {
		tips = append(tips, s.tip)
	}
	tips, err := reduce(ctx, r, tips)
	return append([]repo.ID{l.parent.ID}, tips...), err
}

// carry collects the files beside the environments' directories that only
// strayed branches hold.
func (l *line) carry(ctx context.Context, r *repo.Repo, environments []*tree.Environment, o Options) error {
	out := &outside{repo: r, base: l.parent, taken: map[string]repo.TreeEntry{}}
	recorded := []*tree.Provenance{l.from.Provenance}
	for _, s := range l.strays {
		recorded = append(recorded, s.Head.Provenance)
	}
	out.inside = insidePaths(environments, recorded...)
	for _, s := range l.strays {
		if s.tip == rootID {
			continue
		}
		c, err := r.Commit(s.tip)
		if err != nil {
			return err
		}
		if err := out.take(ctx, s.Head.Environment.Branch, c); err != nil {
			return err
		}
	}
	l.outside = out.changes()
	if o.DiscardEdits {
		return nil
	}
	return out.err(l.from.Environment.Branch)
}

// says gives the paragraphs of the commit's message that tell what it took in
// and what it overwrote.
func (l *line) says() []string {
	var all []string
	for _, s := range l.strays {
		if s.tip != rootID {
			all = append(all, fmt.Sprintf("Takes in %s at %s: %s.", s.Head.Environment.Branch, s.tip, s.How))
		}
	}
	return append(all, discards(l.edits)...)
}

// discards gives the paragraphs that tell which edits were overwritten.
func discards(edits []Edit) []string {
	var all []string
	for _, e := range edits {
		var files []string
		for i, c := range e.Changes {
			if i == maxListed {
				files = append(files, fmt.Sprintf("and %d more", len(e.Changes)-i))
				break
			}
			files = append(files, c.File)
		}
		all = append(all, printable(fmt.Sprintf("Discards what was edited by hand on %s at %s: %s.", e.Environment.Branch, e.Tip, strings.Join(files, ", "))))
	}
	return all
}

// maxListed is how many files of a discarded edit a commit's message names.
const maxListed = 20

// Healed is a branch that a commit took in.
type Healed struct {
	Environment config.Environment
	Commit      repo.ID
	How         How
	Content     repo.ID
}
