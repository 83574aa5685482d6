//go:build linux || darwin

package repo

import (
	"time"

	"golang.org/x/sys/unix"
)

// topDir is a working tree in which files are looked at. From the open
// directory the way to a file is shorter than from the root: a quarter of what
// looking takes.
type topDir int

func openTop(dir string) (topDir, error) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	return topDir(fd), err
}

func (d topDir) close() { _ = unix.Close(int(d)) }

// look gives what a file or link looks like; false if there is neither.
func (d topDir) look(path string) (look, bool) {
	st, ok := d.stat(path)
	kind := st.Mode & unix.S_IFMT
	return look{modified: time.Unix(st.Mtim.Unix()), changed: time.Unix(st.Ctim.Unix()), size: uint32(st.Size)}, ok && (kind == unix.S_IFREG || kind == unix.S_IFLNK)
}

// isDir tells whether a path is a directory, and no link to one.
func (d topDir) isDir(path string) bool {
	st, ok := d.stat(path)
	return ok && st.Mode&unix.S_IFMT == unix.S_IFDIR
}

func (d topDir) stat(path string) (st unix.Stat_t, ok bool) {
	for {
		err := unix.Fstatat(int(d), path, &st, unix.AT_SYMLINK_NOFOLLOW)
		if err != unix.EINTR {
			return st, err == nil
		}
	}
}
