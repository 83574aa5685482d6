package edit

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// bare takes the styles from a tree, as a program that makes one sets none.
func bare(n *yaml.Node) *yaml.Node {
	n.Tag, n.Style = n.ShortTag(), 0
	for _, c := range n.Content {
		bare(c)
	}
	return n
}

// cases are edits: the text, what it is to parse to, the new text.
var cases = []struct {
	name, text, changed, want string
	oneWay                    bool // the way back is not to the byte
}{
	{name: "key at the end", text: "a: 1\n", changed: "{a: 1, b: 2}", want: "a: 1\nb: 2\n"},
	{name: "no final newline", text: "a: 1", changed: "{a: 1, b: x}", want: "a: 1\nb: x"},
	{name: "CRLF", text: "a: 1\r\nb:\r\n  c: 1\r\n", changed: "{a: 1, b: {c: 1, d: [x]}}", want: "a: 1\r\nb:\r\n  c: 1\r\n  d:\r\n  - x\r\n"},
	{name: "byte order mark", text: "\ufeffa: 1\n", changed: "{z: 0, a: 1, b: 2}", want: "\ufeffz: 0\na: 1\nb: 2\n"},
	{name: "blank lines and comments below", text: "a:\n  b: 1 # one\n\n# about c\nc: 3\n", changed: "{a: {b: 1, x: 2}, c: 3}", want: "a:\n  b: 1 # one\n  x: 2\n\n# about c\nc: 3\n"},
	{name: "comment inside the last item", text: "a:\n- b: 1\n  # more\n# end\n", changed: "{a: [{b: 1}, {b: 2}]}", want: "a:\n- b: 1\n  # more\n- b: 2\n# end\n"},
	{name: "comments between items", text: "# one\n- a\n# two\n- b # bee\n# three\n", changed: "[a, b, c]", want: "# one\n- a\n# two\n- b # bee\n- c\n# three\n"},
	{name: "dashes indented", text: "a:\n    - b: 1\nc:\n    d: 1\n", changed: "{a: [{b: 1}, {b: 2}], c: {d: 1, e: [f, {g: {h: i}}]}}", want: "a:\n    - b: 1\n    - b: 2\nc:\n    d: 1\n    e:\n        - f\n        - g:\n              h: i\n"},
	{name: "wide dashes", text: "-   a: 1\n    b: 2\n", changed: "[{a: 1, b: 2}, {a: 3, b: 4}]", want: "-   a: 1\n    b: 2\n-   a: 3\n    b: 4\n"},
	{name: "lists in lists", text: "- - a\n  - b\n- - c\n", changed: "[[a, b, x], [c], [d, e]]", want: "- - a\n  - b\n  - x\n- - c\n- - d\n  - e\n"},
	{name: "first key of an item", text: "- name: a\n  image: b\n", changed: "[{x: 1, name: a, image: b}]", want: "- x: 1\n  name: a\n  image: b\n"},
	{name: "first key with a comment below", text: "- name: a # this\n  # image\n  image: b\n", changed: "[{image: b}]", want: "- # this\n  # image\n  image: b\n", oneWay: true},
	{name: "empty mapping", text: "a: {} # none\nb: 1\n", changed: "{a: {x: 1}, b: 1}", want: "a: # none\n  x: 1\nb: 1\n"},
	{name: "empty list", text: "a: []\n", changed: "{a: [x]}", want: "a:\n- x\n"},
	{name: "empty and spaced", text: "a:  { }\n", changed: "{a: {x: 1}}", want: "a:  {x: 1 }\n"},
	{name: "no value", text: "a: # none\n  # yet\nb:\n", changed: "{a: {x: 1}, b: [z]}", want: "a: # none\n  # yet\n  x: 1\nb:\n- z\n"},
	{name: "null", text: "a: null\nb: ~\n", changed: "{a: {x: 1}, b: [z]}", want: "a:\n  x: 1\nb:\n- z\n"},
	{name: "item without value", text: "-\n- # none\n", changed: "[{a: {b: c}}, x]", want: "- a:\n    b: c\n- x # none\n"},
	{name: "empty item", text: "- {}\n- []\n", changed: "[{a: 1, b: 2}, [x, z]]", want: "- a: 1\n  b: 2\n- - x\n  - z\n"},
	{name: "flow", text: "{a: 1, b: [x]}\n", changed: "{a: 1, b: [x, 'y,z'], c: {d: e}}", want: "{a: 1, b: [x, \"y,z\"], c: {d: e}}\n"},
	{name: "flow in lines", text: "a: [\n  x, # ex\n  y # why\n]\n", changed: "{a: [x, y, z, {b: c}]}", want: "a: [\n  x, # ex\n  y, # why\n  z,\n  {\n    b: c\n  }\n]\n"},
	{name: "trailing comma", text: "[a, b,]\n", changed: "[a, b, c]", want: "[a, b, c,]\n"},
	{name: "JSON", text: `{"a":1,"b":{"c":[]}}`, changed: "{a: 1, b: {c: [x], d: null}, e: {f: g, h: 1}}", want: `{"a":1,"b":{"c":["x"],"d":null},"e":{"f":"g","h":1}}`},
	{name: "JSON in lines", text: "{\n\t\"a\": [],\n\t\"b\": {\n\t\t\"c\": 1\n\t}\n}\n", changed: "{a: [{x: 1}], b: {c: 1, d: [e]}}", want: "{\n\t\"a\": [\n\t\t{\n\t\t\t\"x\": 1\n\t\t}\n\t],\n\t\"b\": {\n\t\t\"c\": 1,\n\t\t\"d\": [\n\t\t\t\"e\"\n\t\t]\n\t}\n}\n"},
	{name: "styles of scalars", text: "a: x # 1\nb: 'x'\nc: \"x\"\nd: 1\n", changed: "{a: z, b: it's, c: z, d: 2}", want: "a: z # 1\nb: 'it''s'\nc: \"z\"\nd: 2\n"},
	{name: "plain is not safe", text: "a: x\nb: x\nc: x\nd: x\n", changed: `{a: "yes", b: "a: b", c: "1", d: " x"}`, want: "a: \"yes\"\nb: \"a: b\"\nc: \"1\"\nd: \" x\"\n", oneWay: true},
	{name: "lines", text: "a: x # why\nb: 1\n", changed: `{a: "two\nlines\n", b: 1}`, want: "a: | # why\n  two\n  lines\nb: 1\n", oneWay: true},
	{name: "new lines", text: "b: 1\n", changed: "b: 1\na: |\n  two\n\n  lines\nc: |-\n  x\n  y\n", want: "b: 1\na: |\n  two\n\n  lines\nc: |-\n  x\n  y\n"},
	{name: "lines to other lines", text: "a: |  # why\n  one\n\n  two\n\nb: 1\n", changed: "a: |-\n  three\n  four\nb: 1\n", want: "a: |-  # why\n  three\n  four\n\nb: 1\n"},
	{name: "lines to one", text: "a: >-\n  one\n  two\nb: 1\n", changed: "{a: true, b: 1}", want: "a: true\nb: 1\n", oneWay: true},
	{name: "behind kept lines", text: "a: |+\n  x\n\nb:\n- c\n", changed: "a: |+\n  x\n\no: 1\nb: [c, d]\n", want: "a: |+\n  x\n\no: 1\nb:\n- c\n- d\n"},
	{name: "a text over lines", text: "a: one\n  two\n\n  three # x\nb: \"q\n  r\"\n", changed: "{a: \"one two\\nthree\", z: 1, b: q r, c: 3}", want: "a: one\n  two\n\n  three # x\nz: 1\nb: \"q\n  r\"\nc: 3\n"},
	{name: "removed in the middle", text: "- a\n# bee\n- b # x\n- c\n", changed: "[a, c]", want: "- a\n# bee\n- c\n", oneWay: true},
	{name: "a mapping to a text", text: "a:\n  # inner\n  b: c\nd: 1\n", changed: "{a: x, d: 1}", want: "a: x\n  # inner\nd: 1\n", oneWay: true},
	{name: "items go by name", text: "- name: a\n  v: 1 # one\n- name: b\n  v: 2 # two\n", changed: "[{name: x, v: 0}, {name: b, v: 3}]", want: "- name: x\n  v: 0\n- name: b\n  v: 3 # two\n", oneWay: true},
	{name: "an alias stays", text: "a: &x {b: 1}\nc: *x\n", changed: "{a: {b: 1}, c: {b: 1}, d: 1}", want: "a: &x {b: 1}\nc: *x\nd: 1\n"},
	{name: "an alias is written out", text: "a: &x {b: 1}\nc: *x\nd: *x\n", changed: "{a: {b: 1}, c: {b: 2}, d: {b: 1}}", want: "a: &x {b: 1}\nc:\n  b: 2\nd: *x\n", oneWay: true},
	{name: "the anchor changes", text: "a: &x 1 # one\nc: *x\n", changed: "{a: 2, c: 1}", want: "a: &x 2 # one\nc: 1\n", oneWay: true},
	{name: "the anchor goes", text: "a: &x [1]\nc: *x\n", changed: "{c: [1]}", want: "c:\n- 1\n", oneWay: true},
	{name: "anchor on an empty value", text: "a: &x\nb: &y {}\nc: *x\n", changed: "{a: {d: 1}, b: {e: 1}, c: {d: 1}}", want: "a: &x\n  d: 1\nb: &y\n  e: 1\nc: *x\n"},
	{name: "a merge key stays", text: "a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  e: 3\n", changed: "{a: {b: 1, c: 2}, d: {b: 1, c: 2, e: 4, f: 5}}", want: "a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  e: 4\n  f: 5\n"},
	{name: "a merged key changes", text: "a: &x {b: 1, c: 2}\nd:\n  <<: *x\n", changed: "{a: {b: 1, c: 2}, d: {b: 1, c: 3}}", want: "a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n", oneWay: true},
	{name: "tags", text: "a: !!str 1 # x\nb: !t\n  c: 1\n", changed: "a: !!int \"2\"\nb: !t {c: 1, d: !u [1], e: !!str 5}\n", want: "a: 2 # x\nb: !t\n  c: 1\n  d: !u\n  - 1\n  e: \"5\"\n", oneWay: true},
	{name: "only comments", text: "# to do\n", changed: "{a: 1}", want: "# to do\na: 1\n", oneWay: true},
	{name: "separator and end", text: "--- # x\na: 1\n...\n", changed: "{a: 1, b: 2}", want: "--- # x\na: 1\nb: 2\n...\n"},
	{name: "root", text: "# c\n{}\n", changed: "{a: {b: 1}}", want: "# c\na:\n  b: 1\n"},
	{name: "nothing", text: "a:   1 # x\nb: ~\n", changed: "{a: 1, b: null}", want: "a:   1 # x\nb: ~\n"},
	{name: "keys with a mark", text: "m:\n  ? a # ay\n  : b\n  c: 1\n", changed: "{m: {z: 0, a: d, c: 1, e: 2}}", want: "m:\n  z: 0\n  ? a # ay\n  : d\n  c: 1\n  e: 2\n"},
	{name: "key with a mark goes", text: "m:\n  ? a # ay\n  : b\n  c: 1\n", changed: "{m: {c: 1}}", want: "m:\n  c: 1\n", oneWay: true},
	{name: "one name", text: "- name: a # one\n  v: 1\n", changed: "[{name: b, v: 1}]", want: "- name: b # one\n  v: 1\n"},
	{name: "comment that would become text", text: "a: |\n  x\nb:\n  c: 1\n  # deep\nd: 1\n", changed: "a: |\n  x\nd: 1\n", want: "a: |\n  x\nd: 1\n", oneWay: true},
	{name: "comment below that would become text", text: "a: x\n  # deep\nb: 1\n", changed: `{a: "x\nz", b: 1}`, want: "a: \"x\\nz\"\n  # deep\nb: 1\n", oneWay: true},
	{name: "two spaces", text: "a:  {} # none\n", changed: "{a: {x: 1}}", want: "a:  {x: 1} # none\n"},
	{name: "emptied", text: "a: [x,]\nb: {c: 1} # none\nd:\n- e # x\nf: [ g ]\n", changed: "{a: [], b: {}, d: [], f: []}", want: "a: []\nb: {} # none\nd: []\nf: []\n", oneWay: true},
	{name: "blank lines at a text's end", text: "a: 1\n", changed: `{a: 1, b: "x\nz\n\n"}`, want: "a: 1\nb: \"x\\nz\\n\\n\"\n"},
	{name: "lines without final newline", text: "a: 1", changed: `{a: 1, b: "x\nz\n"}`, want: "a: 1\nb: \"x\\nz\\n\""},
	{name: "duplicate keys", text: "a: 1\na: 2\n", changed: "a: 1\na: 3\n", want: "a: 1\na: 3\n"},
}

func TestDocument(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, extent, err := Document([]byte(c.text), bare(parsed(c.changed)))
			if err != nil || extent != Exact {
				t.Fatalf("%v, %v", extent, err)
			}
			if diff := cmp.Diff(c.want, string(got)); diff != "" {
				t.Error(diff)
			}
			if c.oneWay {
				return
			}
			back, extent, err := Document(got, parsed(c.text))
			if err != nil || extent != Exact {
				t.Fatalf("back: %v, %v", extent, err)
			}
			if diff := cmp.Diff(c.text, string(back)); diff != "" {
				t.Errorf("back: %s", diff)
			}
		})
	}
}

// TestLongList holds that a list too long to weigh every pair of items keeps
// its comments, whatever comes and goes in it.
func TestLongList(t *testing.T) {
	var text, want strings.Builder
	changed := &yaml.Node{Kind: yaml.SequenceNode}
	for i := range 1500 {
		fmt.Fprintf(&text, "- name: n%d # %[1]d\n  v: 1\n", i)
		switch {
		case i%100 == 7:
			continue
		case i%100 == 50:
			fmt.Fprintf(&want, "- name: new%d\n  v: 0\n", i)
			changed.Content = append(changed.Content, bare(parsed(fmt.Sprintf("{name: new%d, v: 0}", i))))
		}
		fmt.Fprintf(&want, "- name: n%d # %[1]d\n  v: 2\n", i)
		changed.Content = append(changed.Content, bare(parsed(fmt.Sprintf("{name: n%d, v: 2}", i))))
	}
	got, extent, err := Document([]byte(text.String()), changed)
	if err != nil || extent != Exact {
		t.Fatal(extent, err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Error(diff)
	}
}
