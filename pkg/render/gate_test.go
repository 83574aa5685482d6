package render

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sluice-dev/sluice/pkg/finding"
)

// base is what the refused kustomizations stand beside.
const base = `
-- o/cm.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: cm}
-- o/p.yaml --
apiVersion: builtin
kind: PatchTransformer
metadata: {name: p}
path: %s
-- o/gen.yaml --
apiVersion: builtin
kind: ConfigMapGenerator
metadata: {name: g}
files: [%s]
-- o/repl.yaml --
apiVersion: builtin
kind: ReplacementTransformer
metadata: {name: r}
replacements: [{path: %s}]
-- github.com/a/b/kustomization.yaml --
resources: [cm.yaml]
-- github.com/a/b/cm.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: there}
-- o/github.com/a/b/kustomization.yaml --
resources: [cm.yaml]
-- o/github.com/a/b/cm.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: there}
`

// fields name a file or directory; %s is the path, quoted; with the name b, it has k= before it.
var fields = []string{
	"resources: [cm.yaml, %s]",
	"bases: [%s]",
	"components: [%s]",
	"crds: [%s]",
	"openapi: {path: %s}",
	"configurations: [%s]",
	"replacements: [{path: %s}]",
	"patches: [{path: %s}]",
	"patchesStrategicMerge: [%s]",
	"patchesJson6902: [{path: %s, target: {version: v1, kind: ConfigMap, name: cm}}]",
	"configMapGenerator: [{name: a, files: [%s]}]",
	"configMapGenerator: [{name: b, files: [%s]}]",
	"configMapGenerator: [{name: a, envs: [%s]}]",
	"configMapGenerator: [{name: a, env: %s}]",
	"secretGenerator: [{name: a, files: [%s]}]",
	"secretGenerator: [{name: b, files: [%s]}]",
	"secretGenerator: [{name: a, envs: [%s]}]",
	"secretGenerator: [{name: a, env: %s}]",
	"generators: [%s]",
	"transformers: [%s]",
	"validators: [%s]",
	"transformers: [p.yaml] # %s",
	"generators: [gen.yaml] # %s",
	"transformers: [repl.yaml] # %s",
}

var remotes = []string{
	"https://example.com/base.yaml", "http://127.0.0.1:9/x?ref=main", "HTTPS://EXAMPLE.COM/a", "git::https://example.com/o/r.git",
	"GIT::file:///tmp/x", "git@github.com:o/r.git", "ssh://git@example.com/o/r", "SSH://example.com/o/r", "file:///any/repo?ref=--upload-pack=touch%20X",
	"FILE:///any", "github.com/a/b", "GitHub.com/a/b", "github.com:a/b", "user@example.com:o/r", "example.com:o/r.git",
	"dev.azure.com/org/project/_git/repo", "gitlab.example.com/o/r.git//base", "o/r?ref=v1", "https:example.com",
}

// The values that leave the repository, or do not lie in it.
var outside = []string{"../../../etc/passwd", "/etc/passwd", "nope.yaml", "../../nope"}

func TestRefusesWhatIsNotInTheRepository(t *testing.T) {
	p := newPool(t, Limits{})
	for _, field := range fields {
		for i, path := range append(append([]string{}, remotes...), outside...) {
			quoted := fmt.Sprintf("%q", path)
			value := quoted
			if strings.HasSuffix(field, "{name: b, files: [%s]}]") {
				value = fmt.Sprintf("%q", "k="+path)
			}
			kust := strings.Replace(field, "%s", value, 1)
			archive := fmt.Sprintf(base, quoted, quoted, quoted) + "-- o/kustomization.yaml --\n" + kust + "\n"
			_, err := render(t, p, archive, "o")
			if err == nil {
				t.Fatalf("%s: accepted", kust)
			}
			list := findings(t, err)
			f := list[0]
			if i < len(remotes) && !strings.Contains(f.Text, "is remote") {
				t.Errorf("%s: %v", kust, f)
			}
			if !strings.HasPrefix(f.File, "o/") || f.Line == 0 {
				t.Errorf("%s: reported at %q:%d", kust, f.File, f.Line)
			}
		}
	}
	if n := len(p.idle); n != 0 {
		t.Errorf("%d workers were started: the gate let something through", n)
	}
}

// Each of these is refused, at the place given.
func TestRefuses(t *testing.T) {
	cases := []struct{ name, at, text, archive string }{
		{"unknown field", "o/kustomization.yaml:2", "resource", "-- o/kustomization.yaml --\nnamespace: a\nresource: [a.yaml]\n"},
		{"remote field in another case", "o/kustomization.yaml:1", "is remote", "-- o/kustomization.yaml --\nResources: ['https://example.com/x']\n"},
		{"nested remote field in another case", "o/kustomization.yaml:1", "is remote", "-- o/kustomization.yaml --\npatches: [{PATH: 'https://example.com/x'}]\n"},
		{"plugin's remote field in another case", "o/p.yaml:4", "is remote", "-- o/kustomization.yaml --\ntransformers: [p.yaml]\n-- o/p.yaml --\napiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: p}\nPath: https://example.com/x\n"},
		{"helm in another case", "o/kustomization.yaml:1", "helmCharts", "-- o/kustomization.yaml --\nHELMCHARTS: [{name: x}]\n"},
		{"field in two cases", "o/kustomization.yaml:2", "twice", "-- o/kustomization.yaml --\nresources: [a.yaml]\nResources: [b.yaml]\n"},
		{"number for text", "o/kustomization.yaml:2", "has to be text", "-- o/kustomization.yaml --\nimages:\n- {name: a, newTag: 1.10}\n"},
		{"boolean for text", "o/kustomization.yaml:1", "has to be text", "-- o/kustomization.yaml --\ncommonLabels: {a: yes}\n"},
		{"duplicate key", "o/kustomization.yaml:2", "already", "-- o/kustomization.yaml --\nnamespace: a\nnamespace: b\n"},
		{"two documents", "o/kustomization.yaml:3", "second document", "-- o/kustomization.yaml --\nnamespace: a\n---\nnamespace: b\n"},
		{"empty", "o/kustomization.yaml", "is empty", "-- o/kustomization.yaml --\n# nothing\n"},
		{"two files", "o/kustomization.yaml", "beside", "-- o/kustomization.yaml --\nnamespace: a\n-- o/Kustomization --\nnamespace: b\n"},
		{"helm", "o/kustomization.yaml:1", "helmCharts", "-- o/kustomization.yaml --\nhelmCharts: [{name: x}]\n"},
		{"helm globals", "o/kustomization.yaml:1", "helmGlobals", "-- o/kustomization.yaml --\nhelmGlobals: {chartHome: x}\n"},
		{"old helm", "o/kustomization.yaml:1", "helmChartInflationGenerator", "-- o/kustomization.yaml --\nhelmChartInflationGenerator: [{chartName: x}]\n"},
		{"helm plugin", "o/g.yaml:1", "HelmChartInflationGenerator", "-- o/kustomization.yaml --\ngenerators: [g.yaml]\n-- o/g.yaml --\napiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: x}\n"},
		{"inline function", "o/kustomization.yaml:7", "would run", "-- o/kustomization.yaml --\ntransformers:\n- |-\n  apiVersion: v1\n  kind: X\n  metadata:\n    name: x\n    annotations: {config.kubernetes.io/function: 'exec: {path: x}'}\n"},
		{"exec plugin", "o/kustomization.yaml:3", "is a program", "-- o/kustomization.yaml --\ngenerators:\n- |-\n  apiVersion: team/v1\n  kind: X\n  metadata: {name: x}\n"},
		{"base above", "o/kustomization.yaml:1", "cycle", "-- o/kustomization.yaml --\nresources: [..]\n-- kustomization.yaml --\nnamespace: a\n"},
		{"cycle", "b/kustomization.yaml:1", "o includes b includes o", "-- o/kustomization.yaml --\nresources: [../b]\n-- b/kustomization.yaml --\nresources: [../o]\n"},
		{"file beside", "o/kustomization.yaml:1", "outside of the kustomization's directory", "-- o/kustomization.yaml --\nresources: [../x.yaml]\n-- x.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"},
		{"link beside", "o/kustomization.yaml:1", "outside of the kustomization's directory", "-- o/kustomization.yaml --\nresources: [l.yaml]\n-- o/l.yaml -> ../x.yaml --\n-- x.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"},
		{"link out", "o/kustomization.yaml:1", "leaves the repository", "-- o/kustomization.yaml --\nresources: [l.yaml]\n-- o/l.yaml -> /etc/hostname --\n"},
		{"kustomization is a link out of its directory", "o/kustomization.yaml", "outside of its directory", "-- o/kustomization.yaml -> ../k.yaml --\n-- k.yaml --\nnamespace: a\n"},
		{"directory without one", "o/kustomization.yaml:1", "holds no kustomization.yaml", "-- o/kustomization.yaml --\nresources: [d]\n-- o/d/x --\n"},
		{"wrong case", "o/kustomization.yaml:1", "does not exist", "-- o/kustomization.yaml --\nresources: [A.yaml]\n-- o/a.yaml --\n"},
		{"resource twice a key", "o/r.yaml:4", "already", "-- o/kustomization.yaml --\nresources: [r.yaml]\n-- o/r.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nkind: ConfigMap\n"},
		{"self alias", "o/r.yaml:4", "contains itself", "-- o/kustomization.yaml --\nresources: [r.yaml]\n-- o/r.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\na: &a [*a]\n"},
		{"self alias in a patch", "o/kustomization.yaml:5", "contains itself", "-- o/kustomization.yaml --\npatches:\n- patch: |-\n    apiVersion: v1\n    kind: X\n    a: &a [*a]\n    metadata: {name: a}\n"},
		{"ambiguous word", "o/r.yaml:4", "differently", "-- o/kustomization.yaml --\nresources: [r.yaml]\n-- o/r.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: no}\n"},
		{"ambiguous date in a patch", "o/p.yaml:4", "differently", "-- o/kustomization.yaml --\npatches: [{path: p.yaml}]\n-- o/p.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: 2024-02-29}\n"},
		{"comma in a kind", "o/r.yaml:2", "kind", "-- o/kustomization.yaml --\nresources: [r.yaml]\n-- o/r.yaml --\napiVersion: v1\nkind: \"Con,fig\"\nmetadata: {name: a}\n"},
		{"comma in a prefix", "o/kustomization.yaml:1", "namePrefix", "-- o/kustomization.yaml --\nnamePrefix: \"a,\"\n"},
		{"no name", "o/r.yaml:1", "metadata.name", "-- o/kustomization.yaml --\nresources: [r.yaml]\n-- o/r.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {labels: {a: b}}\n"},
		{"generateName", "o/r.yaml:3", "new object at every apply", "-- o/kustomization.yaml --\nresources: [r.yaml]\n-- o/r.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a}\n"},
		{"internal annotation", "o/r.yaml:3", "written while rendering", "-- o/kustomization.yaml --\nresources: [r.yaml]\n-- o/r.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {internal.config.kubernetes.io/prefixes: 'x,y'}}\n"},
		{"our annotation", "o/r.yaml:3", "written while rendering", "-- o/kustomization.yaml --\nresources: [r.yaml]\n-- o/r.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {sluice.dev/origin: '1 1 x'}}\n"},
		{"empty resource", "o/r.yaml", "holds no object", "-- o/kustomization.yaml --\nresources: [r.yaml]\n-- o/r.yaml --\n# nothing\n"},
		{"own note in an operation", "o/p.yaml:1", `annotation "sluice.dev/origin" is written`, "-- o/kustomization.yaml --\npatches: [{path: p.yaml, target: {name: a}}]\n-- o/p.yaml --\n- {op: add, path: /metadata/annotations/sluice.dev~1origin, value: 0 1 x.yaml}\n"},
		{"own note in an operation's value", "o/p.yaml:1", `annotation "config.kubernetes.io/origin" is written`, "-- o/kustomization.yaml --\npatches: [{path: p.yaml, target: {name: a}}]\n-- o/p.yaml --\n- {op: replace, path: /metadata, value: {name: a, annotations: {config.kubernetes.io/origin: 'path: x'}}}\n"},
		{"own note for all", "o/kustomization.yaml:1", `annotation "sluice.dev/origin" is written`, "-- o/kustomization.yaml --\ncommonAnnotations: {sluice.dev/origin: x}\n"},
		{"own note in a plugin", "o/p.yaml:1", `annotation "sluice.dev/origin" is written`, "-- o/kustomization.yaml --\ntransformers: [p.yaml]\n-- o/p.yaml --\napiVersion: builtin\nkind: AnnotationsTransformer\nmetadata: {name: x}\nannotations: {sluice.dev/origin: x}\nfieldSpecs: [{path: metadata/annotations, create: true}]\n"},
		{"no object at all in a patch", "o/p.yaml:1", "patch", "-- o/kustomization.yaml --\npatches: [{path: p.yaml}]\n-- o/p.yaml --\ntext\n"},
		{"patch without a target", "o/kustomization.yaml:1", "the patch of X abc finds no such object", "-- o/kustomization.yaml --\npatches: [{patch: '{apiVersion: v1, kind: X, metadata: {name: abc}}'}]\n"},
	}
	p := newPool(t, Limits{})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := render(t, p, c.archive, "o")
			list := findings(t, err)
			for _, f := range list {
				if at := (finding.Finding{File: f.File, Line: f.Line, Text: "X"}); at.Error() == c.at+": X" && strings.Contains(f.Text, c.text) {
					return
				}
			}
			t.Errorf("want %s: … %s …, got\n%v", c.at, c.text, err)
		})
	}
}
