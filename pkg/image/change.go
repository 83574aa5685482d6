package image

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/edit"
)

// Edit is a change of an image at a place of a file.
type Edit struct {
	Site Site
	From Reference // the image that it decides, as it is in the output
	To   Reference
}

// Change gives a file with edits made; every other byte is as it was.
func Change(data []byte, edits []Edit) ([]byte, error) {
	for _, e := range edits {
		var err error
		if data, err = change(data, e.Site.at, e); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", e.Site.File, e.Site.Line, err)
		}
	}
	return data, nil
}

func change(data []byte, at address, e Edit) ([]byte, error) {
	between, docs := documents(data)
	if at.doc >= len(docs) {
		return nil, fmt.Errorf("the document is no longer there")
	}
	d := docs[at.doc]
	text, err := changeDocument(d, at, e)
	if err != nil {
		return nil, err
	}
	docs[at.doc].text = text
	var out bytes.Buffer
	for i, d := range docs {
		out.Write(between[i])
		out.Write(d.text)
	}
	out.Write(between[len(docs)])
	return out.Bytes(), nil
}

func changeDocument(d document, at address, e Edit) ([]byte, error) {
	n := d.root
	var parent *yaml.Node
	for _, i := range at.path {
		if i >= len(n.Content) {
			return nil, fmt.Errorf("the value is no longer there")
		}
		parent, n = n, n.Content[i]
	}
	if at.inner == nil {
		if err := e.set(n, parent); err != nil {
			return nil, err
		}
	} else {
		inner, err := change([]byte(n.Value), *at.inner, e)
		if err != nil {
			return nil, err
		}
		if text, ok := splice(d.text, n, string(inner)); ok {
			return text, nil
		}
		n.Value = string(inner)
	}
	text, _, err := edit.Document(d.text, d.root)
	return text, err
}

// splice changes the lines of a literal block that differ, in the text of its
// document. ok is false where lines were added or the block is of another form.
func splice(document []byte, n *yaml.Node, value string) (text []byte, ok bool) {
	lines := strings.SplitAfter(string(document), "\n")
	old, changed := strings.Split(n.Value, "\n"), strings.Split(value, "\n")
	if n.Style&yaml.LiteralStyle == 0 || len(old) != len(changed) {
		return nil, false
	}
	for i := range old {
		if old[i] == changed[i] {
			continue
		}
		at := n.Line + i // the block begins in the line below its indicator
		if at >= len(lines) {
			return nil, false
		}
		body := strings.TrimRight(lines[at], "\r\n")
		end := lines[at][len(body):]
		indent, found := strings.CutSuffix(body, old[i])
		if !found || strings.Trim(indent, " ") != "" {
			return nil, false
		}
		lines[at] = indent + changed[i] + end
	}
	out := []byte(strings.Join(lines, ""))
	return out, blockIs(out, document, n, value)
}

// blockIs tells whether a document now has a value at the place of a node.
func blockIs(text, before []byte, n *yaml.Node, value string) bool {
	var was, is yaml.Node
	if yaml.Unmarshal(before, &was) != nil || yaml.Unmarshal(text, &is) != nil {
		return false
	}
	same := true
	var compare func(a, b *yaml.Node)
	compare = func(a, b *yaml.Node) {
		if a.Kind != b.Kind || len(a.Content) != len(b.Content) {
			same = false
			return
		}
		if want := a.Value; a.Kind == yaml.ScalarNode {
			if a.Line == n.Line && a.Column == n.Column {
				want = value
			}
			same = same && b.Value == want
		}
		for i := range a.Content {
			compare(a.Content[i], b.Content[i])
		}
	}
	compare(&was, &is)
	return same
}

// set changes the node of a site.
func (e Edit) set(n, parent *yaml.Node) error {
	switch e.Site.Form {
	case Entry:
		return e.entry(n)
	case Tag, Digest:
		return e.part(n, parent)
	}
	here := Parse(strings.TrimPrefix(n.Value, e.Site.lead))
	to := Reference{Name: here.Name, Tag: e.To.Tag, Digest: e.To.Digest}
	if e.From.Name != e.To.Name {
		if here.Name != e.From.Name {
			return fmt.Errorf("the name %q is not decided here, where the tag is", e.From.Name)
		}
		to.Name = e.To.Name
	}
	put(n, e.Site.lead+to.String())
	return nil
}

// entry changes an entry of a kustomization's images, as kustomize edit set
// image does: the key is newTag for a tag and digest for a digest.
func (e Edit) entry(n *yaml.Node) error {
	for _, part := range []struct{ key, value, other, otherValue string }{
		{"newTag", e.To.Tag, "digest", e.To.Digest}, {"digest", e.To.Digest, "newTag", e.To.Tag},
	} {
		i := indexOf(n, part.key)
		switch {
		case part.value != "" && i >= 0:
			put(n.Content[i+1], part.value)
		case part.value == "" && i >= 0 && indexOf(n, part.other) < 0 && part.otherValue != "":
			n.Content[i].Value = part.other
			put(n.Content[i+1], part.otherValue)
		case part.value == "" && i >= 0:
			n.Content = slices.Delete(n.Content, i, i+2)
		}
	}
	for _, part := range [][2]string{{"newTag", e.To.Tag}, {"digest", e.To.Digest}} {
		if part[1] != "" && indexOf(n, part[0]) < 0 {
			add(n, part[0], part[1])
		}
	}
	if e.From.Name == e.To.Name {
		return nil
	}
	if i := indexOf(n, "newName"); i >= 0 {
		put(n.Content[i+1], e.To.Name)
	} else {
		add(n, "newName", e.To.Name)
	}
	return nil
}

// part changes a tag or digest that stands alone, and the name beside it.
func (e Edit) part(n, parent *yaml.Node) error {
	to, other := e.To.Tag, e.To.Digest
	what, instead := "tag", "digest"
	if e.Site.Form == Digest {
		to, other, what, instead = other, to, instead, what
	}
	if to == "" || other != "" {
		return fmt.Errorf("a %s stands here, there is no place for a %s", what, instead)
	}
	put(n, e.Site.lead+to)
	if e.From.Name == e.To.Name {
		return nil
	}
	if parent != nil && parent.Kind == yaml.MappingNode {
		for i := 1; i < len(parent.Content); i += 2 {
			if v := parent.Content[i]; v.Kind == yaml.ScalarNode && v.Value == e.From.Name {
				put(v, e.To.Name)
				return nil
			}
		}
	}
	return fmt.Errorf("the name %q is not decided here, where the %s is", e.From.Name, what)
}

func indexOf(n *yaml.Node, key string) int {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return i
		}
	}
	return -1
}

// put gives a scalar a text. It keeps its quotes.
func put(n *yaml.Node, value string) {
	if n.Value != value {
		n.Value, n.Tag = value, "!!str"
	}
}

func add(n *yaml.Node, key, value string) {
	n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value})
}
