package diff

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

// masks replaces the values of Secrets by numbers, before anything is
// compared: what no stage behind it has, no writer can show. The same value
// has the same number throughout a report, plain or in base64, so that one
// can see that it moved or is shared, and nothing else: not its length, and
// no hash that guesses could be tried against.
type masks struct{ numbers map[string]int }

// shownInSecret are the fields of a Secret that hold no value.
var shownInSecret = map[string]bool{"apiVersion": true, "kind": true, "type": true, "immutable": true, "metadata": true}

// object gives an object's node, with its values masked if it is a Secret.
// Whatever is called a Secret is taken for one, whosever group it is in. The
// node itself stays as it is.
func (m *masks) object(o *manifest.Object) (n *yaml.Node, masked bool) {
	if o.ID.Kind != "Secret" {
		return binary(o), false
	}
	n = clone(o.Node)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i].Value, n.Content[i+1]
		switch {
		case key == "metadata":
			// kubectl apply keeps a copy of the whole object here.
			m.scalars(manifest.Field(value, "annotations", "kubectl.kubernetes.io/last-applied-configuration"), false)
		case !shownInSecret[key]:
			m.scalars(value, key == "data")
		}
	}
	return n, true
}

// binary gives an object's node with size and hash in place of a ConfigMap's
// binary values: nobody reads base64.
func binary(o *manifest.Object) *yaml.Node {
	if o.ID.Kind != "ConfigMap" || o.ID.Group != "" || manifest.Field(o.Node, "binaryData") == nil {
		return o.Node
	}
	n := clone(o.Node)
	for i, v := range manifest.Field(n, "binaryData").Content {
		if data, err := base64.StdEncoding.DecodeString(v.Value); err == nil && i%2 == 1 {
			sum := sha256.Sum256(data)
			v.Value, v.Tag = fmt.Sprintf("(binary, %s, sha256 %x)", count(len(data), "byte"), sum[:6]), "!!str"
		}
	}
	return n
}

// scalars masks every scalar below a node; decode tells that they are base64.
func (m *masks) scalars(n *yaml.Node, decode bool) {
	if n == nil {
		return
	}
	if n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
		n.Value, n.Tag = m.number(n.Value, decode), "!!str"
	}
	for i, c := range n.Content {
		if n.Kind != yaml.MappingNode || i%2 == 1 {
			m.scalars(c, decode)
		}
	}
}

func (m *masks) number(value string, decode bool) string {
	if decode {
		if plain, err := base64.StdEncoding.DecodeString(value); err == nil {
			value = string(plain)
		}
	}
	if m.numbers[value] == 0 {
		m.numbers[value] = len(m.numbers) + 1
	}
	return fmt.Sprintf("(secret %d)", m.numbers[value])
}
