package render

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

func (b *build) twice(m []string) finding.Finding {
	id := readResid(m[2])
	var places []docInfo
	for _, d := range b.gate.docs {
		if d.kind == id.kind && d.name == id.name {
			places = append(places, d)
		}
	}
	if len(places) > 1 {
		f, l := places[0], places[len(places)-1]
		return finding.Finding{File: l.file, Line: l.line, Text: fmt.Sprintf("%s is already defined in %s:%d", id, f.file, f.line), Hint: "keep one of the two"}
	}
	k, n := b.listed(m[1])
	return at(k, n, fmt.Sprintf("%s comes in twice: %q brings it once more", id, m[1]),
		"list what defines it once, or give one of them another name by namePrefix")
}

// listed gives the last entry of a list of resources that leads to a path:
// one relative to its kustomization, or, of a directory, to the repository.
func (b *build) listed(name string) (k *kustomization, n *yaml.Node) {
	for _, field := range []string{"resources", "bases", "components"} {
		b.entries(field, func(in *kustomization, entry *yaml.Node) bool {
			if entry.Value == name || path.Join(in.dir, entry.Value) == name {
				k, n = in, entry
			}
			return false
		})
	}
	return k, n
}

// generated finds an entry of a generator.
func (b *build) generated(found func(n *yaml.Node) bool) (k *kustomization, n *yaml.Node, field string) {
	for _, field := range []string{"configMapGenerator", "secretGenerator"} {
		if k, n := b.entries(field, func(_ *kustomization, n *yaml.Node) bool { return found(n) }); k != nil {
			return k, n, field
		}
	}
	return nil, nil, ""
}

func (b *build) literal([]string) finding.Finding {
	var bad *yaml.Node
	k, _, field := b.generated(func(n *yaml.Node) bool {
		for _, l := range choose(n, "literals[]") {
			if strings.Index(l.Value, "=") < 1 {
				bad = l
				return true
			}
		}
		return false
	})
	if k == nil {
		return finding.Finding{}
	}
	return at(k, bad, "a literal of "+field+" is not of the form key=value", // the text may be a Secret's value
		"write KEY=value, with nothing behind = for an empty one")
}

func (b *build) repeats(m []string) finding.Finding {
	k, n, field := b.generated(func(n *yaml.Node) bool { return text(manifest.Field(n, "name")) == m[2] })
	return at(k, n, fmt.Sprintf("%s %s has the key %q twice", strings.TrimSuffix(field, "Generator"), m[2], m[3]),
		"its literals, files and envs may give each key once")
}

func (b *build) unnamed([]string) finding.Finding {
	k, n, field := b.generated(func(n *yaml.Node) bool { return text(manifest.Field(n, "name")) == "" })
	return at(k, n, "an entry of "+field+" has no name", "add name:")
}

func (b *build) merging(m []string) finding.Finding {
	id := m[1] + " " + m[2]
	var k *kustomization
	var n *yaml.Node
	for _, field := range []string{"configMapGenerator", "secretGenerator"} {
		b.entries(field, func(in *kustomization, entry *yaml.Node) bool {
			create := slices.Contains([]string{"", "create", "unspecified"}, text(manifest.Field(entry, "behavior")))
			if text(manifest.Field(entry, "name")) == m[2] && create == (m[3] == "exists") {
				k, n = in, entry // the last one is the one too many
			}
			return false
		})
	}
	if m[3] == "exists" {
		return at(k, n, id+" is there already, it cannot be generated once more", "choose another name, or say what is meant: behavior: merge or behavior: replace")
	}
	return at(k, n, "there is no "+id+" to change", "take the behavior out, or name one that a base generates")
}

func (b *build) replicas(m []string) finding.Finding {
	k, n := b.entries("replicas", func(_ *kustomization, n *yaml.Node) bool { return text(manifest.Field(n, "name")) == m[1] })
	return at(k, n, fmt.Sprintf("replicas names %q, which is no Deployment, StatefulSet, ReplicaSet or ReplicationController of the build", m[1]),
		"the name is that of the resource, before a prefix is added")
}

// sourceOf finds a replacement by a field of its source.
func (b *build) sourceOf(key, value string) (*kustomization, *yaml.Node) {
	return b.entries("replacements", func(_ *kustomization, n *yaml.Node) bool {
		return text(manifest.Field(n, "source", key)) == value
	})
}

func (b *build) noSource(m []string) finding.Finding {
	id := readResid(m[1])
	k, n := b.sourceOf("name", id.name)
	return at(k, n, fmt.Sprintf("the source of the replacement, %s, is not in the build", id), b.similar(id))
}

func (b *build) manySources(m []string) finding.Finding {
	id := readResid(strings.SplitN(m[1], ":", 2)[0])
	k, n := b.sourceOf("kind", id.kind)
	return at(k, n, fmt.Sprintf("the source of the replacement, %s, is more than one object", id), "name the one: name, namespace")
}

func (b *build) noSourceField(m []string) finding.Finding {
	k, n := b.sourceOf("fieldPath", m[1])
	return at(k, n, fmt.Sprintf("the source of the replacement, %s, has no field %s", readResid(m[2]), m[1]), "name one that it has, with dots between the parts: data.key")
}

func (b *build) noTargetField(m []string) finding.Finding {
	k, n := b.entries("replacements", func(_ *kustomization, n *yaml.Node) bool {
		return slices.ContainsFunc(choose(n, "targets[].fieldPaths[]"), func(p *yaml.Node) bool { return p.Value == m[1] })
	})
	return at(k, n, fmt.Sprintf("the target of the replacement has no field %s", m[1]), "options: {create: true} makes it where only its last part is missing")
}

func (b *build) component(m []string) finding.Finding {
	k, n := b.listed(m[1])
	return at(k, n, fmt.Sprintf("%q is a Component", m[1]), "list it under components")
}

func (b *build) noComponent(m []string) finding.Finding {
	k, n := b.listed(m[1])
	return at(k, n, fmt.Sprintf("%q is no Component", m[1]), "list it under resources, or let its file begin with kind: Component and apiVersion: kustomize.config.k8s.io/v1alpha1")
}

func (b *build) empty(m []string) finding.Finding {
	k := b.gate.kusts[m[1]]
	if k == nil {
		return finding.Finding{}
	}
	return finding.Finding{File: k.file, Text: "does nothing: it lists no resource and changes none", Hint: "add what it is for, or take it off the lists"}
}

func (b *build) variable(m []string) finding.Finding {
	k, n := b.entries("vars", func(_ *kustomization, n *yaml.Node) bool { return text(manifest.Field(n, "name")) == m[1] })
	kind, _, _ := strings.Cut(m[2], ".")
	return at(k, n, fmt.Sprintf("the variable %s is of a %s that is not in the build", m[1], kind), "its objref has to name a resource")
}

func (b *build) oneNamespace([]string) finding.Finding {
	for _, k := range b.kustomizations() {
		if n := keyOf(k.node, "namespace"); n != nil {
			return at(k, n, "one namespace for all makes two objects one: they differ in nothing but their namespaces", "give one another name, or build the two namespaces apart")
		}
	}
	return finding.Finding{}
}
