package repo

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Index is git's own record of the files of a working tree: which blob each
// held when git last looked, and how it looked then (gitformat-index(5)).
type Index struct {
	top     string
	written time.Time
	entries map[string]indexEntry
}

type indexEntry struct {
	modified time.Time
	size     uint32
	id       [20]byte
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
	x := &Index{top: r.workTree, written: info.ModTime(), entries: map[string]indexEntry{}}
	if err := x.parse(data); err != nil {
		return nil
	}
	return x
}

var errIndex = errors.New("not an index in a form that is known here")

// parse reads versions 2 and 3, which git writes unless told otherwise.
func (x *Index) parse(data []byte) error {
	const fixed = 62 // of an entry: ten words, the id, flags
	if len(data) < 12 || string(data[:4]) != "DIRC" {
		return errIndex
	}
	version, count := binary.BigEndian.Uint32(data[4:]), binary.BigEndian.Uint32(data[8:])
	if version != 2 && version != 3 {
		return errIndex
	}
	data = data[12:]
	for range count {
		if len(data) < fixed+1 {
			return errIndex
		}
		word := func(i int) uint32 { return binary.BigEndian.Uint32(data[4*i:]) }
		flags := binary.BigEndian.Uint16(data[60:])
		at := fixed
		if flags&0x4000 != 0 {
			at += 2
		}
		end := bytes.IndexByte(data[min(at, len(data)):], 0)
		if end < 0 {
			return errIndex
		}
		if flags&0x3000 == 0 { // not in the middle of a merge
			x.entries[string(data[at:at+end])] = indexEntry{
				modified: time.Unix(int64(word(2)), int64(word(3))), size: word(9), id: [20]byte(data[40:60]),
			}
		}
		next := (at + end + 8) &^ 7 // each entry is padded to eight bytes, with one NUL at least
		if next > len(data) {
			return errIndex
		}
		data = data[next:]
	}
	return nil
}

// Holds tells whether a file surely holds a blob: git saw that it did, and the
// file looks as it did then. No only says that the file has to be read.
func (x *Index) Holds(path string, blob ID) bool {
	if x == nil {
		return false
	}
	e, ok := x.entries[path]
	if !ok || hex.EncodeToString(e.id[:]) != string(blob) {
		return false
	}
	info, err := os.Lstat(filepath.Join(x.top, filepath.FromSlash(path)))
	// What was written after git looked, within what clocks tell apart, may have
	// been written after git had read it.
	return err == nil && info.Mode().Type()&^fs.ModeSymlink == 0 && uint32(info.Size()) == e.size &&
		info.ModTime().Equal(e.modified) && e.modified.Before(x.written)
}
