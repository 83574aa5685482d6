package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sort"
	"strings"
)

// File is one file of a new tree: new bytes, or a blob that is there already.
type File struct {
	Path string // slash path relative to the Change
	Mode Mode   // 0 is ModeFile
	Data []byte
	ID   ID // instead of Data
}

// Change says what is to stand at a path of a tree. Exactly one field besides
// Path is set; with none of them, whatever is there is removed.
type Change struct {
	Path  string // slash path from the root; "." is the root itself
	Files []File // a directory that holds these and nothing else
	File  *File  // one file; its Path is not used
	Tree  ID     // a directory whose tree object is there already
}

// Update makes a new root tree from base ("" is an empty one) and changes. All else
// stays as it is, by id, and is not read. Directories that become empty go.
// Changes inside each other, and changes below what is a file in base, are refused.
func (w *Writer) Update(base ID, changes []Change) (ID, error) {
	root := &dirNode{base: base, loaded: base == "" || base == EmptyTree}
	sorted := append([]Change(nil), changes...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].Path < sorted[j].Path })
	for i, c := range sorted {
		if err := checkChange(c, sorted[:i]); err != nil {
			return "", err
		}
		if err := w.apply(root, c); err != nil {
			return "", fmt.Errorf("changing %q: %w", c.Path, err)
		}
	}
	id, err := w.writeDir(root)
	if err != nil {
		return "", err
	}
	if id == "" {
		return w.Tree(nil)
	}
	return id, nil
}

func checkChange(c Change, before []Change) error {
	if !fs.ValidPath(c.Path) {
		return fmt.Errorf("changing %q: not a clean path", c.Path)
	}
	set := 0
	for _, is := range []bool{c.Files != nil, c.File != nil, c.Tree != ""} {
		if is {
			set++
		}
	}
	if set > 1 {
		return fmt.Errorf("changing %q: more than one content given", c.Path)
	}
	for _, b := range before {
		if b.Path == c.Path || b.Path == "." || strings.HasPrefix(c.Path, b.Path+"/") {
			return fmt.Errorf("changing %q: %q is changed too", c.Path, b.Path)
		}
	}
	return nil
}

// dirNode is a directory on the way to a change. base is its old tree, read when
// something below it changes.
type dirNode struct {
	base   ID
	loaded bool
	items  map[string]item
}

// item is what stands under one name: a directory in the making, or an entry.
type item struct {
	dir   *dirNode
	entry TreeEntry
}

func (w *Writer) load(d *dirNode) error {
	if d.items == nil {
		d.items = map[string]item{}
	}
	if d.loaded {
		return nil
	}
	w.replace(TreeEntry{ID: d.base}) // the tree alone, not what is below it
	entries, err := w.repo.Tree(d.base)
	if err != nil {
		return err
	}
	for _, e := range entries {
		d.items[e.Name] = item{entry: e}
	}
	d.loaded = true
	return nil
}

// open gives the directory at a path below d, made if it is not there.
func (w *Writer) open(d *dirNode, path string) (*dirNode, error) {
	if path == "" {
		return d, w.load(d)
	}
	for name := range strings.SplitSeq(path, "/") {
		if err := w.load(d); err != nil {
			return nil, err
		}
		it, ok := d.items[name]
		switch {
		case !ok && nameFault(name) != "":
			return nil, fmt.Errorf("the name %q %s", name, nameFault(name))
		case !ok:
			it = item{dir: &dirNode{loaded: true}}
		case it.dir == nil && it.entry.Mode == ModeDir:
			it = item{dir: &dirNode{base: it.entry.ID}}
		case it.dir == nil:
			return nil, fmt.Errorf("%q is a file, not a directory", name)
		}
		d.items[name] = it
		d = it.dir
	}
	return d, w.load(d)
}

func (w *Writer) apply(root *dirNode, c Change) error {
	if c.Path == "." {
		return w.applyRoot(root, c)
	}
	parent, name := "", c.Path
	if i := strings.LastIndexByte(c.Path, '/'); i >= 0 {
		parent, name = c.Path[:i], c.Path[i+1:]
	}
	d, err := w.open(root, parent)
	if err != nil {
		return err
	}
	w.replace(d.items[name].entry)
	switch {
	case c.File != nil:
		e, err := w.file(name, *c.File)
		d.items[name] = item{entry: e}
		return err
	case c.Tree != "":
		e := TreeEntry{Name: name, Mode: ModeDir, ID: c.Tree}
		d.items[name] = item{entry: e}
		return checkEntry(e)
	case len(c.Files) == 0:
		delete(d.items, name)
		return nil
	}
	if why := nameFault(name); why != "" {
		return fmt.Errorf("the name %q %s", name, why)
	}
	sub := &dirNode{loaded: true}
	d.items[name] = item{dir: sub}
	return w.fill(sub, c.Files)
}

// replace remembers an entry of a base tree: a branch leads to what is in it.
func (w *Writer) replace(e TreeEntry) {
	if e.ID == "" || e.Mode == ModeSubmodule {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.replaced = append(w.replaced, e)
}

func (w *Writer) applyRoot(root *dirNode, c Change) error {
	if c.File != nil {
		return errors.New("the root cannot be a file")
	}
	w.replace(TreeEntry{Mode: ModeDir, ID: root.base})
	*root = dirNode{base: c.Tree, loaded: c.Tree == "" || c.Tree == EmptyTree}
	return w.fill(root, c.Files)
}

func (w *Writer) fill(d *dirNode, files []File) error {
	for _, f := range files {
		if !fs.ValidPath(f.Path) || f.Path == "." {
			return fmt.Errorf("%q is not a clean path", f.Path)
		}
		parent, name := "", f.Path
		if i := strings.LastIndexByte(f.Path, '/'); i >= 0 {
			parent, name = f.Path[:i], f.Path[i+1:]
		}
		at, err := w.open(d, parent)
		if err != nil {
			return fmt.Errorf("%q: %w", f.Path, err)
		}
		if _, ok := at.items[name]; ok {
			return fmt.Errorf("%q stands twice", f.Path)
		}
		e, err := w.file(name, f)
		if err != nil {
			return fmt.Errorf("%q: %w", f.Path, err)
		}
		at.items[name] = item{entry: e}
	}
	return nil
}

func (w *Writer) file(name string, f File) (TreeEntry, error) {
	e := TreeEntry{Name: name, Mode: f.Mode, ID: f.ID}
	if e.Mode == 0 {
		e.Mode = ModeFile
	}
	if e.Mode == ModeDir {
		return e, errors.New("a directory is no file")
	}
	if e.ID == "" {
		e.ID = w.Blob(f.Data)
	}
	return e, checkEntry(e)
}

// writeDir adds the tree objects of a directory that was changed, deepest first.
// The id is "" if nothing is left in it.
func (w *Writer) writeDir(d *dirNode) (ID, error) {
	if !d.loaded {
		return d.base, nil
	}
	var entries []TreeEntry
	// In order, so that the same objects make the same pack.
	for _, name := range slices.Sorted(maps.Keys(d.items)) {
		it := d.items[name]
		e := it.entry
		if it.dir != nil {
			id, err := w.writeDir(it.dir)
			if err != nil {
				return "", err
			}
			if id == "" {
				continue
			}
			e = TreeEntry{Name: name, Mode: ModeDir, ID: id}
		}
		entries = append(entries, e)
	}
	if len(entries) == 0 {
		return "", nil
	}
	return w.encodeTree(entries)
}
