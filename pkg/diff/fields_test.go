package diff

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

func node(t *testing.T, text string) *yaml.Node {
	t.Helper()
	docs, err := manifest.Documents("test.yaml", []byte(text))
	if err != nil || len(docs) != 1 {
		t.Fatalf("%d documents, %v in\n%s", len(docs), err, text)
	}
	return docs[0].Node
}

// say writes fields as people read them, one a line.
func say(all []Field) string {
	var b strings.Builder
	for _, f := range all {
		fmt.Fprintf(&b, "%s %s", f.Op.mark(), f.Path)
		for _, v := range []*Value{f.Before, f.After} {
			if v != nil {
				b.WriteString(" " + v.Inline())
			}
		}
		if f.NoEffect {
			b.WriteString(" (no effect)")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestFields(t *testing.T) {
	for name, c := range map[string]struct{ before, after, want string }{
		"equal in another order of keys":  {"{a: 1, b: {c: 2, d: 3}}", "{b: {d: 3, c: 2}, a: 1}", ""},
		"a scalar":                        {"{spec: {replicas: 2}}", "{spec: {replicas: 3}}", "~ spec.replicas 2 3\n"},
		"another type":                    {"{a: 1}", `{a: "1"}`, "~ a 1 \"1\"\n"},
		"to a mapping":                    {"{a: 1}", "{a: {b: 1}}", "~ a 1 {\"b\":1}\n"},
		"came and went":                   {"{a: 1}", "{b: {c: [1]}}", "- a 1\n+ b {\"c\":[1]}\n"},
		"keys that need quotes":           {`{a: {"x/y.z": 1}}`, `{a: {"x/y.z": 2}}`, "~ a[\"x/y.z\"] 1 2\n"},
		"a key that needs quotes, on top": {`{"x.y": 1}`, `{"x.y": 2}`, "~ [\"x.y\"] 1 2\n"},
		"labels one by one":               {"{metadata: {}}", "{metadata: {labels: {a: x, b: z}}}", "+ metadata.labels.a x\n+ metadata.labels.b z\n"},
		"no labels":                       {"{}", "{labels: {}}", "+ labels {}\n"},
		"containers by name": {
			"{containers: [{name: a, image: x}, {name: b, image: w}]}", "{containers: [{name: b, image: z}, {name: a, image: x}]}",
			"~ containers[name=b].image w z\n~ containers [\"name=a\",\"name=b\"] [\"name=b\",\"name=a\"] (no effect)\n",
		},
		"init containers run in order": {
			"{initContainers: [{name: a}, {name: b}]}", "{initContainers: [{name: b}, {name: a}]}",
			"~ initContainers [\"name=a\",\"name=b\"] [\"name=b\",\"name=a\"]\n",
		},
		"one between": {"{env: [{name: a}, {name: c}]}", "{env: [{name: a}, {name: b}, {name: c}]}", "+ env[name=b] {\"name\":\"b\"}\n"},
		"env without references": {
			"{env: [{name: a, value: x}, {name: b, value: y}]}", "{env: [{name: b, value: y}, {name: a, value: x}]}",
			"~ env [\"name=a\",\"name=b\"] [\"name=b\",\"name=a\"] (no effect)\n",
		},
		"env that refers": {
			"{env: [{name: a, value: x}, {name: b, value: $(a)}]}", "{env: [{name: b, value: $(a)}, {name: a, value: x}]}",
			"~ env [\"name=a\",\"name=b\"] [\"name=b\",\"name=a\"]\n",
		},
		"a new list of named items": {"{}", "{containers: [{name: a}, {name: b}]}", "+ containers[name=a] {\"name\":\"a\"}\n+ containers[name=b] {\"name\":\"b\"}\n"},
		"an env twice":              {"{env: [{name: a, value: x}, {name: a, value: w}]}", "{env: [{name: a, value: x}, {name: a, value: z}]}", "~ env[1].value w z\n"},
		"container ports":           {"{ports: [{containerPort: 80}]}", "{ports: [{containerPort: 80, protocol: UDP}, {containerPort: 80, name: x}]}", "+ ports[containerPort=80].name x\n+ ports[containerPort=80,protocol=UDP] {\"containerPort\":80,\"protocol\":\"UDP\"}\n"},
		"service ports":             {"{ports: [{port: 80, targetPort: 1}]}", "{ports: [{port: 80, targetPort: 2}]}", "~ ports[port=80].targetPort 1 2\n"},
		"mounts":                    {"{volumeMounts: [{name: a, mountPath: /x}]}", "{volumeMounts: [{name: a, mountPath: /y}]}", "- volumeMounts[mountPath=/x] {\"name\":\"a\",\"mountPath\":\"/x\"}\n+ volumeMounts[mountPath=/y] {\"name\":\"a\",\"mountPath\":\"/y\"}\n"},
		"claim templates":           {"{volumeClaimTemplates: [{metadata: {name: a}, spec: 1}]}", "{volumeClaimTemplates: [{metadata: {name: a}, spec: 2}]}", "~ volumeClaimTemplates[metadata.name=a].spec 1 2\n"},
		"subjects": {
			"{subjects: [{kind: User, name: a b}]}", "{subjects: [{kind: User, name: 'a]b'}]}",
			"- subjects[kind=User,name=\"a b\"] {\"kind\":\"User\",\"name\":\"a b\"}\n+ subjects[kind=User,name=\"a]b\"] {\"kind\":\"User\",\"name\":\"a]b\"}\n",
		},
		"arguments, one between":  {"{args: [a, b, c]}", "{args: [a, x, b, c]}", "+ args[1] x\n"},
		"arguments, one gone":     {"{args: [a, b, c]}", "{args: [a, c]}", "- args[1] b\n"},
		"arguments, one changed":  {"{args: [a, b, c]}", "{args: [a, x, c]}", "~ args[1] b x\n"},
		"rules without a name":    {"{rules: [{verbs: [get]}, {verbs: [list]}]}", "{rules: [{verbs: [get]}, {verbs: [list, watch]}]}", "+ rules[1].verbs[1] watch\n"},
		"a list of a custom kind": {"{steps: [{name: a, run: x}]}", "{steps: [{name: a, run: z}]}", "~ steps[name=a].run x z\n"},
		"null is not absent":      {"{}", "{a: null}", "+ a null\n"},
	} {
		got := say(fields(node(t, c.before), node(t, c.after)))
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: -want +got\n%s", name, d)
		}
	}
}

// Lists that are too long to align are compared place by place: all of it is
// still there.
func TestLongLists(t *testing.T) {
	list := func(from, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, ", a%d", from+i)
		}
		return "{args: [" + b.String()[2:] + "]}"
	}
	for n, want := range map[int]int{1000: 1, 2000: 2001} {
		if got := fields(node(t, list(1, n)), node(t, list(0, n+1))); len(got) != want {
			t.Errorf("one more before %d items: %d changes, want %d", n, len(got), want)
		}
	}
}

// No two changes of one object have the same path and op: a path says which
// field it is.
func TestPathsAreUnique(t *testing.T) {
	for _, c := range [][2]string{
		{"{a: [1, 2, 3], ports: [{port: 1}]}", "{a: [3, 4, 5, 6], ports: [{port: 1, protocol: UDP}, {port: 2}]}"},
		{`{a: {b.c: 1}, "a.b": {c: 1}}`, `{a: {b.c: 2}, "a.b": {c: 2}}`},
		{`{"a[b]": 1, a: {b: 1}}`, `{"a[b]": 2, a: {b: 2}}`},
	} {
		seen := map[string]bool{}
		for _, f := range fields(node(t, c[0]), node(t, c[1])) {
			k := string(f.Op) + f.Path
			if seen[k] {
				t.Errorf("%s twice", k)
			}
			seen[k] = true
		}
	}
}

func TestLastPart(t *testing.T) {
	for path, want := range map[string][2]string{
		"spec.replicas": {"spec", ".replicas"}, "data": {"", "data"}, `metadata.annotations["a.b/c]d"]`: {"metadata.annotations", `["a.b/c]d"]`},
		"spec.containers[name=a.b]": {"spec.containers", "[name=a.b]"}, "args[1]": {"args", "[1]"},
	} {
		if head, last := lastPart(path); head+"|"+last != want[0]+"|"+want[1] {
			t.Errorf("%s: %q, %q", path, head, last)
		}
	}
}

func TestLines(t *testing.T) {
	got, err := Lines("a\nb\nc\nd\ne\nf\ng\nh\n", "a\nb\nc\nd\ne\nF\ng\nh\ni\n")
	if err != nil {
		t.Fatal(err)
	}
	want := Text{Added: 2, Removed: 1, Hunks: []Hunk{{Before: 3, After: 3, Lines: []string{" c", " d", " e", "-f", "+F", " g", " h", "+i"}}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if h := got.Hunks[0].header(); h != "@@ -3,6 +3,7 @@" {
		t.Error(h)
	}
	large := strings.Repeat("x\n", maxText/2+1)
	if got, err = Lines(large, ""); err != nil || got.Omitted == "" || got.Removed != maxText/2+1 || len(got.Hunks) != 0 {
		t.Errorf("%q, %d removed, %v", got.Omitted, got.Removed, err)
	}
}

// Two texts of many lines with nothing in common must not take long, nor much
// memory.
func TestLinesInBounds(t *testing.T) {
	var a, b strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&a, "a%d\n", i)
		fmt.Fprintf(&b, "b%d\n", i)
	}
	got, err := Lines(a.String(), b.String())
	if err != nil || got.Added != 20000 || got.Removed != 20000 {
		t.Errorf("%d added, %d removed, %v", got.Added, got.Removed, err)
	}
}

func TestDiffering(t *testing.T) {
	for _, c := range [][3]string{
		{"abc", "axc", "b"}, {"aa", "aaa", ""}, {"aaa", "aa", "a"}, {"x", "y", "x"}, {"", "y", ""}, {"é", "è", "é"}, {"aéb", "aèb", "é"},
	} {
		if from, to := differing(c[0], c[1]); c[0][from:to] != c[2] {
			t.Errorf("%q against %q: %q", c[0], c[1], c[0][from:to])
		}
	}
}
