package edit

import (
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Find gives the node at a path of keys, and of indices in lists, below a
// document or node; aliases are followed. nil if there is none.
func Find(n *yaml.Node, path ...string) *yaml.Node {
	n = root(n)
	for _, name := range path {
		if n == nil {
			return nil
		}
		n = child(follow(n), name)
	}
	return n
}

func child(n *yaml.Node, name string) *yaml.Node {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if k := follow(n.Content[i]); k.Kind == yaml.ScalarNode && k.Value == name {
				return n.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(n.Content) {
			return n.Content[i]
		}
	}
	return nil
}
