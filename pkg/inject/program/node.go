package program

import (
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

const tagNull = "!!null"

func copyNode(n *yaml.Node) *yaml.Node {
	out := *n
	out.Content = make([]*yaml.Node, len(n.Content))
	for i, c := range n.Content {
		out.Content[i] = copyNode(c)
	}
	return &out
}

// unlined copies a node without its lines: those of a program's output mean
// nothing in the source.
func unlined(n *yaml.Node) *yaml.Node {
	out := copyNode(n)
	var walk func(*yaml.Node)
	walk = func(n *yaml.Node) {
		n.Line, n.Column = 0, 0
		for _, c := range n.Content {
			walk(c)
		}
	}
	walk(out)
	return out
}

func isNull(n *yaml.Node) bool { return n == nil || n.Kind == yaml.ScalarNode && n.Tag == tagNull }

// hollow tells what the API server takes for a field that is not there:
// nothing, null, an empty map, list or text, and a map of such fields.
func hollow(n *yaml.Node) bool {
	switch {
	case isNull(n):
		return true
	case n.Kind == yaml.ScalarNode:
		return n.Tag == "!!str" && n.Value == ""
	case n.Kind == yaml.MappingNode:
		for i := 1; i < len(n.Content); i += 2 {
			if !hollow(n.Content[i]) {
				return false
			}
		}
		return true
	}
	return len(n.Content) == 0
}

// solid copies a node without its hollow fields. Items of lists stay: what
// comes after them would move.
func solid(n *yaml.Node) *yaml.Node {
	out := *n
	out.Content = nil
	for i, c := range n.Content {
		switch {
		case n.Kind == yaml.MappingNode && i%2 == 0:
		case n.Kind != yaml.MappingNode:
			out.Content = append(out.Content, solid(c))
		case !hollow(c):
			out.Content = append(out.Content, n.Content[i-1], solid(c))
		}
	}
	return &out
}

// set gives m a field by its keys, with the mappings on the way to it; a nil
// value takes the field away. m is changed.
func set(m *yaml.Node, keys []string, value *yaml.Node) {
	for at := 0; at+1 < len(m.Content); at += 2 {
		if m.Content[at].Value != keys[0] {
			continue
		}
		next := m.Content[at+1]
		switch {
		case len(keys) > 1 && next.Kind == yaml.MappingNode:
			set(next, keys[1:], value)
		case len(keys) > 1 && value != nil:
			m.Content[at+1] = nest(keys[1:], value)
		case len(keys) > 1:
		case value == nil:
			m.Content = append(m.Content[:at:at], m.Content[at+2:]...)
		default:
			m.Content[at+1] = value
		}
		return
	}
	if value != nil {
		key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: keys[0]}
		m.Content = append(m.Content, key, nest(keys[1:], value))
	}
}

func nest(keys []string, value *yaml.Node) *yaml.Node {
	if len(keys) == 0 {
		return value
	}
	m := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	set(m, keys, value)
	return m
}

// plainKey is a key that a path holds without brackets.
var plainKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func joinKey(path, key string) string {
	switch {
	case !plainKey.MatchString(key):
		return path + "[" + strconv.Quote(key) + "]"
	case path == "":
		return key
	}
	return path + "." + key
}

func joinIndex(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// differences calls found for each field in which two nodes differ, with its
// path and both values, nil for an absent one, until found returns false.
// The order of keys is no difference.
func differences(path string, a, b *yaml.Node, found func(path string, a, b *yaml.Node) bool) bool {
	switch {
	case a == nil && b == nil:
		return true
	case a == nil || b == nil || a.Kind != b.Kind:
		return found(path, a, b)
	case a.Kind == yaml.ScalarNode:
		return a.Tag == b.Tag && a.Value == b.Value || found(path, a, b)
	case a.Kind == yaml.SequenceNode && len(a.Content) != len(b.Content):
		return found(path, a, b)
	case a.Kind == yaml.SequenceNode:
		for i := range a.Content {
			if !differences(joinIndex(path, i), a.Content[i], b.Content[i], found) {
				return false
			}
		}
		return true
	}
	bs := fields(b)
	for i := 0; i+1 < len(a.Content); i += 2 {
		key := a.Content[i].Value
		if !differences(joinKey(path, key), a.Content[i+1], bs[key], found) {
			return false
		}
	}
	as := fields(a)
	for i := 0; i+1 < len(b.Content); i += 2 {
		if key := b.Content[i].Value; as[key] == nil && !found(joinKey(path, key), nil, b.Content[i+1]) {
			return false
		}
	}
	return true
}

func fields(m *yaml.Node) map[string]*yaml.Node {
	out := make(map[string]*yaml.Node, len(m.Content)/2)
	for i := 0; i+1 < len(m.Content); i += 2 {
		out[m.Content[i].Value] = m.Content[i+1]
	}
	return out
}

func equal(a, b *yaml.Node) bool {
	return differences("", a, b, func(string, *yaml.Node, *yaml.Node) bool { return false })
}

// signed tells whether an object must not be rewritten.
func signed(o *manifest.Object) bool { return manifest.Field(o.Node, "sops", "mac") != nil }

func secret(o *manifest.Object) bool { return o.ID.Group == "" && o.ID.Kind == "Secret" }
