package repo

import (
	"errors"
	"os"
	"syscall"
)

const errNotDir = syscall.ENOTDIR

// syncDir does nothing: Windows has no such call, and NTFS logs names itself.
func syncDir(string) error { return nil }

// noHardLink is always true, so that locks are made as git for Windows makes
// them, by exclusive creation.
func noHardLink(error) bool { return true }

func isDirectory(err error) bool {
	pe, ok := err.(*os.PathError)
	return ok && pe.Err == syscall.EISDIR
}

// flock is not used: a lock whose name is not linked cannot be told from another
// program's.
func flock(*os.File) error { return errors.ErrUnsupported }
