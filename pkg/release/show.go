package release

import (
	"encoding/json"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

// hidden stands for a value of a Secret.
const hidden = "(not shown)"

// shown gives a value of a document as text; values of Secrets are not shown.
func (d *doc) shown(n *yaml.Node) string {
	if n != nil && (d.secret || holdsSecret(n)) {
		return hidden
	}
	return shown(n)
}

// isSecret tells whether an object is a Secret, or holds one.
func isSecret(n *yaml.Node) bool { return scalar(n, "kind") == "Secret" || holdsSecret(n) }

// holdsSecret tells whether a Secret with values lies anywhere in a value. A
// reference to one has none.
func holdsSecret(n *yaml.Node) bool {
	if n.Kind == yaml.MappingNode && scalar(n, "kind") == "Secret" && (manifest.Field(n, "data") != nil || manifest.Field(n, "stringData") != nil) {
		return true
	}
	return slices.ContainsFunc(n.Content, holdsSecret)
}

// shown gives a scalar as it is and everything else as JSON in one line;
// nothing is empty.
func shown(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" && strings.TrimSpace(n.Value) != "" {
		return n.Value
	}
	return compact(n)
}

// compact writes a canonical value as JSON.
func compact(n *yaml.Node) string {
	var b strings.Builder
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(quoted(n.Content[i].Value) + ": " + compact(n.Content[i+1]))
		}
		return "{" + b.String() + "}"
	case yaml.SequenceNode:
		for i, item := range n.Content {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(compact(item))
		}
		return "[" + b.String() + "]"
	}
	if n.Tag == "!!str" {
		return quoted(n.Value)
	}
	return n.Value
}

// find gives the value at a path of keys, nil if there is none.
func find(n *yaml.Node, at []string) *yaml.Node { return manifest.Field(n, at...) }

func quoted(s string) string {
	data, err := json.Marshal(s)
	if err != nil {
		return s
	}
	return string(data)
}
