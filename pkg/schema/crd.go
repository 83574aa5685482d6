package schema

import (
	"fmt"
	"regexp"
	"sync"

	"go.yaml.in/yaml/v3"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

// customKind is what one CustomResourceDefinition says.
type customKind struct {
	versions map[string]*customVersion // by apiVersion
	served   []string                  // apiVersions, in the definition's order
}

// customVersion is one version of a custom kind. Its schema is decoded when
// the first object asks for it: most definitions of a repository are large
// and never used in it.
type customVersion struct {
	node     *yaml.Node // openAPIV3Schema; nil if there is none
	preserve bool       // unknown fields are kept, as v1beta1 does unless told otherwise
	status   bool       // the status has an endpoint of its own, so that the object's does not count
	once     sync.Once
	schema   *spec.Schema // nil if the node is none
	structs  *schema      // of metadata
}

// AddCRD takes in a CustomResourceDefinition of apiextensions.k8s.io v1 or
// v1beta1, in place of what was known of its kind. The error is a
// finding.List of what makes it useless as one.
func (v *Validator) AddCRD(o *manifest.Object) error {
	var list finding.List
	add := func(n *yaml.Node, text string) {
		line := 0
		if n != nil && o.Origin.Line > 0 {
			line = n.Line
		}
		list.Add(o.Origin.File, line, shown(o)+": "+text, "")
	}
	if o.ID.Kind != "CustomResourceDefinition" || o.ID.Group != "apiextensions.k8s.io" {
		add(o.Node, "not a CustomResourceDefinition")
		return list.Err()
	}
	group, kind := manifest.Field(o.Node, "spec", "group"), manifest.Field(o.Node, "spec", "names", "kind")
	if !isText(group) || !isText(kind) {
		add(manifest.Field(o.Node, "spec"), "no spec.group or no spec.names.kind")
		return list.Err()
	}
	crd := &customKind{versions: map[string]*customVersion{}}
	for _, cv := range customVersions(o) {
		refuse(cv.node, add)
		if cv.served {
			crd.served = append(crd.served, group.Value+"/"+cv.name)
			crd.versions[group.Value+"/"+cv.name] = &customVersion{
				node: cv.node, preserve: cv.preserve, status: cv.status,
				structs: &schema{def: v.release.definitions["meta.v1.ObjectMeta"]},
			}
		}
	}
	if len(crd.served) == 0 {
		add(manifest.Field(o.Node, "spec"), "serves no version")
	}
	if len(list) > 0 {
		return list.Err()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.crds[groupKind{group.Value, kind.Value}] = crd
	return nil
}

type versionNode struct {
	name                     string
	served, preserve, status bool
	node                     *yaml.Node
}

// customVersions reads the versions of a definition. In v1beta1 they may
// share one schema, and a single version may stand outside the list.
func customVersions(o *manifest.Object) []versionNode {
	beta := o.APIVersion == "apiextensions.k8s.io/v1beta1"
	preserve := manifest.Field(o.Node, "spec", "preserveUnknownFields")
	keep := preserve != nil && preserve.Value == "true" || beta && (preserve == nil || preserve.Tag == "!!null")
	shared := manifest.Field(o.Node, "spec", "validation", "openAPIV3Schema")
	status := beta && isSet(manifest.Field(o.Node, "spec", "subresources", "status"))
	var out []versionNode
	if list := manifest.Field(o.Node, "spec", "versions"); list != nil && list.Kind == yaml.SequenceNode {
		for _, item := range list.Content {
			name, served := manifest.Field(item, "name"), manifest.Field(item, "served")
			if !isText(name) {
				continue
			}
			node := manifest.Field(item, "schema", "openAPIV3Schema")
			if node == nil && beta {
				node = shared
			}
			out = append(out, versionNode{
				name: name.Value, served: served != nil && served.Value == "true", preserve: keep, node: node,
				status: status || isSet(manifest.Field(item, "subresources", "status")),
			})
		}
	}
	if name := manifest.Field(o.Node, "spec", "version"); len(out) == 0 && beta && isText(name) {
		out = append(out, versionNode{name: name.Value, served: true, preserve: keep, status: status, node: shared})
	}
	return out
}

func isSet(n *yaml.Node) bool { return n != nil && n.Tag != "!!null" }

func isText(n *yaml.Node) bool { return n != nil && n.Kind == yaml.ScalarNode && n.Tag == tagString }

// refused are the parts of JSON Schema that the API server does not allow in
// a definition, and that the library would not survive.
var refused = map[string]bool{
	"$ref": true, "patternProperties": true, "definitions": true, "dependencies": true, "additionalItems": true,
}

// refuse reports what of a schema cannot be checked with.
func refuse(n *yaml.Node, add func(*yaml.Node, string)) {
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch key.Value {
		case "properties":
			for j := 1; value.Kind == yaml.MappingNode && j < len(value.Content); j += 2 {
				refuse(value.Content[j], add)
			}
		case "items", "additionalProperties", "not":
			if value.Kind == yaml.SequenceNode {
				add(value, key.Value+" has to be one schema")
			}
			refuse(value, add)
		case "allOf", "anyOf", "oneOf":
			for _, item := range value.Content {
				refuse(item, add)
			}
		case "pattern":
			if _, err := regexp.Compile(value.Value); err != nil {
				add(value, "a pattern is not a regular expression")
			}
		default:
			if refused[key.Value] {
				add(key, key.Value+" is not allowed in the schema of a custom resource")
			}
		}
	}
}

// unchecked says why objects of an apiVersion cannot be checked, or "".
func (k *customKind) unchecked(apiVersion string) string {
	cv := k.versions[apiVersion]
	if cv != nil && cv.open() == nil {
		return fmt.Sprintf("the CustomResourceDefinition has no schema of %s", apiVersion)
	}
	return ""
}

// validate checks an object as the API server does: metadata as for every
// kind, then fields that the schema does not have, then everything else with
// nulls dropped and defaults filled in.
func (k *customKind) validate(c *check) {
	cv := k.versions[c.object.APIVersion]
	if cv == nil {
		hint := ""
		if len(k.served) > 0 {
			hint = "use " + k.served[len(k.served)-1]
		}
		c.add(manifest.Field(c.object.Node, "apiVersion"),
			fmt.Sprintf("the CustomResourceDefinition does not serve %s", c.object.APIVersion), hint)
		return
	}
	s := cv.open()
	if meta := manifest.Field(c.object.Node, "metadata"); meta != nil {
		c.value(meta, cv.structs, &step{key: "metadata"})
	}
	if s == nil {
		return
	}
	if !cv.preserve {
		c.pruned(c.object.Node, s, nil, true)
	}
	c.library(s, cv.status)
}
