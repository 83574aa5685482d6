package repo

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// sharedMode is core.sharedRepository: the permissions that others get. The
// zero value leaves everything to the umask.
type sharedMode struct {
	bits  fs.FileMode
	exact bool // an octal value replaces what the umask gives
}

func parseShared(value string) (sharedMode, error) {
	switch strings.ToLower(value) {
	case "", "umask", "false", "no", "off", "0":
		return sharedMode{}, nil
	case "group", "true", "yes", "on", "1":
		return sharedMode{bits: 0o660}, nil
	case "all", "world", "everybody", "2":
		return sharedMode{bits: 0o664}, nil
	}
	n, err := strconv.ParseUint(value, 8, 32)
	if err != nil || n&0o600 != 0o600 {
		return sharedMode{}, fmt.Errorf("reading git config: core.sharedRepository %q has no meaning", value)
	}
	return sharedMode{bits: fs.FileMode(n & 0o666), exact: true}, nil
}

// adjust gives a file or directory that was just made the permissions that git
// would give it.
func (m sharedMode) adjust(path string) error {
	if m.bits == 0 {
		return nil
	}
	fi, err := os.Lstat(path)
	if err != nil {
		return err
	}
	mode, bits := fi.Mode().Perm(), m.bits
	if mode&0o200 == 0 {
		bits &^= 0o222
	}
	if mode&0o100 != 0 {
		bits |= bits & 0o444 >> 2
	}
	if m.exact {
		mode = bits
	} else {
		mode |= bits
	}
	if fi.IsDir() {
		mode |= fs.ModeSetgid
	}
	return os.Chmod(path, mode)
}

// makeDirs makes the directories down to dir, durably.
func (m sharedMode) makeDirs(dir string) error {
	if fi, err := os.Stat(dir); err == nil && fi.IsDir() {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := m.makeDirs(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o777); err != nil {
		if fi, statErr := os.Stat(dir); os.IsExist(err) && statErr == nil && fi.IsDir() {
			return nil
		}
		return err
	}
	if err := m.adjust(dir); err != nil {
		return err
	}
	return syncDir(parent)
}
