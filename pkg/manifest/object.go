// Package manifest turns bytes into Kubernetes objects and back: the only
// parser and the only encoder of them.
package manifest

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ID is what makes an object one and the same: group, kind, namespace, name.
// The version is not part of it.
type ID struct {
	Group, Kind, Namespace, Name string
}

// String names an object as people do: Deployment shop/web.
func (id ID) String() string {
	kind := id.Kind
	if !OwnGroup(id.Group) {
		kind += "." + id.Group
	}
	if id.Namespace != "" {
		return fmt.Sprintf("%s %s/%s", kind, id.Namespace, id.Name)
	}
	return kind + " " + id.Name
}

// Origin tells where an object stands in the source.
type Origin struct {
	Entry string // the kubectlApply entry that it came through, {env} expanded
	File  string // slash path relative to the repository root
	Line  int    // of the document; 0 for what a kustomization made
	Doc   int    // index of the document in its file
}

func (o Origin) String() string {
	if o.Line > 0 {
		return fmt.Sprintf("%s:%d", o.File, o.Line)
	}
	return o.File
}

// Object is one Kubernetes object. Its node is a mapping without aliases and
// merge keys; every scalar carries its JSON type as tag (!!str, !!int,
// !!float, !!bool, !!null) and its value in canonical form, no style, no comments.
type Object struct {
	ID         ID
	APIVersion string
	Node       *yaml.Node
	Origin     Origin
	Injected   []Injection

	raw []byte // the text as it was read, where rewriting it would break a signature; of a sealed one, its encoding

	sealed bool
	images []string // of a sealed one
}

// Seal encodes an object that nobody is going to look into any more, and drops
// its node: the text is a tenth of it. Encode and Images go on to work.
func (o *Object) Seal() error {
	if o.sealed {
		return nil
	}
	text, err := Encode(o)
	if err != nil {
		return err
	}
	o.images = Images(o)
	o.raw, o.Node, o.sealed = text, nil, true
	return nil
}

// Injection records which injector put its proxy into an object.
type Injection struct {
	Injector string // "conduit", or a tool's name
	Version  string
}

// Set is the objects of one app in one environment, in the order in which
// they are applied.
type Set []*Object

// Group gives the API group of an apiVersion; the core group is "".
func Group(apiVersion string) string {
	group, _, found := strings.Cut(apiVersion, "/")
	if !found {
		return ""
	}
	return group
}
