package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

// patch is one patch of a kustomization: a mapping, or a list of operations.
type patch struct {
	k     *kustomization
	entry *yaml.Node // that has it
	file  string     // where it is written
	shift int        // lines before it there
	data  []byte
	node  *yaml.Node // nil if it cannot be read
}

func (p patch) at(n *yaml.Node, text, hint string) finding.Finding {
	return finding.Finding{File: p.file, Line: n.Line + p.shift, Text: text, Hint: hint}
}

// patches gives every document of every patch.
func (b *build) patches() []patch {
	var all []patch
	for _, k := range b.kustomizations() {
		for _, field := range []string{"patches", "patchesJson6902", "patchesStrategicMerge"} {
			list := manifest.Field(k.node, field)
			if list == nil {
				continue
			}
			for _, entry := range list.Content {
				all = append(all, b.patch(k, entry)...)
			}
		}
	}
	return all
}

func (b *build) patch(k *kustomization, entry *yaml.Node) []patch {
	inline, name := manifest.Field(entry, "patch"), text(manifest.Field(entry, "path"))
	if entry.Kind == yaml.ScalarNode {
		if name = entry.Value; isInline(name) {
			inline = entry
		}
	}
	p := patch{k: k, entry: entry, file: k.file}
	if inline != nil {
		p.data, p.shift = []byte(inline.Value), inline.Line-1
		if strings.Contains(inline.Value, "\n") {
			p.shift++
		}
	} else {
		data, err := b.gate.view.read(path.Join(k.dir, name))
		if err != nil {
			return nil
		}
		a, _ := b.gate.view.find(path.Join(k.dir, name))
		p.data, p.file = data, a.real
	}
	docs, err := manifest.Documents(p.file, p.data)
	if err != nil {
		return []patch{p}
	}
	var all []patch
	for _, d := range docs {
		p.node = d.Node
		all = append(all, p)
	}
	return all
}

func (b *build) patchOfNothing(m []string) finding.Finding {
	id := readResid(m[1])
	for _, p := range b.patches() {
		if text(manifest.Field(p.node, "kind")) == id.kind && text(manifest.Field(p.node, "metadata", "name")) == id.name {
			return p.at(p.node, fmt.Sprintf("the patch of %s finds no such object", id), b.similar(id))
		}
	}
	return finding.Finding{Text: fmt.Sprintf("the patch of %s finds no such object", id), Hint: b.similar(id)}
}

func (b *build) unreadablePatch([]string) finding.Finding {
	for _, p := range b.patches() {
		switch trimmed := bytes.TrimSpace(p.data); {
		case p.node == nil:
			return finding.Finding{File: p.file, Text: "the patch is not YAML"}
		case p.node.Kind == yaml.MappingNode && manifest.Field(p.node, "kind") == nil:
			return p.at(p.node, "the patch has no kind", "a patch names its object by apiVersion, kind and metadata.name, also beside a target")
		case p.node.Kind == yaml.MappingNode && manifest.Field(p.node, "metadata", "name") == nil:
			return p.at(p.node, "the patch has no metadata.name", "a patch names its object by apiVersion, kind and metadata.name, also beside a target")
		case p.node.Kind == yaml.SequenceNode && len(trimmed) > 0 && trimmed[0] == '[' && !json.Valid(trimmed):
			return p.at(p.node, "the patch begins with [ and is not JSON", "write each operation on a line of its own, behind a dash")
		}
	}
	return finding.Finding{}
}

func (b *build) withoutTarget([]string) finding.Finding {
	for _, p := range b.patches() {
		if p.node != nil && p.node.Kind == yaml.SequenceNode && manifest.Field(p.entry, "target") == nil {
			return at(p.k, p.entry, "operations need a target, this patch has none", "write beside it which objects are meant, for instance target: {kind: Deployment, name: web}")
		}
	}
	return finding.Finding{}
}

// operation finds the operation whose path does not lead anywhere.
func (b *build) operation(m []string) finding.Finding {
	what := fmt.Sprintf("operation %s of %s does not fit the object", m[1], m[2])
	hint := "the path has to be there; operation add makes its last part"
	switch m[1] {
	case "add":
		hint = "all of the path but its last part has to be there"
	case "test":
		hint = "the object has another value there"
	}
	for _, p := range b.patches() {
		if p.node == nil || p.node.Kind != yaml.SequenceNode {
			continue
		}
		for _, op := range p.node.Content {
			if text(manifest.Field(op, "op")) == m[1] && (text(manifest.Field(op, "path")) == m[2] || text(manifest.Field(op, "from")) == m[2]) {
				return p.at(op, what, hint)
			}
		}
	}
	return finding.Finding{}
}

func (b *build) unknownOperation(m []string) finding.Finding {
	what, hint := fmt.Sprintf("%q is no operation", m[1]), "operations are add, remove, replace, move, copy and test"
	for _, p := range b.patches() {
		if p.node == nil || p.node.Kind != yaml.SequenceNode {
			continue
		}
		for _, op := range p.node.Content {
			if text(manifest.Field(op, "op")) == m[1] {
				return p.at(op, what, hint)
			}
		}
	}
	return finding.Finding{}
}

func (b *build) bothPatches([]string) finding.Finding {
	k, n := b.entries("patches", func(_ *kustomization, n *yaml.Node) bool {
		return manifest.Field(n, "patch") != nil && manifest.Field(n, "path") != nil
	})
	return at(k, n, "the entry has both patch and path", "keep one of the two")
}

func (b *build) noPatch([]string) finding.Finding {
	k, n := b.entries("patches", func(_ *kustomization, n *yaml.Node) bool {
		return text(manifest.Field(n, "patch")) == "" && text(manifest.Field(n, "path")) == ""
	})
	return at(k, n, "the entry has neither patch nor path", "write the patch under patch, or name its file under path")
}

func (b *build) expression(m []string) finding.Finding {
	var bad, field string
	wrong := func(k *kustomization, n *yaml.Node) bool {
		target := manifest.Field(n, "target")
		for _, key := range []string{"group", "version", "kind", "name", "namespace"} {
			v := text(manifest.Field(target, key))
			if _, err := regexp.Compile(v); err != nil {
				bad, field = v, key
				return true
			}
		}
		return false
	}
	k, n := b.entries("patches", wrong)
	if k == nil {
		k, n = b.entries("patchesJson6902", wrong)
	}
	if k == nil {
		return finding.Finding{}
	}
	return at(k, manifest.Field(n, "target", field), fmt.Sprintf("target.%s %q is not a regular expression: %s", field, bad, m[1]), "it is matched as one: any text is .*")
}
