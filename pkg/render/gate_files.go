package render

import (
	"encoding/base64"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

// read checks a file that kustomize is going to read, for one use.
func read(use int, file string, data []byte) *reading {
	r := &reading{}
	parse := manifest.Documents
	if use == useResource || use == usePatch {
		parse = manifest.PortableDocuments
	}
	docs, err := parse(file, data)
	if rest := r.findings.Take(err); rest != nil {
		r.findings.Add(file, 0, rest.Error(), "")
	}
	if err != nil {
		return r
	}
	for _, d := range docs {
		r.secrets = append(r.secrets, secrets(d.Node, false)...)
		switch use {
		case useResource:
			r.resource(file, d, d.Node)
		case usePatch:
			r.patch(file, d.Node)
		case usePlugin:
			r.plugin(file, d.Node)
		case useReplacement:
			r.touches = r.touches || exposes(d.Node)
		}
	}
	switch {
	case len(r.findings) > 0:
	case use == useResource && len(r.docs) == 0:
		r.findings.Add(file, 0, "holds no object", "take it off the resources, or add an object to it")
	case use == useResource:
		r.tagged, r.rooted = tagged(file, data, docs)
		r.touches = r.tagged == nil
	}
	return r
}

// resource checks one object, or each item of a list.
func (r *reading) resource(file string, d manifest.Document, n *yaml.Node) {
	line := n.Line
	if n.Kind != yaml.MappingNode {
		r.findings.Add(file, line, "a Kubernetes object is a mapping, this is not", "")
		return
	}
	kind, items := manifest.Field(n, "kind"), manifest.Field(n, "items")
	if kind != nil && strings.HasSuffix(kind.Value, "List") && items != nil && items.Kind == yaml.SequenceNode {
		for _, item := range items.Content {
			r.resource(file, d, item)
		}
		return
	}
	name := manifest.Field(n, "metadata", "name")
	r.needs(file, line, "kind", kind)
	r.needs(file, line, "metadata.name", name)
	r.names(file, n)
	r.bookkeeping(file, n)
	if kind != nil && name != nil {
		r.docs = append(r.docs, docInfo{file: file, doc: d.Index, line: line, kind: kind.Value, name: name.Value})
	}
}

func (r *reading) needs(file string, line int, what string, v *yaml.Node) {
	switch {
	case v == nil || v.Tag == "!!null":
		r.findings.Add(file, line, "no "+what, "resources are whole Kubernetes objects; what changes one is listed under patches")
	case v.Kind != yaml.ScalarNode || v.Tag != "!!str":
		r.findings.Add(file, v.Line, what+" has to be text", "put it between quotes")
	}
}

// names refuses the names that make kustomize panic.
func (r *reading) names(file string, n *yaml.Node) {
	for _, at := range [][]string{{"kind"}, {"apiVersion"}, {"metadata", "name"}, {"metadata", "namespace"}} {
		v := manifest.Field(n, at...)
		if v != nil && v.Kind == yaml.ScalarNode && badName(v.Value) {
			r.findings.Add(file, v.Line, fmt.Sprintf("%s %q holds a character that no name can have", strings.Join(at, "."), v.Value), "")
		}
	}
}

// bookkeeping refuses the annotations that kustomize, or this package, keeps
// its own notes in.
func (r *reading) bookkeeping(file string, n *yaml.Node) {
	annotations := manifest.Field(n, "metadata", "annotations")
	if annotations == nil || annotations.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(annotations.Content); i += 2 {
		key := annotations.Content[i]
		if strings.HasPrefix(key.Value, "internal.config.kubernetes.io/") || key.Value == originAnnotation || key.Value == tagAnnotation {
			r.findings.Add(file, key.Line, fmt.Sprintf("annotation %q is written while rendering, a source cannot set it", key.Value), "delete it")
		}
	}
}

// patch checks a strategic merge patch, or a list of JSON 6902 operations.
func (r *reading) patch(file string, n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		r.names(file, n)
		r.bookkeeping(file, n)
		return
	}
	if n.Kind != yaml.SequenceNode {
		r.findings.Add(file, n.Line, "a patch is a mapping or a list of operations, this is neither", "")
		return
	}
	for _, op := range n.Content {
		if own := ownNote(op); own != "" {
			r.findings.Add(file, op.Line, fmt.Sprintf("annotation %q is written while rendering, a patch cannot set it", own), "delete it")
		}
		for _, key := range []string{"path", "from"} {
			p := manifest.Field(op, key)
			if p == nil {
				continue
			}
			if p.Value == "" || p.Value == "/" || p.Value == "/kind" {
				r.rekinds = true
			}
			if p.Value == "" || p.Value == "/" || p.Value == "/metadata" || strings.HasPrefix(p.Value, "/metadata/annotations") {
				r.touches = true
			}
		}
	}
}

// ownNote gives the annotation of kustomize's or of this package's own that a
// JSON 6902 operation touches, or "".
func ownNote(op *yaml.Node) string {
	for _, key := range []string{"internal.config.kubernetes.io/", originAnnotation, tagAnnotation} {
		pointer := strings.ReplaceAll(key, "/", "~1")
		for _, at := range []string{"path", "from"} {
			if strings.Contains(text(manifest.Field(op, at)), "/metadata/annotations/"+pointer) {
				return key
			}
		}
		if sets(manifest.Field(op, "value"), key) {
			return key
		}
	}
	return ""
}

// sets tells whether a key below n begins with prefix.
func sets(n *yaml.Node, prefix string) bool {
	if n == nil {
		return false
	}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && strings.HasPrefix(c.Value, prefix) || sets(c, prefix) {
			return true
		}
	}
	return false
}

// plugin checks the configuration of a generator, transformer or validator.
func (r *reading) plugin(file string, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		r.findings.Add(file, n.Line, "a plugin's configuration is a mapping, this is not", "")
		return
	}
	for _, key := range []string{"config.kubernetes.io/function", "config.k8s.io/function"} {
		if at := manifest.Field(n, "metadata", "annotations", key); at != nil {
			r.findings.Add(file, at.Line, fmt.Sprintf("annotation %q would run a container or a program", key), "commit what the function writes, and list that under resources")
			return
		}
	}
	kind, version := text(manifest.Field(n, "kind")), text(manifest.Field(n, "apiVersion"))
	switch {
	case kind == "HelmChartInflationGenerator":
		r.findings.Add(file, n.Line, "HelmChartInflationGenerator is not supported: it would fetch a chart and run helm",
			"commit the chart's output: helm template … > chart.yaml, and list it under resources")
	case version != "builtin":
		r.findings.Add(file, n.Line, fmt.Sprintf("plugin %s of %s is a program: only kustomize's own plugins, apiVersion builtin, are run", kind, version),
			"commit what the plugin writes, and list that under resources")
	}
	if sets(n, tagAnnotation) {
		r.findings.Add(file, n.Line, fmt.Sprintf("annotation %q is written while rendering, a plugin cannot set it", tagAnnotation), "delete it")
	}
	r.names(file, n)
}

func text(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

// secrets gives the values that no message may show: those of Secrets, and
// those of JSON 6902 operations, which may be meant for one.
func secrets(n *yaml.Node, inside bool) []string {
	if n.Kind == yaml.ScalarNode {
		if !inside || n.Tag == "!!null" {
			return nil
		}
		all := []string{n.Value}
		if plain, err := base64.StdEncoding.DecodeString(n.Value); err == nil {
			all = append(all, string(plain))
		}
		return all
	}
	isSecret := text(manifest.Field(n, "kind")) == "Secret"
	var all []string
	for i, c := range n.Content {
		within := inside
		if n.Kind == yaml.MappingNode {
			if i%2 == 0 {
				continue
			}
			key := n.Content[i-1].Value
			within = within || isSecret && (key == "data" || key == "stringData") || key == "value" && manifest.Field(n, "op") != nil
		}
		all = append(all, secrets(c, within)...)
	}
	return all
}
