package manifest

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// overridden reports the keys before a merge key that a merged mapping holds
// too, with another value. YAML lets the mapping's own keys win wherever they
// stand, and so does kustomize; the library that kubectl reads with lets the
// merged ones replace what stands before them.
func (r *reader) overridden(before, merged []*yaml.Node) {
	for i := 0; i+1 < len(before); i += 2 {
		key, value := before[i], before[i+1]
		for _, m := range merged {
			// The first of several merged mappings counts, to both.
			if other := Field(m, key.Value); other != nil {
				if !same(value, other) {
					r.list.Add(r.file, key.Line, fmt.Sprintf("kubectl and kustomize read key %q differently: a merge key below it holds it too", key.Value),
						"put the merge key << before it")
				}
				break
			}
		}
	}
}

// same tells whether two nodes in canonical form hold the same.
func same(a, b *yaml.Node) bool {
	if a.Kind != b.Kind || a.Tag != b.Tag || a.Value != b.Value || len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !same(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}
