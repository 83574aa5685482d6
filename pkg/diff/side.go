package diff

import (
	"crypto/sha1" //nolint:gosec // Git's object ids, not a matter of secrecy
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strings"

	"github.com/sluice-dev/sluice/pkg/source"
)

// Side is one state of an environment's directory.
type Side struct {
	Label string      // what it is, in words
	Files source.Tree // rooted at the directory; nil is an empty one
	Path  string      // of the directory on the branch
}

// Below gives the directory of a tree as a tree of its own. It may be absent.
func Below(files source.Tree, dir string) source.Tree { return below{files, dir} }

type below struct {
	files source.Tree
	dir   string
}

func (b below) Lookup(p string) (source.Entry, error) { return b.files.Lookup(path.Join(b.dir, p)) }

func (b below) ReadDir(p string) ([]source.Entry, error) { return b.files.ReadDir(path.Join(b.dir, p)) }

func (b below) ReadFile(p string, n int64) ([]byte, error) {
	return b.files.ReadFile(path.Join(b.dir, p), n)
}

// Rendered gives files that were rendered, by slash path, as a tree.
func Rendered(files map[string][]byte) source.Tree {
	m := memory{files: files, dirs: map[string][]source.Entry{".": nil}}
	for p, data := range files {
		m.add(p, source.Entry{Kind: source.File, ID: blobID(data), Size: int64(len(data))})
	}
	for _, entries := range m.dirs {
		sort.Slice(entries, func(i, j int) bool { return entries[i].Name < entries[j].Name })
	}
	return m
}

type memory struct {
	files map[string][]byte
	dirs  map[string][]source.Entry
}

// add enters a file or directory, and those above it that are not there yet.
// Directories have no id, so that they are always entered.
func (m memory) add(p string, e source.Entry) {
	dir := path.Dir(p)
	if _, known := m.dirs[dir]; !known {
		m.add(dir, source.Entry{Kind: source.Dir})
	}
	if e.Kind == source.Dir {
		m.dirs[p] = nil
	}
	e.Name = path.Base(p)
	m.dirs[dir] = append(m.dirs[dir], e)
}

func (m memory) Lookup(p string) (source.Entry, error) {
	if data, ok := m.files[p]; ok {
		return source.Entry{Name: path.Base(p), Kind: source.File, ID: blobID(data), Size: int64(len(data))}, nil
	}
	if _, ok := m.dirs[p]; ok {
		return source.Entry{Name: path.Base(p), Kind: source.Dir}, nil
	}
	return source.Entry{}, fs.ErrNotExist
}

func (m memory) ReadDir(p string) ([]source.Entry, error) {
	entries, ok := m.dirs[p]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return append([]source.Entry(nil), entries...), nil
}

func (m memory) ReadFile(p string, limit int64) ([]byte, error) {
	data, ok := m.files[p]
	switch {
	case !ok:
		return nil, fs.ErrNotExist
	case int64(len(data)) > limit:
		return nil, source.ErrTooLarge
	}
	return data, nil
}

func blobID(data []byte) string {
	h := sha1.New() //nolint:gosec // see the import
	fmt.Fprintf(h, "blob %d\x00", len(data))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// countFiles counts the files of a tree that are neither lists nor strange:
// in a hydrated directory, the objects.
func countFiles(files source.Tree, dir string) (int, error) {
	entries, err := list(files, dir)
	if err != nil {
		return 0, err
	}
	n := 0
	for name, e := range entries {
		switch {
		case e.Kind == source.Dir:
			more, err := countFiles(files, path.Join(dir, name))
			if err != nil {
				return 0, err
			}
			n += more
		case e.Kind == source.File && name != listFile && strings.HasSuffix(name, ".yaml"):
			n++
		}
	}
	return n, nil
}
