package repo

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/sluice-dev/sluice/pkg/source"
)

// Mode is a tree entry's mode as git writes it, in octal.
type Mode uint32

// The modes that a tree of today holds.
const (
	ModeFile      Mode = 0o100644
	ModeExec      Mode = 0o100755
	ModeLink      Mode = 0o120000
	ModeDir       Mode = 0o040000
	ModeSubmodule Mode = 0o160000
)

// Kind is what the mode means to a reader of files.
func (m Mode) Kind() source.Kind {
	switch m & 0o170000 {
	case 0o040000:
		return source.Dir
	case 0o120000:
		return source.Link
	case 0o160000:
		return source.Submodule
	case 0o100000:
		return source.File
	}
	return source.Other
}

// TreeEntry is one line of a tree object.
type TreeEntry struct {
	Name string
	Mode Mode
	ID   ID
}

// Tree reads one tree object; the entries are sorted by name, bytewise.
func (r *Repo) Tree(id ID) ([]TreeEntry, error) {
	if id == EmptyTree {
		return nil, nil // git knows it without an object
	}
	data, err := r.readKind(id, plumbing.TreeObject)
	if err != nil {
		return nil, err
	}
	entries, err := parseTree(data)
	if err != nil {
		return nil, fmt.Errorf("reading tree %s: %w", id, err)
	}
	return entries, nil
}

// EmptyTree is the tree that holds nothing. Git knows it without an object.
const EmptyTree ID = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

// parseTree refuses names that a path could not hold: whoever joins them would
// leave the tree.
func parseTree(data []byte) ([]TreeEntry, error) {
	var entries []TreeEntry
	for len(data) > 0 {
		head, rest, ok := bytes.Cut(data, []byte{0})
		mode, name, ok2 := strings.Cut(string(head), " ")
		if !ok || !ok2 || len(rest) < 20 {
			return nil, errors.New("it is corrupt")
		}
		e := TreeEntry{Name: name, ID: ID(hex.EncodeToString(rest[:20]))}
		for _, c := range []byte(mode) {
			if c < '0' || c > '7' || e.Mode > 0o777777 {
				return nil, errors.New("it is corrupt: bad mode")
			}
			e.Mode = e.Mode<<3 | Mode(c-'0')
		}
		if name == "" || name == "." || name == ".." || strings.Contains(name, "/") {
			return nil, fmt.Errorf("it holds the name %q", name)
		}
		entries = append(entries, e)
		data = rest[20:]
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].Name < entries[j].Name })
	for i := 1; i < len(entries); i++ {
		if entries[i].Name == entries[i-1].Name {
			return nil, fmt.Errorf("it holds the name %q twice", entries[i].Name)
		}
	}
	return entries, nil
}

// Files gives the files of a commit straight from the object store.
func (r *Repo) Files(commit ID) (source.Tree, error) {
	c, err := r.Commit(commit)
	if err != nil {
		return nil, err
	}
	return r.TreeFiles(c.Tree)
}

// TreeFiles gives the files below a tree object.
func (r *Repo) TreeFiles(tree ID) (source.Tree, error) {
	t := &files{repo: r, root: tree, trees: map[ID][]TreeEntry{}}
	if _, err := t.tree(tree); err != nil {
		return nil, err
	}
	return t, nil
}

// files is a source.Tree over tree objects, each read once.
type files struct {
	repo  *Repo
	root  ID
	mu    sync.Mutex
	trees map[ID][]TreeEntry
}

func (t *files) tree(id ID) ([]TreeEntry, error) {
	t.mu.Lock()
	entries, ok := t.trees[id]
	t.mu.Unlock()
	if ok {
		return entries, nil
	}
	entries, err := t.repo.Tree(id)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	t.trees[id] = entries
	t.mu.Unlock()
	return entries, nil
}

// find goes down to the entry at a path.
func (t *files) find(name string) (TreeEntry, error) {
	at := TreeEntry{Name: ".", Mode: ModeDir, ID: t.root}
	if name == "." {
		return at, nil
	}
	if !fs.ValidPath(name) {
		return TreeEntry{}, &fs.PathError{Op: "lookup", Path: name, Err: fs.ErrInvalid}
	}
	for part := range strings.SplitSeq(name, "/") {
		if at.Mode.Kind() != source.Dir {
			return TreeEntry{}, &fs.PathError{Op: "lookup", Path: name, Err: fs.ErrNotExist}
		}
		entries, err := t.tree(at.ID)
		if err != nil {
			return TreeEntry{}, fmt.Errorf("looking up %q: %w", name, err)
		}
		i := sort.Search(len(entries), func(i int) bool { return entries[i].Name >= part })
		if i == len(entries) || entries[i].Name != part {
			return TreeEntry{}, &fs.PathError{Op: "lookup", Path: name, Err: fs.ErrNotExist}
		}
		at = entries[i]
	}
	return at, nil
}

func (e TreeEntry) entry() source.Entry {
	return source.Entry{Name: e.Name, Kind: e.Mode.Kind(), ID: string(e.ID)}
}

func (t *files) Lookup(name string) (source.Entry, error) {
	e, err := t.find(name)
	if err != nil {
		return source.Entry{}, err
	}
	return e.entry(), nil
}

func (t *files) ReadDir(name string) ([]source.Entry, error) {
	e, err := t.find(name)
	if err != nil {
		return nil, err
	}
	if e.Mode.Kind() != source.Dir {
		return nil, fmt.Errorf("listing %q: not a directory", name)
	}
	entries, err := t.tree(e.ID)
	if err != nil {
		return nil, fmt.Errorf("listing %q: %w", name, err)
	}
	out := make([]source.Entry, len(entries))
	for i, e := range entries {
		out[i] = e.entry()
	}
	return out, nil
}

func (t *files) ReadFile(name string, limit int64) ([]byte, error) {
	e, err := t.find(name)
	if err != nil {
		return nil, err
	}
	if k := e.Mode.Kind(); k != source.File && k != source.Link {
		return nil, fmt.Errorf("reading %q: not a file", path.Clean(name))
	}
	kind, data, err := t.repo.objects.read(e.ID, limit)
	switch {
	case errors.Is(err, errTooLarge):
		return nil, source.ErrTooLarge
	case err != nil:
		return nil, fmt.Errorf("reading %q: %w", name, err)
	case kind != plumbing.BlobObject:
		return nil, fmt.Errorf("reading %q: object %s is a %s", name, e.ID, kind)
	}
	return slices.Clip(data), nil
}
