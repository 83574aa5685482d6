package propose

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// File is one file of the source as it is to be.
type File struct {
	Path   string // slash path from the repository's root
	Data   []byte
	Mode   repo.Mode // 0 keeps that of the file there; a new one is a plain file
	Remove bool      // it is to be gone; the other fields but Path do not count
}

// Fault says why nothing may be proposed at a path, "" if it may.
func Fault(path string) string {
	if !fs.ValidPath(path) || path == "." || strings.ContainsAny(path, "\\") {
		return "is no path inside the repository"
	}
	for _, r := range path {
		if r < 0x20 || r == 0x7f {
			return "holds a control character"
		}
	}
	for name := range strings.SplitSeq(path, "/") {
		// Git itself knows more spellings of the first; repo refuses those.
		switch strings.ToLower(strings.TrimRight(name, " .")) {
		case ".git":
			return "is git's own"
		case ".sluice":
			return "is kept for the records on the environments' branches"
		}
	}
	return ""
}

// compare gives what differs from the base's tree.
func compare(r *repo.Repo, base string, tree repo.ID, ch Change) ([]repo.Change, []Changed, error) {
	var list finding.List
	var there []string
	var changes []repo.Change
	var changed []Changed
	seen := map[string]bool{}
	for _, f := range ch.Files {
		if why := Fault(f.Path); why != "" {
			list.Add("", 0, fmt.Sprintf("the path %q %s", f.Path, why), "name a path below the repository's root, such as clusters/a/app.yaml")
			continue
		}
		if seen[f.Path] {
			list.Add(f.Path, 0, "is given twice", "give each file a name of its own")
			continue
		}
		seen[f.Path] = true
		was, why, err := lookup(r, tree, f.Path)
		if err != nil {
			return nil, nil, err
		}
		if why != "" {
			list.Add(f.Path, 0, why+" on "+base, "take another path")
			continue
		}
		if f.Remove {
			if was != nil {
				changes, changed = append(changes, repo.Change{Path: f.Path}), append(changed, Changed{f.Path, "removed"})
			}
			continue
		}
		mode := f.Mode
		switch {
		case mode == 0 && was != nil:
			mode = was.Mode
		case mode == 0:
			mode = repo.ModeFile
		}
		status := "added"
		if was != nil {
			if was.ID == repo.BlobID(f.Data) && was.Mode == mode {
				continue
			}
			status = "changed"
			there = append(there, f.Path)
		}
		changes = append(changes, repo.Change{Path: f.Path, File: &repo.File{Data: f.Data, Mode: mode}})
		changed = append(changed, Changed{f.Path, status})
	}
	if err := list.Err(); err != nil {
		return nil, nil, err
	}
	if len(there) > 0 && !ch.Overwrite {
		slices.Sort(there)
		return nil, nil, &finding.Refusal{
			Text: fmt.Sprintf("on %s with other content already: %s", base, strings.Join(there, ", ")),
			Hint: "replace what is there with --overwrite, or take another path",
		}
	}
	slices.SortFunc(changed, func(a, b Changed) int { return strings.Compare(a.Path, b.Path) })
	return changes, changed, nil
}

// lookup finds the file at a path; nil if there is none. why says what stands
// there or on the way and is no file.
func lookup(r *repo.Repo, tree repo.ID, path string) (file *repo.TreeEntry, why string, err error) {
	names := strings.Split(path, "/")
	for i, name := range names {
		entries, err := entriesOf(r, tree)
		if err != nil {
			return nil, "", err
		}
		e, ok := entries[name]
		if !ok {
			return nil, "", nil
		}
		last := i == len(names)-1
		at := strings.Join(names[:i+1], "/")
		switch {
		case e.Mode == repo.ModeLink:
			return nil, fmt.Sprintf("cannot be written: %s is a symbolic link", at), nil
		case e.Mode == repo.ModeSubmodule:
			return nil, fmt.Sprintf("cannot be written: %s is a submodule", at), nil
		case last && e.Mode == repo.ModeDir:
			return nil, "cannot be written: it is a directory", nil
		case last:
			return &e, "", nil
		case e.Mode != repo.ModeDir:
			return nil, fmt.Sprintf("cannot be written: %s is a file", at), nil
		}
		tree = e.ID
	}
	return nil, "", nil
}

func entriesOf(r *repo.Repo, tree repo.ID) (map[string]repo.TreeEntry, error) {
	entries, err := r.Tree(tree)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]repo.TreeEntry, len(entries))
	for _, e := range entries {
		byName[e.Name] = e
	}
	return byName, nil
}
