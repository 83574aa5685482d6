package diff

import (
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

// list looks at a kustomization.yaml: what comes and goes in it is told by
// the objects already, their order is not.
func (c *comparison) list(status Status, a, b *content) error {
	before, okBefore := resources(a)
	after, okAfter := resources(b)
	if !okBefore || !okAfter {
		c.env.Files = append(c.env.Files, File{Status: status, File: shown(a, b), Text: "holds more than a list of objects: " + describeOther(a, b)})
		return nil
	}
	both := func(of, other []string) []string {
		return slices.DeleteFunc(slices.Clone(of), func(s string) bool { return !slices.Contains(other, s) })
	}
	x, y := both(before, after), both(after, before)
	if slices.Equal(x, y) {
		c.env.Lists = append(c.env.Lists, shown(a, b))
		return nil
	}
	order, err := Lines(strings.Join(before, "\n")+"\n", strings.Join(after, "\n")+"\n")
	if err != nil {
		return err
	}
	c.env.Files = append(c.env.Files, File{Status: status, File: shown(a, b), Text: "the order in which objects are applied", Order: &order})
	return nil
}

// resources gives what a kustomization.yaml of the branch lists; ok is false
// if it says anything else.
func resources(c *content) (list []string, ok bool) {
	if c == nil {
		return nil, true
	}
	docs, err := manifest.Documents(c.path, c.data)
	if err != nil || len(docs) != 1 {
		return nil, false
	}
	n := docs[0].Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch n.Content[i].Value {
		case "apiVersion", "kind":
		case "resources":
			for _, item := range n.Content[i+1].Content {
				list = append(list, item.Value)
			}
		default:
			return nil, false
		}
	}
	return list, true
}
