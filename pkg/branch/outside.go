package branch

import (
	"context"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// outside is what a branch holds beside the environments' directories and the
// records. It is nobody's business, so what somebody put on a later branch must
// not be lost when that branch comes to hold a commit of the first one.
type outside struct {
	repo   *repo.Repo
	base   *repo.Commit // tip of the first branch
	inside []string     // paths that are sluice's
	taken  map[string]repo.TreeEntry
	clash  []string
}

// differing is a path that two trees hold differently; an entry without an id
// says that there is nothing.
type differing struct {
	path    string
	ours    repo.TreeEntry
	theirs  repo.TreeEntry
	hadOurs bool // their line once held our entry
	hadThem bool // our line once held theirs
	dropped bool // our line once held something, and took it away
}

// isInside tells whether a path is sluice's.
func (o *outside) isInside(p string) bool {
	for _, dir := range o.inside {
		if p == dir || strings.HasPrefix(p, dir+"/") {
			return true
		}
	}
	return false
}

// differ collects the paths that differ between two trees.
func (o *outside) differ(ours, theirs repo.ID, at string, all *[]*differing) error {
	if ours == theirs {
		return nil
	}
	a, err := o.list(ours)
	if err != nil {
		return err
	}
	b, err := o.list(theirs)
	if err != nil {
		return err
	}
	// What only the first branch holds stays as it is.
	for _, name := range slices.Sorted(maps.Keys(b)) {
		p, x, y := path.Join(at, name), a[name], b[name]
		switch {
		case x == y || o.isInside(p):
		case y.Mode == repo.ModeDir && (x.Mode == repo.ModeDir || x.ID == ""):
			if err := o.differ(x.ID, y.ID, p, all); err != nil {
				return err
			}
		default:
			*all = append(*all, &differing{path: p, ours: x, theirs: y})
		}
	}
	return nil
}

func (o *outside) list(id repo.ID) (map[string]repo.TreeEntry, error) {
	if id == "" {
		return nil, nil
	}
	entries, err := o.repo.Tree(id)
	byName := make(map[string]repo.TreeEntry, len(entries))
	for _, e := range entries {
		byName[e.Name] = e
	}
	return byName, err
}

// take takes over what only the strayed commit holds, or holds in a newer
// form. What both sides changed is a clash.
func (o *outside) take(ctx context.Context, branch string, stray *repo.Commit) error {
	var all []*differing
	if err := o.differ(o.base.Tree, stray.Tree, "", &all); err != nil || len(all) == 0 {
		return err
	}
	if err := o.history(ctx, o.base.ID, all, func(d *differing, e repo.TreeEntry) {
		d.hadThem = d.hadThem || e == d.theirs
		d.dropped = d.dropped || d.ours.ID == "" && e.ID != ""
	}); err != nil {
		return err
	}
	if err := o.history(ctx, stray.ID, all, func(d *differing, e repo.TreeEntry) {
		d.hadOurs = d.hadOurs || e == d.ours && d.ours.ID != ""
	}); err != nil {
		return err
	}
	for _, d := range all {
		if d.hadThem {
			continue // ours is the newer one, or was taken away since
		}
		other, twice := o.taken[d.path]
		switch {
		case d.dropped, d.ours.ID != "" && !d.hadOurs, twice && other != d.theirs:
			o.clash = append(o.clash, d.path+" of "+branch)
		default:
			o.taken[d.path] = d.theirs
		}
	}
	return nil
}

// history shows what a first-parent line held at the paths that differ.
func (o *outside) history(ctx context.Context, tip repo.ID, all []*differing, see func(*differing, repo.TreeEntry)) error {
	complete, err := o.repo.WalkFirstParents(ctx, tip, func(c *repo.Commit) (bool, error) {
		for _, d := range all {
			e, err := o.entry(c.Tree, d.path)
			if err != nil {
				return false, err
			}
			see(d, e)
		}
		return true, nil
	})
	if err == nil && !complete {
		return UnknownHistory("which files beside the environments' directories are the newer ones cannot be told")
	}
	return err
}

// entry gives what stands at a path of a tree; nothing if nothing does.
func (o *outside) entry(id repo.ID, p string) (repo.TreeEntry, error) {
	first, rest, deeper := strings.Cut(p, "/")
	entries, err := o.list(id)
	if err != nil {
		return repo.TreeEntry{}, err
	}
	e := entries[first]
	switch {
	case !deeper:
		return e, nil
	case e.Mode != repo.ModeDir:
		return repo.TreeEntry{}, nil
	}
	return o.entry(e.ID, rest)
}

// changes gives what has to be put into the first branch's tree.
func (o *outside) changes() []repo.Change {
	var all []repo.Change
	for _, p := range slices.Sorted(maps.Keys(o.taken)) {
		e := o.taken[p]
		c := repo.Change{Path: p}
		if e.Mode == repo.ModeDir {
			c.Tree = e.ID
		} else {
			c.File = &repo.File{Mode: e.Mode, ID: e.ID}
		}
		all = append(all, c)
	}
	return all
}

// err refuses to choose between two forms of a file.
func (o *outside) err(first string) error {
	if len(o.clash) == 0 {
		return nil
	}
	return &finding.Refusal{
		Text: "files beside the environments' directories differ from those of " + first + ", and neither side is the newer one: " + strings.Join(o.clash, ", "),
		Hint: "make them the same on both branches, or keep those of " + first + ": --discard-edits",
	}
}

// insidePaths gives the paths that are sluice's, of the environments and of
// what commits record.
func insidePaths(environments []*tree.Environment, recorded ...*tree.Provenance) []string {
	paths := []string{tree.Dir}
	for _, e := range environments {
		paths = append(paths, e.Path)
	}
	for _, p := range recorded {
		if p == nil {
			continue
		}
		for _, e := range p.Environments {
			paths = append(paths, e.Path)
		}
	}
	return paths
}
