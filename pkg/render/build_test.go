package render

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// builds are kustomizations that render. Each has its overlay in o, and after
// a # the origins that the objects are to have.
var builds = []struct {
	name, archive string
	want          []string
}{
	{"annotations of one kind replaced", `
-- o/kustomization.yaml --
resources: [a.yaml]
patches:
- target: {kind: Service}
  patch: |-
    - {op: add, path: /metadata/annotations, value: {team: x}}
configMapGenerator: [{name: made, literals: [a=b]}]
-- o/a.yaml --
apiVersion: v1
kind: Service
metadata: {name: s, annotations: {old: "1"}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
---
apiVersion: v1
kind: Service
metadata:
  name: t
`, []string{"ConfigMap c o/a.yaml:5", "ConfigMap made-* o/kustomization.yaml", "Service s o/a.yaml:1", "Service t o/a.yaml:9"}},
	{"annotations of an unknown kind replaced", `
-- o/kustomization.yaml --
resources: [a.yaml]
patches:
- target: {name: .*}
  patch: |-
    - {op: add, path: /metadata/annotations, value: {team: x}}
configMapGenerator: [{name: made, literals: [a=b]}]
-- o/a.yaml --
apiVersion: v1
kind: Service
metadata: {name: s, annotations: {old: "1"}}
`, []string{"ConfigMap made-* o/kustomization.yaml", "Service s o/a.yaml:1"}},
	{"annotations of an unknown kind copied", `
-- o/kustomization.yaml --
resources: [a.yaml]
patches:
- target: {name: c}
  patch: |-
    - {op: copy, from: /metadata/annotations, path: /data}
-- o/a.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: c, annotations: {a: b}}
data: {k: v}
`, []string{"ConfigMap c o/a.yaml:1"}},
	{"annotations replaced of what becomes a ConfigMap", `
-- o/kustomization.yaml --
resources: [a.yaml]
patches:
- target: {kind: ConfigMap}
  options: {allowKindChange: true}
  patch: '{apiVersion: v1, kind: Widget, metadata: {name: c}}'
- target: {kind: Widget}
  patch: |-
    - {op: add, path: /metadata/annotations, value: {team: x}}
-- o/a.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: d}
`, []string{"Widget c o/kustomization.yaml", "Widget d o/kustomization.yaml"}},
	{"resources", `
-- o/kustomization.yaml --
resources: [a.yaml, ../b]
-- o/a.yaml --
# a comment
apiVersion: v1
kind: ConfigMap
metadata:
  name: a
data: {k: v}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  labels: {x: "y"}
  annotations:
    a: b
  name: d
spec:
  template:
    metadata:
      annotations: {q: r}
    spec: {containers: [{name: c, image: "i:1"}]}
-- b/kustomization.yml --
resources: [s.yaml, j.json]
-- b/s.yaml --
{apiVersion: v1, kind: Service, metadata: {name: s, annotations: {z: "1"}}, spec: {ports: [{port: 80}]}}
-- b/j.json --
{
  "apiVersion": "v1",
  "kind": "ConfigMap",
  "metadata": {
    "name": "j"
  }
}
`, []string{"ConfigMap a o/a.yaml:2", "ConfigMap j b/j.json:1", "Service s b/s.yaml:1", "Deployment d o/a.yaml:8"}},
	{"overlay", `
-- o/kustomization.yaml --
resources: [../base]
namePrefix: p-
nameSuffix: -s
namespace: ns
labels: [{pairs: {l: m}, includeSelectors: true}]
commonAnnotations: {c: d}
images: [{name: i, newTag: "2"}]
replicas: [{name: d, count: 3}]
patches:
- path: p.yaml
- patch: |-
    - op: add
      path: /spec/template/spec/hostNetwork
      value: true
  target: {kind: Deployment}
-- o/p.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec: {template: {spec: {containers: [{name: c, env: [{name: A, value: "1"}]}]}}}
-- base/kustomization.yaml --
resources: [d.yaml]
configMapGenerator:
- name: g
  literals: [a=b]
  files: [f.txt, k=f.txt]
- name: h
  envs: [e.env]
  options: {disableNameSuffixHash: true, labels: {u: v}}
secretGenerator:
- name: x
  literals: [p=q]
  type: Opaque
generatorOptions: {annotations: {gen: "yes"}}
-- base/f.txt --
text
-- base/e.env --
K=v
BARE
-- base/d.yaml --
apiVersion: apps/v1
kind: Deployment
metadata:
  name: d
spec:
  selector: {matchLabels: {app: d}}
  template:
    metadata: {labels: {app: d}}
    spec:
      containers:
      - {name: c, image: i, envFrom: [{configMapRef: {name: g}}, {secretRef: {name: x}}]}
      - {name: side, image: other}
`, []string{"ConfigMap p-g-s-* base/kustomization.yaml", "ConfigMap p-h-s base/kustomization.yaml", "Secret p-x-s-* base/kustomization.yaml", "Deployment p-d-s base/d.yaml:1"}},
	{"components and merging generators", `
-- o/kustomization.yaml --
resources: [../base]
components: [../comp]
configMapGenerator:
- {name: g, behavior: merge, literals: [two=2]}
- {name: r, behavior: replace, literals: [three=3]}
-- comp/kustomization.yaml --
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources: [extra.yaml]
-- comp/extra.yaml --
apiVersion: v1
kind: ServiceAccount
metadata: {name: sa}
-- base/kustomization.yaml --
configMapGenerator:
- {name: g, literals: [one=1]}
resources: [r.yaml]
-- base/r.yaml --
apiVersion: v1
kind: ConfigMap
metadata:
  name: r
  annotations: {internal: kept}
data: {old: gone}
`, []string{"ServiceAccount sa comp/extra.yaml:1", "ConfigMap g-* base/kustomization.yaml", "ConfigMap r* base/r.yaml:1"}},
	{"list and links", `
-- o/kustomization.yaml --
resources: [l.yaml, linked]
-- o/l.yaml --
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata:
    name: one
- apiVersion: v1
  kind: ConfigMap
  metadata:
    annotations:
      a: b
    name: two
-- o/linked -> ../real --
-- real/kustomization.yaml --
resources: [c.yaml]
-- real/c.yaml --
kind: ConfigMap
apiVersion: v1
metadata: {labels: {a: b}, name: three}
`, []string{"ConfigMap one o/l.yaml:4", "ConfigMap three real/c.yaml:1", "ConfigMap two o/l.yaml:8"}},
	{"annotations in patches", `
-- o/kustomization.yaml --
resources: [c.yaml, d.yaml]
buildMetadata: [originAnnotations, managedByLabel]
patches:
- target: {name: c}
  patch: |-
    - {op: add, path: /metadata/annotations, value: {only: this}}
-- o/c.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
-- o/d.yaml --
apiVersion: v1
kind: ConfigMap
metadata: &m {name: d}
data: {}
`, []string{"ConfigMap c o/c.yaml:1", "ConfigMap d o/d.yaml:1"}},
	{"deprecated fields", `
-- o/kustomization.yaml --
bases: [../base]
commonLabels: {team: blue}
patchesStrategicMerge:
- p.yaml
- |-
  apiVersion: v1
  kind: Service
  metadata: {name: s, annotations: {x: z}}
patchesJson6902:
- target: {version: v1, kind: Service, name: s}
  path: j.yaml
- target: {version: v1, kind: Service, name: s}
  patch: '[{"op": "replace", "path": "/spec/type", "value": "NodePort"}]'
imageTags: [{name: i, newTag: "2"}]
configMapGenerator: [{name: e, env: e.env}]
vars:
- name: PORT
  objref: {apiVersion: v1, kind: Service, name: s}
  fieldref: {fieldpath: "spec.ports[0].port"}
-- o/e.env --
A=$(PORT)
-- o/p.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec: {template: {spec: {containers: [{name: c, args: ["$(PORT)"]}]}}}
-- o/j.yaml --
- op: add
  path: /spec/ports/-
  value: {port: 81}
-- base/kustomization.yaml --
resources: [all.yaml]
-- base/all.yaml --
apiVersion: v1
kind: Service
metadata: {name: s}
spec: {type: ClusterIP, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec: {template: {spec: {containers: [{name: c, image: "i:1"}]}}}
`, []string{"ConfigMap e-* o/kustomization.yaml", "Service s base/all.yaml:1", "Deployment d base/all.yaml:6"}},
	{"one file as resource and patch", `
-- o/kustomization.yaml --
resources: [c.yaml, d.yaml]
patches: [{path: c.yaml, target: {kind: ConfigMap}}]
-- o/c.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {k: v}
-- o/d.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: d}
`, []string{"ConfigMap c o/c.yaml:1", "ConfigMap d o/d.yaml:1"}},
	{"annotations as a source and removed", `
-- o/kustomization.yaml --
resources: [c.yaml, d.yaml, e.yaml]
nameSuffix: -x
patches:
- patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: e, annotations: null}}'
replacements:
- source: {kind: ConfigMap, name: c, fieldPath: metadata.annotations}
  targets: [{select: {name: d}, fieldPaths: [spec.all], options: {create: true}}]
-- o/c.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: c, annotations: {one: "1"}}
-- o/d.yaml --
apiVersion: example.com/v1
kind: Thing
metadata: {name: d}
-- o/e.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: e, annotations: {gone: "1"}}
`, []string{"ConfigMap c-x o/c.yaml:1", "ConfigMap e-x o/e.yaml:1", "Thing d-x o/d.yaml:1"}},
	{"crds, configurations and a schema version", `
-- o/kustomization.yaml --
resources: [x.yaml]
namePrefix: p-
crds: [crd.json]
configurations: [conf.yaml]
configMapGenerator: [{name: cfg, literals: [a=b]}]
-- o/conf.yaml --
nameReference:
- kind: ConfigMap
  fieldSpecs: [{kind: Thing, path: spec/config}]
-- o/crd.json --
{"example.com/v1.Thing": {"Schema": {"properties": {"spec": {"$ref": "x"}}}}}
-- o/x.yaml --
apiVersion: example.com/v1
kind: Thing
metadata: {name: t}
spec: {config: cfg}
`, []string{"ConfigMap p-cfg-* o/kustomization.yaml", "Thing p-t o/x.yaml:1"}},
	{"local config is left out", `
-- o/kustomization.yaml --
resources: [c.yaml]
sortOptions: {order: fifo}
-- o/c.yaml --
apiVersion: v1
kind: Secret
metadata: {name: b}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: a, annotations: {config.kubernetes.io/local-config: "true"}}
---
apiVersion: v1
kind: Namespace
metadata: {name: a}
`, []string{"Secret b o/c.yaml:1", "Namespace a o/c.yaml:9"}},
	{"builtin plugins", `
-- o/kustomization.yaml --
resources: [c.yaml]
generators: [gen.yaml]
transformers:
- |-
  apiVersion: builtin
  kind: PrefixTransformer
  metadata: {name: p}
  prefix: pre-
  fieldSpecs: [{path: metadata/name}]
replacements:
- path: r.yaml
-- o/r.yaml --
source: {kind: ConfigMap, name: c, fieldPath: "data.k"}
targets: [{select: {kind: ConfigMap, name: made}, fieldPaths: ["data.a"]}]
-- o/gen.yaml --
apiVersion: builtin
kind: ConfigMapGenerator
metadata: {name: made}
literals: [a=b]
-- o/c.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {k: v}
`, []string{"ConfigMap pre-c o/c.yaml:1", "ConfigMap pre-made-* o/gen.yaml"}},
}

// What kustomize prints is what comes out, and each object knows its source.
func TestBuildsAsKustomizeDoes(t *testing.T) {
	p := newPool(t, Limits{})
	for _, b := range builds {
		t.Run(b.name, func(t *testing.T) {
			dir := write(t, b.archive)
			set, err := p.Render(t.Context(), open(t, dir), entries("o"))
			if err != nil {
				t.Fatal(err)
			}
			want := kustomizeBuild(t, filepath.Join(dir, "o"))
			same(t, fixManaged(want), values(t, set))
			var got []string
			for _, o := range set {
				got = append(got, fmt.Sprintf("%s %s %s", o.ID.Kind, o.ID.Name, o.Origin))
			}
			if len(got) != len(b.want) {
				t.Fatalf("got %q", got)
			}
			for i := range got {
				if !matches(b.want[i], got[i]) {
					t.Errorf("origin %d: got %q, want %q", i, got[i], b.want[i])
				}
			}
		})
	}
}

// matches compares a wanted line, in which * stands for a hash.
func matches(want, got string) bool {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(want), `\*`, `[-a-z0-9]*`) + "$").MatchString(got)
}

// fixManaged puts the fixed version into the label that the oracle takes from
// how the test binary was built.
func fixManaged(objects []any) []any {
	for _, o := range objects {
		meta, _ := o.(map[string]any)["metadata"].(map[string]any)
		if labels, ok := meta["labels"].(map[string]any); ok && labels[managedByLabel] != nil {
			labels[managedByLabel] = "kustomize-" + kustomizeVersion
		}
	}
	return objects
}
