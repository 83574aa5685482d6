package diff

import "go.yaml.in/yaml/v3"

// Report is everything that differs between two states, as all writers show
// it. Its JSON form is documented in docs/diff.md.
type Report struct {
	Counts       Counts        `json:"counts"`
	Environments []Environment `json:"environments"`
}

// Counts says how many objects came to what.
type Counts struct {
	Added     int `json:"added"`
	Removed   int `json:"removed"`
	Changed   int `json:"changed"`
	Renamed   int `json:"renamed"`
	Files     int `json:"files"` // that are not objects
	Unchanged int `json:"unchanged"`
}

// Differ tells whether anything does.
func (c Counts) Differ() bool { return c.Objects()+c.Files > 0 }

// Objects is how many objects differ.
func (c Counts) Objects() int { return c.Added + c.Removed + c.Changed + c.Renamed }

// Environment is what differs between two states of one environment, or
// between two environments.
type Environment struct {
	Name    string        `json:"name"`   // "staging", or "staging -> production"
	Before  string        `json:"before"` // the two states, in words
	After   string        `json:"after"`
	Counts  Counts        `json:"counts"`
	Images  []ImageChange `json:"images"` // of containers, each pair once
	Objects []Object      `json:"objects"`
	Files   []File        `json:"files"`
	// Lists are the kustomization.yaml files that differ only by the objects
	// that were added and removed: nothing is to be read in them.
	Lists []string `json:"lists"`
}

// ImageChange is an image that containers lose for another one. One side is
// empty where a container came or went, an object added or removed included.
type ImageChange struct {
	Before  string `json:"before,omitempty"`
	After   string `json:"after,omitempty"`
	Objects int    `json:"objects,omitempty"` // in how many; only in an Environment
}

// Object is one object that differs.
type Object struct {
	Status      Status        `json:"status"`
	Object      string        `json:"object"` // kind, namespace and name, as people say it
	Group       string        `json:"group,omitempty"`
	Kind        string        `json:"kind"`
	Namespace   string        `json:"namespace,omitempty"`
	Name        string        `json:"name"`
	RenamedFrom string        `json:"renamedFrom,omitempty"` // name before, where only a hash suffix changed
	App         string        `json:"app,omitempty"`
	File        string        `json:"file"`     // path on the branch; before, if it was removed
	Injected    bool          `json:"injected"` // a proxy is in it, before or after
	Images      []ImageChange `json:"images"`
	Notes       []Note        `json:"notes"`
	Fields      []Field       `json:"fields"` // of an object that changed or was renamed
	Text        Text          `json:"text"`
	// Own is Text without what the injector put in; nil where that is nothing.
	Own *Text `json:"textWithoutInjector,omitempty"`
}

// Note is something to know about a change before saying yes to it.
type Note struct {
	Kind NoteKind `json:"kind"`
	Text string   `json:"text"`
	Path string   `json:"path,omitempty"` // field that it is about
}

// NoteKind groups notes.
type NoteKind string

// The kinds of notes.
const (
	Replicas  NoteKind = "replicas"
	Removal   NoteKind = "removal"   // what goes with a removed object
	Immutable NoteKind = "immutable" // the API server refuses the change
	Access    NoteKind = "access"    // RBAC allows more than before
	Form      NoteKind = "form"      // other bytes, the same object
	Masked    NoteKind = "masked"    // values are not shown
)

// Warns tells whether the note is a reason to stop and think.
func (k NoteKind) Warns() bool { return k == Removal || k == Immutable || k == Access }

// Op is what happened to a field.
type Op string

// What can happen to a field.
const (
	FieldAdded   Op = "added"
	FieldRemoved Op = "removed"
	FieldChanged Op = "changed"
	Reordered    Op = "reordered" // the same items in another order
)

// Field is one field that differs. Values of Secrets are masked.
type Field struct {
	Op     Op     `json:"op"`
	Path   string `json:"path"` // spec.template.spec.containers[name=api].image
	Before *Value `json:"before,omitempty"`
	After  *Value `json:"after,omitempty"`
	// Injector says that the injector changed it: without the proxies on both
	// sides there is no such difference.
	Injector bool `json:"injector,omitempty"`
	// Follows names an object of this report that was renamed, where the field
	// does no more than name it.
	Follows string `json:"follows,omitempty"`
	// NoEffect says that Kubernetes does not heed the order.
	NoEffect bool `json:"noEffect,omitempty"`
}

// Value is a part of an object.
type Value struct{ node *yaml.Node }

// Text is an object's YAML before and after, as a diff by lines.
type Text struct {
	Hunks   []Hunk `json:"hunks"`
	Added   int    `json:"added"` // lines
	Removed int    `json:"removed"`
	// Omitted says why there are no hunks although lines differ.
	Omitted string `json:"omitted,omitempty"`
}

// Hunk is a run of lines, with up to three unchanged ones around.
type Hunk struct {
	Before int      `json:"before"` // number of its first line
	After  int      `json:"after"`
	Lines  []string `json:"lines"` // each begins with a space, + or -
}

// File is a file of an environment's directory that differs and is not an
// object.
type File struct {
	Status Status `json:"status"`
	File   string `json:"file"`
	Text   string `json:"text"`            // what can be said of it
	Order  *Text  `json:"order,omitempty"` // of a kustomization.yaml: the order in which objects are applied
}
