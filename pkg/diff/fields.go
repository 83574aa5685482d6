package diff

import (
	"regexp"
	"sort"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

// fields gives the fields in which two canonical nodes differ, in the order
// of their paths' parts.
func fields(a, b *yaml.Node) []Field {
	var w walker
	w.compare("", "", a, b)
	return w.found
}

type walker struct{ found []Field }

func (w *walker) add(op Op, path string, before, after *yaml.Node) {
	f := Field{Op: op, Path: path}
	if before != nil {
		f.Before = &Value{before}
	}
	if after != nil {
		f.After = &Value{after}
	}
	w.found = append(w.found, f)
}

// compare looks at one field; name is the key that it stands under. A side
// that has no such field is nil.
func (w *walker) compare(path, name string, a, b *yaml.Node) {
	switch {
	case a == nil || b == nil:
		w.oneSided(path, name, a, b)
	case equal(a, b):
	case a.Kind == yaml.MappingNode && b.Kind == yaml.MappingNode:
		w.mapping(path, a, b)
	case a.Kind == yaml.SequenceNode && b.Kind == yaml.SequenceNode:
		w.list(path, name, a.Content, b.Content)
	default:
		w.add(FieldChanged, path, a, b)
	}
}

// apart are the mappings whose entries have nothing to do with each other:
// each is a change of its own also where the whole mapping is new.
var apart = map[string]bool{
	"labels": true, "annotations": true, "data": true, "binaryData": true, "stringData": true,
	"matchLabels": true, "nodeSelector": true, "limits": true, "requests": true,
}

// oneSided reports a field that is new or gone: items and entries one by one
// where they stand for themselves.
func (w *walker) oneSided(path, name string, a, b *yaml.Node) {
	op, n := FieldRemoved, a
	if a == nil {
		op, n = FieldAdded, b
	}
	switch {
	case n.Kind == yaml.MappingNode && apart[name] && len(n.Content) > 0:
		none := &yaml.Node{Kind: yaml.MappingNode}
		if a == nil {
			a = none
		} else {
			b = none
		}
		w.mapping(path, a, b)
	case n.Kind == yaml.SequenceNode && len(n.Content) > 0 && keyOf(name, n.Content) != nil:
		if a == nil {
			w.list(path, name, nil, n.Content)
		} else {
			w.list(path, name, n.Content, nil)
		}
	default:
		w.add(op, path, a, b)
	}
}

func (w *walker) mapping(path string, a, b *yaml.Node) {
	var keys []string
	sides := map[string][2]*yaml.Node{}
	for side, n := range []*yaml.Node{a, b} {
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			both, known := sides[key]
			if !known {
				keys = append(keys, key)
			}
			both[side] = n.Content[i+1]
			sides[key] = both
		}
	}
	sort.Strings(keys)
	for _, key := range keys {
		w.compare(path+step(path, key), key, sides[key][0], sides[key][1])
	}
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// step is how a mapping's key continues a path.
func step(path, key string) string {
	switch {
	case !plainKey.MatchString(key):
		return "[" + strconv.Quote(key) + "]"
	case path == "":
		return key
	}
	return "." + key
}

// containerImage tells whether a path is a container's image, and which lists
// hold containers.
var containerImage = regexp.MustCompile(`(^|\.)(containers|initContainers|ephemeralContainers)\[name=[^\]]+\]\.image$`)

// imagesOf gives the images of containers below a node.
func imagesOf(n *yaml.Node) []string {
	if n == nil {
		return nil
	}
	return manifest.Images(&manifest.Object{Node: n})
}
