package repo

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// tempPrefix begins the name of every temporary file. It is not git's "tmp_":
// those a `git prune --expire=now` takes away while they are being written.
const tempPrefix = "sluice-tmp."

// newTemp makes a file with permissions that the umask applies to, which
// os.CreateTemp does not. The process id and a count make the name: what a
// killed run left behind under the same name is passed over.
func newTemp(dir, suffix string, perm os.FileMode) (*os.File, error) {
	for n := 0; ; n++ {
		name := filepath.Join(dir, fmt.Sprintf("%s%d_%d%s", tempPrefix, os.Getpid(), n, suffix))
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		if !errors.Is(err, os.ErrExist) || n == 10000 {
			return f, err
		}
	}
}

// harden makes a file's content durable.
func harden(f *os.File, shared sharedMode) error {
	return errors.Join(shared.adjust(f.Name()), f.Sync())
}

// finish makes a file durable and closes it.
func finish(f *os.File, shared sharedMode) error {
	return errors.Join(harden(f, shared), f.Close())
}

// writeTemp makes a durable file of what fill writes. Whoever renames it must not
// remove it afterwards: the name may be another run's by then. now is the file
// system's time.
func writeTemp(dir string, perm os.FileMode, shared sharedMode, fill func(io.Writer) error) (name string, now time.Time, err error) {
	f, err := newTemp(dir, "", perm)
	if err != nil {
		return "", time.Time{}, err
	}
	err = fill(f)
	fi, statErr := f.Stat()
	if err := errors.Join(err, statErr, finish(f, shared)); err != nil {
		return "", time.Time{}, errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), fi.ModTime(), nil
}

// staleAfter is longer than any run takes.
const staleAfter = 24 * time.Hour

const keepText = "sluice\n"

// sweep takes away what killed runs left in a directory a day ago or more:
// temporary files, and .keep files, which would keep packs for ever. now is the
// file system's time. What cannot be removed stays: it only costs disk.
func sweep(dir string, now time.Time) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		fi, err := e.Info()
		if err != nil || now.Sub(fi.ModTime()) < staleAfter {
			continue
		}
		ours := strings.HasPrefix(e.Name(), tempPrefix) && !guards(dir, entries, fi)
		if strings.HasSuffix(e.Name(), ".keep") {
			text, err := os.ReadFile(path)
			ours = err == nil && string(text) == keepText
		}
		if ours {
			os.Remove(path)
		}
	}
}
