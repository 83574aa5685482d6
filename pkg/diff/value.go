package diff

import (
	"bytes"
	"encoding/json"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

// MarshalJSON gives the value as it stands in the object's JSON.
func (v Value) MarshalJSON() ([]byte, error) { return appendJSON(nil, v.node) }

// YAML gives the value as lines of YAML, without a final newline.
func (v Value) YAML() string {
	data, err := manifest.EncodeNode(v.node)
	if err != nil {
		return "(" + err.Error() + ")"
	}
	return strings.TrimSuffix(string(data), "\n")
}

// Inline gives the value on one line: a scalar as YAML writes it, all else as
// JSON.
func (v Value) Inline() string {
	if v.node.Kind == yaml.ScalarNode {
		if text := v.YAML(); !strings.Contains(text, "\n") {
			return text
		}
	}
	data, err := v.MarshalJSON()
	if err != nil {
		return "(" + err.Error() + ")"
	}
	return string(data)
}

// appendJSON writes a canonical node: keys in their order, numbers as they are.
func appendJSON(out []byte, n *yaml.Node) ([]byte, error) {
	var err error
	switch n.Kind {
	case yaml.MappingNode:
		out = append(out, '{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				out = append(out, ',')
			}
			if out, err = appendText(out, n.Content[i].Value); err != nil {
				return nil, err
			}
			out = append(out, ':')
			if out, err = appendJSON(out, n.Content[i+1]); err != nil {
				return nil, err
			}
		}
		return append(out, '}'), nil
	case yaml.SequenceNode:
		out = append(out, '[')
		for i, c := range n.Content {
			if i > 0 {
				out = append(out, ',')
			}
			if out, err = appendJSON(out, c); err != nil {
				return nil, err
			}
		}
		return append(out, ']'), nil
	}
	switch n.Tag {
	case "!!null":
		return append(out, "null"...), nil
	case "!!int", "!!float", "!!bool":
		if json.Valid([]byte(n.Value)) {
			return append(out, n.Value...), nil
		}
	}
	return appendText(out, n.Value)
}

func appendText(out []byte, s string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // people read it, too; each writer escapes for its medium
	err := enc.Encode(s)
	return append(out, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...), err
}

// equal tells whether two canonical nodes mean the same.
func equal(a, b *yaml.Node) bool {
	if a.Kind != b.Kind || len(a.Content) != len(b.Content) {
		return false
	}
	switch a.Kind {
	case yaml.ScalarNode:
		return a.Tag == b.Tag && a.Value == b.Value
	case yaml.MappingNode:
		for i := 0; i+1 < len(a.Content); i += 2 {
			other := b.Content[i+1]
			if b.Content[i].Value != a.Content[i].Value { // mostly they are in one order
				if other = manifest.Field(b, a.Content[i].Value); other == nil {
					return false
				}
			}
			if !equal(a.Content[i+1], other) {
				return false
			}
		}
		return true
	}
	for i := range a.Content {
		if !equal(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

func clone(n *yaml.Node) *yaml.Node {
	if n == nil {
		return nil
	}
	c := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value, Content: make([]*yaml.Node, len(n.Content))}
	for i, child := range n.Content {
		c.Content[i] = clone(child)
	}
	return c
}

func text(n *yaml.Node, path ...string) string {
	if f := manifest.Field(n, path...); f != nil && f.Kind == yaml.ScalarNode {
		return f.Value
	}
	return ""
}

func str(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }
