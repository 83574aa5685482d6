package repo

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
