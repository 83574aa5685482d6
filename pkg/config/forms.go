package config

import (
	"reflect"

	"go.yaml.in/yaml/v3"
)

// decodable is a value that can be written in more than one form.
type decodable interface {
	decode(d *decoder, n *yaml.Node, path string)
}

// decode takes a path as text, and a program as {exec: {...}}.
func (a *Apply) decode(d *decoder, n *yaml.Node, path string) {
	if n.Kind != yaml.MappingNode {
		d.decode(n, path, reflect.ValueOf(&a.Path).Elem())
		return
	}
	var form struct {
		Exec *Exec `yaml:"exec"`
	}
	before := len(d.list)
	d.decode(n, path, reflect.ValueOf(&form).Elem())
	if a.Exec = form.Exec; a.Exec == nil && len(d.list) == before {
		d.add(n, where(path)+"is neither a path nor a program", "write the path as text, or {exec: {tool: NAME, args: [...]}}")
	}
}

// decode takes the word none, or a list of pairs.
func (m *MaxSkew) decode(d *decoder, n *yaml.Node, path string) {
	switch {
	case n.Kind == yaml.ScalarNode && n.Value == "none":
	case n.Kind == yaml.SequenceNode:
		d.decode(n, path, reflect.ValueOf(&m.Pairs).Elem())
	default:
		d.add(n, where(path)+"has to be none or a list of pairs", "maxSkew: none, or maxSkew: [[v0.3.0, v0.3.1]]")
	}
}
