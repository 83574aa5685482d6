package edit

import (
	"os"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v3"
)

// FuzzAppend holds the law that taking out gives back: whatever is appended
// to a collection of any document, or put where nothing was, can be taken out
// again to the byte.
func FuzzAppend(f *testing.F) {
	for i, text := range documents(f) {
		for at := range uint8(8) {
			f.Add(text, 3*at, uint8(i)+at)
		}
	}
	f.Fuzz(func(t *testing.T, text string, at, what uint8) {
		original := parsed(text)
		changed := parsed(text)
		if changed == nil || len(text) > 1<<14 || !grow(changed, int(at), int(what)) {
			return
		}
		out, extent, err := Document([]byte(text), changed)
		if err != nil || extent != Exact {
			return
		}
		if !means(out, changed) {
			t.Fatalf("%q gives\n%s", text, out)
		}
		back, extent, err := Document(out, original)
		if err != nil {
			t.Fatalf("%q gives %q and not back: %v", text, out, err)
		}
		if extent == Exact && string(back) != text {
			t.Fatalf("%q gives %q and back %q", text, out, back)
		}
	})
}

// FuzzChange holds that any document can become any other.
func FuzzChange(f *testing.F) {
	texts := documents(f)
	for i, text := range texts {
		f.Add(text, texts[(i+1)%len(texts)])
		f.Add(text, texts[(i+5)%len(texts)])
	}
	f.Fuzz(func(t *testing.T, from, to string) {
		want := parsed(to)
		if parsed(from) == nil || want == nil || len(from)+len(to) > 1<<14 {
			return
		}
		out, _, err := Document([]byte(from), want)
		if err != nil {
			return
		}
		if !means(out, want) {
			t.Fatalf("%q to %q gives\n%s", from, to, out)
		}
		if again, extent, err := Document(out, want); err != nil || extent != Exact || string(again) != string(out) {
			t.Fatalf("%q changes again: %q, %v, %v", out, again, extent, err)
		}
	})
}

// parsed gives the root of a text that is a sound document; else nil.
func parsed(text string) *yaml.Node {
	n, err := parse([]byte(text))
	if err != nil || n == nil || sound(n) != nil {
		return nil
	}
	return n
}

// documents are texts to begin with.
func documents(f *testing.F) []string {
	paths, err := filepath.Glob("../inject/conduit/testdata/objects/*.yaml")
	if err != nil || len(paths) == 0 {
		f.Fatalf("no objects: %v", err)
	}
	var texts []string
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	for _, c := range cases {
		texts = append(texts, c.text, c.want)
	}
	return texts
}

// grow appends something to the collection, or fills the null, that comes
// at-th in a tree; false if there is none.
func grow(n *yaml.Node, at, what int) bool {
	var places []*yaml.Node
	var walk func(n *yaml.Node, fixed bool)
	walk = func(n *yaml.Node, fixed bool) {
		if !fixed && (n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode || nothing(n)) {
			places = append(places, n)
		}
		for i, c := range n.Content {
			walk(c, n.Kind == yaml.MappingNode && i%2 == 0)
		}
	}
	walk(n, false)
	if len(places) == 0 {
		return false
	}
	place := places[at%len(places)]
	if place.Kind == yaml.ScalarNode {
		place.Kind, place.Tag, place.Style = []yaml.Kind{yaml.MappingNode, yaml.SequenceNode}[what/16%2], "", 0
	}
	value := parsed(added[what%len(added)])
	if place.Kind == yaml.MappingNode {
		place.Content = append(place.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "added/key"})
	}
	place.Content = append(place.Content, value)
	return true
}

var added = []string{
	"v", "80", `"80"`, "{name: a, image: b}", "{name: a, args: [x, y]}", "[[a], [b]]", "[]", "{}", "null", "---\n",
	"|\n  two\n  lines\n", "{a: {b: {c: d}}, e: [{f: g}, h]}", "a: |\n  two\n  lines\nb: c\n", `"\u0001 \U0001f6a2"`, `"x, [y]: {z"`, "'#'",
}
