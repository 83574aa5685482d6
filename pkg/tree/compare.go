package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sort"

	"github.com/sluice-dev/sluice/pkg/source"
)

// Difference is one path where a branch does not hold what it should.
type Difference struct {
	Path   string `json:"path" yaml:"path"` // on the branch
	What   string `json:"what" yaml:"what"` // extra, missing or different
	Detail string `json:"detail,omitempty" yaml:"detail,omitempty"`
	// Have is the file on the branch and Want the one that it should be; nil
	// where there is none.
	Have []byte `json:"-" yaml:"-"`
	Want []byte `json:"-" yaml:"-"`
}

// Compare gives the paths where directory dir of a commit differs from the
// files that it should hold, in order. Nothing is read where the ids are equal.
func Compare(have source.Tree, dir string, want Files) ([]Difference, error) {
	id, err := ID(have, dir)
	if err != nil {
		return nil, err
	}
	if id == want.ID() || id == "" && len(want) == 0 {
		return nil, nil
	}
	return compare(have, dir, want, nil)
}

// compare is Compare where the ids are known to differ. taken holds the ids of
// directories that are what they should be, if they have these ids.
func compare(have source.Tree, dir string, want Files, taken map[string]string) ([]Difference, error) {
	c := comparison{have: have, want: want, dir: dir, taken: taken, seen: map[string]bool{}}
	id, err := ID(have, dir)
	if err != nil {
		return nil, err
	}
	if id != "" {
		if err := c.walk(""); err != nil {
			return nil, err
		}
	}
	for _, p := range want.Paths() {
		if !c.seen[p] {
			c.found = append(c.found, Difference{Path: path.Join(dir, p), What: "missing", Want: want[p]})
		}
	}
	if len(c.found) == 0 {
		c.add("", "different", "file modes or empty directories")
	}
	sort.Slice(c.found, func(i, j int) bool { return c.found[i].Path < c.found[j].Path })
	return c.found, nil
}

type comparison struct {
	have  source.Tree
	want  Files
	dir   string
	taken map[string]string
	seen  map[string]bool
	found []Difference
}

func (c *comparison) add(p, what, detail string) {
	c.found = append(c.found, Difference{Path: path.Join(c.dir, p), What: what, Detail: detail})
}

func (c *comparison) walk(at string) error {
	entries, err := c.have.ReadDir(path.Join(c.dir, at))
	if errors.Is(err, fs.ErrNotExist) || err != nil && at == "" {
		c.add(at, "different", "is not a directory")
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading %q: %w", path.Join(c.dir, at), err)
	}
	for _, e := range entries {
		p := path.Join(at, e.Name)
		if e.Kind == source.Dir && c.taken[path.Join(c.dir, p)] == e.ID {
			continue
		}
		if e.Kind == source.Dir {
			if err := c.walk(p); err != nil {
				return err
			}
			continue
		}
		if err := c.file(p, e); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) file(p string, e source.Entry) error {
	want, wanted := c.want[p]
	c.seen[p] = true
	d := Difference{Path: path.Join(c.dir, p), What: "different"}
	if !wanted {
		d.What = "extra"
	}
	if e.Kind != source.File {
		d.Detail = "is not a regular file"
		c.found = append(c.found, d)
		return nil
	}
	have, err := c.have.ReadFile(d.Path, maxRecord)
	switch {
	case errors.Is(err, source.ErrTooLarge):
		d.Detail = fmt.Sprintf("over %d MiB", maxRecord>>20)
	case err != nil:
		return fmt.Errorf("reading %q: %w", d.Path, err)
	case wanted && bytes.Equal(have, want):
		return nil
	case wanted:
		d.Detail = fmt.Sprintf("first in line %d", firstDifference(have, want))
	}
	if err == nil {
		d.Have, d.Want = have, want
	}
	c.found = append(c.found, d)
	return nil
}

// firstDifference is the first line, counted from 1, that is not the same.
func firstDifference(a, b []byte) int {
	line := 1
	for i := 0; i < len(a) && i < len(b) && a[i] == b[i]; i++ {
		if a[i] == '\n' {
			line++
		}
	}
	return line
}
