// Package start takes the files of a repository and gives what sluice init
// writes into it: a first sluice.yaml, and workflows for the forge's CI. It
// writes nothing itself.
package start

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/source"
)

// Files is the source that is looked through, links not followed.
type Files interface {
	ReadDir(name string) ([]source.Entry, error)
	ReadFile(name string) ([]byte, error)
}

// Unit is what becomes an app: paths that are applied together.
type Unit struct {
	Name         string   // a label, one of its kind
	Paths        []string // relative to the config; {env} stands for the environment's name
	Environments []string // that have it, in their order; nil: all

	plain bool // manifests without a kustomization
}

// Environment is a name, and the environment that it is promoted from.
type Environment struct {
	Name, From string
}

// Found is what a repository has that a config can be made of.
type Found struct {
	Environments []Environment // in the order of promotion; nil if no name tells of one
	Units        []Unit        // sorted by path
	Notes        []string      // what was seen and left out, for people
}

// Look finds the units of the files below dir, the config's directory.
func Look(files Files, dir string) (*Found, error) {
	s := &scan{files: files, top: path.Clean(dir), dirs: map[string]*directory{}, used: map[string]bool{}}
	if err := s.walk(s.top); err != nil {
		return nil, err
	}
	s.follow()
	found := &Found{Notes: s.notes}
	found.group(append(s.kustomizations(), s.plain(s.top)...))
	return found, nil
}

// place is one path that is to be applied, before paths that differ in the
// environment's name become one.
type place struct {
	path, env string // env is empty if no element names one
	plain     bool
	loose     bool // a single file
}

// pattern is the path with {env} for the element that names the environment.
func (p place) pattern() string {
	if p.env == "" {
		return p.path
	}
	parts := strings.Split(p.path, "/")
	parts[envElement(p.path)] = "{env}"
	return strings.Join(parts, "/")
}

// group makes units and environments of places.
func (f *Found) group(places []place) {
	var names, patterns []string
	members := map[string][]place{}
	for _, p := range places {
		if p.env != "" && !slices.Contains(names, p.env) {
			names = append(names, p.env)
		}
		at := p.pattern()
		if p.loose && p.env == "" {
			at = "." // single files go together
		}
		if members[at] == nil {
			patterns = append(patterns, at)
		}
		members[at] = append(members[at], p)
	}
	f.Environments = chain(names)
	slices.Sort(patterns)
	for _, at := range patterns {
		u := Unit{plain: true}
		in := map[string]bool{}
		for _, p := range members[at] {
			u.plain = u.plain && p.plain && p.env == ""
			in[p.env] = true
			if q := p.pattern(); !slices.Contains(u.Paths, q) {
				u.Paths = append(u.Paths, q)
			}
		}
		if !in[""] && len(in) < len(names) {
			for _, e := range f.Environments {
				if in[e.Name] {
					u.Environments = append(u.Environments, e.Name)
				}
			}
		}
		f.Units = append(f.Units, u)
	}
	f.name()
}

// flat tells whether one app without a name holds everything: paths that are
// the same in every environment, or one path alone.
func (f *Found) flat() bool {
	if len(f.Units) == 1 {
		return f.Units[0].Environments == nil
	}
	return !slices.ContainsFunc(f.Units, func(u Unit) bool { return !u.plain })
}

// generic are elements of paths that tell nothing of what lies there.
var generic = map[string]bool{
	"overlays": true, "overlay": true, "environments": true, "envs": true, "env": true, "clusters": true, "stages": true,
	"base": true, "k8s": true, "kubernetes": true, "manifests": true, "deploy": true, "deployment": true, "{env}": true, ".": true,
}

// name gives every unit a name of its own, by its path.
func (f *Found) name() {
	taken := map[string]bool{}
	for i := range f.Units {
		u := &f.Units[i]
		var parts []string
		for _, part := range strings.Split(u.Paths[0], "/") {
			if !generic[part] && len(u.Paths) == 1 {
				parts = append(parts, label(part))
			}
		}
		if len(parts) == 0 {
			parts = []string{"main"}
		}
		name := parts[len(parts)-1]
		for at := len(parts) - 2; taken[name] && at >= 0; at-- {
			name = label(parts[at] + "-" + name)
		}
		for n := 2; taken[name]; n++ {
			name = fmt.Sprintf("%s-%d", label(parts[len(parts)-1]), n)
		}
		u.Name, taken[name] = name, true
	}
}

// label makes a name of an app of any text.
func label(text string) string {
	text = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(text))
	if len(text) > 50 { // leaves room for a number
		text = text[:50]
	}
	if text = strings.Trim(text, "-"); text == "" {
		return "app"
	}
	return text
}
