package program

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

const shop = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: app, image: "web:1"}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  ports: [{port: 80}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: shop}
spec:
  schedule: "0 1 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
          - {name: app, image: "job:1", resources: {}}
---
apiVersion: v1
kind: Pod
metadata: {name: debug, namespace: shop}
spec:
  containers:
  - {name: app, image: "debug:1"}
---
apiVersion: v1
kind: Secret
metadata: {name: key, namespace: shop}
stringData: {key: sesame}
`

func workloads(o *manifest.Object) bool { return o.ID.Kind != "Service" && o.ID.Kind != "Secret" }

func kind(k string) func(*manifest.Object) bool {
	return func(o *manifest.Object) bool { return o.ID.Kind == k }
}

func TestInject(t *testing.T) {
	p := load(t, "injector")
	in := parsed(t, "shop.yaml", shop)
	before := encoded(t, in)
	for _, mode := range []string{"plain", "reversed", "noise"} {
		out, err := Inject(context.Background(), p, []string{mode}, nil, in, workloads)
		if err != nil {
			t.Fatal(mode, err)
		}
		want := parsed(t, "want.yaml", shop)
		for _, i := range []int{0, 2, 3} {
			addProxy(t, want[i])
		}
		if diff := cmp.Diff(encoded(t, want), encoded(t, out)); diff != "" {
			t.Error(mode, diff)
		}
		for i, o := range out {
			if o.Origin != in[i].Origin || o.ID != in[i].ID {
				t.Errorf("%s: %s is at %s", mode, o.ID, o.Origin)
			}
			var recorded []manifest.Injection
			if workloads(o) {
				recorded = []manifest.Injection{{Injector: "injector", Version: "v1.2.3"}}
			} else if o != in[i] {
				t.Errorf("%s: %s was not selected", mode, o.ID)
			}
			if diff := cmp.Diff(recorded, o.Injected); diff != "" {
				t.Error(mode, o.ID, diff)
			}
		}
		if encoded(t, in) != before {
			t.Fatalf("%s: the input changed", mode)
		}
		again, err := Inject(context.Background(), p, []string{mode}, nil, out, workloads)
		if err != nil {
			t.Fatal(mode, err)
		}
		if encoded(t, again) != encoded(t, out) || len(again[0].Injected) != 1 {
			t.Errorf("%s: injecting twice is not injecting once", mode)
		}
	}
}

// addProxy does to an object what the injector does.
func addProxy(t *testing.T, o *manifest.Object) {
	t.Helper()
	spec := manifest.Field(o.Node, podFields(o)...)
	if o.ID.Kind == "CronJob" {
		spec = manifest.Field(spec, "spec", "template")
	}
	if o.ID.Kind != "Pod" {
		spec = manifest.Field(spec, "spec")
	}
	list := manifest.Field(spec, "containers")
	list.Content = append(list.Content, node(t, "{name: proxy, image: 'proxy:1'}"))
	set(spec, []string{"volumes"}, node(t, "[{name: identity, emptyDir: {}}]"))
}

func node(t *testing.T, text string) *yaml.Node {
	t.Helper()
	docs, err := manifest.Documents("", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return docs[0].Node
}

func TestInjectAnnotation(t *testing.T) {
	in := parsed(t, "shop.yaml", shop)
	out, err := Inject(context.Background(), load(t, "injector"), []string{"annotate"}, nil, in, func(o *manifest.Object) bool { return o.ID.Kind == "Deployment" || o.ID.Kind == "Service" })
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range out[:2] {
		if manifest.Field(o.Node, "metadata", "annotations", "mesh.example/inject") == nil {
			t.Errorf("%s has no annotation", o.ID)
		}
	}
	if line := manifest.Field(out[0].Node, "spec", "replicas").Line; line == 0 {
		t.Error("lines of the source are lost")
	}
}

func TestInjectNothingSelected(t *testing.T) {
	in := parsed(t, "shop.yaml", shop)
	out, err := Inject(context.Background(), nil, nil, nil, in, func(*manifest.Object) bool { return false })
	if err != nil || encoded(t, out) != encoded(t, in) {
		t.Error(err)
	}
}

func TestInjectRefuses(t *testing.T) {
	p := load(t, "injector")
	for _, tt := range []struct {
		mode     string
		selected func(*manifest.Object) bool
		want     string // "file:line: text", a line each
	}{
		{"drop", workloads, "shop.yaml:1: injector was given Deployment shop/web and did not print it"},
		{"rename", kind("Deployment"), "injector printed Deployment shop/web-injected, which it was not given\n" +
			"shop.yaml:1: injector was given Deployment shop/web and did not print it"},
		{"twice", kind("Pod"), "shop.yaml:32: injector printed Pod shop/debug twice"},
		{"add", kind("Pod"), "injector printed ConfigMap extra, which it was not given"},
		{"nothing", workloads, "shop.yaml:1: Deployment shop/web: injector left it as it was, without a proxy\n" +
			"shop.yaml:19: CronJob shop/nightly: injector left it as it was, without a proxy\n" +
			"shop.yaml:32: Pod shop/debug: injector left it as it was, without a proxy"},
		{"replicas", kind("Deployment"), "shop.yaml:1: Deployment shop/web: injector changed spec.replicas, which is not an injector's to change"},
		{"replicas", kind("CronJob"), "shop.yaml:19: CronJob shop/nightly: injector changed spec.replicas, which is not an injector's to change"},
		{"finalizer", kind("Pod"), "shop.yaml:32: Pod shop/debug: injector changed metadata.finalizers, which is not an injector's to change"},
		{"version", kind("Deployment"), "shop.yaml:1: Deployment shop/web: injector changed apiVersion, which is not an injector's to change"},
		{"service", kind("Service"), "shop.yaml:13: Service shop/web: injector changed spec.ports[0].port, which is not an injector's to change"},
		{"plain", kind("Service"), "shop.yaml:13: Service shop/web: injector left it as it was, without a proxy"},
		{"lose", kind("Deployment"), `shop.yaml:1: Deployment shop/web: injector left out the container "app"`},
		{"plain", kind("Secret"), "shop.yaml:39: Secret shop/key is not given to injector: it may hold secrets"},
	} {
		in := parsed(t, "shop.yaml", shop)
		out, err := Inject(context.Background(), p, []string{tt.mode}, nil, in, tt.selected)
		var list finding.List
		if !errors.As(err, &list) || out != nil {
			t.Errorf("%s: %v", tt.mode, err)
			continue
		}
		if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
			t.Error(tt.mode, diff)
		}
	}
}

// An injector whose output differs from run to run would make every render
// another one. Text that means the same is the same.
func TestInjectPrintsTheSame(t *testing.T) {
	in := parsed(t, "shop.yaml", shop)[:1]
	printing := func(extra string) *Program {
		sed := `/usr/bin/sed "s/^      containers:/      nodeSelector: {run: '$run'}\n      containers:/"`
		return loadBytes(t, "shaky", []byte("#!/bin/sh\nread uuid < /proc/sys/kernel/random/uuid\n"+extra+"\n"+sed+"\n"))
	}
	_, err := Inject(context.Background(), printing("run=$uuid"), nil, nil, in, workloads)
	var list finding.List
	if !errors.As(err, &list) || len(list) != 1 ||
		!strings.HasPrefix(list[0].Text, "shaky does not print the same twice: Deployment shop/web spec.template.spec.nodeSelector.run is ") ||
		list[0].Hint != "give the program arguments that make its output always the same" {
		t.Errorf("%q", err)
	}
	if _, err := Inject(context.Background(), printing(`run=one; echo "# $uuid"`), nil, nil, in, workloads); err != nil {
		t.Errorf("a comment: %v", err)
	}
}

// TestInjectCutOff cuts the injector's output off after every line: whatever
// is left, no container of the source gets lost.
func TestInjectCutOff(t *testing.T) {
	in := parsed(t, "shop.yaml", shop)[:1]
	full := encoded(t, in) + "      volumes: []\n"
	full = strings.Replace(full, "      - image: web:1\n        name: app\n", "      - image: proxy:1\n        name: proxy\n      - image: web:1\n        name: app\n", 1)
	lines := strings.SplitAfter(full, "\n")
	for n := range lines {
		script := "#!/bin/sh\ncat <<'END'\n" + strings.Join(lines[:n], "") + "END\n"
		out, err := Inject(context.Background(), loadBytes(t, "cut", []byte(script)), nil, nil, in, workloads)
		if err == nil && len(containers(out[0])) != 2 {
			t.Errorf("accepted after %d lines:\n%s", n, encoded(t, out))
		}
		if n >= len(lines)-2 && err != nil {
			t.Errorf("after %d lines: %v", n, err)
		}
	}
}

func TestInjectReadsOutputStrictly(t *testing.T) {
	in := parsed(t, "shop.yaml", shop)
	for output, want := range map[string]string{
		"kind: [":         "line 1 of what odd printed: ",
		"a: 1\na: 2":      "line 2 of what odd printed: key \"a\" is already there",
		"just text":       "line 1 of what odd printed: a Kubernetes object is a mapping",
		"# only comments": "what odd printed: holds no object",
	} {
		p := loadBytes(t, "odd", []byte("#!/bin/sh\ncat <<'END'\n"+output+"\nEND\n"))
		_, err := Inject(context.Background(), p, nil, nil, in, workloads)
		var list finding.List
		if !errors.As(err, &list) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", output, err)
		}
	}
	var failed *RunError
	if _, err := Inject(context.Background(), load(t, "rogue"), []string{"fail"}, nil, in, workloads); !errors.As(err, &failed) {
		t.Error(err)
	}
}

// TestInjectAgain injects what another version of the program has injected,
// and with a program whose output is no fixed point.
func TestInjectAgain(t *testing.T) {
	p := load(t, "injector")
	in := parsed(t, "shop.yaml", shop)
	out, err := Inject(context.Background(), p, []string{"plain"}, nil, in, workloads)
	if err != nil {
		t.Fatal(err)
	}
	newer := *p
	newer.Version = "v1.3.0"
	if _, err := Inject(context.Background(), &newer, []string{"plain"}, nil, out, workloads); err == nil || !strings.Contains(err.Error(), "v1.2.3 has injected it already") {
		t.Error(err)
	}
	if _, err := Inject(context.Background(), p, []string{"annotate"}, nil, out, workloads); err == nil || !strings.Contains(err.Error(), "would change it again") {
		t.Error(err)
	}
}

func TestInjectKeepsSigned(t *testing.T) {
	in := parsed(t, "a.yaml", `apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {a: b}
sops: {mac: x}
`)
	_, err := Inject(context.Background(), load(t, "injector"), []string{"annotate"}, nil, in, kind("ConfigMap"))
	if err == nil || !strings.Contains(err.Error(), "signed by SOPS") {
		t.Error(err)
	}
}

func TestTidy(t *testing.T) {
	for _, tt := range []struct{ in, out, want string }{
		{"{a: 1}", "{a: 1, b: null}", "{a: 1}"},
		{"{a: 1, b: null}", "{a: 1, b: null}", "{a: 1, b: null}"},
		{"{a: 1}", "{a: null}", "{a: null}"},
		{"{a: {}}", "{a: {b: {c: null, d: {}}}}", "{a: {b: {d: {}}}}"},
		{"[{name: x}]", "[{name: y, resources: {}}, {name: x, resources: {}}]", "[{name: y}, {name: x}]"},
		{"[{name: x, resources: {}}]", "[{name: x, resources: {}}]", "[{name: x, resources: {}}]"},
		{"[{a: null}]", "[{a: null}, {a: null}]", "[{a: null}, {}]"},
		{"{}", "{v: [{emptyDir: {}}], l: [], s: '', e: {x: ''}}", "{v: [{emptyDir: {}}], l: [], s: '', e: {x: ''}}"},
	} {
		if got := tidy(node(t, tt.in), node(t, tt.out)); !equal(got, node(t, tt.want)) {
			text, _ := manifest.EncodeNode(got)
			t.Errorf("%s -> %s: %s", tt.in, tt.out, text)
		}
	}
}
