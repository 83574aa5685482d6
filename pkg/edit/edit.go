// Package edit changes YAML and JSON as text. In go a document and the tree
// that it is to parse to, out comes the document with exactly that changed:
// comments, indentation, quoting, blank lines, line endings and every other
// byte stay where they are. Taking out what was put in gives back the text.
package edit

import (
	"bytes"
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Extent tells how much of a document an edit wrote anew.
type Extent int

// An Exact edit touches nothing but what differs, and only such an edit can be
// undone to the byte. Subtree means that a value round the difference was
// written anew without its comments, Whole that the document was, with the
// comments that the changed nodes carry.
const (
	Exact Extent = iota
	Subtree
	Whole
)

func (e Extent) String() string {
	switch e {
	case Exact:
		return "exact"
	case Subtree:
		return "subtree"
	case Whole:
		return "whole"
	}
	return "unknown"
}

// Document edits the text of one YAML or JSON document so that it parses to
// changed, which is the document node or its root. Kinds, tags, values and the
// order of keys count; styles and comments do not, but a scalar that is
// written follows its node's style. An alias stands for what it points to: it
// stays in the text where it still means that, and is written out where not.
//
// The result has been parsed and compared; if no text is found that parses to
// changed, the result is an error. Nothing to change gives text itself.
func Document(text []byte, changed *yaml.Node) ([]byte, Extent, error) {
	want := root(changed)
	if want == nil {
		return nil, Exact, errors.New("the changed document holds nothing")
	}
	if err := sound(want); err != nil {
		return nil, Exact, fmt.Errorf("checking the changed document: %w", err)
	}
	old, err := parse(text)
	if err != nil {
		return nil, Exact, err
	}
	if old != nil {
		if err := sound(old); err != nil {
			return nil, Exact, fmt.Errorf("checking the document: %w", err)
		}
		if (comparer{}).same(old, want) {
			return text, Exact, nil
		}
	}
	s := newSource(text)
	for _, try := range s.attempts(old, want) {
		out, extent, err := try()
		if err == nil && means(out, want) {
			return out, extent, nil
		}
	}
	return nil, Exact, errors.New("no text found that parses to the changed document")
}

// attempt is one way to come to the new text.
type attempt func() ([]byte, Extent, error)

// attempts gives the ways from the most careful to the crudest.
func (s *source) attempts(old, want *yaml.Node) []attempt {
	var tries []attempt
	if old == nil || empty(old) && old.Anchor == "" {
		tries = append(tries, func() ([]byte, Extent, error) { return s.appended(want) })
	} else if l, ok := locate(s, old); ok {
		tries = append(tries, func() ([]byte, Extent, error) { return edited(l, old, want, nil) })
		if last := lastOf(old); !s.final && l.spans[last].header > 0 {
			tries = append(tries, func() ([]byte, Extent, error) { return edited(l, old, want, last) })
		}
		inner := enclosing(old, want)
		for i := len(inner) - 1; i >= 0; i-- {
			tries = append(tries, func() ([]byte, Extent, error) { return edited(l, old, want, inner[i]) })
		}
	}
	for _, comments := range []bool{true, false} {
		tries = append(tries, func() ([]byte, Extent, error) {
			out, err := s.encoded(want, comments)
			return out, Whole, err
		})
	}
	return tries
}

// appended writes the first node of a document that held only comments.
func (s *source) appended(want *yaml.Node) ([]byte, Extent, error) {
	w := writer{eol: s.eol, form: defaults, literals: true, final: s.final}
	out := append([]byte(nil), s.text...)
	out = append(out, w.node(want, 0)+s.eol...)
	return s.finish(out), Exact, w.err
}

// edited applies the differences of two trees to the text; the node anew is
// written as a whole.
func edited(l *layout, old, want, anew *yaml.Node) ([]byte, Extent, error) {
	e := &editor{
		layout: l, comparer: comparer{}, anew: anew, kept: map[*yaml.Node]*yaml.Node{},
		form: l.form(old), forms: map[*yaml.Node]form{}, flows: map[*yaml.Node]flowForm{},
	}
	e.diff(old, want, place{kind: atRoot, col: -1})
	if e.err != nil {
		return nil, Exact, e.err
	}
	out, err := e.apply()
	if err != nil {
		return nil, Exact, err
	}
	extent := Exact
	if e.rewrote {
		extent = Subtree
	}
	return l.finish(out), extent, nil
}

// lastOf gives the last node of a tree.
func lastOf(n *yaml.Node) *yaml.Node {
	for len(n.Content) > 0 {
		n = n.Content[len(n.Content)-1]
	}
	return n
}

// enclosing gives the nodes that hold every difference, below the root and
// from the outermost to the innermost.
func enclosing(old, want *yaml.Node) []*yaml.Node {
	var path []*yaml.Node
	cmp := comparer{}
	for {
		var next, nextWant *yaml.Node
		if old.Kind != want.Kind || old.Kind == yaml.ScalarNode || len(old.Content) != len(want.Content) {
			return path
		}
		for i, c := range old.Content {
			if cmp.same(c, want.Content[i]) {
				continue
			}
			if next != nil || old.Kind == yaml.MappingNode && i%2 == 0 {
				return path
			}
			next, nextWant = c, want.Content[i]
		}
		if next == nil {
			return path
		}
		path = append(path, next)
		old, want = next, nextWant
	}
}

// means tells whether a text parses to a tree.
func means(text []byte, want *yaml.Node) bool {
	got, err := parse(text)
	return err == nil && got != nil && sound(got) == nil && (comparer{}).same(got, want)
}

// trimEOL takes one line ending off.
func trimEOL(text []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
}
