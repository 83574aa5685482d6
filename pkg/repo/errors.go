package repo

import (
	"errors"
	"fmt"
	"time"
)

// ErrNotRepository is the error of Open outside of any repository.
var ErrNotRepository = errors.New("not a git repository")

// ErrNoBranch is the error for a branch that is surely absent. A ref that cannot
// be read is never this.
var ErrNoBranch = errors.New("no such branch")

// UnsupportedError is a repository in a format that sluice does not read.
type UnsupportedError struct {
	What string
	Hint string
}

func (e *UnsupportedError) Error() string { return "unsupported repository: " + e.What }

// UnbornError is a HEAD on a branch without commits.
type UnbornError struct{ Branch string }

func (e *UnbornError) Error() string { return fmt.Sprintf("branch %q has no commits yet", e.Branch) }

// UnknownRevisionError is a revision that names no object, or several.
type UnknownRevisionError struct {
	Rev string
	Why string
}

func (e *UnknownRevisionError) Error() string { return fmt.Sprintf("revision %q: %s", e.Rev, e.Why) }

// MissingObjectError is an object that the repository refers to and does not
// hold: cut off by a shallow or partial clone, or lost.
type MissingObjectError struct {
	ID      ID
	Partial bool // the repository is a partial clone, so git could fetch it
}

func (e *MissingObjectError) Error() string {
	if e.Partial {
		return fmt.Sprintf("object %s is not here (partial clone)", e.ID)
	}
	return fmt.Sprintf("object %s is not here", e.ID)
}

// KindError is an object of another kind than whoever names it says.
type KindError struct {
	ID         ID
	Want, Kind string // commit, tree, blob or tag
}

func (e *KindError) Error() string {
	return fmt.Sprintf("reading %s %s: it is a %s", e.Want, e.ID, e.Kind)
}

// BrokenRefError is a ref that is there and does not hold a commit id.
type BrokenRefError struct {
	Ref  string // refs/heads/env/staging
	Path string // the file at fault
	Why  string
	Hint string
}

func (e *BrokenRefError) Error() string {
	return fmt.Sprintf("reading ref %q: %s: %s", e.Ref, e.Path, e.Why)
}

// LockedError is a ref whose lock another process held all the time.
type LockedError struct {
	Ref  string
	Path string        // the lock file
	Age  time.Duration // since the lock was made
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("moving ref %q: it is locked by %s, made %s ago", e.Ref, e.Path, e.Age.Round(time.Second))
}

// Hint says how to get rid of the lock.
func (e *LockedError) Hint() string {
	return "if no git or sluice process is running, remove the lock: rm '" + e.Path + "'"
}

// MovedError is a ref that does not hold the expected value; nothing was moved.
type MovedError struct {
	Ref        string
	Want, Have ID // "" = absent
}

func (e *MovedError) Error() string {
	word := func(id ID) string {
		if id == "" {
			return "absent"
		}
		return "at " + id.Short()
	}
	return fmt.Sprintf("moving ref %q: it is %s, not %s", e.Ref, word(e.Have), word(e.Want))
}

// ConflictError is a ref that cannot be made because another one's name is a
// part of its own, or the other way round.
type ConflictError struct{ Ref, Other string }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("making ref %q: %q exists, and git cannot hold both", e.Ref, e.Other)
}

// ReflogError says that the refs have moved and are durable but a reflog line
// could not be written.
type ReflogError struct {
	Ref string
	Err error
}

func (e *ReflogError) Error() string {
	return fmt.Sprintf("writing the reflog of %q, which has moved: %v", e.Ref, e.Err)
}

func (e *ReflogError) Unwrap() error { return e.Err }
