// Package why takes the branch of an environment and the name of an object in
// it and gives where the object came from: by what the branch records and the
// object store holds, without rendering anything.
package why

import (
	"context"
	"path"
	"strings"

	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/source"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// Match is an object that a query means.
type Match struct {
	App    string // empty for the app without a name
	File   string // on the branch
	Object tree.ObjectRecord
	commit string // source commit of the app's record
}

// ID is the object's identity.
func (m Match) ID() manifest.ID {
	return manifest.ID{Group: manifest.Group(m.Object.APIVersion), Kind: m.Object.Kind, Namespace: m.Object.Namespace, Name: m.Object.Name}
}

// Find gives the objects of an environment that a query means, in order of
// their apps.
func Find(files source.Tree, e tree.EnvironmentRecord, q Query) ([]Match, error) {
	records, err := tree.Records(files, e.Name)
	if err != nil {
		return nil, err
	}
	var found []Match
	for _, r := range records {
		for _, o := range r.Objects {
			if q.finds(o, e.Path, r.App) {
				found = append(found, Match{App: r.App, File: path.Join(e.Path, r.App, o.File), Object: o, commit: r.Commit})
			}
		}
	}
	return found, nil
}

// Bringer is how a hydrated commit came to a branch.
type Bringer string

// How a hydrated commit can come to a branch. Unknown is the answer where the
// history is cut off.
const (
	Commit    Bringer = "commit"
	Promotion Bringer = "promotion"
	Branch    Bringer = "branch" // it was written onto this branch alone
	Unknown   Bringer = "unknown"
)

// Answer is where an object came from.
type Answer struct {
	Match
	Source       *repo.Commit // that its bytes were rendered from; nil if it is not here
	SourceCommit repo.ID      // the same, also if it is not here
	Line         int          // in the source file of that commit; 0 if it cannot be told
	Changed      *repo.Commit // the hydrated commit that changed it last; nil if it cannot be told
	By           Bringer      // how that came to the branch
	Edited       bool         // the environment is not what was hydrated: somebody edited it
}

// Where is the place on a branch that is asked about.
type Where struct {
	Tip         repo.ID
	Environment tree.EnvironmentRecord // as the tip records it
	// Earlier is the tip of the branch that the environment is promoted from;
	// empty if there is none, and then First tells whether none is named.
	Earlier repo.ID
	First   bool
}

// Explain gives where an object came from.
func Explain(ctx context.Context, r *repo.Repo, at Where, m Match) (*Answer, error) {
	a := &Answer{Match: m, SourceCommit: repo.ID(m.commit), By: Unknown}
	tip, err := r.Files(at.Tip)
	if err != nil {
		return nil, err
	}
	now, err := tree.ID(tip, at.Environment.Path)
	if err != nil {
		return nil, err
	}
	a.Edited = now != at.Environment.Tree
	if err := a.change(ctx, r, at); err != nil {
		return nil, err
	}
	// A record can name anything, and the source need not be here.
	if a.Source, err = r.Commit(a.SourceCommit); err != nil {
		a.Source = nil
		return a, nil
	}
	files, err := r.Files(a.SourceCommit)
	if err != nil {
		return a, nil
	}
	a.Line = line(source.New(files), a.Object.Source, m.ID())
	return a, nil
}

// change finds the commit that changed the object last, and takes over what it
// records: later commits of the same app may name a newer source commit.
func (a *Answer) change(ctx context.Context, r *repo.Repo, at Where) error {
	var last *repo.Commit
	want := ""
	complete, err := r.WalkFirstParents(ctx, at.Tip, func(c *repo.Commit) (bool, error) {
		files, err := r.Files(c.ID)
		if err != nil {
			return false, err
		}
		id, err := tree.ID(files, a.File)
		if err != nil {
			return false, err
		}
		if last == nil {
			want = id
		}
		if id != want {
			return false, nil
		}
		last = c
		return true, nil
	})
	if err != nil || !complete {
		return err
	}
	a.Changed = last
	if err := a.record(r, last.ID, at.Environment.Name); err != nil {
		return err
	}
	switch {
	case at.First:
		a.By = Commit
	case at.Earlier != "":
		on, err := r.IsAncestor(ctx, last.ID, at.Earlier)
		if err != nil {
			return err
		}
		a.By = map[repo.Ancestry]Bringer{repo.Yes: Promotion, repo.No: Branch, repo.Unknown: Unknown}[on]
	}
	return nil
}

// record reads what a commit says of the object, if it says anything.
func (a *Answer) record(r *repo.Repo, id repo.ID, environment string) error {
	files, err := r.Files(id)
	if err != nil {
		return err
	}
	record, err := tree.ReadRecord(files, environment, a.App)
	if err != nil || record == nil {
		return nil // an older format, or an environment of another name: the tip's will do
	}
	for _, o := range record.Objects {
		if o.File == a.Object.File {
			a.Object, a.SourceCommit = o, repo.ID(record.Commit)
		}
	}
	return nil
}

// line finds an object in its source file: by its identity, or as the only one
// of its kind whose name the final one contains, as kustomize adds to names.
func line(files *source.FS, file string, id manifest.ID) int {
	data, err := files.ReadFile(file)
	if err != nil {
		return 0
	}
	set, _ := manifest.Parse(file, data) // what is at fault elsewhere in the file does not matter here
	alike := 0
	at := 0
	for _, o := range set {
		if o.ID == id {
			return o.Origin.Line
		}
		if o.ID.Kind == id.Kind && o.ID.Group == id.Group && strings.Contains(id.Name, o.ID.Name) {
			alike++
			at = o.Origin.Line
		}
	}
	if alike != 1 {
		return 0
	}
	return at
}
