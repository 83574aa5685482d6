package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
)

// workTree is a Tree over a directory on disk. Listings are kept, so that one
// run sees one state of each directory, and names are compared with what the
// directory lists: exact case and exact bytes on every system.
type workTree struct {
	root *os.Root
	mu   sync.Mutex
	dirs map[string]listing
}

type listing struct {
	entries []Entry
	err     error
}

// OpenDir gives the working tree at root, which need not be a Git repository.
// The name .git at the root is not part of it. Entries carry no object ids.
func OpenDir(root string) (Tree, error) {
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, fmt.Errorf("opening %q: %w", root, err)
	}
	return &workTree{root: r, dirs: map[string]listing{}}, nil
}

func (t *workTree) Lookup(name string) (Entry, error) {
	if name == "." {
		return Entry{Name: ".", Kind: Dir}, nil
	}
	parent, err := t.ReadDir(path.Dir(name))
	if err != nil {
		if errors.Is(err, errNotDir) {
			err = fs.ErrNotExist
		}
		return Entry{}, err
	}
	base := path.Base(name)
	i, found := slices.BinarySearchFunc(parent, base, func(e Entry, s string) int { return strings.Compare(e.Name, s) })
	if !found {
		return Entry{}, fmt.Errorf("%q: %w", name, fs.ErrNotExist)
	}
	return parent[i], nil
}

var errNotDir = errors.New("not a directory")

func (t *workTree) ReadDir(name string) ([]Entry, error) {
	t.mu.Lock()
	known, ok := t.dirs[name]
	t.mu.Unlock()
	if ok {
		return known.entries, known.err
	}
	if name != "." {
		e, err := t.Lookup(name)
		if err != nil {
			return nil, err
		}
		if e.Kind != Dir {
			return nil, fmt.Errorf("%q: %w", name, errNotDir)
		}
	}
	entries, err := t.list(name)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dirs[name] = listing{entries, err}
	return entries, err
}

func (t *workTree) list(name string) ([]Entry, error) {
	f, err := t.root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("listing %q: %w", name, err)
	}
	defer f.Close()
	found, err := f.ReadDir(-1)
	if err != nil {
		return nil, fmt.Errorf("listing %q: %w", name, err)
	}
	entries := make([]Entry, 0, len(found))
	for _, d := range found {
		if name == "." && strings.EqualFold(d.Name(), ".git") {
			continue
		}
		e := Entry{Name: d.Name(), Kind: kindOf(d.Type())}
		if e.Kind == Dir {
			if _, err := t.root.Lstat(path.Join(name, d.Name(), ".git")); err == nil {
				e.Kind = Submodule
			}
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return entries, nil
}

func kindOf(m fs.FileMode) Kind {
	switch {
	case m.IsRegular():
		return File
	case m.IsDir():
		return Dir
	case m&fs.ModeSymlink != 0:
		return Link
	}
	return Other
}

func (t *workTree) ReadFile(name string, limit int64) ([]byte, error) {
	e, err := t.Lookup(name)
	switch {
	case err != nil:
		return nil, err
	case e.Kind == Link:
		target, err := t.root.Readlink(name)
		return []byte(target), err
	case e.Kind != File:
		return nil, fmt.Errorf("reading %q: it is %s", name, e.Kind)
	}
	// What stood there when the directory was listed may be a fifo by now:
	// the open must not wait for a writer, and the kind is asked of the open file.
	f, err := t.root.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, fmt.Errorf("opening %q: %w", name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("reading %q: it is no longer a file", name)
	}
	if info.Size() > limit {
		return nil, ErrTooLarge
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", name, err)
	}
	if int64(len(data)) > limit {
		return nil, ErrTooLarge
	}
	return data, nil
}
