package conduit

import (
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	tagString = "!!str"
	tagNull   = "!!null"
)

// entry gives the key and value of a mapping; nil where it has none.
func entry(m *yaml.Node, name string) (key, value *yaml.Node) {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if k := m.Content[i]; k.Kind == yaml.ScalarNode && k.Value == name {
			return k, m.Content[i+1]
		}
	}
	return nil, nil
}

func isNull(n *yaml.Node) bool {
	return n == nil || n.Kind == yaml.ScalarNode && n.ShortTag() == tagNull
}

// text gives a scalar's value; "" for null and for what is no scalar.
func text(m *yaml.Node, name string) string {
	_, n := entry(m, name)
	if isNull(n) || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

// collection gives a mapping's value as a mapping or sequence. One that is
// absent is appended, null becomes one in place.
func collection(m *yaml.Node, name string, kind yaml.Kind) *yaml.Node {
	tag := "!!map"
	if kind == yaml.SequenceNode {
		tag = "!!seq"
	}
	key, n := entry(m, name)
	switch {
	case n == nil:
		n = &yaml.Node{Kind: kind, Tag: tag}
		m.Content = append(m.Content, str(name), n)
	case isNull(n):
		// A comment behind null has no place behind a collection.
		key.HeadComment = joinComments(key.HeadComment, n.LineComment)
		n.Kind, n.Tag, n.Value, n.Style, n.LineComment = kind, tag, "", 0, ""
	}
	return n
}

// drop takes every entry of the name out of a mapping that is the value of
// owner, and tells whether there was one. Foot comments go to owner.
func drop(owner, m *yaml.Node, name string) bool {
	var kept []*yaml.Node
	for i := 0; i+1 < len(m.Content); i += 2 {
		k, v := m.Content[i], m.Content[i+1]
		if k.Kind != yaml.ScalarNode || k.Value != name {
			kept = append(kept, k, v)
			continue
		}
		keepFeet(owner, k)
		keepFeet(owner, v)
	}
	if len(kept) == len(m.Content) {
		return false
	}
	m.Content = kept
	return true
}

// dropItem takes an item out of a sequence that is the value of owner.
func dropItem(owner, list, item *yaml.Node) {
	for i, n := range list.Content {
		if n == item {
			list.Content = append(list.Content[:i:i], list.Content[i+1:]...)
			keepFeet(owner, item)
			return
		}
	}
}

// keepFeet hands the foot comments below a node that is taken out to the key
// of the collection that held it. What was added here has no comments; when a
// file is read, the parser gives the comment at the end of a list to the last
// item, and so what a user wrote there would go with the proxy.
func keepFeet(owner, n *yaml.Node) {
	if owner != nil {
		owner.FootComment = joinComments(owner.FootComment, n.FootComment)
	}
	for _, c := range n.Content {
		keepFeet(owner, c)
	}
}

func joinComments(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "\n" + b
}

func clone(n *yaml.Node) *yaml.Node {
	c := *n
	c.Content = nil
	for _, child := range n.Content {
		c.Content = append(c.Content, clone(child))
	}
	return &c
}

// equal tells whether two nodes mean the same: comments, style and the order
// of a mapping's keys do not count.
func equal(a, b *yaml.Node) bool {
	if a.Kind != b.Kind || len(a.Content) != len(b.Content) || a.Alias != b.Alias {
		return false
	}
	switch a.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(a.Content); i += 2 {
			if !hasEntry(b, i, a.Content[i], a.Content[i+1]) {
				return false
			}
		}
		return true
	case yaml.SequenceNode:
		for i := range a.Content {
			if !equal(a.Content[i], b.Content[i]) {
				return false
			}
		}
		return true
	}
	return a.Value == b.Value && a.ShortTag() == b.ShortTag()
}

// hasEntry looks first at where the entry stood in the other mapping.
func hasEntry(m *yaml.Node, at int, key, value *yaml.Node) bool {
	if equal(m.Content[at], key) {
		return equal(m.Content[at+1], value)
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if equal(m.Content[i], key) {
			return equal(m.Content[i+1], value)
		}
	}
	return false
}

type field struct {
	key   string
	value *yaml.Node
}

// object makes a mapping of the fields that have a value.
func object(fields ...field) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, f := range fields {
		if f.value != nil {
			n.Content = append(n.Content, str(f.key), f.value)
		}
	}
	return n
}

func list(items ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: items}
}

// oldScalar matches plain text that readers of YAML 1.1 take for a boolean, a
// number in base 60 or a number with underscores.
var oldScalar = regexp.MustCompile(`^(?i:y|n|yes|no|on|off|=|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?|[-+]?[0-9][0-9_.e+-]*)$`)

// str makes a string, quoted if any reader could take it for something else.
func str(value string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: value}
	if n.ShortTag() != tagString || oldScalar.MatchString(value) {
		n.Style = yaml.DoubleQuotedStyle
	}
	n.Tag = tagString
	return n
}

func number(value int64) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.FormatInt(value, 10)}
}

func boolean(value bool) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(value)}
}

// repository is an image without tag and digest.
func repository(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndex(image, ":"); i > strings.LastIndex(image, "/") {
		return image[:i]
	}
	return image
}

// imageTag is what stands behind the repository; "" if nothing does.
func imageTag(image string) string {
	image, _, _ = strings.Cut(image, "@")
	return strings.TrimPrefix(strings.TrimPrefix(image, repository(image)), ":")
}
