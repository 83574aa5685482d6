//go:build !linux && !darwin

package repo

import (
	"io/fs"
	"os"
	"path/filepath"
)

// topDir is a working tree in which files are looked at.
type topDir string

func openTop(dir string) (topDir, error) { return topDir(dir), nil }

func (d topDir) close() {}

// look gives what a file or link looks like; false if there is neither.
func (d topDir) look(path string) (look, bool) {
	info, err := os.Lstat(filepath.Join(string(d), filepath.FromSlash(path)))
	if err != nil {
		return look{}, false
	}
	return look{modified: info.ModTime(), size: uint32(info.Size())}, info.Mode().Type()&^fs.ModeSymlink == 0
}

// isDir tells whether a path is a directory, and no link to one.
func (d topDir) isDir(path string) bool {
	info, err := os.Lstat(filepath.Join(string(d), filepath.FromSlash(path)))
	return err == nil && info.IsDir()
}
