package repo

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Held gives the commits that a ref has been at, the last one first, as far
// as its reflog says: nothing without one. full is the whole name.
func (r *Repo) Held(full string) ([]ID, error) {
	data, err := os.ReadFile(filepath.Join(r.commonDir, "logs", filepath.FromSlash(full)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the reflog of %q: %w", full, err)
	}
	var held []ID
	add := func(id ID) {
		if id.valid() && id != zeroID && (len(held) == 0 || held[len(held)-1] != id) {
			held = append(held, id)
		}
	}
	lines := bytes.Split(data, []byte{'\n'})
	for i := len(lines) - 1; i >= 0; i-- {
		// old new who time zone, a tab, the message
		if ids := strings.SplitN(string(lines[i]), " ", 3); len(ids) == 3 {
			add(ID(ids[1]))
			add(ID(ids[0]))
		}
	}
	return held, nil
}

// Moved tells whether the reflog of a ref says that it was moved to a commit
// with one of the messages. It is false if it cannot be told. full is the whole
// name.
func (r *Repo) Moved(full string, to ID, messages ...string) bool {
	data, err := os.ReadFile(filepath.Join(r.commonDir, "logs", filepath.FromSlash(full)))
	if err != nil || !to.valid() {
		return false
	}
	for line := range strings.Lines(string(data)) {
		move, message, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		// old new who time zone
		if ids := strings.SplitN(move, " ", 3); len(ids) == 3 && ids[1] == string(to) && slices.Contains(messages, message) {
			return true
		}
	}
	return false
}
