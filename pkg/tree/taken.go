package tree

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/source"
)

// Taken is an app of an environment that is taken over from a hydrated commit
// as it stands there.
type Taken struct {
	App    string
	Tree   string // Git tree id of its directory; EmptyTree if it holds nothing
	Record string // Git object id of its record
	Pins   []Pin
	Inputs []Input
	Unread bool // nobody needed Pins and Inputs until now: Read gets them
}

// EmptyTree is the Git tree id of a directory that holds nothing.
const EmptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

// Holds tells whether the app has any object.
func (t Taken) Holds() bool { return t.Tree != EmptyTree }

// ID is the Git tree id of the environment's directory, empty if it holds
// nothing. It is worked out once: Files and Taken stay as they are.
func (e *Environment) ID() string {
	if e.id == "" {
		e.id = e.workOut()
	}
	return e.id
}

func (e *Environment) workOut() string {
	if len(e.Taken) == 0 {
		if len(e.Files) == 0 {
			return ""
		}
		return e.Files.ID()
	}
	dirs := map[string]string{}
	for _, t := range e.Taken {
		if t.App == "" {
			return t.Tree // it is the only one
		}
		if t.Holds() {
			dirs[t.App] = t.Tree
		}
	}
	top, below := Files{}, map[string]Files{}
	for p, data := range e.Files {
		dir, rest, deeper := strings.Cut(p, "/")
		switch {
		case !deeper:
			top[p] = data
		case below[dir] == nil:
			below[dir] = Files{rest: data}
		default:
			below[dir][rest] = data
		}
	}
	for dir, files := range below {
		dirs[dir] = files.ID()
	}
	return top.withDirs(dirs)
}

// withDirs is the Git tree id of files without a slash in their paths and of
// directories by their ids; empty if there are none.
func (f Files) withDirs(dirs map[string]string) string {
	type entry struct{ key, text string }
	entries := make([]entry, 0, len(f)+len(dirs))
	for name, data := range f {
		id := object("blob", data)
		entries = append(entries, entry{sortKey(name, false), "100644 " + name + "\x00" + string(id[:])})
	}
	for name, id := range dirs {
		raw, err := hex.DecodeString(id)
		if err != nil {
			return "" // no directory has such an id: it will not be the same as any
		}
		entries = append(entries, entry{sortKey(name, true), "40000 " + name + "\x00" + string(raw)})
	}
	if len(entries) == 0 {
		return ""
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	var data []byte
	for _, e := range entries {
		data = append(data, e.text...)
	}
	id := object("tree", data)
	return hex.EncodeToString(id[:])
}

// Compare gives the paths where an environment's directory of a commit differs
// from what it should hold. What is taken over is not read.
func (e *Environment) Compare(have source.Tree) ([]Difference, error) {
	id, err := ID(have, e.Path)
	if err != nil || id == e.ID() {
		return nil, err
	}
	taken := map[string]string{}
	for _, t := range e.Taken {
		taken[path.Join(e.Path, t.App)] = t.Tree
	}
	return compare(have, e.Path, e.Files, taken)
}

// Base is a hydrated commit whose apps may be taken over, as far as what they
// were made of is the same. What it says of itself has been checked.
type Base struct {
	Commit     string
	Files      source.Tree // of the hydrated commit
	Provenance *Provenance
	Source     source.Tree          // of the commit that it was made of
	Known      map[string][]Summary // by environment, as far as the records have been read
	Own        bool                 // sluice made the commit here: it wrote the records, or had checked those that it took over
}

// Apps gives what the records of an environment's apps tell. One that was
// rolled back has no apps to take over.
func (b *Base) Apps(environment string) ([]Summary, error) {
	if !slices.ContainsFunc(b.Provenance.Environments, func(e EnvironmentRecord) bool { return e.Name == environment && e.RolledBackTo == "" }) {
		return nil, nil
	}
	if known, ok := b.Known[environment]; ok {
		return known, nil
	}
	read := Summaries
	if b.Own {
		read = glances
	}
	apps, err := read(b.Files, environment)
	if err != nil {
		return nil, err
	}
	if b.Known == nil {
		b.Known = map[string][]Summary{}
	}
	b.Known[environment] = apps
	return apps, nil
}

// Listed is Apps for whoever needs to know no more than which apps there are,
// with the ids of their records and directories: no record is read.
func (b *Base) Listed(environment string) ([]Summary, error) {
	for _, e := range b.Provenance.Environments {
		if e.Name == environment && e.RolledBackTo == "" {
			return listed(b.Files, e)
		}
	}
	return nil, nil
}

func listed(files source.Tree, e EnvironmentRecord) ([]Summary, error) {
	all, err := names(files, e.Name)
	if err != nil {
		return nil, err
	}
	dirs := map[string]string{"": e.Tree}
	entries, err := files.ReadDir(e.Path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // it holds nothing
	}
	for _, entry := range entries {
		dirs[entry.Name] = entry.ID
	}
	for i, s := range all {
		if all[i].Tree = dirs[s.App]; all[i].Tree == "" {
			all[i].Tree = EmptyTree
		}
	}
	return all, err
}

// Read fills in what was not read of the records of the apps that are taken
// over.
func (e *Environment) Read(b *Base) error {
	if !slices.ContainsFunc(e.Taken, func(t Taken) bool { return t.Unread }) {
		return nil
	}
	apps, err := b.Apps(e.Name)
	if err != nil {
		return err
	}
	known := map[string]Summary{}
	for _, s := range apps {
		known[s.App] = s
	}
	for i, t := range e.Taken {
		s := known[t.App]
		e.Taken[i].Pins, e.Taken[i].Inputs, e.Taken[i].Unread = s.Pins, s.Inputs, false
	}
	return nil
}

// Holds tells whether the directories of an environment's apps are those that
// their records name.
func Holds(files source.Tree, dir string, apps []Summary) (bool, error) {
	for _, s := range apps {
		id, err := ID(files, path.Join(dir, s.App))
		if err != nil {
			return false, err
		}
		if id != s.Tree && (id != "" || s.Tree != EmptyTree) {
			return false, nil
		}
	}
	return true, nil
}
