package release

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/source"
)

// repository gives a source with files, and its config.
func repository(t *testing.T, texts map[string]string) (*source.FS, *config.Config) {
	t.Helper()
	tree, err := source.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	changed := map[string][]byte{}
	for name, text := range texts {
		changed[name] = []byte(text)
	}
	files := source.New(tree).With(changed)
	cfg, err := config.Load(files, config.FileName)
	if err != nil {
		t.Fatal(err)
	}
	return files, cfg
}

const oneCluster = "clusters:\n- {name: c, release: v1.0.0}\n"

// upgraded gives a cluster's file after an upgrade from v1.0.0, in which
// nothing is set, to v2.0.0.
func upgraded(t *testing.T, before string, base, overlay string) (string, error) {
	t.Helper()
	texts := map[string]string{
		"sluice.yaml": strings.Replace(oneCluster, ", release: v1.0.0", "", 1), "c/x.yaml": before, "releases/p/v2.0.0/base/x.yaml": base,
	}
	if overlay != "" {
		texts["releases/p/v2.0.0/overlay/x.yaml"] = overlay
	}
	files, cfg := repository(t, texts)
	up, err := Plan(files, cfg, Request{Cluster: "c", To: "v2.0.0"})
	if err != nil {
		return "", err
	}
	if text, ok := up.Files["c/x.yaml"]; ok {
		return string(text), nil
	}
	return before, nil
}

func TestMerge(t *testing.T) {
	for _, test := range []struct{ name, before, base, overlay, want string }{
		{
			"the tree of a ConfigMap",
			"kind: A\nspec: {a: 1}\n", "kind: ConfigMap\nmetadata: {name: any}\ndata: {spec: {a: 2}}\n", "",
			"kind: A\nspec: {a: 2}\n",
		},
		{
			"a ConfigMap of text for one that is none", "kind: A\nversion: v1\n", "kind: ConfigMap\ndata: {version: v2}\n", "",
			"kind: A\nversion: v2\n",
		},
		{
			"a ConfigMap for a ConfigMap", "kind: ConfigMap\nmetadata: {name: a}\ndata:\n  k: v # kept\n", "kind: ConfigMap\nmetadata: {name: b}\ndata: {k: w}\n", "",
			"kind: ConfigMap\nmetadata: {name: a}\ndata:\n  k: w # kept\n",
		},
		{
			"a tree beside a ConfigMap", "kind: ConfigMap\ndata: {k: v}\n---\nkind: A\nspec: {a: 1}\n", "kind: ConfigMap\ndata: {kind: A, spec: {a: 2}}\n", "",
			"kind: ConfigMap\ndata: {k: v}\n---\nkind: A\nspec: {a: 2}\n",
		},
		{
			"the one of a name among several", "kind: A\nmetadata: {name: a}\n---\nkind: A\nmetadata: {name: b}\n", "kind: A\nmetadata: {name: b, labels: {x: z}}\n", "",
			"kind: A\nmetadata: {name: a}\n---\nkind: A\nmetadata: {name: b, labels: {x: z}}\n",
		},
		{
			"name and namespace are the cluster's", "kind: A\nmetadata: {name: a, namespace: n}\nspec: {}\n", "apiVersion: x/v2\nkind: A\nmetadata: {name: b, namespace: m}\nspec: {a: 1}\n", "",
			"kind: A\nmetadata: {name: a, namespace: n}\nspec: {a: 1}\napiVersion: x/v2\n",
		},
		{
			"the overlay over the base", "kind: A\nspec: {a: 0}\n", "kind: A\nspec: {a: 1, b: 1}\n", "kind: A\nspec: {a: 2}\n",
			"kind: A\nspec: {a: 2, b: 1}\n",
		},
		{
			"null takes out, of the base too", "kind: A\nspec: {a: 0, b: 0}\n", "kind: A\nspec: {a: null, b: 1}\n", "kind: A\nspec: {b: null, c: null}\n",
			"kind: A\nspec: {}\n",
		},
		{
			"a list is replaced, and what stays in it keeps its comments", "kind: A\nspec:\n  l:\n  - a # first\n  - b # second\n", "kind: A\nspec: {l: [a, c]}\n", "",
			"kind: A\nspec:\n  l:\n  - a # first\n  - c # second\n",
		},
		{
			"a mapping for a scalar, and a scalar for a mapping", "kind: A\nspec:\n  a: 1\n  b:\n    c: 1\n", "kind: A\nspec: {a: {x: 1, y: null}, b: 2}\n", "",
			"kind: A\nspec:\n  a:\n    x: 1\n  b: 2\n",
		},
		{
			"text stays quoted, a number does not become text", "kind: A\nspec:\n  a: 'x' # one\n  b: \"1\"\n  c: 0x10\n", "kind: A\nspec: {a: z, b: 2, c: 16}\n", "",
			"kind: A\nspec:\n  a: 'z' # one\n  b: 2\n  c: 0x10\n",
		},
		{
			"text that reads like something else", "kind: A\nspec:\n  a: b\n", "kind: A\nspec: {a: \"1.20\", b: \"yes\", c: \"null\"}\n", "",
			"kind: A\nspec:\n  a: \"1.20\"\n  b: \"yes\"\n  c: \"null\"\n",
		},
		{
			"an anchor that two places share", "kind: A\na: &x {k: 1}\nb: *x\n", "kind: A\nb: {k: 2}\n", "",
			"kind: A\na: &x {k: 1}\nb: {k: 2}\n",
		},
		{
			"line ends, no last one, a byte order mark", "\ufeffkind: A\r\n# c\r\nspec:\r\n    a: 1  # c", "kind: A\nspec: {a: 2}\n", "",
			"\ufeffkind: A\r\n# c\r\nspec:\r\n    a: 2  # c",
		},
		{
			"keys with dots", "kind: A\nmetadata: {annotations: {a.b/c: x}}\n", "kind: A\nmetadata: {annotations: {a.b/c: z}}\n", "",
			"kind: A\nmetadata: {annotations: {a.b/c: z}}\n",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := upgraded(t, test.before, test.base, test.overlay)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What cannot be changed for certain is an error, not another text.
func TestMergeRefuses(t *testing.T) {
	for name, before := range map[string]string{
		"a key that is not text":   "kind: A\n0x10: b\n",
		"nothing":                  "# nothing\n",
		"a key twice":              "kind: A\nkind: A\n",
		"a list":                   "- kind: A\n",
		"something of another one": "kind: B\n",
	} {
		if got, err := upgraded(t, before, "kind: A\nspec: {a: 1}\n", ""); err == nil {
			t.Errorf("%s gives %q", name, got)
		}
	}
}

// random gives a mapping of keys of which two mappings have many in common.
func random(r *rand.Rand, depth int) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, key := range []string{"a", "b", "c", "d.e"} {
		value := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: fmt.Sprint(r.IntN(3))}
		switch roll := r.IntN(8); {
		case roll == 0:
			continue
		case roll == 1:
			value = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: []string{"x", "1", "y: z", "no"}[r.IntN(4)]}
		case roll == 2:
			value = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{value}}
		case roll < 6 && depth > 0:
			value = random(r, depth-1)
		}
		n.Content = append(n.Content, plainText(key), value)
	}
	return n
}

// nulls puts nulls into a patch.
func nulls(r *rand.Rand, n *yaml.Node) {
	for i := 1; i < len(n.Content); i += 2 {
		if v := n.Content[i]; v.Kind == yaml.MappingNode {
			nulls(r, v)
		} else if r.IntN(5) == 0 {
			n.Content[i] = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
		}
	}
}

// text writes a random object with a comment at every line.
func text(t *testing.T, n *yaml.Node, kind string) string {
	t.Helper()
	object := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{plainText("kind"), plainText(kind), plainText("spec"), n}}
	data, err := manifest.EncodeNode(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func commented(text string) string {
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		fmt.Fprintf(&b, "%s # line %d\n", line, i)
	}
	return b.String()
}

// Laws of an upgrade, for random objects and releases: the result means what
// merge patches say, twice is once, the recorded release changes nothing, and
// nothing that releases did counts as edited.
func TestLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 200 {
		own, older, newer, over := random(r, 2), random(r, 2), random(r, 2), random(r, 1)
		nulls(r, older)
		nulls(r, newer)
		texts := map[string]string{
			"sluice.yaml": strings.Replace(oneCluster, ", release: v1.0.0", "", 1), "c/x.yaml": commented(text(t, own, "A")),
			"releases/p/v1.0.0/base/x.yaml": text(t, older, "A"), "releases/p/v2.0.0/base/x.yaml": text(t, newer, "A"),
		}
		if _, clash := compose(newer, over, nil); clash == nil {
			texts["releases/p/v2.0.0/overlay/x.yaml"] = text(t, over, "A")
		} else {
			over = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		}
		step := func(to string, discard bool) *Upgrade {
			t.Helper()
			files, cfg := repository(t, texts)
			up, err := Plan(files, cfg, Request{Cluster: "c", To: to, Discard: discard})
			if err != nil {
				t.Fatalf("%d: to %s: %v\n%s", i, to, err, texts["c/x.yaml"])
			}
			if before := texts["c/x.yaml"]; len(up.Changes) == 0 && len(up.Files["c/x.yaml"]) > 0 {
				t.Fatalf("%d: nothing changes, and the text does: %s", i, before)
			}
			for name, text := range up.Files {
				texts[name] = string(text)
			}
			return up
		}
		step("v1.0.0", false)
		holds(t, texts["c/x.yaml"], apply(own, older))
		if up := step("v1.0.0", false); len(up.Files)+len(up.Changes) > 0 {
			t.Fatalf("%d: the recorded release changes %v", i, up.Changes)
		}
		step("v2.0.0", true)
		holds(t, texts["c/x.yaml"], apply(apply(apply(own, older), newer), over))
		if up := step("v2.0.0", false); len(up.Files)+len(up.Changes)+len(up.Edits) > 0 {
			t.Fatalf("%d: again changes %v", i, up.Changes)
		}
	}
}

// apply is JSON merge patch, as RFC 7386 has it.
func apply(target, patch *yaml.Node) *yaml.Node {
	if patch.Kind != yaml.MappingNode {
		return patch
	}
	out := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	if target != nil && target.Kind == yaml.MappingNode {
		out.Content = append(out.Content, target.Content...)
	}
	for i := 0; i+1 < len(patch.Content); i += 2 {
		key := patch.Content[i].Value
		old := manifest.Field(out, key)
		remove(out, key)
		if !isNull(patch.Content[i+1]) {
			out.Content = append(out.Content, plainText(key), apply(old, patch.Content[i+1]))
		}
	}
	return out
}

func holds(t *testing.T, text string, want *yaml.Node) {
	t.Helper()
	docs, err := manifest.Documents("", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := manifest.Field(docs[0].Node, "spec"); !equal(got, want) {
		t.Fatalf("got %s, want %s", shown(got), shown(want))
	}
}

// Every byte before, between and after the values that change is as it was.
func TestOtherBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 150 {
		var before, want, patch bytes.Buffer
		before.WriteString("kind: A # the kind\nspec:\n")
		want.WriteString(before.String())
		patch.WriteString("kind: A\nspec:\n")
		for k := range 1 + r.IntN(12) {
			style := []string{"%s", "'%s'", `"%s"`, "  %s   # behind", "|-\n    %s", "[%s,  b]", "{k:  %s }"}[r.IntN(7)]
			indent := strings.Repeat("\n", r.IntN(2)) + "  "
			line := func(v string) string {
				return fmt.Sprintf("%sk%d: %s\n%s", indent, k, fmt.Sprintf(style, v), []string{"", "  # below\n"}[k%2])
			}
			if strings.HasPrefix(style, "|") { // a comment below would be its text
				line = func(v string) string { return fmt.Sprintf("%sk%d: %s\n", indent, k, fmt.Sprintf(style, v)) }
			}
			before.WriteString(line("old"))
			if r.IntN(2) == 0 {
				want.WriteString(line("old"))
				continue
			}
			want.WriteString(line("new"))
			value := "new"
			switch style[0] {
			case '[':
				value = "[new, b]"
			case '{':
				value = "{k: new}"
			}
			fmt.Fprintf(&patch, "  k%d: %s\n", k, value)
		}
		patch.WriteString("  gone: null\n")
		got, err := upgraded(t, before.String(), patch.String(), "")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.String(), got); diff != "" {
			t.Fatalf("%d: %s\nbefore:\n%s", i, diff, before.String())
		}
	}
}

// A key that is written otherwise than it is read would not be found in the
// text: no reader of this module gives such a document, and none is changed.
func TestAlike(t *testing.T) {
	mapping := func(key string) *yaml.Node {
		return &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{plainText(key), plainText("v")}}
	}
	list := func(n *yaml.Node) *yaml.Node {
		return &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{n}}
	}
	if !alike(list(mapping("a")), list(mapping("a"))) || alike(list(mapping("0x10")), list(mapping("16"))) {
		t.Error("alike does not tell keys apart")
	}
}

// A document of a release that says nothing is a mistake, and not an upgrade.
func TestReleaseWithoutValues(t *testing.T) {
	for _, base := range []string{"kind: ConfigMap\n", "kind: ConfigMap\ndata: [1]\n", "kind: ConfigMap\ndata: text\n"} {
		if got, err := upgraded(t, "kind: A\n", base, ""); err == nil || !strings.Contains(err.Error(), "the ConfigMap has no data") {
			t.Errorf("%q gives %q, %v", base, got, err)
		}
	}
}
