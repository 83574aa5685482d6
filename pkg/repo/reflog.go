package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// openLog opens the reflogs that the move is to be written to, so that a log
// that cannot be written shows before the ref moves.
func (l *refLock) openLog(r *Repo, who, message string) error {
	old := l.update.Old
	if old == "" {
		old = zeroID
	}
	l.line = fmt.Sprintf("%s %s %s\t%s\n", old, l.update.New, who, strings.Join(strings.Fields(strings.ToValidUTF8(message, "\ufffd")), " "))
	paths := []string{filepath.Join(r.commonDir, "logs", filepath.FromSlash(l.update.Name))}
	create := []bool{r.logsNew(l.update.Name)}
	if head, err := r.readLooseRef("HEAD"); err == nil && head.target == l.update.Name {
		paths = append(paths, filepath.Join(r.gitDir, "logs", "HEAD"))
		create = append(create, r.logsNew("HEAD"))
	}
	for i, path := range paths {
		f, err := r.openLogFile(path, create[i])
		if err != nil {
			return fmt.Errorf("opening the reflog of %q: %w", l.update.Name, err)
		}
		if f != nil {
			l.logs = append(l.logs, f)
		}
	}
	return nil
}

// logsNew says whether a ref without a reflog gets one.
func (r *Repo) logsNew(name string) bool {
	value, set := r.Config("core.logallrefupdates")
	switch {
	case !set:
		if r.workTree == "" {
			return false
		}
	case strings.EqualFold(value, "always"):
		return true
	case !truth(value):
		return false
	}
	for _, kind := range []string{"refs/heads/", "refs/remotes/", "refs/notes/"} {
		if strings.HasPrefix(name, kind) {
			return true
		}
	}
	return name == "HEAD"
}

// openLogFile gives nil if there is no log and none is to be made.
func (r *Repo) openLogFile(path string, create bool) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		return f, nil
	}
	if !create && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if fi, statErr := os.Lstat(path); statErr == nil && fi.IsDir() {
		if !create {
			return nil, nil
		}
		os.Remove(path) // the empty directory of refs that are gone
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := r.shared.makeDirs(filepath.Dir(path)); err != nil {
		return nil, err
	}
	f, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	return f, r.shared.adjust(path)
}

func (l *refLock) writeLogs() error {
	var errs []error
	for _, f := range l.logs {
		_, err := f.WriteString(l.line)
		errs = append(errs, err, f.Close())
	}
	l.logs = nil
	return errors.Join(errs...)
}
