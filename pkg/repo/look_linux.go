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
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	return topDir(fd), err
}

func (d topDir) close() { _ = unix.Close(int(d)) }

// look gives what a file or link looks like; false if there is neither.
func (d topDir) look(path string) (size int64, modified time.Time, ok bool) {
	var st unix.Stat_t
	for {
		switch err := unix.Fstatat(int(d), path, &st, unix.AT_SYMLINK_NOFOLLOW); err {
		case nil:
		case unix.EINTR:
			continue
		default:
			return 0, time.Time{}, false
		}
		kind := st.Mode & unix.S_IFMT
		return st.Size, time.Unix(st.Mtim.Unix()), kind == unix.S_IFREG || kind == unix.S_IFLNK
	}
}
