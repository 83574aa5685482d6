package repo

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Index is git's own record of the files of a working tree: which blob each
// held when git last looked, and how it looked then (gitformat-index(5)).
type Index struct {
	repo    *Repo
	written time.Time
	entries []indexEntry // in order of their paths
	whole   bool         // the entries are all of them
	dirs    *indexDir    // of the root; nil if git keeps none
	sparse  []string     // directories that stand for all that is in them; each ends in a slash
}

type indexEntry struct {
	path    string
	look    look
	id      [20]byte
	merging bool // one of the sides of a merge that is not done
	sparse  bool // it need not be in the working tree
}

// indexDir is what git remembers of a directory: the tree object that its
// entries make, as long as none of them changed.
type indexDir struct {
	files int // entries below it; negative if one of them changed since
	id    [20]byte
	below map[string]*indexDir
}

// Index reads the index of the working tree. It is nil if there is none, or
// none in a form that is known here: it only saves reading the files.
func (r *Repo) Index() *Index {
	name := filepath.Join(r.gitDir, "index")
	info, err := os.Stat(name)
	if err != nil || r.workTree == "" {
		return nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	x := &Index{repo: r, written: info.ModTime(), whole: true}
	if err := x.parse(data); err != nil {
		return nil
	}
	return x
}

// Len is the number of files that the index lists.
func (x *Index) Len() int {
	if x == nil {
		return 0
	}
	return len(x.entries)
}

var errIndex = errors.New("not an index in a form that is known here")

// parse reads versions 2 and 3, which git writes unless told otherwise.
func (x *Index) parse(data []byte) error {
	const fixed = 62 // of an entry: ten words, the id, flags
	if len(data) < 12+20 || string(data[:4]) != "DIRC" {
		return errIndex
	}
	version, count := binary.BigEndian.Uint32(data[4:]), int(binary.BigEndian.Uint32(data[8:]))
	if version != 2 && version != 3 || count > len(data)/fixed {
		return errIndex
	}
	data = data[12 : len(data)-20] // a checksum ends it
	text := string(data)           // the paths are parts of it
	x.entries = make([]indexEntry, 0, count)
	pos := 0
	for range count {
		if len(data)-pos < fixed+1 {
			return errIndex
		}
		word := func(i int) uint32 { return binary.BigEndian.Uint32(data[pos+4*i:]) }
		flags := binary.BigEndian.Uint16(data[pos+60:])
		at := pos + fixed
		if flags&0x4000 != 0 {
			at += 2
		}
		var more uint16
		if at > pos+fixed && at <= len(data) {
			more = binary.BigEndian.Uint16(data[pos+fixed:])
		}
		end := bytes.IndexByte(data[min(at, len(data)):], 0)
		if end < 0 {
			return errIndex
		}
		if Mode(word(6)).Kind() == ModeDir.Kind() { // git leaves out what is in it
			x.whole, x.sparse = false, append(x.sparse, text[at:at+end])
		}
		x.entries = append(x.entries, indexEntry{
			path: text[at : at+end], id: [20]byte(data[pos+40:]),
			look: look{
				modified: time.Unix(int64(word(2)), int64(word(3))), changed: time.Unix(int64(word(0)), int64(word(1))), size: word(9),
			},
			merging: flags&0x3000 != 0, sparse: more&0x4000 != 0,
		})
		pos += (at - pos + end + 8) &^ 7 // each entry is padded to eight bytes, with one NUL at least
		if pos > len(data) {
			return errIndex
		}
	}
	if !slices.IsSortedFunc(x.entries, func(a, b indexEntry) int { return strings.Compare(a.path, b.path) }) {
		return errIndex
	}
	return x.extensions(data[pos:])
}

// extensions reads what follows the entries.
func (x *Index) extensions(data []byte) error {
	for len(data) > 0 {
		if len(data) < 8 {
			return errIndex
		}
		name, size := string(data[:4]), int(binary.BigEndian.Uint32(data[4:]))
		data = data[8:]
		if size > len(data) {
			return errIndex
		}
		switch {
		case name == "TREE":
			_, x.dirs, _ = indexDirs(data[:size], 0)
		case name == "link" || name == "sdir":
			x.whole = false // the others are in another file, or are directories
		}
		data = data[size:]
	}
	return nil
}

// indexDirs reads what git remembers of a directory, after its name: nil if
// that makes no sense. rest is what comes after it.
func indexDirs(data []byte, depth int) (rest []byte, d *indexDir, ok bool) {
	const deepest = 4096 // no path has more elements
	name, data, ok1 := bytes.Cut(data, []byte{0})
	if depth == 0 && len(name) > 0 || !ok1 || depth > deepest {
		return nil, nil, false
	}
	line, data, ok1 := bytes.Cut(data, []byte{'\n'})
	files, below, ok2 := strings.Cut(string(line), " ")
	d = &indexDir{}
	var err1, err2 error
	d.files, err1 = strconv.Atoi(files)
	count, err2 := strconv.Atoi(below)
	if !ok1 || !ok2 || err1 != nil || err2 != nil {
		return nil, nil, false
	}
	if d.files >= 0 {
		if len(data) < 20 {
			return nil, nil, false
		}
		d.id, data = [20]byte(data), data[20:]
	}
	for range count {
		end := bytes.IndexByte(data, 0)
		rest, sub, ok := indexDirs(data, depth+1)
		if !ok {
			return nil, nil, false
		}
		if d.below == nil {
			d.below = map[string]*indexDir{}
		}
		d.below[string(data[:end])], data = sub, rest
	}
	return data, d, true
}

// find gives the entry of a path.
func (x *Index) find(path string) (indexEntry, bool) {
	if x == nil {
		return indexEntry{}, false
	}
	i := sort.Search(len(x.entries), func(i int) bool { return x.entries[i].path >= path })
	if i == len(x.entries) || x.entries[i].path != path || x.entries[i].merging {
		return indexEntry{}, false
	}
	return x.entries[i], true
}

// Unsure gives the paths of which it is not sure that the working tree holds
// these blobs there, in order: git did not see them there, or the file does not
// look as it did then.
func (x *Index) Unsure(ctx context.Context, blobs map[string]ID) []string {
	var seen []indexEntry
	var others []string
	for path, id := range blobs {
		if e, ok := x.find(path); ok && e.holds(id) {
			seen = append(seen, e)
		} else {
			others = append(others, path)
		}
	}
	return x.unsure(ctx, seen, others)
}

func (e indexEntry) holds(id ID) bool { return hex.EncodeToString(e.id[:]) == string(id) }

// Sparse tells whether a path need not be in the working tree: git was told
// to leave it out. Of an index in a form that is not known here, nil, it is
// asked for every path.
func (r *Repo) Sparse(x *Index, path string) bool {
	if x == nil || !x.whole && len(x.sparse) == 0 {
		// Without an index nothing was checked out yet.
		_, err := os.Stat(filepath.Join(r.gitDir, "info", "sparse-checkout"))
		_, none := os.Stat(filepath.Join(r.gitDir, "index"))
		return err == nil || errors.Is(none, fs.ErrNotExist)
	}
	e, ok := x.find(path)
	return ok && e.sparse || slices.ContainsFunc(x.sparse, func(dir string) bool { return strings.HasPrefix(path, dir) })
}

// Differing gives the files and links of a commit's tree of which it is not sure
// that the working tree holds them as they are there, in order. It is false if the index does not tell enough, or ctx ended.
func (x *Index) Differing(ctx context.Context, tree ID) ([]string, bool) {
	if x == nil || !x.whole {
		return nil, false
	}
	look := lookout{index: x}
	if err := look.dir(tree, "", x.entries, x.dirs); err != nil {
		return nil, false
	}
	unsure := x.unsure(ctx, look.same, look.others)
	return unsure, ctx.Err() == nil
}

// lookout holds the index against a tree.
type lookout struct {
	index  *Index
	same   []indexEntry // git saw the files of the tree there
	others []string     // files of the tree that it did not see there
}

// dir looks at a directory of the tree, of which the index has these entries.
// Where git remembers that they make just this tree, the tree is not read.
func (l *lookout) dir(tree ID, at string, entries []indexEntry, known *indexDir) error {
	if known != nil && known.files == len(entries) && hex.EncodeToString(known.id[:]) == string(tree) {
		l.same = append(l.same, entries...)
		return nil
	}
	inTree, err := l.index.repo.Tree(tree)
	if err != nil {
		return err
	}
	for _, t := range inTree {
		path := at + t.Name
		switch t.Mode.Kind() {
		case ModeDir.Kind():
			var sub *indexDir
			if known != nil {
				sub = known.below[t.Name]
			}
			first := sort.Search(len(entries), func(i int) bool { return entries[i].path >= path+"/" })
			n := sort.Search(len(entries)-first, func(i int) bool { return !strings.HasPrefix(entries[first+i].path, path+"/") })
			if err := l.dir(t.ID, path+"/", entries[first:first+n], sub); err != nil {
				return err
			}
		case ModeFile.Kind(), ModeLink.Kind():
			if e, ok := l.index.find(path); ok && e.holds(t.ID) {
				l.same = append(l.same, e)
			} else {
				l.others = append(l.others, path)
			}
		}
	}
	return nil
}
