// Package source gives the files of a working tree or of a commit as one
// read-only file system that cannot leave the repository.
package source

import "errors"

// Kind is what stands at a path.
type Kind int

// The kinds of entry. Missing is the kind of nothing; Other is what no
// repository holds: a fifo, socket or device.
const (
	Missing Kind = iota
	File
	Dir
	Link
	Submodule
	Other
)

// String gives the word that messages use.
func (k Kind) String() string {
	switch k {
	case File:
		return "a file"
	case Dir:
		return "a directory"
	case Link:
		return "a symbolic link"
	case Submodule:
		return "a Git submodule"
	case Other:
		return "a fifo, socket or device"
	}
	return "missing"
}

// Entry describes one path, links not followed.
type Entry struct {
	Name string // last element of the path
	Kind Kind
	ID   string // Git object id in hex; empty where the tree does not know it
	Size int64  // bytes of a file; 0 where unknown
}

// ErrTooLarge is the error of a Tree for a file over the limit.
var ErrTooLarge = errors.New("file too large")

// Tree is the raw files below one root, in a working tree or in a commit.
// Paths are slash-separated, clean and relative to the root; "." is the root.
// A path that goes through a link is not found: links are resolved by FS alone.
type Tree interface {
	// Lookup describes the entry at path. An absent one is fs.ErrNotExist.
	Lookup(path string) (Entry, error)
	// ReadDir lists a directory, sorted by name.
	ReadDir(path string) ([]Entry, error)
	// ReadFile gives a file's bytes, or a link's target; callers must not change
	// them. A file of more than limit bytes is ErrTooLarge.
	ReadFile(path string, limit int64) ([]byte, error)
}
