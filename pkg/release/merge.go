package release

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

// delta is one value of an object that merging changes.
type delta struct {
	path []string
	was  *yaml.Node // nil if there is none
	will *yaml.Node // nil if it is taken out
	at   *yaml.Node // as it was written, or the mapping that it comes into
}

// merge puts a tree over a mapping, as JSON merge patch (RFC 7386) says:
// mappings merge, null takes out, everything else takes the place of what is
// there. means is what plain means; both have the same keys. What is equal
// already is not touched.
func merge(plain, means, tree *yaml.Node, at []string) []delta {
	var out []delta
	for i := 0; i+1 < len(tree.Content); i += 2 {
		key, value := tree.Content[i], tree.Content[i+1]
		here := append(slices.Clone(at), key.Value)
		was, written := manifest.Field(means, key.Value), manifest.Field(plain, key.Value)
		switch {
		case isNull(value) && was == nil:
		case isNull(value):
			remove(plain, key.Value)
			out = append(out, delta{path: here, was: was, at: written})
		case was != nil && was.Kind == yaml.MappingNode && value.Kind == yaml.MappingNode:
			out = append(out, merge(written, was, value, here)...)
		case was != nil && equal(was, bare(value)):
		case was == nil:
			will := bare(value)
			plain.Content = append(plain.Content, copied(key), will)
			out = append(out, delta{path: here, will: will, at: plain})
		default:
			will := bare(value)
			d := delta{path: here, was: was, will: will, at: &yaml.Node{Line: written.Line}}
			put(written, will)
			out = append(out, d)
		}
	}
	return out
}

// compose gives the one tree that sets what two set, the second over the
// first. clash is the path at which one has a mapping and the other has not.
func compose(under, over *yaml.Node, at []string) (tree *yaml.Node, clash []string) {
	out := copied(under)
	for i := 0; i+1 < len(over.Content); i += 2 {
		key, value := over.Content[i], over.Content[i+1]
		here := append(slices.Clone(at), key.Value)
		j := indexOf(out, key.Value)
		switch {
		case j < 0:
			out.Content = append(out.Content, copied(key), copied(value))
		case isNull(value):
			out.Content[j+1] = copied(value)
		case (out.Content[j+1].Kind == yaml.MappingNode) != (value.Kind == yaml.MappingNode):
			return nil, here
		case value.Kind == yaml.MappingNode:
			merged, clash := compose(out.Content[j+1], value, here)
			if clash != nil {
				return nil, clash
			}
			out.Content[j+1] = merged
		default:
			out.Content[j+1] = copied(value)
		}
	}
	return out, nil
}

// given tells what a tree gives at a path: set is whether it says anything of
// it; the value is nil where it takes out what is there.
func given(tree *yaml.Node, at []string) (value *yaml.Node, set bool) {
	for _, key := range at {
		if tree == nil || tree.Kind != yaml.MappingNode {
			return nil, false
		}
		tree = manifest.Field(tree, key)
	}
	if tree == nil {
		return nil, false
	}
	if isNull(tree) {
		return nil, true
	}
	return bare(tree), true
}

// leaves gives the paths of all values that a tree sets or takes out.
func leaves(tree *yaml.Node, at []string) [][]string {
	var out [][]string
	for i := 0; i+1 < len(tree.Content); i += 2 {
		here := append(slices.Clone(at), tree.Content[i].Value)
		if v := tree.Content[i+1]; v.Kind == yaml.MappingNode && len(v.Content) > 0 {
			out = append(out, leaves(v, here)...)
		} else {
			out = append(out, here)
		}
	}
	return out
}

// equal compares two values as JSON does: the order of keys does not count.
func equal(a, b *yaml.Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Kind != b.Kind || a.Tag != b.Tag || a.Value != b.Value || len(a.Content) != len(b.Content) {
		return false
	}
	if a.Kind != yaml.MappingNode {
		return slices.EqualFunc(a.Content, b.Content, equal)
	}
	values := fields(b)
	for i := 0; i+1 < len(a.Content); i += 2 {
		if !equal(a.Content[i+1], values[a.Content[i].Value]) {
			return false
		}
	}
	return true
}

// bare copies a value without the entries of its mappings that are null:
// where nothing is, they take nothing out. Lists are taken as they are.
func bare(n *yaml.Node) *yaml.Node {
	out := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value}
	for i, c := range n.Content {
		switch {
		case n.Kind != yaml.MappingNode:
			out.Content = append(out.Content, copied(c))
		case i%2 == 0 && !isNull(n.Content[i+1]):
			out.Content = append(out.Content, copied(c), bare(n.Content[i+1]))
		}
	}
	return out
}

func copied(n *yaml.Node) *yaml.Node {
	out := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value, Line: n.Line}
	for _, c := range n.Content {
		out.Content = append(out.Content, copied(c))
	}
	return out
}

// put gives a node another value. Text that stays text keeps its quotes, a
// collection its form.
func put(n, value *yaml.Node) {
	style := n.Style
	if n.Kind != value.Kind || n.ShortTag() != value.Tag || style&yaml.TaggedStyle != 0 {
		style = 0
	}
	n.Kind, n.Tag, n.Value, n.Style, n.Content = value.Kind, value.Tag, value.Value, style, copied(value).Content
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func indexOf(n *yaml.Node, key string) int {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return i
		}
	}
	return -1
}

func remove(n *yaml.Node, key string) {
	if i := indexOf(n, key); i >= 0 {
		n.Content = slices.Delete(n.Content, i, i+2)
	}
}
