package manifest

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// pieces are what strings go wrong with, in one YAML writer or another.
var pieces = []string{
	"a", "b", "Z", "key", "name", "1", "0", "10", "9", "007", "0x1", "1e3", "1.5", "-1", "+1", "1:2", "12:30:45", "1_000", ".5", ".", "..", "...", "---", "--- ",
	"true", "True", "false", "yes", "no", "on", "off", "y", "n", "null", "~", "Null", "<<", "=", ".inf", ".nan", "2001-01-01", "2001-01-01T00:00:00Z",
	" ", "  ", "\n", "\n\n", "\t", "\r", ": ", ":", " #", "#", "- ", "-", "? ", "?", "?x", ",", "[", "]", "{", "}", "&", "*", "!", "|", ">", "'", "\"", "%", "@", "`", "\\", "/", "_",
	"é", "\u200b", "\u202e", "😀", "\x7f", "\u0085", "text that is longer", strings.Repeat("w", 60), "$(VAR)", "{{ .x }}",
}

// source turns numbers into canonical nodes.
type source struct{ next func(n int) int }

func (s source) text() string {
	var b strings.Builder
	for range s.next(4) {
		b.WriteString(pieces[s.next(len(pieces))])
	}
	return b.String()
}

func (s source) node(depth int) *yaml.Node {
	kind := s.next(8)
	if depth == 0 && kind < 4 {
		kind = 4
	}
	switch kind {
	case 0, 1:
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		seen := map[string]bool{}
		for range s.next(6) {
			k := s.text()
			if seen[k] {
				continue
			}
			seen[k] = true
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: tagString, Value: k}, s.node(depth-1))
		}
		return n
	case 2, 3:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for range s.next(4) {
			n.Content = append(n.Content, s.node(depth-1))
		}
		return n
	case 4:
		others := []yaml.Node{
			{Tag: tagInt, Value: "0"},
			{Tag: tagInt, Value: "-12"},
			{Tag: tagInt, Value: "18446744073709551615"},
			{Tag: tagFloat, Value: "1.5"},
			{Tag: tagFloat, Value: "1e+21"},
			{Tag: tagBool, Value: "true"},
			{Tag: tagBool, Value: "false"},
			{Tag: tagNull, Value: "null"},
		}
		n := others[s.next(len(others))]
		n.Kind = yaml.ScalarNode
		return &n
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tagString, Value: s.text()}
}

// sameForm holds what is written against what the library writes.
func sameForm(t *testing.T, n *yaml.Node) (own bool) {
	t.Helper()
	want, err := encodeNode(n)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := emit(n)
	if ok && !bytes.Equal(want, got) {
		t.Fatalf("got\n%q\nthe library writes\n%q", got, want)
	}
	return ok
}

func TestEmitIsTheLibrarys(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	own := 0
	for range 30_000 {
		n := source{r.IntN}.node(4)
		if n.Kind == yaml.MappingNode && sameForm(t, n) {
			own++
		}
	}
	if own < 2000 {
		t.Errorf("only %d documents were written without the library", own)
	}
	for _, a := range pieces {
		for _, b := range pieces {
			for _, s := range []string{a + b, a + "\n" + b, a + " " + b + "\n", a + "k" + b} {
				n := source{func(int) int { return 0 }}.node(0)
				n.Tag, n.Value = tagString, s
				key := &yaml.Node{Kind: yaml.ScalarNode, Tag: tagString, Value: s}
				sameForm(t, &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{key, n}})
			}
		}
	}
}

func FuzzEmit(f *testing.F) {
	f.Add([]byte("\x00\x03\x02\x07\x01\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := source{func(n int) int {
			if len(data) == 0 {
				return 0
			}
			c := int(data[0])
			data = data[1:]
			return c % n
		}}.node(5)
		if n.Kind == yaml.MappingNode {
			sameForm(t, n)
		}
	})
}

func TestKeyLessByBytes(t *testing.T) {
	for _, a := range pieces {
		for _, b := range pieces {
			for _, c := range []string{"", "1", "a"} {
				if got, want := keyLess(c+a, c+b), keyLessRunes(c+a, c+b); got != want {
					t.Fatalf("%q before %q: %t, by runes %t", c+a, c+b, got, want)
				}
			}
		}
	}
}
