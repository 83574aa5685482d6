package render

import (
	"os"
	"path/filepath"
	"testing"

	sigsyaml "sigs.k8s.io/yaml"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

const examplesDir = "../../testdata/kustomize"

// Each example gives the objects that the kustomize command printed for it,
// in the same order. record.sh beside the examples records them anew.
func TestExamplesAsRecorded(t *testing.T) {
	p := newPool(t, Limits{})
	dirs, err := filepath.Glob(filepath.Join(examplesDir, "*", "want.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(dirs) < 20 {
		t.Fatalf("only %d examples", len(dirs))
	}
	for _, want := range dirs {
		dir := filepath.Dir(want)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			set, err := p.Render(t.Context(), open(t, dir), entries(tops(t, dir)...))
			if err != nil {
				t.Fatal(err)
			}
			same(t, recorded(t, want), exactValues(t, set))
		})
	}
}

// tops gives the directories of an example that are built: those that
// record.sh builds, in its order.
func tops(t testing.TB, dir string) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"overlay", "overlays/*"} {
		found, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			rel, err := filepath.Rel(dir, f)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, filepath.ToSlash(rel))
		}
	}
	return all
}

// recorded gives the documents of what the kustomize command printed.
func recorded(t testing.TB, file string) []any {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	docs, err := manifest.Documents(file, data)
	if err != nil {
		t.Fatal(err)
	}
	var all []any
	for _, d := range docs {
		j, err := sigsyaml.YAMLToJSON(d.Raw)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, exact(t, j))
	}
	return all
}

// Objects carry a mark through the build that kustomize must not hand on. These
// kustomizations read metadata as a whole.
var readers = map[string]string{
	"replacement":              "replacements: [{source: {kind: Deployment, fieldPath: metadata}, targets: [{select: {kind: Service}, fieldPaths: [spec.copy], options: {create: true}}]}]",
	"replacement in a file":    "replacements: [{path: replacement.yaml}]",
	"replacements in a file":   "replacements: [{path: replacements.yaml}]",
	"replacement of metadata":  "replacements: [{source: {kind: Deployment, fieldPath: metadata}, targets: [{select: {kind: Service}, fieldPaths: [metadata]}]}]",
	"variable":                 "vars: [{name: V, objref: {apiVersion: v1, kind: Service, name: s}, fieldref: {fieldpath: metadata}}]",
	"variable of annotations":  "vars: [{name: V, objref: {apiVersion: v1, kind: Service, name: s}, fieldref: {fieldpath: metadata.annotations}}]",
	"copied by a patch":        `patches: [{target: {kind: Service}, patch: '[{"op": "copy", "from": "/metadata", "path": "/spec/copy"}]'}]`,
	"annotations copied":       `patches: [{target: {kind: Service}, patch: '[{"op": "copy", "from": "/metadata/annotations", "path": "/spec/copy"}]'}]`,
	"annotations taken away":   `patches: [{target: {kind: Service}, patch: '[{"op": "remove", "path": "/metadata/annotations"}]'}]`,
	"annotations put in place": "patches: [{target: {kind: Service}, patch: '{apiVersion: v1, kind: Service, metadata: {name: s, annotations: {$patch: replace, c: d}}}'}]",
	"annotations set to null":  "patches: [{target: {kind: Service}, patch: '{apiVersion: v1, kind: Service, metadata: {name: s, annotations: null}}'}]",
}

func TestMarksAreNotHandedOn(t *testing.T) {
	k := newKrustyRun(t)
	for name, field := range readers {
		t.Run(name, func(t *testing.T) {
			k.compare(t, krustyCase{name: t.Name(), dir: ".", files: map[string]string{
				"kustomization.yaml": "resources: [all.yaml]\n" + field + "\n",
				"all.yaml": `
apiVersion: v1
kind: Service
metadata: {name: s, annotations: {a: b}}
spec: {}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: d, annotations: {q: r}}
spec: {template: {spec: {containers: [{name: c, image: i, env: [{name: V, value: $(V)}]}]}}}
`,
				"replacement.yaml":  "source: {kind: Deployment, fieldPath: metadata}\ntargets: [{select: {kind: Service}, fieldPaths: [spec.copy], options: {create: true}}]\n",
				"replacements.yaml": "- source: {kind: Deployment, fieldPath: metadata.annotations}\n  targets: [{select: {kind: Service}, fieldPaths: [spec.copy], options: {create: true}}]\n",
			}})
		})
	}
	if n := k.count[endEqual]; n != len(readers) {
		t.Errorf("%d of %d came out the same: %v", n, len(readers), k.count)
	}
}
