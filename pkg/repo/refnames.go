package repo

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/refname"
)

// Revisions gives the names that branches, tags and branches of remotes have
// for Resolve, in order. Whether they lead anywhere is not looked at.
func (r *Repo) Revisions() ([]string, error) {
	packed, err := r.readPacked()
	if err != nil {
		return nil, err
	}
	var names []string
	add := func(full string) {
		for _, kind := range []string{"refs/heads/", "refs/tags/", "refs/remotes/"} {
			if name, is := strings.CutPrefix(full, kind); is && !strings.HasSuffix(full, "/HEAD") && refname.Check(full) == nil {
				names = append(names, name)
			}
		}
	}
	for full := range packed {
		add(full)
	}
	// What cannot be read has no names to give.
	_ = filepath.WalkDir(filepath.Join(r.commonDir, "refs"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if full, err := filepath.Rel(r.commonDir, path); err == nil {
			add(filepath.ToSlash(full))
		}
		return nil
	})
	slices.Sort(names)
	return slices.Compact(names), nil
}
