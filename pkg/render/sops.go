package render

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

// signed gives an object that SOPS has signed as it stands in its file. The
// signature covers the values in their order, so it does not survive a rewrite:
// what a kustomization changes in such an object is refused.
func (b *build) signed(n *yaml.Node, origin manifest.Origin) *manifest.Object {
	var ignored finding.List
	if data, ok := b.gate.view.data[origin.File]; ok {
		set, err := manifest.Parse(origin.File, data)
		if ignored.Take(err) == nil {
			for _, o := range set {
				if o.Origin.Doc == origin.Doc && equal(o.Node, n) {
					o.Origin = origin
					return o
				}
			}
		}
	}
	name := text(manifest.Field(n, "metadata", "name"))
	b.list.Add(origin.File, origin.Line, fmt.Sprintf("%s %q is signed by SOPS, and %s changes it", text(manifest.Field(n, "kind")), name, b.top.file),
		"write name, namespace and labels into the file before it is encrypted, or list the file itself")
	return nil
}

// equal compares canonical nodes; the order of keys does not count.
func equal(a, b *yaml.Node) bool {
	if a.Kind != b.Kind || a.Tag != b.Tag || a.Value != b.Value || len(a.Content) != len(b.Content) {
		return false
	}
	if a.Kind != yaml.MappingNode {
		for i := range a.Content {
			if !equal(a.Content[i], b.Content[i]) {
				return false
			}
		}
		return true
	}
	values := make(map[string]*yaml.Node, len(b.Content)/2)
	for i := 0; i+1 < len(b.Content); i += 2 {
		values[b.Content[i].Value] = b.Content[i+1]
	}
	for i := 0; i+1 < len(a.Content); i += 2 {
		if v := values[a.Content[i].Value]; v == nil || !equal(a.Content[i+1], v) {
			return false
		}
	}
	return true
}
