package branch

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/source"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// Start is what a chain's next commit goes on from, or why it may not. It is
// found before anything is rendered, so that what the branch holds already
// need not be.
type Start struct {
	heads []Head
	line  *line
	err   error // for Plan to give: what is at fault in the source is said first
}

// Begin looks at a chain's heads. ours is the version of sluice that runs.
func Begin(ctx context.Context, r *repo.Repo, heads []Head, ours string, o Options) *Start {
	s := &Start{heads: heads}
	s.line, s.err = follow(ctx, r, heads, ours, o)
	return s
}

// Unknown is the error if there is too little history here to begin.
func (s *Start) Unknown() error {
	var unknown *HistoryError
	var missing *repo.MissingObjectError
	if errors.As(s.err, &unknown) || errors.As(s.err, &missing) {
		return s.err
	}
	return nil
}

// Base gives the commit whose apps the next one may take over; nil if there is
// none that may be believed: it is the tip of the chain's line, nobody edited
// it, the same program made it from the same history's source, and all that it
// says of itself holds. p is what the next commit will say of itself.
func (s *Start) Base(ctx context.Context, r *repo.Repo, p tree.Provenance) (*tree.Base, error) {
	l := s.line
	if s.err != nil || l.records == nil || l.records.ID != l.parent.ID || len(l.edits) > 0 {
		return nil, nil
	}
	said := l.records.provenance
	if said.Renderer != p.Renderer || said.Source.Config != p.Source.Config {
		return nil, nil
	}
	files, err := sourceOf(ctx, r, repo.ID(said.Source.Commit), repo.ID(p.Source.Commit))
	if err != nil || files == nil {
		return nil, err
	}
	base := &tree.Base{Commit: string(l.records.ID), Files: l.records.files, Provenance: said, Source: files, Known: l.records.apps, Own: l.records.own}
	if base.Own {
		return base, nil // the records are those that sluice wrote beside these directories
	}
	for _, e := range said.Environments {
		holds, err := tree.Holds(base.Files, e.Path, l.records.apps[e.Name])
		if err != nil || !holds {
			return nil, err
		}
	}
	return base, nil
}

// The reflog's messages of the moves to commits that the run itself has made.
// Where a branch only follows that of a remote, it says something else.
const (
	madeByCommit = "sluice commit"
	madeByPush   = "sluice commit --push: made here"
)

// madeHere tells whether the reflog here says that sluice made a head's tip. The
// tip's id stands for all that is in it, so there is nothing left that somebody
// else could have changed.
func madeHere(r *repo.Repo, h Head) bool {
	return r.Moved("refs/heads/"+h.Environment.Branch, h.Tip, madeByCommit, madeByPush)
}

// sourceOf gives the files of a recorded source commit if it is of the history
// of the one at hand; nil if it is not, or that cannot be told.
func sourceOf(ctx context.Context, r *repo.Repo, recorded, source repo.ID) (source.Tree, error) {
	related := recorded == source
	var missing *repo.MissingObjectError
	for _, pair := range [][2]repo.ID{{recorded, source}, {source, recorded}} {
		if related {
			break
		}
		is, err := r.IsAncestor(ctx, pair[0], pair[1])
		if err != nil && !errors.As(err, &missing) {
			return nil, err
		}
		related = err == nil && is == repo.Yes
	}
	if !related {
		return nil, nil
	}
	files, err := r.Files(recorded)
	if errors.As(err, &missing) {
		return nil, nil
	}
	return files, err
}

// readTaken fills in what the trailers need of the apps that are taken over.
func (l *line) readTaken(environments []*tree.Environment) error {
	if l.records == nil {
		return nil // nothing is
	}
	base := &tree.Base{Files: l.records.files, Provenance: l.records.provenance, Known: l.records.apps}
	for _, e := range environments {
		if err := e.Read(base); err != nil {
			return err
		}
	}
	return nil
}

// partly gives the changes that make an environment's directory what it should
// be where some apps are taken over: those are not touched.
func partly(have source.Tree, env *tree.Environment) ([]repo.Change, error) {
	wanted := map[string]bool{}
	for _, t := range env.Taken {
		if t.App == "" {
			return nil, nil // it is the whole directory
		}
		wanted[t.App] = t.Holds()
	}
	byName := map[string]tree.Files{}
	var changes []repo.Change
	for p, data := range env.Files {
		name, rest, deeper := strings.Cut(p, "/")
		switch {
		case !deeper:
			changes = append(changes, repo.Change{Path: path.Join(env.Path, p), File: &repo.File{Data: data}})
		case byName[name] == nil:
			byName[name] = tree.Files{rest: data}
		default:
			byName[name][rest] = data
		}
		wanted[name] = true
	}
	for name, files := range byName {
		changes = append(changes, repo.Change{Path: path.Join(env.Path, name), Files: filesOf(files)})
	}
	entries, err := have.ReadDir(env.Path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // it held nothing
	}
	for _, e := range entries {
		if !wanted[e.Name] {
			changes = append(changes, repo.Change{Path: path.Join(env.Path, e.Name)})
		}
	}
	return changes, err
}

// takenRecords gives the records of the apps that are taken over.
func takenRecords(environments []*tree.Environment) []repo.File {
	var files []repo.File
	for _, e := range environments {
		for _, t := range e.Taken {
			files = append(files, repo.File{Path: tree.RecordPath(e.Name, t.App)[len(tree.Dir)+1:], ID: repo.ID(t.Record)})
		}
	}
	return files
}

func filesOf(files tree.Files) []repo.File {
	var all []repo.File
	for _, p := range files.Paths() {
		all = append(all, repo.File{Path: p, Data: files[p]})
	}
	return all
}
