package render

import (
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

// gate walks the graph of one kustomization before kustomize sees any of it.
// It reads every file strictly and refuses what is remote, runs a program or
// leaves the repository, each with the line that says so. What it learns on
// the way is what the build needs to know.
type gate struct {
	view   *view
	limits Limits
	memo   *memo
	list   finding.List

	open  []string                  // directories being walked, outermost first
	done  map[string]tally          // by directory
	uses  map[string]map[int]bool   // of each file
	kusts map[string]*kustomization // by directory

	docs    []docInfo
	secrets []string
	alone   bool // sets the schema, which is process-wide
	exact   bool // may see annotations: objects must not be tagged

	targets map[*yaml.Node]string // of a kustomization's patches: the kind that its entry names
	rooted  bool                  // a patch may see annotations of some kinds: marks stand at the top of objects
	rekinds bool                  // a patch may change a kind
}

// tally is what including a directory once costs.
type tally struct{ visits, objects int }

func (t *tally) add(o tally) {
	t.visits = min(t.visits+o.visits, 1<<30)
	t.objects = min(t.objects+o.objects, 1<<30)
}

// kustomization is one kustomization file.
type kustomization struct {
	dir  string
	file string
	real string // file without links
	data []byte
	node *yaml.Node
}

// ref is where a path is written.
type ref struct {
	file string
	line int
}

func newGate(v *view, limits Limits, m *memo) *gate {
	return &gate{
		view: v, limits: limits, memo: m, done: map[string]tally{},
		uses: map[string]map[int]bool{}, kusts: map[string]*kustomization{},
		targets: map[*yaml.Node]string{},
	}
}

// top checks the graph below dir, a directory without links.
func (g *gate) top(dir string, from ref) {
	total := g.dir(dir, from)
	file := dir
	if k := g.kusts[dir]; k != nil {
		file = k.file
	}
	if total.visits > g.limits.Visits {
		g.list.Add(file, 0, fmt.Sprintf("exceeded the limit of %d directories, each counted as often as it is included", g.limits.Visits),
			"include a base once, not by several ways that double at each level")
	}
	if total.objects > g.limits.Objects {
		g.list.Add(file, 0, fmt.Sprintf("exceeded the limit of %d objects, each counted as often as it is included", g.limits.Objects),
			"split the kustomization into several entries")
	}
	input := int64(0)
	for _, data := range g.view.data {
		input += int64(len(data))
	}
	if input > g.limits.Input {
		g.list.Add(file, 0, fmt.Sprintf("exceeded the limit of %d MiB of files", g.limits.Input>>20), "")
	}
}

func (g *gate) add(r ref, text, hint string) { g.list.Add(r.file, r.line, text, hint) }

// dir checks one directory that is included as a kustomization.
func (g *gate) dir(dir string, from ref) tally {
	for i, o := range g.open {
		switch {
		case o == dir:
			g.add(from, "cycle: "+strings.Join(append(slices.Clone(g.open[i:]), dir), " includes "), "")
			return tally{}
		case below(o, dir):
			g.add(from, fmt.Sprintf("cycle: %q contains %q, which includes it", dir, o), "")
			return tally{}
		}
	}
	if t, ok := g.done[dir]; ok {
		return t
	}
	g.done[dir] = tally{} // a broken one is reported once
	k := g.load(dir, from)
	if k == nil {
		return tally{}
	}
	g.open = append(g.open, dir)
	t := g.kustomization(k)
	g.open = g.open[:len(g.open)-1]
	g.done[dir] = t
	return t
}

// kustomizationFile gives the names of the kustomization files that lie in a directory.
func kustomizationFiles(v *view, dir string) ([]string, error) {
	var found []string
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		full := path.Join(dir, name)
		a, err := v.find(full)
		if err == nil && a.kind == leadsToFile {
			found = append(found, full)
		} else if err != nil && !isMissing(err) {
			return nil, err
		}
	}
	return found, nil
}

func (g *gate) load(dir string, from ref) *kustomization {
	names, err := kustomizationFiles(g.view, dir)
	switch {
	case err != nil:
		g.list = append(g.list, pathFinding(g.view.fs, from.file, from.line, err))
		return nil
	case len(names) == 0:
		g.add(from, fmt.Sprintf("%q holds no kustomization.yaml", dir), "list the directory's files, or add a kustomization.yaml to it")
		return nil
	case len(names) > 1:
		g.list.Add(names[0], 0, fmt.Sprintf("there is %q beside it", names[1]), "keep one kustomization file in a directory")
		return nil
	}
	a, _ := g.view.find(names[0])
	if !below(a.real, dir) {
		g.add(ref{names[0], 0}, fmt.Sprintf("is a link to %q, outside of its directory", a.real), "kustomize reads its files from its own directory only")
		return nil
	}
	data, err := g.view.read(names[0])
	if err != nil {
		g.list = append(g.list, pathFinding(g.view.fs, from.file, from.line, err))
		return nil
	}
	docs, err := manifest.Documents(names[0], data)
	if rest := g.list.Take(err); rest != nil {
		g.add(ref{names[0], 0}, rest.Error(), "")
	}
	switch {
	case err != nil:
		return nil
	case len(docs) == 0:
		g.add(ref{names[0], 0}, "is empty", "")
		return nil
	case len(docs) > 1:
		g.add(ref{names[0], docs[1].Line}, "a second document, which kustomize would not read", "keep one document in a kustomization file")
		return nil
	}
	k := &kustomization{dir: dir, file: names[0], real: a.real, data: data, node: docs[0].Node}
	g.kusts[dir] = k
	return k
}

// refused are the fields that make kustomize fetch or run something.
var refused = []string{"helmCharts", "helmGlobals", "helmChartInflationGenerator"}

// kustomization checks one file's fields and everything that they name.
func (g *gate) kustomization(k *kustomization) tally {
	conform(k.file, "", k.node, reflect.TypeFor[types.Kustomization](), &g.list)
	for _, key := range refused {
		if n := keyOf(k.node, key); n != nil {
			g.add(ref{k.file, n.Line}, fmt.Sprintf("%s is not supported: it would fetch a chart and run helm", key),
				"commit the chart's output: helm template … > chart.yaml, and list it under resources")
		}
	}
	if manifest.Field(k.node, "openapi") != nil || manifest.Field(k.node, "crds") != nil {
		g.alone = true
	}
	for _, key := range []string{"configurations", "generators", "transformers", "validators"} {
		if manifest.Field(k.node, key) != nil {
			g.exact = true
		}
	}
	if exposes(manifest.Field(k.node, "replacements")) || exposes(manifest.Field(k.node, "vars")) {
		g.exact = true
	}
	for _, key := range []string{"namePrefix", "nameSuffix", "namespace"} {
		if n := manifest.Field(k.node, key); n != nil && badName(n.Value) {
			g.add(ref{k.file, n.Line}, fmt.Sprintf("%s %q holds a character that no name can have", key, n.Value), "")
		}
	}
	if n := manifest.Field(k.node, "commonAnnotations"); sets(n, tagAnnotation) {
		g.add(ref{k.file, n.Line}, fmt.Sprintf("annotation %q is written while rendering, a kustomization cannot set it", tagAnnotation), "delete it")
	}
	g.aim(k)
	t := tally{visits: 1}
	for _, f := range pathFields() {
		for _, n := range choose(k.node, f.at) {
			t.add(g.path(k, f, n))
		}
	}
	for _, field := range []string{"configMapGenerator", "secretGenerator"} {
		t.objects += g.generators(k, field)
	}
	return t
}

// generators counts a generator field's objects and notes their secrets.
func (g *gate) generators(k *kustomization, field string) int {
	list := manifest.Field(k.node, field)
	if list == nil {
		return 0
	}
	for _, e := range list.Content {
		if n := manifest.Field(e, "name"); n != nil && badName(n.Value) {
			g.add(ref{k.file, n.Line}, fmt.Sprintf("name %q holds a character that no name can have", n.Value), "")
		}
		for _, n := range choose(e, "literals[]") {
			_, value, _ := strings.Cut(n.Value, "=")
			g.secrets = append(g.secrets, n.Value, value, strings.Trim(value, `"'`))
		}
	}
	return len(list.Content)
}

// keyOf gives the key node of a mapping's key.
func keyOf(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i]
		}
	}
	return nil
}

// choose gives the text scalars at a place like patches[].path, keys in any
// letter case, as kustomize takes them.
func choose(n *yaml.Node, at string) []*yaml.Node {
	if at == "" {
		if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
			return []*yaml.Node{n}
		}
		return nil
	}
	if n.Kind != yaml.MappingNode {
		return nil
	}
	key, rest, _ := strings.Cut(at, ".")
	key, isList := strings.CutSuffix(key, "[]")
	var all []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !strings.EqualFold(n.Content[i].Value, key) {
			continue
		}
		v := n.Content[i+1]
		if !isList {
			all = append(all, choose(v, rest)...)
		} else if v.Kind == yaml.SequenceNode {
			for _, item := range v.Content {
				all = append(all, choose(item, rest)...)
			}
		}
	}
	return all
}

// mentions tells whether some text below n holds word.
func mentions(n *yaml.Node, word string) bool {
	return anyText(n, func(s string) bool { return strings.Contains(strings.ToLower(s), word) })
}

// exposes tells whether some text below n is the path of a field that holds
// annotations: of themselves, or of all metadata.
func exposes(n *yaml.Node) bool {
	return mentions(n, "annotation") || anyText(n, func(s string) bool {
		return strings.HasSuffix(strings.TrimRight(s, ".]"), "metadata")
	})
}

func anyText(n *yaml.Node, is func(string) bool) bool {
	if n == nil {
		return false
	}
	if n.Kind == yaml.ScalarNode {
		return is(n.Value)
	}
	return slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return anyText(c, is) })
}

// badName tells whether a name holds what kustomize's own bookkeeping, lists
// with commas in annotations, cannot hold. It panics over such names.
func badName(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r == ',' || r <= ' ' || r == 0x7f })
}
