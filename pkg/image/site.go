package image

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

// Form is what of an image stands at a place.
type Form int

// A reference is a whole image, an entry one of a kustomization's images. A
// tag or a digest stands alone, for instance in a values file.
const (
	Whole Form = iota
	Entry
	Tag
	Digest
)

// Site is a place of the source that may decide an image.
type Site struct {
	File string // slash path relative to the repository root
	Line int
	Form Form

	at   address
	lead string // text before it in the scalar, such as TAG=
}

// Same tells whether two sites are one place.
func (s Site) Same(o Site) bool {
	return s.File == o.File && s.Line == o.Line && s.at.same(o.at)
}

// address leads to a node: the document, the indices from its root down, and,
// where that is a text that holds YAML itself, the address in there.
type address struct {
	doc   int // position in what manifest.Documents gives
	path  []int
	inner *address
}

func (a address) same(b address) bool {
	switch {
	case a.doc != b.doc || !slices.Equal(a.path, b.path) || (a.inner == nil) != (b.inner == nil):
		return false
	}
	return a.inner == nil || a.inner.same(*b.inner)
}

// document is one document of a file, as text and as it parses.
type document struct {
	text  []byte
	first int // its first line in the file
	root  *yaml.Node
}

// documents cuts a text into what lies between documents and the documents
// themselves: joined, the texts give it back. What cannot be read has none.
func documents(data []byte) (between [][]byte, docs []document) {
	found, err := manifest.Documents("", data)
	if err != nil {
		return nil, nil
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	next := 1
	for _, d := range found {
		text := bytes.Join(lines[d.First-1:min(d.Next-1, len(lines))], nil)
		var parsed yaml.Node
		if err := yaml.Unmarshal(text, &parsed); err != nil || len(parsed.Content) == 0 {
			return nil, nil
		}
		between = append(between, bytes.Join(lines[next-1:d.First-1], nil))
		docs = append(docs, document{text, d.First, parsed.Content[0]})
		next = d.Next
	}
	between = append(between, nil)
	if next <= len(lines) {
		between[len(docs)] = bytes.Join(lines[next-1:], nil)
	}
	return between, docs
}

// visited is a node with what stands round it.
type visited struct {
	node   *yaml.Node
	key    string     // that it is the value of; empty in lists
	parent *yaml.Node // nil at the root
	line   int        // in the file
	at     address
}

// walk visits the nodes of a text, and of the patches that it holds as text.
// Aliases are not followed: an anchor stands for itself.
func walk(data []byte, lines int, visit func(v visited)) {
	_, docs := documents(data)
	for i, d := range docs {
		shift := lines + d.first - 1
		var down func(v visited)
		down = func(v visited) {
			v.line = v.node.Line + shift
			visit(v)
			if text, below := embedded(v); text != "" {
				walk([]byte(text), v.line-1+below, func(in visited) {
					inner := in.at
					in.at = v.at
					in.at.inner = &inner
					visit(in)
				})
			}
			for j, c := range v.node.Content {
				next := visited{node: c, parent: v.node, at: address{doc: i, path: append(slices.Clone(v.at.path), j)}}
				if v.node.Kind == yaml.MappingNode {
					if j%2 == 0 {
						continue
					}
					next.key = v.node.Content[j-1].Value
				}
				down(next)
			}
		}
		down(visited{node: d.root, at: address{doc: i}})
	}
}

// embedded gives the text of a patch that is written in a kustomization, and
// how many lines below its scalar it begins.
func embedded(v visited) (text string, below int) {
	if v.node.Kind != yaml.ScalarNode || v.key != "patch" && v.key != "" {
		return "", 0
	}
	s := v.node.Value
	lines := strings.Contains(s, "\n")
	if !lines && !strings.HasPrefix(strings.TrimSpace(s), "[") && !strings.HasPrefix(strings.TrimSpace(s), "{") {
		return "", 0
	}
	if v.node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		below = 1
	}
	return s, below
}

// Scan gives the places of a file that are there to decide an image: a key
// image, an entry of images, an operation on a path that ends with image.
func Scan(file string, data []byte) []Site {
	var sites []Site
	walk(data, 0, func(v visited) {
		s := Site{File: file, Line: v.line, at: v.at}
		switch {
		case v.node.Kind == yaml.MappingNode && decides(v.node) != nil:
			s.Form, s.Line = Entry, v.line-v.node.Line+decides(v.node).Line
		case v.node.Kind != yaml.ScalarNode || v.node.Value == "" || v.node.ShortTag() == "!!null":
			return
		case v.key == "image":
		case v.key == "value" && path.Base(text(v.parent, "path")) == "image" && text(v.parent, "op") != "":
			if text(v.parent, "op") == "test" {
				return
			}
		default:
			return
		}
		sites = append(sites, s)
	})
	return sites
}

// decides gives the node of an entry of images that decides tag or digest.
func decides(n *yaml.Node) *yaml.Node {
	if text(n, "name") == "" {
		return nil
	}
	for _, key := range []string{"newTag", "digest"} {
		if v := manifest.Field(n, key); v != nil && v.Kind == yaml.ScalarNode && v.Value != "" {
			return v
		}
	}
	return nil
}

func text(n *yaml.Node, key string) string {
	if v := manifest.Field(n, key); v != nil && v.Kind == yaml.ScalarNode {
		return v.Value
	}
	return ""
}

// structural are keys whose values are never part of an image, although they
// may read like one: apiVersion: v1.
var structural = []string{"apiVersion", "kind", "name", "namespace", "image", "newTag", "digest", "newName", "path", "op"}

var assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*=`)

// Guess gives the places of a file that read like one of the images, its tag
// or its digest: values that something else may put together.
func Guess(file string, data []byte, images []Reference) []Site {
	var sites []Site
	walk(data, 0, func(v visited) {
		if v.node.Kind != yaml.ScalarNode || v.node.Value == "" || slices.Contains(structural, v.key) {
			return
		}
		for _, lead := range []string{"", assignment.FindString(v.node.Value)} {
			form, ok := reads(strings.TrimPrefix(v.node.Value, lead), images)
			if ok {
				sites = append(sites, Site{File: file, Line: v.line, Form: form, at: v.at, lead: lead})
				return
			}
		}
	})
	return sites
}

// reads tells what of some image a value is.
func reads(value string, images []Reference) (Form, bool) {
	for _, r := range images {
		switch {
		case r.Tag == "" && r.Digest == "":
		case value == r.String():
			return Whole, true
		case value == r.Tag:
			return Tag, true
		case value == r.Digest:
			return Digest, true
		}
	}
	return 0, false
}
