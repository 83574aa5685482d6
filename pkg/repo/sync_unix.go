//go:build !windows

package repo

import (
	"errors"
	"os"
	"syscall"
)

const errNotDir = syscall.ENOTDIR

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	// Some network file systems cannot sync a directory; git goes on there too.
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil
	}
	return errors.Join(err, d.Close())
}

// noHardLink says that a link failed because the file system has none.
func noHardLink(err error) bool {
	return errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.EMLINK)
}

func isDirectory(err error) bool { return errors.Is(err, syscall.EISDIR) }

// flock marks a file as in use until it is closed or the process ends, however
// that ends. It does not wait: an error says that the file is in use, or that
// the file system cannot tell.
func flock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
