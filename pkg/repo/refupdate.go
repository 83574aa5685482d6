package repo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/sluice-dev/sluice/pkg/refname"
)

// RefUpdate moves one ref. Old is the value that it must have, "" if it must be
// absent; New is a commit.
type RefUpdate struct {
	Name     string // in full: refs/heads/env/staging
	Old, New ID
}

// UpdateRefs moves refs as git does: each is locked, its new value durable in the
// lock, and compared before the first one moves. On any error nothing has
// moved, with two exceptions: *ReflogError, and a disk that fails between
// two renames, which the error text says. The commits must be durable by now.
//
// The errors that a caller can act on are *MovedError, *LockedError,
// *ConflictError and *BrokenRefError.
func (r *Repo) UpdateRefs(ctx context.Context, updates []RefUpdate, who Signature, message string) error {
	sorted := append([]RefUpdate(nil), updates...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].Name < sorted[j].Name })
	if err := r.checkUpdates(sorted); err != nil {
		return err
	}
	line, err := who.format()
	if err != nil {
		return fmt.Errorf("moving refs: %w", err)
	}
	locks := make([]*refLock, 0, len(sorted))
	defer func() {
		for _, l := range locks {
			l.release()
		}
	}()
	// In order of name, so that two runs cannot wait for each other.
	for _, u := range sorted {
		l, err := r.lockRef(ctx, u)
		if err != nil {
			return err
		}
		locks = append(locks, l)
		if err := r.compare(u); err != nil {
			return err
		}
		if err := l.openLog(r, line, message); err != nil {
			return err
		}
	}
	return commitLocks(locks)
}

// commitLocks moves the refs, makes that durable and then writes the reflogs.
func commitLocks(locks []*refLock) error {
	var moved []string
	for _, l := range locks {
		if err := os.Rename(l.path, l.ref); err != nil {
			err = fmt.Errorf("moving ref %q: %w", l.update.Name, err)
			if len(moved) > 0 {
				err = fmt.Errorf("%w (moved before it: %s)", err, strings.Join(moved, ", "))
			}
			return err
		}
		l.held = false
		moved = append(moved, l.update.Name)
	}
	for _, l := range locks {
		// git may have packed the ref already, durably, and removed the directory.
		if err := syncDir(filepath.Dir(l.ref)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("moving ref %q: it has moved, and making that durable: %w", l.update.Name, err)
		}
	}
	for _, l := range locks {
		if err := l.writeLogs(); err != nil {
			return &ReflogError{Ref: l.update.Name, Err: err}
		}
	}
	return nil
}

// checkUpdates refuses what no lock is needed for.
func (r *Repo) checkUpdates(updates []RefUpdate) error {
	for i, u := range updates {
		if err := refname.Check(u.Name); err != nil {
			return err
		}
		if u.Old != "" && !u.Old.valid() {
			return fmt.Errorf("moving ref %q: old value %q is not a commit id", u.Name, u.Old)
		}
		if _, err := r.readKind(u.New, plumbing.CommitObject); err != nil {
			return fmt.Errorf("moving ref %q: %w", u.Name, err)
		}
		for _, v := range updates[:i] {
			if v.Name == u.Name {
				return fmt.Errorf("moving ref %q: it is given twice", u.Name)
			}
			if refname.Conflict(v.Name, u.Name) {
				return &ConflictError{Ref: u.Name, Other: v.Name}
			}
		}
	}
	return nil
}

// compare reads the ref under its lock.
func (r *Repo) compare(u RefUpdate) error {
	have, err := r.readRef(u.Name)
	if err != nil && !errors.Is(err, errNoRef) {
		return err
	}
	if have.target != "" {
		return r.symbolic(u.Name, have.target)
	}
	if have.id != u.Old {
		return &MovedError{Ref: u.Name, Want: u.Old, Have: have.id}
	}
	if have.id != "" {
		// Packed refs may hold it while an empty directory stands in the way.
		return r.clearWay(u.Name)
	}
	packed, err := r.readPacked()
	if err != nil {
		return err
	}
	for other := range packed {
		if refname.Conflict(u.Name, other) {
			return &ConflictError{Ref: u.Name, Other: other}
		}
	}
	return r.clearWay(u.Name)
}

// clearWay removes empty directories where the ref's file is to stand, as git
// leaves them behind. A ref among them is a conflict.
func (r *Repo) clearWay(full string) error {
	path := r.refPath(full)
	fi, err := os.Lstat(path)
	if err != nil || !fi.IsDir() {
		return nil
	}
	var dirs []string
	err = filepath.WalkDir(path, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			dirs = append(dirs, at)
			return nil
		}
		rel, err := filepath.Rel(r.commonDir, at)
		if err != nil {
			return err
		}
		return &ConflictError{Ref: full, Other: strings.TrimSuffix(filepath.ToSlash(rel), ".lock")}
	})
	var conflict *ConflictError
	if errors.As(err, &conflict) {
		return conflict
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("moving ref %q: %w", full, err)
	}
	for i := len(dirs) - 1; i >= 0; i-- {
		// One that is not empty any more makes the rename fail, and nothing moves.
		os.Remove(dirs[i])
	}
	return nil
}
