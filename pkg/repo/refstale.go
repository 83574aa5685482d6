package repo

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// takeOver removes a lock that a killed run of this program left behind, and
// says whether the lock is gone. Three things must hold. Beside the lock lies
// its other name, which only this program's locks have: git's locks are never
// touched. The file is not in use: the system drops the mark of flock when its
// process ends, and a living run has it from before the lock appears until
// after it is gone. And the lock is still that file: whoever else takes over
// needs the same mark first.
//
// The ref is as it was: the dead run did not come to the rename.
func takeOver(lock string) bool {
	held, err := os.Lstat(lock)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	dir := filepath.Dir(lock)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		fi, err := e.Info()
		if err != nil || !strings.HasPrefix(e.Name(), tempPrefix) || !os.SameFile(fi, held) {
			continue
		}
		f, err := os.OpenFile(filepath.Join(dir, e.Name()), os.O_RDWR, 0)
		if err != nil {
			return false
		}
		defer f.Close()
		if flock(f) != nil {
			return false
		}
		mine, err := f.Stat()
		now, lstatErr := os.Lstat(lock)
		if err != nil || lstatErr != nil || !os.SameFile(mine, now) {
			return errors.Is(lstatErr, fs.ErrNotExist)
		}
		if os.Remove(lock) != nil {
			return false
		}
		os.Remove(f.Name())
		return true
	}
	return false
}

// guards tells whether a temporary file is the other name of a lock.
func guards(dir string, entries []fs.DirEntry, temp fs.FileInfo) bool {
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".lock") && !strings.HasPrefix(e.Name(), tempPrefix) {
			if lock, err := os.Lstat(filepath.Join(dir, e.Name())); err == nil && os.SameFile(lock, temp) {
				return true
			}
		}
	}
	return false
}
