package tree

import (
	"fmt"
	"io/fs"
	"strings"
)

// check refuses a provenance that no sluice writes. Whoever may push to the
// branch may write anything into it, and what it names is looked up, compared
// and deleted: so it names directories of the branch, and objects by their id.
func (p *Provenance) check() error {
	if !isID(p.Source.Commit) {
		return bad(ProvenancePath, "source commit", p.Source.Commit)
	}
	if p.Source.Config != "" && !fs.ValidPath(p.Source.Config) {
		return bad(ProvenancePath, "config", p.Source.Config)
	}
	for i, e := range p.Environments {
		switch {
		case !fs.ValidPath(e.Name) || e.Name == "." || strings.Contains(e.Name, "/"):
			return bad(ProvenancePath, "environment", e.Name)
		case !fs.ValidPath(e.Path) || e.Path == "." || overlap(e.Path, Dir):
			return bad(ProvenancePath, "path", e.Path)
		case e.Tree != "" && !isID(e.Tree):
			return bad(ProvenancePath, "tree", e.Tree)
		case e.RolledBackTo != "" && !isID(e.RolledBackTo):
			return bad(ProvenancePath, "rolledBackTo", e.RolledBackTo)
		}
		for _, o := range p.Environments[:i] {
			if o.Name == e.Name {
				return bad(ProvenancePath, "second environment", e.Name)
			}
			if overlap(e.Path, o.Path) {
				return bad(ProvenancePath, "second path", e.Path)
			}
		}
	}
	return nil
}

// check refuses a record that no sluice writes.
func (r *Record) check(at string) error {
	if !isID(r.Commit) {
		return bad(at, "commit", r.Commit)
	}
	for _, in := range r.Inputs {
		if !fs.ValidPath(in.Path) {
			return bad(at, "input", in.Path)
		}
	}
	for _, p := range r.Absent {
		if !fs.ValidPath(p) {
			return bad(at, "absent path", p)
		}
	}
	for _, o := range r.Objects {
		if !fs.ValidPath(o.File) {
			return bad(at, "file", o.File)
		}
	}
	return nil
}

func bad(at, what, value string) error {
	return fmt.Errorf("reading %q: %s %q is none that sluice writes", at, what, value)
}

// overlap tells whether one of two paths is the other or holds it.
func overlap(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/")
}

// isID tells whether s can be the id of a Git object, in either of Git's formats.
func isID(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}
