package source

import (
	"crypto/sha1" //nolint:gosec // Git's object ids, not a matter of secrecy
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// With gives the same files with the bytes of some of them replaced, by their
// paths without links. A path at which there is nothing is a new file.
// Nothing that was read so far counts as read there.
func (f *FS) With(changed map[string][]byte) *FS {
	o := overlay{f.cache.tree, changed, map[string]map[string]Kind{}}
	for name := range changed {
		if _, err := o.Tree.Lookup(name); errors.Is(err, fs.ErrNotExist) {
			o.add(name)
		}
	}
	return New(o)
}

// Read gives the files whose bytes were asked for so far, sorted, by their
// paths without links.
func (f *FS) Read() []string {
	f.cache.mu.RLock()
	defer f.cache.mu.RUnlock()
	var all []string
	for name, c := range f.cache.files {
		if c.err == nil && f.cache.entries[name].entry.Kind == File {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// overlay is a tree with some files changed, and some added.
type overlay struct {
	Tree
	changed map[string][]byte
	added   map[string]map[string]Kind // what directories hold besides, by name
}

// add notes a new file in the directories that lead to it.
func (o overlay) add(name string) {
	for kind := File; name != "."; kind = Dir {
		dir := path.Dir(name)
		if o.added[dir] == nil {
			o.added[dir] = map[string]Kind{}
		}
		o.added[dir][path.Base(name)] = kind
		name = dir
	}
}

// entry gives a changed file the object id of its new bytes, where the tree
// has ids.
func (o overlay) entry(name string, e Entry) Entry {
	data, ok := o.changed[name]
	if !ok || e.Kind != File {
		return e
	}
	if e.Size = int64(len(data)); e.ID != "" {
		sum := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(data)), data...)) //nolint:gosec // see the import
		e.ID = hex.EncodeToString(sum[:])
	}
	return e
}

func (o overlay) Lookup(name string) (Entry, error) {
	e, err := o.Tree.Lookup(name)
	if kind, ok := o.added[path.Dir(name)][path.Base(name)]; ok && errors.Is(err, fs.ErrNotExist) {
		e, err = Entry{Name: path.Base(name), Kind: kind}, nil
	}
	return o.entry(name, e), err
}

func (o overlay) ReadDir(name string) ([]Entry, error) {
	entries, err := o.Tree.ReadDir(name)
	if added := o.added[name]; len(added) > 0 && (err == nil || errors.Is(err, fs.ErrNotExist)) {
		err = nil
		for base, kind := range added {
			if !slices.ContainsFunc(entries, func(e Entry) bool { return e.Name == base }) {
				entries = append(slices.Clone(entries), Entry{Name: base, Kind: kind})
			}
		}
		slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	}
	if len(o.changed) > 0 {
		entries = slices.Clone(entries)
		for i, e := range entries {
			entries[i] = o.entry(path.Join(name, e.Name), e)
		}
	}
	return entries, err
}

func (o overlay) ReadFile(name string, limit int64) ([]byte, error) {
	data, ok := o.changed[name]
	switch {
	case !ok:
		return o.Tree.ReadFile(name, limit)
	case int64(len(data)) > limit:
		return nil, ErrTooLarge
	}
	return data, nil
}
