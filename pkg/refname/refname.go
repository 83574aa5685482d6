// Package refname says which names Git allows for a branch, without needing a
// repository to ask.
package refname

import (
	"errors"
	"strings"
)

// CheckBranch refuses what `git check-ref-format --branch` refuses, and "HEAD".
func CheckBranch(name string) error {
	switch {
	case name == "":
		return errors.New("is empty")
	case name == "HEAD" || name == "@":
		return errors.New("is reserved")
	case strings.HasPrefix(name, "-"):
		return errors.New("begins with a dash")
	case strings.HasSuffix(name, "."):
		return errors.New("ends with a dot")
	case strings.Contains(name, ".."):
		return errors.New("holds two dots in a row")
	case strings.Contains(name, "@{"):
		return errors.New("holds @{")
	}
	for _, r := range name {
		if r <= ' ' || r == 0x7f || strings.ContainsRune(`~^:?*[\`, r) {
			return errors.New("holds a character that branch names cannot have")
		}
	}
	for _, part := range strings.Split(name, "/") {
		switch {
		case part == "":
			return errors.New("has an empty component")
		case strings.HasPrefix(part, "."):
			return errors.New("has a component that begins with a dot")
		case strings.HasSuffix(part, ".lock"):
			return errors.New("has a component that ends with .lock")
		}
	}
	return nil
}
