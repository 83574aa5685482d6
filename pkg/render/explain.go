package render

import (
	"fmt"
	"regexp"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

// explanation says in the terms of the files what an error of kustomize's
// means. The parts of an error that it repeats are names and paths, never
// values: what it takes is in the pattern.
type explanation struct {
	pattern *regexp.Regexp
	explain func(b *build, m []string) finding.Finding
}

// explanations are of the errors that people meet most. What is in none of
// them is shown in kustomize's own words, see redact.
var explanations = []explanation{
	{regexp.MustCompile(`(?:from|path) '([^']*)': may not add resource with an already registered id: (\S+?)'?(?::|$)`), (*build).twice},
	{regexp.MustCompile(`no matches for Id (\S+); failed to find unique target`), (*build).patchOfNothing},
	{regexp.MustCompile(`unable to parse SM or JSON patch from \[(?:path: |patch: )`), (*build).unreadablePatch},
	{regexp.MustCompile(`^must specify a target for JSON patch`), (*build).withoutTarget},
	{regexp.MustCompile(`(add|remove|replace|test|copy|move) operation does not apply: doc is missing [a-z ]+: ["']?(/[^:\s"']*)`), (*build).operation},
	{regexp.MustCompile(`error in (add|remove|replace|test|copy|move) for path: '([^']*)'`), (*build).operation},
	{regexp.MustCompile(`^(test)ing (?:value )?(/\S*)`), (*build).operation},
	{regexp.MustCompile(`^Unexpected kind: (\w*)$`), (*build).unknownOperation},
	{regexp.MustCompile(`patch and path can't be set at the same time`), (*build).bothPatches},
	{regexp.MustCompile(`must specify one of patch and path`), (*build).noPatch},
	{regexp.MustCompile(`error parsing regexp: ([a-z ]+): `), (*build).expression},
	{regexp.MustCompile(`invalid literal source`), (*build).literal},
	{regexp.MustCompile("(configmap|secret) (\\S+) illegally repeats the key `([^`]+)`"), (*build).repeats},
	{regexp.MustCompile(`a (configmap|secret) must have a name`), (*build).unnamed},
	{regexp.MustCompile(`merging from generator .*Kind:"(\w+)".*Name:"([^"]*)", Namespace:"[^"]*"\} (exists|does not exist);`), (*build).merging},
	{regexp.MustCompile(`^resource with name (\S+) does not match a config`), (*build).replicas},
	{regexp.MustCompile(`nothing selected by (\S+?):(\S*)$`), (*build).noSource},
	{regexp.MustCompile(`multiple matches for selector (\S+)$`), (*build).manySources},
	{regexp.MustCompile("fieldPath `([^`]*)` is missing for replacement source (\\S+)"), (*build).noSourceField},
	{regexp.MustCompile(`unable to find field "([^"]*)" in replacement target`), (*build).noTargetField},
	{regexp.MustCompile(`expected kind != 'Component' for path '([^']*)'`), (*build).component},
	{regexp.MustCompile(`expected kind 'Component' for path '([^']*)'`), (*build).noComponent},
	{regexp.MustCompile(`path '([^']*)': kustomization.yaml is empty`), (*build).empty},
	{regexp.MustCompile(`namespace transformation produces ID conflict`), (*build).oneNamespace},
	{regexp.MustCompile(`^var '\{(\S+) (\S+) .*cannot be mapped to a field`), (*build).variable},
}

// explain gives a finding for what kustomize says.
func (b *build) explain(said string) finding.Finding {
	plain := strings.TrimSpace(strings.ReplaceAll(builtinConfig.ReplaceAllString(said, ": "), mount+"/", ""))
	for _, e := range explanations {
		m := e.pattern.FindStringSubmatch(plain)
		if m == nil {
			continue
		}
		f := e.explain(b, m)
		if f.Text == "" {
			break
		}
		if f.File == "" {
			f.File = b.top.file
		}
		f.Text, f.Hint = tidy(f.Text), tidy(f.Hint)
		return f
	}
	return finding.Finding{File: b.top.file, Text: "kustomize: " + redact(said, b.gate.secrets)}
}

// kustomizations gives those of the build in order of their directories.
func (b *build) kustomizations() []*kustomization {
	all := make([]*kustomization, 0, len(b.gate.kusts))
	for _, k := range b.gate.kusts {
		all = append(all, k)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].dir < all[j].dir })
	return all
}

// entries gives the items of a list of every kustomization.
func (b *build) entries(field string, found func(k *kustomization, n *yaml.Node) bool) (*kustomization, *yaml.Node) {
	for _, k := range b.kustomizations() {
		list := manifest.Field(k.node, field)
		if list == nil {
			continue
		}
		for _, n := range list.Content {
			if found(k, n) {
				return k, n
			}
		}
	}
	return nil, nil
}

// at makes a finding about a node of a kustomization; without one, about the
// kustomization that is built.
func at(k *kustomization, n *yaml.Node, text, hint string) finding.Finding {
	f := finding.Finding{Text: text, Hint: hint}
	if k != nil {
		f.File, f.Line = k.file, n.Line
	}
	return f
}

// resid is how kustomize writes an object's identity: kind.version.group/name.namespace.
type resid struct{ kind, name, namespace string }

func readResid(s string) resid {
	gvk, name, _ := strings.Cut(s, "/")
	kind, _, _ := strings.Cut(gvk, ".")
	id := resid{kind: kind, name: name}
	if i := strings.LastIndex(name, "."); i >= 0 {
		id.name, id.namespace = name[:i], name[i+1:]
	}
	if id.kind == "[noKind]" {
		id.kind = "object"
	}
	if id.namespace == "[noNs]" {
		id.namespace = ""
	}
	return id
}

func (id resid) String() string {
	if id.name == "[noName]" {
		return id.kind
	}
	if id.namespace != "" {
		return id.kind + " " + id.namespace + "/" + id.name
	}
	return id.kind + " " + id.name
}

// similar says what may be meant by an identity that is not there.
func (b *build) similar(id resid) string {
	best, least := "", 1+len(id.name)/3
	for _, d := range b.gate.docs {
		switch {
		case d.kind != id.kind:
		case d.name == id.name:
			return fmt.Sprintf("apiVersion and namespace have to be those of %s:%d, too", d.file, d.line)
		default:
			if n := distance(d.name, id.name); n <= least {
				best, least = d.name, n-1
			}
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %s %s?", id.kind, best)
	}
	return "kind and name have to be those of a resource, as they are before this kustomization changes them"
}
