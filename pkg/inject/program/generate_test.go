package program

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

var here = manifest.Origin{Entry: "exec", File: "sluice.yaml", Line: 7}

func TestGenerate(t *testing.T) {
	p := load(t, "generator")
	const arg = "Deployment/mesh/web:spec.template.spec.containers[0].args[1]"
	for _, tt := range []struct {
		name      string
		args      []string
		files     map[string][]byte
		overrides []Override
		want      string // args[1] of the deployment
	}{
		{"stable", []string{"stable"}, nil, nil, "--id=1"},
		{"file", []string{"file", "in/id"}, map[string][]byte{"in/id": []byte("f")}, nil, "--id=f"},
		{"comment", []string{"comment"}, nil, nil, "--id=1"},
		{"stable, overridden", []string{"stable"}, nil, []Override{{arg, "--id=o"}}, "--id=o"},
		{"uuid, overridden", []string{"uuid"}, nil, []Override{{arg, "--id=o"}}, "--id=o"},
		{"secret, overridden", []string{"secret"}, nil, []Override{{"Secret/mesh/keys:data.note", "eA=="}}, "--id=1"},
	} {
		out, err := Generate(context.Background(), p, tt.args, tt.files, tt.overrides, here)
		if err != nil {
			t.Error(tt.name, err)
			continue
		}
		o := out[0]
		if got := manifest.Field(o.Node, "spec", "template", "spec", "containers").Content[0]; manifest.Field(got, "args").Content[1].Value != tt.want {
			t.Errorf("%s:\n%s", tt.name, encoded(t, out))
		}
		at := o.Origin
		at.Doc = here.Doc
		if at != here || o.Node.Line != 0 {
			t.Errorf("%s: %+v, line %d", tt.name, o.Origin, o.Node.Line)
		}
	}
}

func TestGenerateRefuses(t *testing.T) {
	p := load(t, "generator")
	const id = `"[A-Z2-7]{26}"`
	for _, tt := range []struct {
		mode      string
		overrides []Override
		want      string // pattern of the first finding
		hint      string
	}{
		{
			"uuid", nil,
			`generator does not print the same twice: Deployment mesh/web spec\.template\.spec\.containers\[0\]\.args\[1\] is "--id=[A-Z2-7]{26}", then "--id=[A-Z2-7]{26}"`,
			"give the field one value: `pin: {\"Deployment/mesh/web:spec.template.spec.containers[0].args[1]\": VALUE}`",
		},
		{
			"secret", nil,
			`generator does not print the same twice: Secret mesh/keys data\.note differs; values of Secrets are not shown`,
			"give the field one value: `pin: {\"Secret/mesh/keys:data.note\": VALUE}`",
		},
		{"text", nil, `what generator printed: control character U\+001B`, ""},
		{"lines", nil, `generator does not print the same twice: ConfigMap mesh/notes data\.note is ` + id + `, then ` + id, "give the field one value: `pin: {\"ConfigMap/mesh/notes:data.note\": VALUE}`"},
		{"name", nil, `generator does not print the same twice: ConfigMap mesh/notes-[0-9a-f]+ comes in one of two runs only`, ""},
		{"stable", []Override{{"Deployment/mesh/api:spec.replicas", "1"}}, `pin "Deployment/mesh/api:spec\.replicas" matches nothing: no such object is printed`, ""},
		{"stable", []Override{{"Deployment/web:spec.replicas", "1"}}, `pin "Deployment/web:spec\.replicas" matches nothing: no such object is printed`, ""},
		{"stable", []Override{{"Deployment/mesh/web:spec.paused", "true"}}, `pin ".*" matches nothing: the object has no such field`, ""},
		{"stable", []Override{{"Deployment/mesh/web:spec.template.spec.containers[1].args[1]", "x"}}, `pin ".*" matches nothing: the object has no such field`, ""},
		{"stable", []Override{{"Deployment/mesh/web:spec.replicas", "many"}}, `pin ".*" is given a value that does not fit: the field is a number`, ""},
		{"stable", []Override{{"Deployment/mesh/web:spec.template", "x"}}, `pin ".*" is given a value that does not fit: the field is a map`, ""},
		{"stable", []Override{{"Deployment/mesh/web:metadata.name", "x"}}, `pin ".*" would make another object`, ""},
		{"stable", []Override{{"spec.replicas", "1"}}, `pin "spec\.replicas" does not read Kind/namespace/name:field`, ""},
	} {
		out, err := Generate(context.Background(), p, []string{tt.mode}, nil, tt.overrides, here)
		var list finding.List
		if !errors.As(err, &list) || out != nil {
			t.Errorf("%s: %v", tt.mode, err)
			continue
		}
		f := list[0]
		if !regexp.MustCompile("(?s)^(line [0-9]+ of )?"+tt.want).MatchString(f.Text) || f.Hint != tt.hint || f.File != "sluice.yaml" || f.Line != 7 {
			t.Errorf("%s: %#v", tt.mode, f)
		}
		if strings.Contains(err.Error(), "c2VjcmV0") {
			t.Errorf("%s: a secret is shown: %v", tt.mode, err)
		}
	}
	_, err := Generate(context.Background(), p, []string{"many"}, nil, nil, here)
	if lines := strings.Split(err.Error(), "\n"); len(lines) != maxFields+1 || !strings.HasSuffix(lines[maxFields], "and 5 more fields") {
		t.Error(err)
	}
	var failed *RunError
	if _, err := Generate(context.Background(), load(t, "rogue"), []string{"nothing"}, nil, nil, here); !errors.As(err, &failed) || failed.Reason != "no output" {
		t.Error(err)
	}
}

// TestGenerateOrder asks a program that draws the order of its objects until
// both orders came in one go.
func TestGenerateOrder(t *testing.T) {
	p := load(t, "generator")
	for range 64 {
		_, err := Generate(context.Background(), p, []string{"order"}, nil, nil, here)
		if err != nil {
			if !strings.HasSuffix(err.Error(), "its objects come in another order") {
				t.Error(err)
			}
			return
		}
	}
	t.Error("another order was never seen")
}

func TestOverridePath(t *testing.T) {
	for path, want := range map[string]target{
		"Deployment/linkerd/web:spec.template.spec.containers[0].args[3]": {kind: "Deployment", namespace: "linkerd", name: "web", steps: []step{
			{key: "spec"}, {key: "template"}, {key: "spec"}, {key: "containers"}, {index: 0, list: true}, {key: "args"}, {index: 3, list: true},
		}},
		"ClusterRole/system:mesh:view:rules[0]":                {kind: "ClusterRole", name: "system:mesh:view", steps: []step{{key: "rules"}, {index: 0, list: true}}},
		`Widget.example.com/w:metadata.annotations["a.b/c:d"]`: {kind: "Widget", group: "example.com", name: "w", steps: []step{{key: "metadata"}, {key: "annotations"}, {key: "a.b/c:d"}}},
		`ConfigMap/n/c:data["a\"]b"].x`:                        {kind: "ConfigMap", namespace: "n", name: "c", steps: []step{{key: "data"}, {key: `a"]b`}, {key: "x"}}},
	} {
		got, err := Override{Path: path}.parse()
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(target{}, step{})); diff != "" {
			t.Error(path, diff)
		}
	}
	for _, path := range []string{
		"", ":", "a/b", "a/b:", "a:b", "/b:c", "a//b:c", "a/b/c/d:e", "a/b:.c", "a/b:c.", "a/b:c..d", "a/b:c[x]", "a/b:c[-1]",
		"a/b:c[1]d", "a/b:c.[1]", `a/b:c["x]`, "a/b:c d",
	} {
		if err := (Override{Path: path}).Check(); err == nil {
			t.Errorf("%q was read", path)
		}
	}
}

// TestPathRoundTrip reads back each path that a hint may show.
func TestPathRoundTrip(t *testing.T) {
	objects := parsed(t, "a.yaml", `apiVersion: example.com/v1
kind: Widget
metadata: {name: w, namespace: ns, annotations: {a.b/c: x, "q\"]:": x}}
list: [[1, {k: 2}], 3]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "system:a:b"}
rules: [{verbs: [get]}]
`)
	seen := 0
	for _, o := range objects {
		walk("", o.Node, func(path string, n *yaml.Node) {
			seen++
			target, err := Override{Path: pathOf(o, path)}.parse()
			if err != nil || !target.is(o) || target.find(o.Node) != n {
				t.Errorf("%s: %+v, %v", pathOf(o, path), target, err)
			}
		})
	}
	if seen < 20 {
		t.Errorf("only %d fields", seen)
	}
}

// walk calls f for every field below n, with the path that differences gives it.
func walk(path string, n *yaml.Node, f func(string, *yaml.Node)) {
	for i, c := range n.Content {
		switch {
		case n.Kind == yaml.SequenceNode:
			f(joinIndex(path, i), c)
			walk(joinIndex(path, i), c, f)
		case i%2 == 1:
			at := joinKey(path, n.Content[i-1].Value)
			f(at, c)
			walk(at, c, f)
		}
	}
}

func TestShownLineIsBounded(t *testing.T) {
	long := strings.Repeat("ä", 500)
	a, b := firstDifference("same\n"+long+"\x1bX"+long, "same\n"+long+"\x1bY"+long)
	if len(a) > 2*maxLine+20 || a == b || strings.ContainsAny(a, "\x1b") || !strings.Contains(a, "X") || !strings.Contains(b, "Y") {
		t.Errorf("%s\n%s", a, b)
	}
}

func TestSignedHasToBeTheSame(t *testing.T) {
	const text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b}\nsops: {mac: x}\n"
	a, b := parsed(t, "a", text), parsed(t, "b", "# other\n"+text)
	if err := sameTwice(load(t, "generator"), a, b, here); err == nil || !strings.Contains(err.Error(), "signed by SOPS") {
		t.Error(err)
	}
	if err := sameTwice(load(t, "generator"), a, a, here); err != nil {
		t.Error(err)
	}
}

func TestOverrideIsUnambiguous(t *testing.T) {
	const object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b}\n"
	for want, text := range map[string]string{
		"matches more than one object":                  object + "---\n" + object,
		"matches an object that SOPS has signed":        object + "sops: {mac: x}\n",
		"matches nothing: the object has no such field": strings.Replace(object, "a: b", "b: a", 1),
	} {
		if got := (Override{"ConfigMap/c:data.a", "x"}).apply(parsed(t, "a", text)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
