package repo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// refLock is a held lock whose file has the new value in it, durably.
type refLock struct {
	update RefUpdate
	ref    string // the loose file
	path   string // the lock beside it
	held   bool
	guard  *os.File // tells other runs that this one lives; nil where that cannot be told
	logs   []*os.File
	line   string // of the reflog
}

// release takes away a lock that did not become the ref.
func (l *refLock) release() {
	if l.held {
		os.Remove(l.path)
		l.held = false
	}
	if l.guard != nil {
		os.Remove(l.guard.Name())
		l.guard.Close()
		l.guard = nil
	}
	for _, f := range l.logs {
		f.Close()
	}
	l.logs = nil
}

// defaultLockWait is longer than git's tenth of a second: a disk that is asked to
// sync by many takes longer than that.
const defaultLockWait = 3 * time.Second

// lockWait is core.filesRefLockTimeout: milliseconds, 0 for not at all, negative
// for as long as it takes. What is no number is as if it were not set.
func lockWait(value string) time.Duration {
	n, err := strconv.ParseInt(value, 10, 32)
	switch {
	case err != nil:
		return defaultLockWait
	case n < 0:
		return math.MaxInt64
	}
	return max(1, time.Duration(n)*time.Millisecond)
}

const (
	firstPause = time.Millisecond
	maxPause   = 100 * time.Millisecond
)

// lockRef takes the lock that git takes. The value is written and synced under
// another name first and then linked to the lock's: a killed run leaves a
// lock only if it dies in the few steps between link and rename. The other name
// stays until then and tells the next run whose the lock was: see takeOver.
func (r *Repo) lockRef(ctx context.Context, u RefUpdate) (*refLock, error) {
	ref := r.refPath(u.Name)
	l := &refLock{update: u, ref: ref, path: ref + ".lock"}
	var waited time.Duration
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		age, err := r.tryLock(l)
		if err == nil {
			l.held = true
			return l, nil
		}
		if !errors.Is(err, fs.ErrExist) && !errors.Is(err, errDirGone) {
			return nil, err
		}
		if waited >= min(r.env.LockWait, defaultLockWait) && takeOver(l.path) {
			waited, pause = 0, firstPause
			continue
		}
		if waited >= r.env.LockWait {
			return nil, &LockedError{Ref: u.Name, Path: l.path, Age: age}
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-timer.C:
			waited += pause
		}
	}
}

// errDirGone says that git removed the directory, empty as it was, in between.
var errDirGone = errors.New("directory removed meanwhile")

// tryLock is one attempt. An error that is fs.ErrExist says that somebody holds
// the lock, and age for how long.
func (r *Repo) tryLock(l *refLock) (age time.Duration, err error) {
	fail := func(err error) (time.Duration, error) {
		return 0, fmt.Errorf("locking ref %q: %w", l.update.Name, err)
	}
	dir := filepath.Dir(l.ref)
	if err := r.shared.makeDirs(dir); err != nil {
		if other := r.refInTheWay(l.update.Name); other != "" {
			return 0, &ConflictError{Ref: l.update.Name, Other: other}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return 0, errDirGone
		}
		return fail(err)
	}
	temp, err := newTemp(dir, ".lock", 0o666) // a name that git takes for no ref
	if errors.Is(err, fs.ErrNotExist) {
		return 0, errDirGone
	}
	if err != nil {
		return fail(err)
	}
	l.guard = temp
	defer func() {
		if err != nil {
			l.release()
		}
	}()
	_, err = temp.WriteString(string(l.update.New) + "\n")
	fi, statErr := temp.Stat()
	if err := errors.Join(err, statErr, harden(temp, r.shared)); err != nil {
		return fail(err)
	}
	sweep(dir, fi.ModTime())
	// Before the link: nobody may see a lock whose guard seems to be dead.
	guarded := flock(temp) == nil
	err = os.Link(temp.Name(), l.path)
	if err != nil && !errors.Is(err, fs.ErrExist) && noHardLink(err) {
		err, guarded = r.lockByCreating(l), false
	}
	switch {
	case err == nil && !guarded:
		os.Remove(temp.Name())
		temp.Close()
		l.guard = nil
		return 0, nil
	case err == nil:
		return 0, nil
	case errors.Is(err, fs.ErrExist):
		if held, statErr := os.Lstat(l.path); statErr == nil {
			age = max(0, fi.ModTime().Sub(held.ModTime()))
		}
		return age, fs.ErrExist
	case errors.Is(err, fs.ErrNotExist):
		return 0, errDirGone
	}
	return fail(err)
}

// lockByCreating is for file systems without hard links.
func (r *Repo) lockByCreating(l *refLock) error {
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.WriteString(string(l.update.New) + "\n")
	if err := errors.Join(err, finish(f, r.shared)); err != nil {
		os.Remove(l.path)
		return err
	}
	return nil
}

// refInTheWay names the ref whose file stands where a directory must be.
func (r *Repo) refInTheWay(full string) string {
	for i := strings.LastIndexByte(full, '/'); i > len("refs/"); i = strings.LastIndexByte(full[:i], '/') {
		if fi, err := os.Lstat(r.refPath(full[:i])); err == nil && !fi.IsDir() {
			return full[:i]
		}
	}
	return ""
}
