package edit

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// maxNodes bounds what aliases may expand to in the text.
const maxNodes = 1 << 20

// comparer tells whether trees mean the same, and remembers what it found: an
// alias may lead to the same pair over and over.
type comparer map[[2]*yaml.Node]bool

// same compares kinds, tags, values and the order of keys, with aliases
// followed. A mapping with a merge key equals one that has it written out, in
// any order. All ways of writing null are the same.
func (c comparer) same(a, b *yaml.Node) bool {
	a, b = follow(a), follow(b)
	if a == b {
		return true
	}
	if a.Kind != b.Kind || a.ShortTag() != b.ShortTag() {
		return false
	}
	if a.Kind == yaml.ScalarNode {
		return a.Value == b.Value || a.ShortTag() == "!!null"
	}
	pair := [2]*yaml.Node{a, b}
	if known, ok := c[pair]; ok {
		return known
	}
	c[pair] = c.sameContent(a, b)
	return c[pair]
}

func (c comparer) sameContent(a, b *yaml.Node) bool {
	if a.Kind == yaml.MappingNode && merges(a) != merges(b) {
		return c.sameMerged(flat(a), flat(b))
	}
	if len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !c.same(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

func (c comparer) sameMerged(a, b []*yaml.Node) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i += 2 {
		v := c.value(b, a[i])
		if v == nil || !c.same(a[i+1], v) {
			return false
		}
	}
	return true
}

// value looks a key up in a mapping's content.
func (c comparer) value(content []*yaml.Node, key *yaml.Node) *yaml.Node {
	for i := 0; i+1 < len(content); i += 2 {
		if c.same(content[i], key) {
			return content[i+1]
		}
	}
	return nil
}

func follow(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func isMerge(key *yaml.Node) bool {
	return key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge"
}

func merges(m *yaml.Node) bool {
	for i := 0; i < len(m.Content); i += 2 {
		if isMerge(m.Content[i]) {
			return true
		}
	}
	return false
}

// flat gives a mapping's content with its merge keys written out: a key's own
// value goes first, then the earlier source.
func flat(m *yaml.Node) []*yaml.Node {
	var out []*yaml.Node
	c := comparer{}
	for i := 0; i < len(m.Content); i += 2 {
		if !isMerge(m.Content[i]) {
			out = append(out, m.Content[i], m.Content[i+1])
		}
	}
	for i := 0; i < len(m.Content); i += 2 {
		if !isMerge(m.Content[i]) {
			continue
		}
		sources := []*yaml.Node{follow(m.Content[i+1])}
		if sources[0].Kind == yaml.SequenceNode {
			sources = sources[0].Content
		}
		for _, s := range sources {
			if s = follow(s); s.Kind != yaml.MappingNode {
				continue
			}
			merged := flat(s)
			for k := 0; k < len(merged); k += 2 {
				if c.value(out, merged[k]) == nil {
					out = append(out, merged[k], merged[k+1])
				}
			}
		}
	}
	return out
}

// sound refuses trees that cannot be walked: parts missing, nodes that hold
// themselves, aliases that expand to more than anybody means.
func sound(n *yaml.Node) error {
	_, err := measure(n, map[*yaml.Node]int{})
	return err
}

// measure counts nodes with aliases expanded. sizes holds -1 for a node that
// is being counted.
func measure(n *yaml.Node, sizes map[*yaml.Node]int) (int, error) {
	if n == nil {
		return 0, errors.New("a node is missing")
	}
	if size, ok := sizes[n]; ok {
		if size < 0 {
			return 0, fmt.Errorf("line %d: a node holds itself", n.Line)
		}
		return size, nil
	}
	children := n.Content
	switch n.Kind {
	case yaml.ScalarNode, yaml.SequenceNode:
	case yaml.MappingNode:
		if len(children)%2 != 0 {
			return 0, fmt.Errorf("line %d: a key has no value", n.Line)
		}
	case yaml.AliasNode:
		children = []*yaml.Node{n.Alias}
	default:
		return 0, fmt.Errorf("line %d: node of kind %d", n.Line, n.Kind)
	}
	sizes[n] = -1
	total := 1
	for _, c := range children {
		size, err := measure(c, sizes)
		if err != nil {
			return 0, err
		}
		if total += size; total > maxNodes {
			return 0, fmt.Errorf("line %d: more than %d nodes with aliases expanded", n.Line, maxNodes)
		}
	}
	sizes[n] = total
	return total, nil
}

// expand copies a tree with its aliases written out and no anchors; without
// comments if they are not wanted.
func expand(n *yaml.Node, comments bool) *yaml.Node {
	n = follow(n)
	out := &yaml.Node{Kind: n.Kind, Style: n.Style, Tag: n.Tag, Value: n.Value}
	if comments {
		out.HeadComment, out.LineComment, out.FootComment = n.HeadComment, n.LineComment, n.FootComment
	}
	for _, c := range n.Content {
		out.Content = append(out.Content, expand(c, comments))
	}
	return out
}
