package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/source"
)

// Dir is the directory of the branch that holds the provenance.
const Dir = ".sluice"

// ProvenancePath is where a hydrated commit says what it was made of.
const ProvenancePath = Dir + "/provenance.yaml"

// maxRecord is the largest record that is read back, in bytes.
const maxRecord = 64 << 20

// Provenance is what a hydrated commit says of itself.
type Provenance struct {
	Source       Source              `yaml:"source"`
	Renderer     Renderer            `yaml:"renderer"`
	Environments []EnvironmentRecord `yaml:"environments"`
}

// Source is the commit that was rendered.
type Source struct {
	Repository string `yaml:"repository,omitempty"` // without credentials; empty if there is no remote
	Commit     string `yaml:"commit"`
	Ref        string `yaml:"ref,omitempty"`    // full name; empty for a detached HEAD
	Config     string `yaml:"config,omitempty"` // path of the config in the source
}

// Renderer is the program that rendered.
type Renderer struct {
	Sluice    string `yaml:"sluice"`    // its version
	Kustomize string `yaml:"kustomize"` // version of the library
}

// EnvironmentRecord is one environment's directory on the branch.
type EnvironmentRecord struct {
	Name string `yaml:"name"`
	Path string `yaml:"path"`
	Tree string `yaml:"tree,omitempty"` // Git tree id; empty if the environment holds nothing
	// RolledBackTo is the hydrated commit that the directory and its records
	// were taken from; empty if they were rendered from the source above.
	RolledBackTo string `yaml:"rolledBackTo,omitempty"`
}

// Record is what the branch says of one app in one environment.
type Record struct {
	Commit   string         `yaml:"commit"` // source commit that the bytes were rendered from
	Config   string         `yaml:"config"` // sha256 of the app's part of the config
	Pins     []Pin          `yaml:"pins,omitempty"`
	Programs []Program      `yaml:"programs,omitempty"`
	Inputs   []Input        `yaml:"inputs"`
	Absent   []string       `yaml:"absent,omitempty"` // paths that were looked for and not there
	Tree     string         `yaml:"tree"`             // Git tree id of the app's files
	Objects  []ObjectRecord `yaml:"objects"`
}

// Program is a pinned program that made or changed objects. All platforms are
// recorded, so that the record is the same wherever it is written.
type Program struct {
	Name    string            `yaml:"name"`
	Version string            `yaml:"version"`
	SHA256  map[string]string `yaml:"sha256"` // of the download, in hex, by platform
}

// Pin is an injector with its exact version.
type Pin struct {
	Injector string `yaml:"injector"`
	Version  string `yaml:"version"`
}

func (p Pin) String() string { return p.Injector + " " + p.Version }

// Input is a file or link that was read, or a directory that was listed.
type Input struct {
	Path string `yaml:"path"`
	ID   string `yaml:"id"` // Git object id of the blob or tree
}

// ObjectRecord is one object of an app.
type ObjectRecord struct {
	File       string   `yaml:"file"` // in the app's directory
	APIVersion string   `yaml:"apiVersion"`
	Kind       string   `yaml:"kind"`
	Namespace  string   `yaml:"namespace,omitempty"`
	Name       string   `yaml:"name"`
	Source     string   `yaml:"source"` // path in the source
	Injected   []Pin    `yaml:"injected,omitempty"`
	Images     []string `yaml:"images,omitempty"`
}

// RecordPath is where the record of an app stands; the app without a name has
// the environment's.
func RecordPath(environment, app string) string {
	if app == "" {
		return path.Join(Dir, environment+".yaml")
	}
	return path.Join(Dir, environment, app+".yaml")
}

// Keep gives the older record where the new one says the same of the same
// bytes from the same inputs: a newer source commit alone is no news.
func (r Record) Keep(older *Record) Record {
	if older == nil {
		return r
	}
	same, was := r, *older
	same.Commit = older.Commit
	for _, s := range []*Record{&same, &was} {
		// What is read back has empty lists where what was made has none.
		if len(s.Inputs) == 0 {
			s.Inputs = nil
		}
		if len(s.Objects) == 0 {
			s.Objects = nil
		}
	}
	if reflect.DeepEqual(same, was) {
		return *older
	}
	return r
}

// encode prints a record or the provenance.
func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	enc.CompactSeqIndent()
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return out.Bytes(), enc.Close()
}

// text collects the parts of a document. What the library is given in one go
// stays in its memory as events until the end, several times as large as the
// document.
type text struct {
	out []byte
	err error
}

func (t *text) add(v any) {
	if t.err != nil {
		return
	}
	part, err := encode(v)
	t.out, t.err = append(t.out, part...), err
}

// list adds a field that is a list, some items at a time.
func list[T any](t *text, name string, items []T) {
	if len(items) == 0 {
		t.out = append(t.out, name+": []\n"...)
		return
	}
	t.out = append(t.out, name+":\n"...)
	for part := range slices.Chunk(items, 64) {
		t.add(part)
	}
}

// encode prints the record.
func (r Record) encode() ([]byte, error) {
	if out, ok := r.printed(); ok {
		return bytes.Clone(out), nil
	}
	return r.byTheLibrary()
}

// byTheLibrary prints the record field by field as encode would.
func (r Record) byTheLibrary() ([]byte, error) {
	var t text
	t.add(struct {
		Commit   string    `yaml:"commit"`
		Config   string    `yaml:"config"`
		Pins     []Pin     `yaml:"pins,omitempty"`
		Programs []Program `yaml:"programs,omitempty"`
	}{r.Commit, r.Config, r.Pins, r.Programs})
	list(&t, "inputs", r.Inputs)
	if len(r.Absent) > 0 {
		list(&t, "absent", r.Absent)
	}
	t.add(struct {
		Tree string `yaml:"tree"`
	}{r.Tree})
	list(&t, "objects", r.Objects)
	return bytes.Clone(t.out), t.err
}

// Encode prints the provenance as the branch holds it.
func (p Provenance) Encode() ([]byte, error) { return encode(p) }

// Environment gives the record of an environment by its directory.
func (p *Provenance) Environment(dir string) (EnvironmentRecord, bool) {
	for _, e := range p.Environments {
		if e.Path == dir {
			return e, true
		}
	}
	return EnvironmentRecord{}, false
}

// NewerError is a record with keys that this version does not know.
type NewerError struct {
	Sluice string // the version that the provenance names; empty for another record
	Err    error
}

func (e *NewerError) Error() string { return e.Err.Error() }

// Unwrap gives what was read and not known.
func (e *NewerError) Unwrap() error { return e.Err }

// ErrNoProvenance says that a commit was not made by sluice.
var ErrNoProvenance = errors.New("no " + ProvenancePath)

// ReadProvenance reads what a hydrated commit says of itself. It is
// ErrNoProvenance if the commit says nothing, a *NewerError if it says more
// than this version knows.
func ReadProvenance(files source.Tree) (*Provenance, error) {
	p := new(Provenance)
	err := read(files, ProvenancePath, p)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoProvenance
	}
	var newer *NewerError
	if errors.As(err, &newer) {
		newer.Sluice = p.Renderer.Sluice
	}
	if err == nil {
		err = p.check()
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// ReadRecord reads the record of an app, nil if there is none.
func ReadRecord(files source.Tree, environment, app string) (*Record, error) {
	r := new(Record)
	err := read(files, RecordPath(environment, app), r)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = r.check(RecordPath(environment, app))
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Records reads the records of every app of an environment, in order of the
// apps' names.
func Records(files source.Tree, environment string) ([]AppRecord, error) {
	var records []AppRecord
	unnamed, err := ReadRecord(files, environment, "")
	if err != nil {
		return nil, err
	}
	if unnamed != nil {
		records = append(records, AppRecord{Record: *unnamed})
	}
	entries, err := files.ReadDir(path.Join(Dir, environment))
	if errors.Is(err, fs.ErrNotExist) {
		return records, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		app, isRecord := strings.CutSuffix(e.Name, ".yaml")
		if !isRecord {
			continue
		}
		r, err := ReadRecord(files, environment, app)
		if err != nil {
			return nil, err
		}
		if r != nil {
			records = append(records, AppRecord{App: app, Record: *r})
		}
	}
	return records, nil
}

// Pins gives the injectors, with their versions, whose proxies are in the
// objects: each once, in order.
func Pins(records []AppRecord) []Pin {
	seen := map[Pin]bool{}
	var all []Pin
	for _, r := range records {
		for _, p := range r.Pins {
			if !seen[p] {
				seen[p] = true
				all = append(all, p)
			}
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].String() < all[j].String() })
	return all
}

func read(files source.Tree, p string, into any) error {
	data, err := files.ReadFile(p, maxRecord)
	if err != nil {
		return fmt.Errorf("reading %q: %w", p, err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil {
		// The parser's own text has several lines.
		err = fmt.Errorf("reading %q: %s", p, strings.Join(strings.Fields(err.Error()), " "))
		if yaml.Unmarshal(data, into) == nil {
			return &NewerError{Err: err} // all that is known can be read
		}
		return err
	}
	return nil
}

// ID gives the Git object id of what stands at a path, empty if nothing does.
func ID(files source.Tree, p string) (string, error) {
	entry, err := files.Lookup(p)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return entry.ID, err
}
