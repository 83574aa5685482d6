package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	yaml2 "go.yaml.in/yaml/v2"
	"go.yaml.in/yaml/v3"
	kubectl "sigs.k8s.io/yaml"
)

const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app\n"

func TestDocumentsRefuse(t *testing.T) {
	deep := strings.Repeat("{a: ", 5000) + "1" + strings.Repeat("}", 5000)
	laughs := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 9; i++ {
		laughs += fmt.Sprintf("a%d: &a%d [%s*a%d]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), i-1)
	}
	for name, tc := range map[string]struct{ in, want string }{
		"duplicate key":        {"a: 1\nb: 2\na: 3\n", `f:3: key "a" is already there in line 1`},
		"duplicate, 2nd doc":   {"a: 1\n---\nb:\n  c: 1\n  c: 2\n", `f:5: key "c" is already there in line 4`},
		"self alias":           {"a:\n  b: &a [*a]\n", `f:2: anchor "a" contains itself`},
		"self alias, map":      {"a: &a\n  b: *a\n", `f:2: anchor "a" contains itself`},
		"laughs":               {laughs, "f:6: too large once its aliases are expanded"},
		"deep":                 {"a: 1\nb: " + deep, "f:2: nested deeper than 100 levels"},
		"cross-document alias": {"a: &x 1\n---\nb: *x\n", `f:3: not valid YAML: unknown anchor "x": an anchor ends with its document`},
		"tab":                  {"a:\n\tb: 1\n", "f:2: not valid YAML: found character that cannot start any token"},
		"unknown tag":          {"a: !!python/object x\n", `f:1: tag "!!python/object" has no meaning in a Kubernetes object`},
		"map tag":              {"a: !!set {x: null}\n", `f:1: tag "!!set" has no meaning in a Kubernetes object`},
		"complex key":          {"? [a]\n: 1\n", "f:1: a key has to be text"},
		"bool key":             {"true: 1\n", "f:1: the key true is not text to every YAML reader"},
		"octal key":            {"0644: 1\n", "f:1: the key 0644 is not text to every YAML reader"},
		"null key":             {"~: 1\n", "f:1: the key ~ is not text to every YAML reader"},
		"nan":                  {"a: .nan\n", `f:1: ".nan" has no form in JSON`},
		"huge integer":         {"a: 99999999999999999999\n", "f:1: integer 99999999999999999999 does not fit into 64 bits"},
		"text after end":       {"a: 1\n...\nb: 2\n", "f:3: text after the document end marker `...` of line 2"},
		"conflict":             {"a: 1\n<<<<<<< HEAD\nb: 2\n", "f:2: unresolved merge conflict"},
		"escape byte":          {"a: 1\nb: \"\x1b[31m\"\n", "f:2: control character U+001B"},
		"C1":                   {"a: \"\u009b\"\n", "f:1: control character U+009B"},
		"bare CR":              {"a: 1\rb: 2\n", "f:1: control character U+000D"},
		"NEL":                  {"a: x\u0085\n", "f:1: character U+0085, a line break to some YAML readers only"},
		"not UTF-8":            {"a: 1\nb: \xff\n", "f:2: byte 0xff is not UTF-8"},
		"UTF-16":               {"\xff\xfea\x00", "f:1: is UTF-16 text"},
		"LFS":                  {"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "f:1: is a Git LFS pointer, not the file itself"},
		"merge of a scalar":    {"a:\n  <<: 1\n", "f:2: a merge key needs a mapping or a list of mappings"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Documents("f", []byte(tc.in))
			if err == nil {
				t.Fatal("accepted")
			}
			if err.Error() != tc.want {
				t.Errorf("got  %s\nwant %s", err, tc.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"scalar":          {"hello\n", "f:1: a Kubernetes object is a mapping, this is text"},
		"list":            {"- a\n", "f:1: a Kubernetes object is a mapping, this is a list"},
		"empty":           {"# nothing\n---\n", "f: holds no object"},
		"no apiVersion":   {"kind: A\nmetadata: {name: a}\n", "f:1: no apiVersion"},
		"no kind":         {"apiVersion: v1\nmetadata: {name: a}\n", "f:1: no kind"},
		"numeric kind":    {"apiVersion: v1\nkind: 1\nmetadata: {name: a}\n", "f:2: kind has to be text, it is a number"},
		"comma in kind":   {"apiVersion: v1\nkind: A,B\nmetadata: {name: a}\n", `f:2: kind "A,B" is not a kind's name`},
		"bad apiVersion":  {"apiVersion: a/b/c\nkind: A\nmetadata: {name: a}\n", `f:1: apiVersion "a/b/c" is neither a version nor group/version`},
		"no metadata":     {"apiVersion: v1\nkind: A\n", "f:1: no metadata.name: metadata is missing"},
		"no name":         {"apiVersion: v1\nkind: A\nmetadata:\n  labels: {}\n", "f:3: no metadata.name"},
		"null name":       {"apiVersion: v1\nkind: A\nmetadata:\n  name:\n", "f:4: name has to be text, it is null"},
		"generateName":    {"apiVersion: v1\nkind: A\nmetadata:\n  generateName: a-\n", "f:4: generateName makes a new object at every apply"},
		"dots":            {"apiVersion: v1\nkind: A\nmetadata:\n  name: ../../x\n", `f:4: metadata.name "../../x" is not a lower-case DNS name`},
		"RBAC slash":      {"apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: a/b\n", `f:4: metadata.name "a/b" cannot be part of a URL`},
		"long":            {"apiVersion: v1\nkind: A\nmetadata:\n  name: " + strings.Repeat("a", 254) + "\n", "f:4: metadata.name has 254 characters, 253 are allowed"},
		"namespace":       {"apiVersion: v1\nkind: A\nmetadata:\n  name: a\n  namespace: ../x\n", `f:5: namespace "../x" is not a DNS label`},
		"annotation":      {configMap + "  annotations:\n    a: 1\n", `f:6: metadata.annotations: the value of "a" has to be text, it is a number`},
		"data":            {configMap + "data:\n  v: 1.10\n", `f:6: data: the value of "v" has to be text, it is a number`},
		"local config":    {configMap + "  annotations:\n    config.kubernetes.io/local-config: \"true\"\n", `f:6: annotation "config.kubernetes.io/local-config" keeps the object from every cluster that kustomize applies to`},
		"kustomize index": {configMap + "  annotations:\n    config.kubernetes.io/index: \"0\"\n", `f:6: annotation "config.kubernetes.io/index" belongs to kustomize's own bookkeeping`},
		"kustomize id":    {configMap + "  annotations:\n    config.k8s.io/id: \"0\"\n", `f:6: annotation "config.k8s.io/id" belongs to kustomize's own bookkeeping`},
		"kustomize path":  {configMap + "  annotations:\n    config.kubernetes.io/path: a\n", `f:6: annotation "config.kubernetes.io/path" belongs to kustomize's own bookkeeping`},
		"internal":        {configMap + "  annotations:\n    internal.config.kubernetes.io/x: a\n", `f:6: annotation "internal.config.kubernetes.io/x" belongs to kustomize's own bookkeeping`},
		"empty List":      {"apiVersion: v1\nkind: List\nitems: []\n", "f:3: List without items"},
		"junk in List":    {"apiVersion: v1\nkind: List\nitems:\n- null\n- 1\n", "f:4: a Kubernetes object is a mapping, this is null\nf:5: a Kubernetes object is a mapping, this is a number"},
		"two at once":     {"kind: A\nmetadata: {name: a}\n---\napiVersion: v1\nmetadata: {name: b}\n", "f:1: no apiVersion\nf:4: no kind"},
		"metadata a list": {"apiVersion: v1\nkind: A\nmetadata:\n- a\n", "f:4: no metadata.name: metadata is a list"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("f", []byte(tc.in))
			if err == nil {
				t.Fatal("accepted")
			}
			if err.Error() != tc.want {
				t.Errorf("got  %s\nwant %s", err, tc.want)
			}
		})
	}
}

func TestParseAndEncode(t *testing.T) {
	in := "\xef\xbb\xbf" + strings.ReplaceAll(`# comment
apiVersion: v1
kind: ConfigMap
metadata: {name: app}
x-anchors: &a
  b: one
data:
  <<: *a
  script: |
    --- inside
    two
  on: "yes"
  time: "12:30:45"
  octal: "0o777"
  empty: ""
--- # comment
apiVersion: v1
kind: List
items:
- {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n", "namespace": "x"}}
- apiVersion: example.com/v1
  kind: Widget
  metadata: {name: w, namespace: shop}
  spec: {mode: 0644, ratio: 1.0, big: 9007199254740993, yes: yes, a10: 1, a9: 2, none: ~, list: [], map: {}, date: 2024-02-29}
`, "\n", "\r\n")
	set, err := Parse("f.yaml", []byte(in))
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, o := range set {
		b, err := Encode(o)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "# %s at %s, document %d\n%s", o.ID, o.Origin, o.Origin.Doc, b)
	}
	want := `# ConfigMap app at f.yaml:2, document 0
apiVersion: v1
data:
  b: one
  empty: ""
  octal: "0o777"
  "on": "yes"
  script: |
    --- inside
    two
  time: "12:30:45"
kind: ConfigMap
metadata:
  name: app
x-anchors:
  b: one
# Namespace n at f.yaml:20, document 1
apiVersion: v1
kind: Namespace
metadata:
  name: "n"
  namespace: x
# Widget.example.com shop/w at f.yaml:21, document 1
apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
  namespace: shop
spec:
  a9: 2
  a10: 1
  big: 9007199254740993
  date: "2024-02-29"
  list: []
  map: {}
  mode: 420
  none: null
  ratio: 1
  "yes": true
`
	if d := cmp.Diff(want, got.String()); d != "" {
		t.Error(d)
	}
}

// What an object means is what kubectl, which reads YAML through
// sigs.k8s.io/yaml, would have sent.
func TestScalarsMeanWhatKubectlSends(t *testing.T) {
	texts := strings.Fields(`no No NO off n N yes y on true True TRUE ~ null Null 0777 0o777 0x1F 0b11 1_000 1e3 1E3 1.10 1.0 .5 5. -0
		+1 -1 12:30:45 190:20:30 2024-02-29 2024-02-29T10:00:00Z 08 09.5 9007199254740993 18446744073709551615 1e400x "1" '1' !!str:1 0.1 3.14159265358979 1e-7 1e19 2e19 1e20 1e21 -1e19 123456789012345678901.5 <a =b a=b 100m 1Gi`)
	for _, text := range texts {
		text = strings.ReplaceAll(text, "!!str:", "!!str ")
		in := []byte("v: " + text + "\n")
		want, err := kubectl.YAMLToJSON(in)
		if err != nil {
			t.Fatal(text, err)
		}
		docs, err := Documents("f", in)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		out, err := EncodeNode(docs[0].Node)
		if err != nil {
			t.Fatal(err)
		}
		for reader, got := range readers(t, out) {
			if got != string(want) {
				t.Errorf("%s: %s reads %s as %s, kubectl would send %s", text, reader, bytes.TrimSpace(out), got, want)
			}
		}
	}
}

// readers gives a document as JSON as three YAML readers take it.
func readers(t *testing.T, in []byte) map[string]string {
	t.Helper()
	out := map[string]string{}
	j, err := kubectl.YAMLToJSON(in)
	if err != nil {
		t.Fatalf("%v in\n%s", err, in)
	}
	out["sigs.k8s.io/yaml"] = string(j)
	var v3 any
	if err := yaml.Unmarshal(in, &v3); err != nil {
		t.Fatalf("%v in\n%s", err, in)
	}
	if j, err = json.Marshal(v3); err != nil {
		t.Fatalf("%v in\n%s", err, in)
	}
	out["yaml.v3"] = compact(t, j)
	out["sigs.k8s.io/yaml"] = compact(t, []byte(out["sigs.k8s.io/yaml"]))
	return out
}

func compact(t *testing.T, in []byte) string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(in))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	j, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(j)
}

// Any text that a manifest can hold comes back the same, from every reader,
// and encoding is a fixed point.
func TestEncodeKeepsText(t *testing.T) {
	pieces := []string{"a", " ", "\n", "\t", ":", "#", "- ", "'", "\"", "\\", "|", "%", "@", "`", "é", "\u202e", "\u200b", "😀", "---", "...", "0", "1e3", "=", "<<", "{", "[", "&", "*", "!", "?", ",", "\x00", "\u0085", "\u2028", "\ufeff", strings.Repeat("long ", 30)}
	rng := rand.New(rand.NewSource(1))
	for range 20000 {
		var s string
		for range rng.Intn(6) {
			s += pieces[rng.Intn(len(pieces))]
		}
		str := func(v string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: tagString, Value: v} }
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{
			str("list"),
			{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{str(s)}},
			str("k" + s), str(s),
		}}
		out, err := EncodeNode(n)
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(map[string]any{"list": []string{s}, "k" + s: s})
		if err != nil {
			t.Fatal(err)
		}
		for reader, got := range readers(t, out) {
			if got != compact(t, want) {
				t.Fatalf("%s reads\n%s\nas %s, want %s", reader, out, got, want)
			}
		}
		docs, err := Documents("f", out)
		if err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		again, err := EncodeNode(docs[0].Node)
		if err != nil || !bytes.Equal(out, again) {
			t.Fatalf("encoded twice: %v\n%s\n%s", err, out, again)
		}
	}
}

func TestKeyOrder(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	alphabet := []rune("ab019.-_Zé")
	word := func() string {
		w := make([]rune, 1+rng.Intn(4))
		for i := range w {
			w[i] = alphabet[rng.Intn(len(alphabet))]
		}
		return string(w)
	}
	for range 200000 {
		a, b, c := word(), word(), word()
		if keyLess(a, b) && keyLess(b, c) && !keyLess(a, c) {
			t.Fatalf("not transitive: %q < %q < %q", a, b, c)
		}
		if a != b && keyLess(a, b) == keyLess(b, a) {
			t.Fatalf("no order between %q and %q", a, b)
		}
	}
	// The encoder that kustomize prints with, on keys as they are met.
	keys := map[string]int{}
	for i, k := range strings.Fields("apiVersion kind metadata spec a1 a2 a10 a01 a-b a.b a/b ab aB Ab app.kubernetes.io/name app 10-foo 9-foo 100 20 file.txt _x .x") {
		keys[k] = i
	}
	printed, err := yaml2.Marshal(keys)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, line := range strings.Split(strings.TrimSpace(string(printed)), "\n") {
		key, _, _ := strings.Cut(line, ": ")
		order = append(order, strings.Trim(key, `"`))
	}
	mine := append([]string(nil), order...)
	sort.Slice(mine, func(i, j int) bool { return keyLess(mine[i], mine[j]) })
	if d := cmp.Diff(order, mine); d != "" {
		t.Error(d)
	}
}

func TestPortable(t *testing.T) {
	_, err := PortableDocuments("f", []byte("a: no\nb: 'no'\nc: 2024-02-29\nd: 10\n"))
	want := "f:1: kubectl and kustomize read no differently\nf:3: kubectl and kustomize read 2024-02-29 differently"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestSopsIsNotRewritten(t *testing.T) {
	in := "kind: Secret\napiVersion: v1\nmetadata: {name: s}\ndata: {b: \"ENC[x]\", a: \"ENC[y]\"}\nsops: {mac: \"ENC[z]\"}\n"
	set, err := Parse("f", []byte("---\n"+in))
	if err != nil {
		t.Fatal(err)
	}
	out, err := Encode(set[0])
	if err != nil || string(out) != in {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestDuplicates(t *testing.T) {
	a, err := Parse("a.yaml", []byte("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Parse("b.yaml", []byte("apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: a}\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := Duplicates(a, b).Error()
	if want := "b.yaml:1: Deployment a is already defined in a.yaml:1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
