package release

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

// Mask is a value of the customer's overlay that hides what the release sets.
type Mask struct {
	Place         // in the overlay; the object is the cluster's
	Value  string `json:"value"`   // of the overlay; empty if it takes the field out
	Hidden string `json:"release"` // what the release sets
}

// layer is one thing that the overlay says of objects.
type layer struct {
	file       string
	below      int // lines of the file above the node's first
	node       *yaml.Node
	kind, name string // of the objects; empty: any
}

// masks finds the values of the customer's overlay that hide what the release
// sets. The overlay is read and never written. What cannot be read there does
// not stand in the way of an upgrade: rendering says what is wrong with it.
func (p *plan) masks() error {
	names, err := p.files.Glob(p.overlay() + "/**")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var layers []layer
	for _, name := range names {
		if !isYAML(name) && !isKustomization(name) {
			continue
		}
		f, err := read(p.files, name)
		if err != nil {
			continue
		}
		for _, d := range f.docs {
			if isKustomization(name) {
				layers = append(layers, p.patches(name, d.means)...)
			} else if d.means.Kind == yaml.MappingNode && scalar(d.means, "kind") != "" {
				layers = append(layers, layer{file: name, node: d.means, kind: scalar(d.means, "kind"), name: scalar(d.means, "metadata", "name")})
			}
		}
	}
	for _, t := range p.merged {
		for _, l := range layers {
			p.mask(t, l)
		}
	}
	return nil
}

// patches gives what the patches of a kustomization say that are written in
// it, and those of a list of operations that it names.
func (p *plan) patches(name string, n *yaml.Node) []layer {
	var out []layer
	entries := func(key string) []*yaml.Node {
		if list := manifest.Field(n, key); list != nil && list.Kind == yaml.SequenceNode {
			return list.Content
		}
		return nil
	}
	for _, e := range append(entries("patches"), entries("patchesJson6902")...) {
		l := layer{file: name, kind: scalar(e, "target", "kind"), name: scalar(e, "target", "name")}
		text := []byte(scalar(e, "patch"))
		if at := manifest.Field(e, "patch"); at != nil {
			l.below = at.Line
		}
		if at := scalar(e, "path"); at != "" {
			l.file = path.Join(path.Dir(name), at)
			text, _ = p.files.ReadFile(l.file) // what cannot be read says nothing
		}
		out = append(out, inner(l, text)...)
	}
	for _, e := range entries("patchesStrategicMerge") {
		if e.Kind == yaml.ScalarNode && strings.Contains(e.Value, "\n") {
			out = append(out, inner(layer{file: name, below: e.Line}, []byte(e.Value))...)
		}
	}
	return out
}

// inner reads the text of a patch. Objects that lie in files are read as such.
func inner(l layer, text []byte) []layer {
	var out []layer
	f, err := parse(l.file, text)
	if err != nil {
		return nil
	}
	for _, d := range f.docs {
		one := l
		one.node = d.means
		if d.means.Kind == yaml.MappingNode {
			if l.below == 0 {
				continue
			}
			if one.kind == "" {
				one.kind, one.name = scalar(d.means, "kind"), scalar(d.means, "metadata", "name")
			}
		}
		out = append(out, one)
	}
	return out
}

// mask notes what a layer hides of an object.
func (p *plan) mask(t target, l layer) {
	if l.kind != scalar(t.means, "kind") || l.name != "" && l.name != scalar(t.means, "metadata", "name") {
		return
	}
	d := &doc{secret: isSecret(t.means) || holdsSecret(t.tree) || holdsSecret(l.node)}
	for _, leaf := range leaves(t.tree, nil) {
		sets, _ := given(t.tree, leaf)
		by := l.over(leaf)
		switch {
		case by == nil, by.whole && equal(by.value, sets), !by.whole && sets == nil:
			continue
		}
		p.up.Masks = append(p.up.Masks, Mask{
			Place: Place{l.file, l.below + by.line, object(t.means), show(leaf)},
			Value: d.shown(by.value), Hidden: d.shown(sets),
		})
	}
}

// hiding is what a layer has at a path or round it.
type hiding struct {
	value *yaml.Node // nil if it takes out what is there
	line  int
	whole bool // it is the value at the path itself
}

// over gives what a layer puts in the place of a value.
func (l layer) over(at []string) *hiding {
	if l.node.Kind == yaml.SequenceNode {
		return l.operation(at)
	}
	n := l.node
	for i, key := range at {
		if directive := manifest.Field(n, "$patch"); directive != nil {
			return &hiding{line: directive.Line}
		}
		n = manifest.Field(n, key)
		switch {
		case n == nil:
			return nil
		case isNull(n):
			return &hiding{line: n.Line, whole: true}
		case n.Kind != yaml.MappingNode && i < len(at)-1:
			return &hiding{value: n, line: n.Line}
		}
	}
	return &hiding{value: n, line: n.Line, whole: true}
}

// operation gives the last of a list of JSON 6902 operations that concerns a
// value.
func (l layer) operation(at []string) *hiding {
	var found *hiding
	for _, op := range l.node.Content {
		keys, ok := pointer(scalar(op, "path"))
		if what := scalar(op, "op"); !ok || what == "test" || !prefixed(at, keys) && !prefixed(keys, at) {
			continue
		}
		found = &hiding{line: op.Line, whole: len(keys) == len(at)}
		if scalar(op, "op") != "remove" {
			found.value = manifest.Field(op, "value")
		}
	}
	return found
}

// pointer splits a JSON pointer.
func pointer(s string) (keys []string, ok bool) {
	rest, ok := strings.CutPrefix(s, "/")
	if !ok {
		return nil, false
	}
	keys = strings.Split(rest, "/")
	for i, k := range keys {
		keys[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(k)
	}
	return keys, true
}

// prefixed tells whether keys begin with others. An index counts as a key of
// its list.
func prefixed(keys, with []string) bool {
	if len(with) > len(keys) {
		return false
	}
	for i := range with {
		if keys[i] != with[i] {
			return false
		}
	}
	return true
}
