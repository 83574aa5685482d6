package source

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// MaxFile is how many bytes one source file may have.
const MaxFile = 10 << 20

const (
	maxLinks  = 40   // links on the way to one path, as Linux counts them
	maxTarget = 4096 // bytes of a link's target
)

// PathError is a path that cannot be used, and why. It names no line: callers
// that know where the path is written add their own.
type PathError struct {
	Path string // as it was asked for
	Text string // what is wrong with it
	Hint string // what to do; empty if the text says it all
	Err  error  // fs.ErrNotExist for an absent path, or what the tree said; may be nil
}

func (e *PathError) Error() string { return strconv.Quote(e.Path) + " " + e.Text }

func (e *PathError) Unwrap() error { return e.Err }

// FS is the files of one Tree with links resolved inside it. Paths are
// slash-separated and relative to the root. What was read is kept, so every
// view of an FS sees one state. It is safe for concurrent use.
type FS struct {
	cache  *cache
	inputs *Inputs // nil outside of a recording view
}

// New gives the file system over tree.
func New(tree Tree) *FS {
	return &FS{cache: &cache{
		tree:    tree,
		entries: map[string]looked{},
		dirs:    map[string]listing{},
		files:   map[string]content{},
		walks:   map[string]walked{},
	}}
}

// cache holds what a tree answered. Two goroutines may ask the same thing at
// the same time; the first answer stays.
type cache struct {
	tree    Tree
	mu      sync.RWMutex
	entries map[string]looked
	dirs    map[string]listing
	files   map[string]content
	walks   map[string]walked
}

type looked struct {
	entry Entry
	err   error
}

type content struct {
	data []byte
	err  error
}

// walked is the outcome of following one path.
type walked struct {
	real  string // free of links; of a missing path, where it would be
	entry Entry
	links []Input // links passed on the way
	err   error
}

// remember gives the answer kept in m under key, or asks for it.
func remember[T any](c *cache, m map[string]T, key string, ask func() T) T {
	c.mu.RLock()
	got, ok := m[key]
	c.mu.RUnlock()
	if ok {
		return got
	}
	got = ask()
	c.mu.Lock()
	defer c.mu.Unlock()
	if first, ok := m[key]; ok {
		return first
	}
	m[key] = got
	return got
}

func (c *cache) lookup(name string) (Entry, error) {
	l := remember(c, c.entries, name, func() looked {
		e, err := c.tree.Lookup(name)
		return looked{e, err}
	})
	return l.entry, l.err
}

func (c *cache) list(name string) ([]Entry, error) {
	l := remember(c, c.dirs, name, func() listing {
		entries, err := c.tree.ReadDir(name)
		return listing{entries, err}
	})
	return l.entries, l.err
}

func (c *cache) read(name string, limit int64) ([]byte, error) {
	r := remember(c, c.files, name, func() content {
		data, err := c.tree.ReadFile(name, limit)
		return content{data, err}
	})
	return r.data, r.err
}

// Stat describes what name leads to, links followed.
func (f *FS) Stat(name string) (Entry, error) {
	w := f.walk(name)
	return w.entry, w.err
}

// Lookup describes what stands at a clean path itself: no link is followed,
// and nothing is recorded.
func (f *FS) Lookup(name string) (Entry, error) { return f.cache.lookup(name) }

// Resolve gives the clean path without links that name leads to. Links are
// followed inside the root only.
func (f *FS) Resolve(name string) (string, error) {
	w := f.walk(name)
	return w.real, w.err
}

// ReadFile gives the bytes of a file; callers must not change them.
func (f *FS) ReadFile(name string) ([]byte, error) {
	w := f.walk(name)
	if w.err != nil {
		return nil, w.err
	}
	if w.entry.Kind != File {
		return nil, &PathError{Path: name, Text: "is " + w.entry.Kind.String() + ", not a file"}
	}
	data, err := f.cache.read(w.real, MaxFile)
	if errors.Is(err, ErrTooLarge) {
		return nil, &PathError{Path: name, Text: fmt.Sprintf("is larger than %d MiB", MaxFile>>20), Err: err}
	}
	if err != nil {
		return nil, &PathError{Path: name, Text: "cannot be read", Err: err}
	}
	return data, nil
}

// ReadLarge gives the bytes of a file that may be larger than MaxFile, such as
// a program. They are not kept.
func (f *FS) ReadLarge(name string, limit int64) ([]byte, error) {
	w := f.walk(name)
	if w.err != nil {
		return nil, w.err
	}
	if w.entry.Kind != File {
		return nil, &PathError{Path: name, Text: "is " + w.entry.Kind.String() + ", not a file"}
	}
	data, err := f.cache.tree.ReadFile(w.real, limit)
	if errors.Is(err, ErrTooLarge) {
		return nil, &PathError{Path: name, Text: fmt.Sprintf("is larger than %d MiB", limit>>20), Err: err}
	}
	if err != nil {
		return nil, &PathError{Path: name, Text: "cannot be read", Err: err}
	}
	return data, nil
}

// ReadDir lists a directory, sorted by name, links not followed. The names
// are checked only when they are used.
func (f *FS) ReadDir(name string) ([]Entry, error) {
	w := f.walk(name)
	if w.err != nil {
		return nil, w.err
	}
	if w.entry.Kind != Dir {
		return nil, &PathError{Path: name, Text: "is " + w.entry.Kind.String() + ", not a directory"}
	}
	entries, err := f.cache.list(w.real)
	if err != nil {
		return nil, &PathError{Path: name, Text: "cannot be listed", Err: err}
	}
	f.inputs.add(Input{Path: w.real, Kind: Dir, ID: w.entry.ID})
	return entries, nil
}

// Similar gives an existing path that differs from name in letter case only,
// or "". It is for hints and records nothing.
func (f *FS) Similar(name string) string {
	at := "."
	for _, part := range strings.Split(path.Clean(name), "/") {
		entries, err := f.cache.list(at)
		if err != nil {
			return ""
		}
		found := ""
		for _, e := range entries {
			if e.Name == part {
				found = part
				break
			}
			if found == "" && strings.EqualFold(e.Name, part) && checkName(e.Name) == "" {
				found = e.Name
			}
		}
		if found == "" {
			return ""
		}
		at = path.Join(at, found)
	}
	if at == path.Clean(name) {
		return ""
	}
	return at
}

// walk follows name, and records what it met.
func (f *FS) walk(name string) walked {
	w := remember(f.cache, f.cache.walks, name, func() walked { return f.cache.follow(name) })
	if f.inputs == nil {
		return w
	}
	for _, link := range w.links {
		f.inputs.add(link)
	}
	switch {
	case w.err == nil && w.entry.Kind == Dir:
		f.inputs.add(Input{Path: w.real, Kind: Dir})
	case w.err == nil:
		f.inputs.add(Input{Path: w.real, Kind: w.entry.Kind, ID: w.entry.ID})
	case errors.Is(w.err, fs.ErrNotExist):
		f.inputs.add(Input{Path: w.real, Kind: Missing})
	}
	return w
}

// follow resolves name one element at a time, as a disk does: `..` after a
// link leaves the directory that the link leads to.
func (c *cache) follow(name string) (w walked) {
	fail := func(text, hint string, err error) walked {
		w.err = &PathError{Path: name, Text: text, Hint: hint, Err: err}
		return w
	}
	if strings.HasPrefix(name, "/") {
		return fail("is an absolute path", "write it relative to the file that names it", nil)
	}
	w.real, w.entry = ".", Entry{Name: ".", Kind: Dir}
	if root, err := c.lookup("."); err == nil {
		w.entry = root
	}
	rest, count, via := strings.Split(name, "/"), 0, ""
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		switch {
		case part == "" || part == ".":
			continue
		case part == ".." && w.real == ".":
			return fail("leaves the repository"+via, "only files of the repository can be rendered", nil)
		case part == "..":
			// Whether it is there, and is no link, decides where this leads.
			w.links = append(w.links, Input{Path: w.real, Kind: w.entry.Kind, ID: w.entry.ID})
			w.real = path.Dir(w.real)
			if up, err := c.lookup(w.real); err == nil {
				w.entry = up
			}
			continue
		}
		if problem := checkName(part); problem != "" {
			return fail("has "+problem+" in a name", "rename the file", nil)
		}
		if w.entry.Kind == Submodule {
			return fail("lies in the Git submodule "+strconv.Quote(w.real)+", which is not part of this repository's files", submoduleHint, nil)
		}
		next := path.Join(w.real, part)
		e, err := Entry{}, error(fs.ErrNotExist)
		if w.entry.Kind == Dir {
			e, err = c.lookup(next)
		}
		if errors.Is(err, fs.ErrNotExist) {
			w.real = path.Join(append([]string{next}, rest...)...)
			return fail("does not exist"+via, "", fs.ErrNotExist)
		}
		if err != nil {
			return fail("cannot be read", "", err)
		}
		if e.Kind != Link {
			w.real, w.entry = next, e
			continue
		}
		if count++; count > maxLinks {
			return fail("goes through more than 40 symbolic links", "look for links that lead to each other", nil)
		}
		w.links = append(w.links, Input{Path: next, Kind: Link, ID: e.ID})
		target, err := c.read(next, maxTarget)
		if err != nil {
			return fail("goes through the symbolic link "+strconv.Quote(next)+", which cannot be read", "", err)
		}
		via = " through the symbolic link " + strconv.Quote(next)
		if strings.HasPrefix(string(target), "/") {
			return fail("leaves the repository"+via, "use a relative link to a file of the repository", nil)
		}
		rest = append(strings.Split(string(target), "/"), rest...)
	}
	return w
}

const submoduleHint = "copy the files into the repository: a commit records only the submodule's id"

// checkName says what is wrong with one element of a path, or "". Such names
// cannot be shown, listed or checked out everywhere.
func checkName(s string) string {
	if !utf8.ValidString(s) {
		return "bytes that are not UTF-8"
	}
	for _, r := range s {
		switch {
		case r == '\\':
			return "a backslash"
		case unicode.IsControl(r):
			return "a control character"
		}
	}
	return ""
}
