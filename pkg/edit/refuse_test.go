package edit

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func scalar(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
}

func TestRefuse(t *testing.T) {
	self := &yaml.Node{Kind: yaml.SequenceNode}
	self.Content = []*yaml.Node{self}
	for _, c := range []struct {
		name, text string
		changed    *yaml.Node
		want       string
	}{
		{"nothing to write", "a: 1\n", &yaml.Node{}, "holds nothing"},
		{"no tree", "a: 1\n", nil, "holds nothing"},
		{"two documents", "a: 1\n---\nb: 1\n", scalar("x"), "more than one document"},
		{"a second document at fault", "a: 1\n---\n[\n", scalar("x"), "parsing"},
		{"not YAML", "a: [\n", scalar("x"), "parsing"},
		{"not UTF-8", "a: \xff\n", scalar("x"), "not UTF-8"},
		{"text that cannot be written", "a: 1\n", scalar("\xff"), "no text found"},
		{"the tree holds itself", "a: 1\n", self, "holds itself"},
		{"the text holds itself", "a: &a [*a]\n", scalar("x"), "holds itself"},
		{"key without value", "a: 1\n", &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{scalar("a")}}, "no value"},
		{"part missing", "a: 1\n", &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{nil}}, "missing"},
		{"alias to nothing", "a: 1\n", &yaml.Node{Kind: yaml.AliasNode}, "missing"},
		{"document in a document", "a: 1\n", &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{{Kind: yaml.DocumentNode}}}, "kind 1"},
		{"bomb", bomb(), scalar("x"), "aliases expanded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, _, err := Document([]byte(c.text), c.changed)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%q, %v; want an error with %q", out, err, c.want)
			}
		})
	}
}

func bomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x]\n")
	for _, n := range []string{"01", "12", "23", "34", "45", "56", "67"} {
		b.WriteString("a" + n[1:] + ": &a" + n[1:] + " [" + strings.Repeat("*a"+n[:1]+", ", 9) + "*a" + n[:1] + "]\n")
	}
	return b.String()
}

// TestFallback holds what is written anew where an exact edit cannot be.
func TestFallback(t *testing.T) {
	for _, c := range []struct {
		name, text, changed, want string
		extent                    Extent
	}{
		{"key alone", "x: 1 # one\nm: # two\n  ? a\n  ? b\ny: 1\n", "{x: 1, m: {a: c, b: null}, y: 1}", "x: 1 # one\nm: # two\n  a: c\n  b: null\ny: 1\n", Subtree},
		{"mapping without brackets", "x: 1 # one\nm: [a: b, c]\n", "{x: 1, m: [{a: d}, c]}", "x: 1 # one\nm: [{a: d}, c]\n", Subtree},
		{"no colon", "m: {a, b: 1} # one\n", "{m: {a: 1, b: 1}}", "m: {a: 1, b: 1} # one\n", Subtree},
		{"a merged key goes", "a: &x {b: 1, c: 2} # one\nd: # two\n  <<: *x\n", "{a: {b: 1, c: 2}, d: {b: 1}}", "a: &x {b: 1, c: 2} # one\nd: # two\n  b: 1\n", Subtree},
		{"block at the end without newline", "a: 1 # one\nb: |\n  x", "{a: 1, b: x, c: 1}", "a: 1 # one\nb: |-\n  x\nc: 1", Subtree},
		{"carriage return", "a: 1 # one\rb: 2\n", "{a: 1, b: 3}", "a: 1\nb: 3\n", Whole},
		{"key that is no scalar", "a: 1 # one\n", "a: 1\n? [b]\n: 2\n", "a: 1\n? - b\n: 2\n", Whole},
		{"long key", "a: 1 # one\n", "a: 1\n? " + strings.Repeat("b", 1010) + "\n: 2\n", "a: 1\n? " + strings.Repeat("b", 1010) + "\n: 2\n", Whole},
		{"old line break", "a: \"x\u0085y\" # one\n", "{a: x, b: 1}", "a: x\nb: 1\n", Whole},
		{"blank line below kept lines", "---\na: |+\n  x\nb: 1\n\nc: 2\n", "a: |+\n  x\nc: 2\n", "---\na: |\n  x\nc: 2\n", Whole},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, extent, err := Document([]byte(c.text), bare(parsed(c.changed)))
			if err != nil || extent != c.extent {
				t.Fatalf("%v, %v\n%s", extent, err, got)
			}
			if diff := cmp.Diff(c.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSharedAlias holds that an alias keeps its meaning where what it points
// to was cloned and edited, and the alias still points to the old node.
func TestSharedAlias(t *testing.T) {
	const text = "a: &x\n  b: 1\nc: *x\n"
	old := parsed(text)
	changed := &yaml.Node{Kind: yaml.MappingNode, Content: append([]*yaml.Node(nil), old.Content...)}
	changed.Content[1] = bare(parsed("{b: 2}"))
	got, extent, err := Document([]byte(text), changed)
	if want := "a: &x\n  b: 2\nc:\n  b: 1\n"; err != nil || extent != Exact || string(got) != want {
		t.Fatalf("%v, %v\n%s", extent, err, got)
	}
}

func TestFind(t *testing.T) {
	n := parsed("a: &x {b: [1, {c: 2}]}\nd: *x\n")
	for _, c := range []struct{ path, want string }{
		{"a b 0", "1"}, {"a b 1 c", "2"}, {"d b 1 c", "2"}, {"a b 2", ""}, {"a b -1", ""}, {"a c d", ""}, {"a b 0 x", ""}, {"a b x", ""},
	} {
		got := ""
		if f := Find(n, strings.Fields(c.path)...); f != nil {
			got = f.Value
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.path, got, c.want)
		}
	}
}
