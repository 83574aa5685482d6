package render

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/konfig"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

// pathField is a place in a kustomization, or in a plugin's configuration,
// that names a file or directory.
type pathField struct {
	at     string
	use    int
	dirs   bool // may name a directory
	files  bool // may name a file
	inline bool // may hold the text itself
	keyed  bool // may be key=path
}

// pathFields are all places of a kustomization that name something.
func pathFields() []pathField {
	fields := []pathField{
		{at: "resources[]", use: useResource, dirs: true, files: true},
		{at: "bases[]", use: useResource, dirs: true, files: true},
		{at: "components[]", use: useResource, dirs: true},
		{at: "crds[]", use: useOther, files: true},
		{at: "configurations[]", use: useOther, files: true},
		{at: "openapi.path", use: useData, files: true},
		{at: "replacements[].path", use: useReplacement, files: true},
		{at: "patches[].path", use: usePatch, files: true},
		{at: "patches[].patch", use: usePatch, inline: true},
		{at: "patchesJson6902[].path", use: usePatch, files: true},
		{at: "patchesJson6902[].patch", use: usePatch, inline: true},
		{at: "patchesStrategicMerge[]", use: usePatch, files: true, inline: true},
		{at: "generators[]", use: usePlugin, dirs: true, files: true, inline: true},
		{at: "transformers[]", use: usePlugin, dirs: true, files: true, inline: true},
		{at: "validators[]", use: usePlugin, dirs: true, files: true, inline: true},
	}
	for _, g := range []string{"configMapGenerator", "secretGenerator"} {
		fields = append(fields, pathField{at: g + "[].files[]", use: useData, files: true, keyed: true},
			pathField{at: g + "[].envs[]", use: useData, files: true}, pathField{at: g + "[].env", use: useData, files: true})
	}
	return fields
}

// pluginFields are the places of a builtin plugin's configuration that name something.
func pluginFields() []pathField {
	return []pathField{
		{at: "path", use: usePatch, files: true},
		{at: "patch", use: usePatch, inline: true},
		{at: "jsonOp", use: usePatch, inline: true},
		{at: "patches", use: usePatch, inline: true},
		{at: "paths[]", use: usePatch, files: true, inline: true},
		{at: "replacements[].path", use: useReplacement, files: true},
		{at: "files[]", use: useData, files: true, keyed: true},
		{at: "envs[]", use: useData, files: true},
		{at: "env", use: useData, files: true},
		{at: "targetFilePath", use: useOther, files: true},
	}
}

// path checks what one value of a field names, or the text that it is.
func (g *gate) path(k *kustomization, f pathField, n *yaml.Node) tally {
	at := ref{k.file, n.Line}
	if f.inline && (!f.files || isInline(n.Value)) {
		return g.text(k, f, n)
	}
	name := n.Value
	if isRemote(name) {
		g.remote(at, name)
		return tally{}
	}
	if f.keyed {
		if key, value, found := strings.Cut(name, "="); found {
			if name = value; key == "" || strings.Contains(value, "=") {
				g.add(at, fmt.Sprintf("%q is not of the form key=path", n.Value), "")
				return tally{}
			}
		}
		if isRemote(name) {
			g.remote(at, name)
			return tally{}
		}
	}
	switch {
	case name == "":
		g.add(at, "an empty path", "")
		return tally{}
	case strings.HasPrefix(name, "/"):
		g.add(at, fmt.Sprintf("%q is an absolute path", name), "write it relative to the kustomization's directory")
		return tally{}
	}
	joined := path.Join(k.dir, name)
	if strings.HasPrefix(joined, "../") || joined == ".." {
		g.add(at, fmt.Sprintf("%q leaves the repository", name), "only files of the repository can be rendered: copy them into it")
		return tally{}
	}
	return g.local(k, f, n, joined)
}

func (g *gate) remote(at ref, name string) {
	g.add(at, fmt.Sprintf("%q is remote: rendering fetches nothing", name), "copy the files into the repository, and name them by a relative path")
}

// isInline tells a field's text from a path as kustomize does: text that
// parses as objects is no path.
func isInline(s string) bool {
	if strings.Contains(s, "\n") {
		return true
	}
	docs, err := manifest.Documents("", []byte(s))
	return err == nil && len(docs) > 0 && docs[0].Node.Kind != yaml.ScalarNode
}

// local checks a file or directory of the repository.
func (g *gate) local(k *kustomization, f pathField, n *yaml.Node, name string) tally {
	at := ref{k.file, n.Line}
	a, err := g.view.find(name)
	if err != nil {
		missing := pathFinding(g.view.fs, at.file, at.line, err)
		if missing.Hint == "" && isMissing(err) {
			missing.Hint = fmt.Sprintf("paths count from the kustomization's directory, %s", k.dir)
		}
		g.list = append(g.list, missing)
		return tally{}
	}
	switch {
	case a.kind == leadsToDir && !f.dirs:
		g.add(at, fmt.Sprintf("%q is a directory, a file is needed", name), "")
		return tally{}
	case a.kind == leadsToFile && !f.files:
		g.add(at, fmt.Sprintf("%q is a file, a directory with a kustomization is needed", name), "")
		return tally{}
	case a.kind == leadsToDir:
		return g.dir(a.real, at)
	case f.dirs && slices.Contains(konfig.RecognizedKustomizationFileNames(), path.Base(a.real)):
		g.add(at, fmt.Sprintf("%q is a kustomization, not a manifest", a.real), "list its directory")
		return tally{}
	case !below(a.real, k.dir):
		g.add(at, fmt.Sprintf("%q lies outside of the kustomization's directory %q", a.real, k.dir),
			"kustomize reads files from its own directory only: move the file, or make its directory a base")
		return tally{}
	}
	data, err := g.view.read(name)
	if err != nil {
		g.list = append(g.list, pathFinding(g.view.fs, at.file, at.line, err))
		return tally{}
	}
	if g.uses[a.real] == nil {
		g.uses[a.real] = map[int]bool{}
	}
	first := !g.uses[a.real][f.use]
	g.uses[a.real][f.use] = true
	return g.file(k, f.use, a.real, data, first, g.targets[n])
}

// file checks a file's content. first is unset for a file that was seen
// before: it counts again, but is reported once.
func (g *gate) file(k *kustomization, use int, file string, data []byte, first bool, target string) tally {
	if use == useData {
		if first {
			g.secrets = append(g.secrets, lines(data)...)
		}
		return tally{}
	}
	r := g.memo.get(use, file, data, func() *reading { return read(use, file, data) })
	if first && use == usePlugin && len(r.findings) > 0 {
		r = &reading{findings: naming(k, r.findings)}
	}
	if first {
		g.take(r)
	}
	g.sees(r, target)
	if use == usePlugin && first && len(r.findings) == 0 {
		g.plugins(k, file, 0, data)
	}
	return tally{objects: len(r.docs)}
}

// naming adds the kustomization that a plugin's configuration belongs to.
func naming(k *kustomization, list finding.List) finding.List {
	named := slices.Clone(list)
	for i := range named {
		named[i].Text += fmt.Sprintf(" (listed in %s)", k.file)
	}
	return named
}

func (g *gate) take(r *reading) {
	g.list = append(g.list, r.findings...)
	g.docs = append(g.docs, r.docs...)
	g.secrets = append(g.secrets, r.secrets...)
}

// aim notes the kind that each patch of a kustomization is meant for.
func (g *gate) aim(k *kustomization) {
	if mentions(k.node, "allowkindchange") {
		g.rekinds = true
	}
	for _, field := range []string{"patches", "patchesJson6902"} {
		list := manifest.Field(k.node, field)
		if list == nil || list.Kind != yaml.SequenceNode {
			continue
		}
		for _, e := range list.Content {
			kinds := choose(e, "target.kind")
			if len(kinds) != 1 || !kindWord.MatchString(kinds[0].Value) {
				continue
			}
			for _, at := range []string{"path", "patch"} {
				for _, n := range choose(e, at) {
					g.targets[n] = kinds[0].Value
				}
			}
		}
	}
}

// kindWord is a target that selects one kind: kustomize takes it for a pattern.
var kindWord = regexp.MustCompile(`^[A-Za-z0-9]+$`)

// sees says what a file means for the marks. What may see annotations at large
// rules them out; a patch that may see those of one kind, only for that kind.
// Generated objects cannot be marked elsewhere.
func (g *gate) sees(r *reading, target string) {
	g.rekinds = g.rekinds || r.rekinds
	switch {
	case !r.touches:
	case target == "" || target == "ConfigMap" || target == "Secret":
		g.exact = true
	default:
		g.rooted = true
	}
}

// text checks what is written in the kustomization itself.
func (g *gate) text(k *kustomization, f pathField, n *yaml.Node) tally {
	data := []byte(n.Value)
	r := read(f.use, k.file, data)
	shift := n.Line - 1
	if strings.Contains(n.Value, "\n") {
		shift++ // a block begins in the line after its indicator
	}
	r.findings = moved(r.findings, shift)
	g.take(r)
	g.sees(r, g.targets[n])
	if f.use == usePlugin && len(r.findings) == 0 {
		g.plugins(k, k.file, shift, data)
	}
	return tally{}
}

func moved(list finding.List, lines int) finding.List {
	for i := range list {
		if list[i].Line > 0 {
			list[i].Line += lines
		}
	}
	return list
}

// plugins checks what builtin generators and transformers name in turn.
// Their paths count from the kustomization that lists them.
func (g *gate) plugins(k *kustomization, file string, shift int, data []byte) {
	docs, err := manifest.Documents(file, data)
	if err != nil {
		return
	}
	for _, d := range docs {
		for _, f := range pluginFields() {
			for _, n := range choose(d.Node, f.at) {
				at := *n
				at.Line += shift
				written := *k
				written.file = file
				g.path(&written, f, &at)
			}
		}
	}
}

// lines gives what a generator's file may put into an error: its lines, and
// the values of assignments.
func lines(data []byte) []string {
	var all []string
	for _, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		all = append(all, line)
		if _, value, found := strings.Cut(line, "="); found {
			all = append(all, value)
		}
	}
	return all
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
