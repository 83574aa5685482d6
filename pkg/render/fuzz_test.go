package render

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/source"
)

// canary is a Secret's value in the seeds, which no message may show.
const canary = "c4n4ry-value"

// kustomizations are repositories whose directory app is built. Each uses
// something that the others do not.
var kustomizations = []string{
	`
-- app/kustomization.yaml --
resources: [../base, s.yaml]
namePrefix: a-
nameSuffix: -b
namespace: shop
commonLabels: {app: web}
commonAnnotations: {a: b}
images: [{name: web, newTag: "2"}, {name: log, newName: x/log, digest: sha256:abc}]
replicas: [{name: web, count: 3}]
patches:
- path: p.yaml
- target: {kind: Deployment}
  patch: '- {op: add, path: /spec/template/spec/containers/-, value: {name: c, image: c}}'
-- app/p.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {paused: true}
-- app/s.yaml --
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {a: c4n4ry-value}
-- base/kustomization.yaml --
resources: [d.yaml]
-- base/d.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{name: web, image: web}, {name: log, image: log:1}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
`,
	`
-- app/kustomization.yaml --
configMapGenerator:
- name: c
  files: [f.txt, k=f.txt]
  literals: [a=b, 'c="d e"']
  envs: [e.env]
secretGenerator:
- {name: s, literals: [p=c4n4ry-value], type: Opaque, options: {disableNameSuffixHash: true}}
generatorOptions: {labels: {a: b}, immutable: true}
resources: [pod.yaml]
-- app/pod.yaml --
apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {containers: [{name: a, envFrom: [{configMapRef: {name: c}}, {secretRef: {name: s}}]}]}
-- app/f.txt --
text
-- app/e.env --
# comment
A=b
B
`,
	`
-- app/kustomization.yaml --
resources: [a.yaml]
components: [c]
replacements:
- source: {kind: ConfigMap, name: a, fieldPath: data.x}
  targets:
  - select: {kind: Pod}
    fieldPaths: ['spec.containers.[name=a].env.[name=X].value']
    options: {create: true, delimiter: ':', index: 1}
labels: [{pairs: {x: z}, includeSelectors: true, includeTemplates: true, fields: [{path: spec/x, create: true}]}]
vars: [{name: V, objref: {kind: ConfigMap, name: a, apiVersion: v1}}]
-- app/c/kustomization.yaml --
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
patchesStrategicMerge:
- '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {w: null, u: v}}'
- |-
  apiVersion: v1
  kind: Pod
  metadata: {name: b}
  $patch: delete
patchesJson6902:
- {target: {version: v1, kind: ConfigMap, name: a}, path: j.json}
-- app/c/j.json --
[{"op": "replace", "path": "/metadata/labels", "value": {"a": "b"}}]
-- app/a.yaml --
kind: List
apiVersion: v1
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {x: $(V)}}, data: {x: v}}
- {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, env: [{name: X, value: 'a:b'}]}]}}
- {apiVersion: v1, kind: Pod, metadata: {name: b}}
`,
	`
-- app/kustomization.yaml --
resources: [a.yaml]
transformers: [t.yaml]
generators:
- |-
  apiVersion: builtin
  kind: ConfigMapGenerator
  metadata: {name: g}
  literals: [a=b]
validators: []
configurations: [conf.yaml]
buildMetadata: [managedByLabel, originAnnotations, transformerAnnotations]
sortOptions: {order: legacy, legacySortOptions: {orderFirst: [Namespace]}}
-- app/conf.yaml --
namePrefix: [{path: metadata/name, kind: A}]
nameReference: [{kind: ConfigMap, fieldSpecs: [{kind: A, path: spec/ref}]}]
-- app/t.yaml --
apiVersion: builtin
kind: PrefixTransformer
metadata: {name: t}
prefix: x-
fieldSpecs: [{path: metadata/name}]
-- app/a.yaml --
apiVersion: example.com/v1
kind: A
metadata: {name: a, annotations: {config.kubernetes.io/local-config: "false"}}
spec: {ref: g, n: 1.50, t: [1, null, "no", 5]}
`,
}

// FuzzRender builds what the fuzzer writes: the gate, then kustomize in this
// process as a worker runs it. It ends in objects or in findings that can be
// shown, and marking the resources changes nothing.
func FuzzRender(f *testing.F) {
	for _, s := range kustomizations {
		f.Add([]byte(s))
	}
	for _, m := range mistakes {
		f.Add([]byte(web + m.archive))
	}
	f.Setenv("PATH", "")
	http.DefaultTransport, http.DefaultClient.Transport = refuser{}, refuser{}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		if unpacked(data) == nil {
			return
		}
		set, list, secrets := renderHere(t, data, false)
		shown(t, data, list, secrets)
		if len(list) > 0 {
			return
		}
		plain, list, _ := renderHere(t, data, true)
		if len(list) > 0 {
			t.Fatalf("without marks: %v", list)
		}
		if d := cmp.Diff(encoded(t, plain), encoded(t, set)); d != "" {
			t.Fatalf("marks change the result (-without +with)\n%s", d)
		}
	})
}

// TestKustomizations: what the fuzzer starts from is in order.
func TestKustomizations(t *testing.T) {
	for i, s := range kustomizations {
		set, list, _ := renderHere(t, []byte(s), false)
		if len(list) > 0 || len(set) == 0 {
			t.Errorf("%d: %d objects, %v", i, len(set), list)
		}
	}
}

// unpacked gives the files of an archive, nil if a name is none that a tree can
// have. The library's reader panics over some of what a fuzzer makes of markers.
func unpacked(data []byte) memTree {
	t := memTree{}
	name := ""
	for line := range strings.Lines(string(data)) {
		text := strings.TrimSuffix(line, "\n")
		if rest, marker := strings.CutPrefix(text, "-- "); marker && strings.HasSuffix(rest, " --") {
			name = strings.TrimSuffix(rest, " --")
			if name == "." || name != path.Clean(name) || path.IsAbs(name) || strings.HasPrefix(name, "..") {
				return nil
			}
			t[name] = ""
		} else if name != "" {
			t[name] += line
		}
	}
	for name := range t {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if _, file := t[dir]; file {
				return nil
			}
		}
	}
	return t
}

// inProcess gives a pool whose one worker is a goroutine.
func inProcess() *Pool {
	p := NewPool(Command{Path: "none"}, 1, Limits{Objects: 50, Visits: 50, Output: 1 << 20})
	toWorker, in := io.Pipe()
	out, fromWorker := io.Pipe()
	w := &worker{in: bufio.NewReader(toWorker), out: bufio.NewWriter(fromWorker)}
	go func() {
		for {
			_, payload, err := readFrame(w.in, maxRequest)
			if err != nil {
				return
			}
			req, err := unpackRequest(payload)
			if err != nil {
				fromWorker.CloseWithError(err)
				return
			}
			objects, failed := w.build(req)
			if failed != nil {
				err = writeFrame(w.out, frameFailed, failed.pack())
			} else {
				err = writeFrame(w.out, frameResult, objects)
			}
			if err != nil {
				return
			}
		}
	}()
	p.idle = []*process{{in: bufio.NewWriter(in), out: bufio.NewReader(out), close: func() { _ = in.Close() }, said: &tail{}}}
	return p
}

// renderHere builds app, with marks or without. A build that would change the
// schema of this process is left out.
func renderHere(t *testing.T, data []byte, exact bool) (manifest.Set, finding.List, []string) {
	t.Helper()
	p := inProcess()
	defer func() {
		for _, w := range p.idle {
			w.close()
		}
	}()
	g := newGate(newView(source.New(unpacked(data))), p.limits, p.memo)
	g.top("app", ref{"sluice.yaml", 1})
	if len(g.list) > 0 {
		return nil, g.list, g.secrets
	}
	if g.alone {
		t.Skip("sets the schema of the process")
	}
	g.exact = g.exact || exact
	b := &build{pool: p, lane: p.Lane(), gate: g, entry: Entry{Path: "app", File: "sluice.yaml", Line: 1}, top: g.kusts["app"]}
	set, err := b.run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return set, b.list, g.secrets
}

// shown holds findings to be fit for a terminal, and to keep secrets.
func shown(t *testing.T, data []byte, list finding.List, secrets []string) {
	t.Helper()
	for _, f := range list {
		if f.File == "" || f.Text == "" {
			t.Fatalf("a finding without place or text: %+v", f)
		}
		if strings.Contains(f.Text, "git") && strings.Contains(f.Text, "program") || strings.Contains(f.Text, "network access") {
			t.Fatalf("kustomize got to fetching: %s", f.Text)
		}
		if strings.Contains(f.Text, canary) && bytes.Count(data, []byte(canary)) == 1 && slices.Contains(secrets, canary) {
			t.Fatalf("shows a Secret's value: %s", f.Text)
		}
		if strings.HasPrefix(f.Text, "kustomize: ") && strings.ContainsFunc(f.Text, unicode.IsControl) {
			t.Fatalf("control characters of kustomize's: %q", f.Text)
		}
	}
}

func encoded(t *testing.T, set manifest.Set) []string {
	t.Helper()
	var all []string
	for _, o := range set {
		text, err := manifest.Encode(o)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(text))
	}
	return all
}
