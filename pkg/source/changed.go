package source

import (
	"fmt"
	"path"
)

// Changed is where two trees differ.
type Changed struct {
	at    map[string]bool // paths that differ, with every directory above
	whole map[string]bool // the topmost of them that are not directories on both sides: all below has come, gone or moved
}

// Compare gives the paths at which two trees of commits differ. Directories
// with one id are not read.
func Compare(before, after Tree) (*Changed, error) {
	c := &Changed{at: map[string]bool{}, whole: map[string]bool{}}
	a, err := before.Lookup(".")
	if err != nil {
		return nil, err
	}
	b, err := after.Lookup(".")
	if err != nil {
		return nil, err
	}
	return c, c.dir(".", a, b, before, after)
}

// dir compares a directory that both trees have. Where no entry differs and
// the ids do, it is a mode that no Entry shows: the directory counts.
func (c *Changed) dir(at string, a, b Entry, before, after Tree) error {
	if a.ID == b.ID && a.ID != "" {
		return nil
	}
	c.add(at)
	was, err := before.ReadDir(at)
	if err != nil {
		return fmt.Errorf("comparing %q: %w", at, err)
	}
	is, err := after.ReadDir(at)
	if err != nil {
		return fmt.Errorf("comparing %q: %w", at, err)
	}
	for len(was) > 0 || len(is) > 0 {
		switch {
		case len(is) == 0 || len(was) > 0 && was[0].Name < is[0].Name:
			c.replaced(path.Join(at, was[0].Name))
			was = was[1:]
		case len(was) == 0 || is[0].Name < was[0].Name:
			c.replaced(path.Join(at, is[0].Name))
			is = is[1:]
		default:
			if err := c.entry(path.Join(at, is[0].Name), was[0], is[0], before, after); err != nil {
				return err
			}
			was, is = was[1:], is[1:]
		}
	}
	return nil
}

func (c *Changed) entry(at string, a, b Entry, before, after Tree) error {
	switch {
	case a.Kind == Dir && b.Kind == Dir:
		return c.dir(at, a, b, before, after)
	case a.Kind != b.Kind:
		c.replaced(at)
	case a.ID != b.ID || a.ID == "":
		c.add(at)
	}
	return nil
}

func (c *Changed) replaced(at string) {
	c.add(at)
	c.whole[at] = true
}

func (c *Changed) add(at string) {
	for ; !c.at[at]; at = path.Dir(at) {
		c.at[at] = true
	}
}

// Since gives the paths at which the files differ from those of another tree.
func (f *FS) Since(before Tree) (*Changed, error) { return Compare(before, f.cache.tree) }

// None tells whether the trees are the same.
func (c *Changed) None() bool { return len(c.at) == 0 }

// Touches tells whether what a path held, or what lies below it, may differ.
// It may say yes too often, never no.
func (c *Changed) Touches(p string) bool {
	if c.at[p] {
		return true
	}
	if len(c.whole) == 0 {
		return false
	}
	for ; p != "." && p != "/"; p = path.Dir(p) {
		if c.whole[p] {
			return true
		}
	}
	return c.whole["."]
}
