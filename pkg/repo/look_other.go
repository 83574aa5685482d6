//go:build !linux

package repo

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// topDir is a working tree in which files are looked at.
type topDir string

func openTop(dir string) (topDir, error) { return topDir(dir), nil }

func (d topDir) close() {}

// look gives what a file or link looks like; false if there is neither.
func (d topDir) look(path string) (size int64, modified time.Time, ok bool) {
	info, err := os.Lstat(filepath.Join(string(d), filepath.FromSlash(path)))
	if err != nil {
		return 0, time.Time{}, false
	}
	return info.Size(), info.ModTime(), info.Mode().Type()&^fs.ModeSymlink == 0
}
