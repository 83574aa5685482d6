package branch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// Hydrated is one commit on the line of a branch.
type Hydrated struct {
	ID         repo.ID
	Provenance *tree.Provenance // nil if there is none, or none that can be read
	Foreign    bool             // it has none: sluice did not write it
}

// Past is what a branch went through, or the end of it.
type Past struct {
	Commits  []Hydrated // newest first
	Earlier  int        // commits from before sluice wrote to the branch; 0 after a hydrated one
	Complete bool       // false where the history that is here ends too early
}

// ReadPast gives the commits that a branch went through: from tip to tip's
// first parent and so on, down to the root commit, or to what from contains.
func ReadPast(ctx context.Context, r *repo.Repo, from, tip repo.ID) (Past, error) {
	var past Past
	before := map[repo.ID]bool{}
	if from != "" {
		_, err := r.Walk(ctx, from, func(c *repo.Commit) (bool, error) {
			before[c.ID] = true
			return true, nil
		})
		if err != nil {
			return past, err
		}
	}
	begun := false // what is before the line is hydrated
	var err error
	past.Complete, err = r.WalkFirstParents(ctx, tip, func(c *repo.Commit) (bool, error) {
		if c.ID == rootID {
			return false, nil
		}
		h, err := readHydrated(r, c.ID)
		if err != nil {
			return false, err
		}
		if before[c.ID] {
			begun = !h.Foreign
			return false, nil
		}
		past.Commits = append(past.Commits, h)
		return true, nil
	})
	if begun {
		return past, err
	}
	for n := len(past.Commits); n > 0 && past.Commits[n-1].Foreign; n-- {
		past.Commits = past.Commits[:n-1]
		past.Earlier++
	}
	return past, err
}

func readHydrated(r *repo.Repo, id repo.ID) (Hydrated, error) {
	h := Hydrated{ID: id}
	files, err := r.Files(id)
	if err != nil {
		return h, err
	}
	p, err := tree.ReadProvenance(files)
	var missing *repo.MissingObjectError
	switch {
	case errors.As(err, &missing):
		return h, err
	case errors.Is(err, tree.ErrNoProvenance):
		h.Foreign = true
	case err == nil:
		h.Provenance = p
	}
	return h, nil
}

// Sources tells whether the source commits that branches name belong to the
// source. It remembers the last one that does: what that one contains does, too.
type Sources struct {
	repo   *repo.Repo
	proven repo.ID
	bound  bool
	refs   []string // that are believed, if bound; else whatever a commit names
}

// NewSources tells of the sources of one repository.
func NewSources(r *repo.Repo) *Sources { return &Sources{repo: r} }

// SourcesOf believes these refs alone, whatever a commit says of itself:
// refs/heads/main. Empty ones are left out. What is checked out, and origin's
// default branch, count beside them.
func SourcesOf(r *repo.Repo, refs ...string) *Sources {
	return &Sources{repo: r, bound: true, refs: slices.DeleteFunc(refs, func(ref string) bool { return ref == "" })}
}

// Check gives the sources that a hydrated commit names and that belong to no
// branch: a commit of somebody's fork can be fetched by its id, too. Its own
// source has to be in the recorded branch, here or at origin, or in what is
// checked out or is origin's default; those of its records in its own. What
// cannot be told is a *finding.Refusal.
func (s *Sources) Check(ctx context.Context, id repo.ID) ([]tree.Difference, error) {
	found, err := s.Own(ctx, id)
	if err != nil || len(found) > 0 {
		return found, err
	}
	files, err := s.repo.Files(id)
	if err != nil {
		return nil, err
	}
	p, err := tree.ReadProvenance(files)
	if err != nil {
		return nil, nil // not a matter of the source
	}
	source := repo.ID(p.Source.Commit)
	older := map[repo.ID][]string{} // the paths of the records that name it
	for _, e := range p.Environments {
		records, err := tree.Records(files, e.Name)
		if err != nil {
			return nil, nil
		}
		for _, r := range records {
			if at := repo.ID(r.Commit); at != source {
				older[at] = append(older[at], tree.RecordPath(e.Name, r.App))
			}
		}
	}
	return s.contains(ctx, source, older)
}

// Own is Check for the commit's own source alone, which is what is rendered. A
// *repo.MissingObjectError says that it is not here.
func (s *Sources) Own(ctx context.Context, id repo.ID) ([]tree.Difference, error) {
	files, err := s.repo.Files(id)
	if err != nil {
		return nil, err
	}
	p, err := tree.ReadProvenance(files)
	if err != nil {
		return nil, nil
	}
	source := repo.ID(p.Source.Commit)
	refs := s.refs
	if !s.bound && p.Source.Ref != "" {
		refs = []string{p.Source.Ref}
	}
	belongs, err := s.belongs(ctx, source, refs)
	if err != nil {
		return nil, err
	}
	switch belongs {
	case repo.Unknown:
		return nil, UnknownHistory(fmt.Sprintf("whether source %s of %s is in a branch cannot be told", source.Short(), id.Short()))
	case repo.No:
		var missing *repo.MissingObjectError
		if _, err := s.repo.Files(source); errors.As(err, &missing) {
			return nil, fmt.Errorf("opening the recorded source %s: %w", source.Short(), err)
		}
		where := "HEAD does not contain it"
		if len(refs) > 0 {
			where = fmt.Sprintf("neither %s, here or at origin, nor HEAD contains it", strings.Join(refs, " or "))
		}
		what := "is in no branch"
		if s.bound {
			what = "is not in the branch of the source"
		}
		return []tree.Difference{{Path: tree.ProvenancePath, What: "different", Detail: fmt.Sprintf("source %s %s: %s", source.Short(), what, where)}}, nil
	}
	s.proven = source
	return nil, nil
}

// belongs tells whether a branch of the source contains a commit.
func (s *Sources) belongs(ctx context.Context, commit repo.ID, refs []string) (repo.Ancestry, error) {
	if s.proven != "" {
		if is, err := s.repo.IsAncestor(ctx, commit, s.proven); err == nil && is == repo.Yes {
			return repo.Yes, nil
		}
	}
	var asks []func() (repo.ID, error)
	for _, ref := range refs {
		if name, ok := strings.CutPrefix(ref, "refs/heads/"); ok {
			asks = append(asks,
				func() (repo.ID, error) { return s.repo.Branch(name) },
				func() (repo.ID, error) { return s.repo.RemoteBranch("origin", name) })
		}
	}
	for _, rev := range []string{"HEAD", "refs/remotes/origin/HEAD"} {
		asks = append(asks, func() (repo.ID, error) { return s.repo.Resolve(rev) })
	}
	answer := repo.No
	for _, ask := range asks {
		at, err := ask()
		var absent *repo.UnknownRevisionError
		var unborn *repo.UnbornError
		if errors.Is(err, repo.ErrNoBranch) || errors.As(err, &absent) || errors.As(err, &unborn) {
			continue
		}
		if err != nil {
			return repo.Unknown, err
		}
		is, err := s.repo.IsAncestor(ctx, commit, at)
		if err != nil {
			return repo.Unknown, err
		}
		if is == repo.Yes {
			return repo.Yes, nil
		}
		if is == repo.Unknown {
			answer = repo.Unknown
		}
	}
	return answer, nil
}

// contains gives the records whose commits a source does not contain.
func (s *Sources) contains(ctx context.Context, source repo.ID, records map[repo.ID][]string) ([]tree.Difference, error) {
	if len(records) == 0 {
		return nil, nil
	}
	complete, err := s.repo.Walk(ctx, source, func(c *repo.Commit) (bool, error) {
		delete(records, c.ID)
		return len(records) > 0, nil
	})
	if err != nil || len(records) == 0 {
		return nil, err
	}
	var found []tree.Difference
	for commit, paths := range records {
		for _, path := range paths {
			found = append(found, tree.Difference{Path: path, What: "different", Detail: fmt.Sprintf("source %s does not contain %s", source.Short(), commit.Short())})
		}
	}
	slices.SortFunc(found, func(a, b tree.Difference) int { return strings.Compare(a.Path, b.Path) })
	if !complete {
		return nil, UnknownHistory(fmt.Sprintf("whether source %s contains the one that %s names cannot be told", source.Short(), found[0].Path))
	}
	return found, nil
}
