package repo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
)

// boundary is how a fetch moves the end of a shallow history.
type boundary struct{ add, remove map[ID]bool }

// readBoundary reads what the server answers to a depth.
func (f *fetching) readBoundary(p *packets) (boundary, error) {
	b := boundary{map[ID]bool{}, map[ID]bool{}}
	if !f.options.set() {
		return b, nil
	}
	for {
		text, ok, err := p.line()
		if err != nil {
			return b, unexpected(err)
		}
		if !ok {
			return b, nil
		}
		word, hex, _ := strings.Cut(text, " ")
		id := ID(hex)
		switch {
		case !id.valid():
			return b, errNotGit
		case word == "shallow":
			b.add[id] = true
		case word == "unshallow":
			b.remove[id] = true
		default:
			return b, errNotGit
		}
	}
}

// accept checks that all is here that is to be, and moves the boundary. The
// objects are durable by now and no ref leads to them yet.
func (f *fetching) accept(b boundary, have []ID) error {
	r := f.remote.repo
	next := maps.Clone(f.shallow)
	for id := range b.remove {
		delete(next, id)
	}
	for id := range b.add {
		// The server counts from the tips. What is whole here stays whole.
		if f.shallow[id] || !r.parentsHere(id) {
			next[id] = true
		}
	}
	if f.options.set() {
		have = nil // what the tips lead to is what has changed
	}
	if _, err := r.between(f.ctx, f.wants, have, next, r.objects.partial); err != nil {
		var missing *MissingObjectError
		if errors.As(err, &missing) {
			return &hintedError{fmt.Errorf("the server left out what belongs to its refs: %w", err), "the remote may be a shallow clone itself"}
		}
		return err
	}
	if maps.Equal(next, f.shallow) {
		return nil
	}
	return r.writeShallow(f.shallow, next)
}

// parentsHere says whether a commit and its parents are here.
func (r *Repo) parentsHere(id ID) bool {
	c, err := r.Commit(id)
	if err != nil {
		return false
	}
	for _, p := range c.Parents {
		if !r.objects.has(p) {
			return false
		}
	}
	return true
}

// readShallow gives the commits whose parents are cut off.
func (r *Repo) readShallow() (map[ID]bool, error) {
	b, err := os.ReadFile(filepath.Join(r.commonDir, "shallow"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the shallow boundary: %w", err)
	}
	ids := map[ID]bool{}
	for _, line := range bytes.Fields(b) {
		id := ID(line)
		if !id.valid() {
			return nil, fmt.Errorf("reading the shallow boundary: %q is not a commit id", line)
		}
		ids[id] = true
	}
	return ids, nil
}

// writeShallow replaces the boundary, under git's lock and if it is still as it
// was read.
func (r *Repo) writeShallow(old, next map[ID]bool) error {
	path := filepath.Join(r.commonDir, "shallow")
	lock := path + ".lock"
	f, err := os.OpenFile(lock, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		if errors.Is(err, fs.ErrExist) {
			return &hintedError{fmt.Errorf("moving the shallow boundary: %s is there", lock), "if no git or sluice process is running, remove it"}
		}
		return fmt.Errorf("moving the shallow boundary: %w", err)
	}
	var text strings.Builder
	for _, id := range sortedIDs(next) {
		text.WriteString(string(id) + "\n")
	}
	_, err = io.WriteString(f, text.String())
	if err = errors.Join(err, finish(f, r.shared)); err == nil {
		var now map[ID]bool
		if now, err = r.readShallow(); err == nil && !maps.Equal(now, old) {
			err = errors.New("somebody else moved it meanwhile: try again")
		}
	}
	if err == nil && len(next) == 0 {
		err = errors.Join(os.Remove(path), os.Remove(lock)) // as git says that nothing is cut off
	} else if err == nil {
		err = os.Rename(lock, path)
	}
	if err != nil {
		os.Remove(lock)
		return fmt.Errorf("moving the shallow boundary: %w", err)
	}
	return syncDir(r.commonDir)
}
