package repo

import (
	"fmt"
	"strings"
)

// checkEntry says what git would not bear in a tree: names that leave the tree
// or that some file system takes for ".git".
func checkEntry(e TreeEntry) error {
	if why := nameFault(e.Name); why != "" {
		return fmt.Errorf("the name %q %s", e.Name, why)
	}
	switch e.Mode {
	case ModeFile, ModeExec, ModeLink, ModeDir, ModeSubmodule:
	default:
		return fmt.Errorf("%q has the mode %o", e.Name, e.Mode)
	}
	if !e.ID.valid() {
		return fmt.Errorf("%q has the object id %q", e.Name, e.ID)
	}
	return nil
}

func nameFault(name string) string {
	switch {
	case name == "":
		return "is empty"
	case name == "." || name == "..":
		return "is a directory's own"
	case strings.ContainsAny(name, "/\\\x00"):
		return "holds a slash, a backslash or a NUL"
	case len(name) > 255:
		return "is longer than 255 bytes"
	case isDotGit(name):
		return "is .git to some file system"
	}
	return ""
}

// isDotGit knows the spellings that git refuses: HFS+ drops some code points and
// folds case, NTFS drops dots and blanks at the end, has the short name git~1 and
// streams after a colon.
func isDotGit(name string) bool {
	name = strings.ToLower(strings.Map(func(r rune) rune {
		switch {
		case r >= 0x200c && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x206a && r <= 0x206f, r == 0xfeff:
			return -1
		}
		return r
	}, name))
	name, _, _ = strings.Cut(name, ":")
	name = strings.TrimRight(name, " .")
	return name == ".git" || name == "git~1"
}
