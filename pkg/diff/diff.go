// Package diff compares the environment directories of two hydrated trees
// object by object: two trees come in, a Report comes out, and writers show it
// to people and programs.
package diff

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sort"

	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/source"
)

// Status is what happened to an object.
type Status string

// What can happen to an object.
const (
	Added   Status = "added"
	Removed Status = "removed"
	Changed Status = "changed"
	Renamed Status = "renamed" // by a hash suffix alone; only in a Report
)

// listFile is the name of the lists beside the objects.
const listFile = "kustomization.yaml"

// Change is one object that differs.
type Change struct {
	Status       Status
	File         string // slash path on the branch
	Object       string // kind and name, as people say it; the file if it holds no object
	ImagesBefore []string
	ImagesAfter  []string
}

// maxFile is the largest file that is compared, in bytes.
const maxFile = 64 << 20

// Objects gives the objects that differ between directory dir of before and
// of after, by file. A directory that is not there counts as empty.
func Objects(before, after source.Tree, dir string) ([]Change, error) {
	var changes []Change
	err := Files(before, after, dir, func(status Status, file string) error {
		if path.Base(file) == listFile {
			return nil // the lists beside the objects say nothing of their own
		}
		c := Change{Status: status, File: file, Object: file}
		var err error
		if status != Added {
			if c.Object, c.ImagesBefore, err = describe(before, file); err != nil {
				return err
			}
		}
		if status != Removed {
			if c.Object, c.ImagesAfter, err = describe(after, file); err != nil {
				return err
			}
		}
		changes = append(changes, c)
		return nil
	})
	return changes, err
}

func describe(files source.Tree, file string) (object string, images []string, err error) {
	data, err := files.ReadFile(file, maxFile)
	if err != nil {
		return "", nil, fmt.Errorf("reading %q: %w", file, err)
	}
	set, err := manifest.Parse(file, data)
	if err != nil || len(set) != 1 {
		return file, nil, nil // edited by hand, perhaps; still a difference
	}
	return set[0].ID.String(), manifest.Images(set[0]), nil
}

// Files calls visit for every file that differs between two trees below dir,
// in order of the paths. Directories of equal id are not entered.
func Files(before, after source.Tree, dir string, visit func(Status, string) error) error {
	a, err := list(before, dir)
	if err != nil {
		return err
	}
	b, err := list(after, dir)
	if err != nil {
		return err
	}
	names := map[string]bool{}
	for name := range a {
		names[name] = true
	}
	for name := range b {
		names[name] = true
	}
	sorted := make([]string, 0, len(names))
	for name := range names {
		sorted = append(sorted, name)
	}
	sort.Strings(sorted)
	for _, name := range sorted {
		x, y := a[name], b[name]
		if x == y && x.ID != "" {
			continue
		}
		p := path.Join(dir, name)
		isDir := x.Kind == source.Dir || y.Kind == source.Dir
		if isDir {
			if err := Files(before, after, p, visit); err != nil {
				return err
			}
		}
		if x.Kind == source.Dir {
			x = source.Entry{}
		}
		if y.Kind == source.Dir {
			y = source.Entry{}
		}
		status := Changed
		switch {
		case x == y:
			continue
		case x == source.Entry{}:
			status = Added
		case y == source.Entry{}:
			status = Removed
		}
		if err := visit(status, p); err != nil {
			return err
		}
	}
	return nil
}

// list gives the entries of a directory by name; nothing if it is none.
func list(files source.Tree, dir string) (map[string]source.Entry, error) {
	entry, err := files.Lookup(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && entry.Kind != source.Dir {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entries, err := files.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", dir, err)
	}
	out := make(map[string]source.Entry, len(entries))
	for _, e := range entries {
		e.Size = 0 // known to some trees only
		out[e.Name] = e
	}
	return out, nil
}
