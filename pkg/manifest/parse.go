package manifest

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/finding"
)

// Parse reads the objects of a manifest file: YAML or JSON, many documents,
// lists unpacked. The error is a finding.List of everything at fault.
func Parse(file string, data []byte) (Set, error) {
	docs, err := Documents(file, data)
	if err != nil {
		return nil, err
	}
	var set Set
	var list finding.List
	for _, d := range docs {
		origin := Origin{File: file, Line: d.Line, Doc: d.Index}
		objects := objects(d.Node, origin, &list)
		if len(objects) == 1 && signed(d.Node) {
			objects[0].raw = document(d.Raw)
		}
		set = append(set, objects...)
	}
	if len(set) == 0 && len(list) == 0 {
		list.Add(file, 0, "holds no object", "list files that hold Kubernetes objects, or take this one off the list")
	}
	return set, list.Err()
}

// objects unpacks a document into its objects.
func objects(n *yaml.Node, origin Origin, list *finding.List) Set {
	if n.Kind != yaml.MappingNode {
		list.Add(origin.File, origin.Line, "a Kubernetes object is a mapping, this is "+describe(n), "")
		return nil
	}
	items := Field(n, "items")
	kind := Field(n, "kind")
	if kind == nil || !strings.HasSuffix(kind.Value, "List") || items == nil || items.Kind != yaml.SequenceNode {
		if o := New(n, origin, list); o != nil {
			return Set{o}
		}
		return nil
	}
	if len(items.Content) == 0 {
		list.Add(origin.File, items.Line, kind.Value+" without items", "")
	}
	var set Set
	for _, item := range items.Content {
		at := origin
		at.Line = item.Line
		set = append(set, objects(item, at, list)...)
	}
	return set
}

var (
	// Counted repeats are dear to compile: only where they are asked for.
	kindName   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{0,62}$`) })
	dnsLabel   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`) })
	dnsDomain  = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	apiVersion = regexp.MustCompile(`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?v?[a-z0-9]+$`)
	segment    = regexp.MustCompile(`^[!-$&-.0-~]+$`)
)

// New makes an Object of a canonical node, or reports why it is none.
func New(n *yaml.Node, origin Origin, list *finding.List) *Object {
	before := len(*list)
	c := checker{file: origin.File, line: origin.Line, list: list}
	version := c.text(n, "apiVersion", n)
	kind := c.text(n, "kind", n)
	meta := Field(n, "metadata")
	if meta == nil || meta.Kind != yaml.MappingNode {
		c.add(meta, "no metadata.name: metadata is "+describe(meta), "")
		return nil
	}
	namespace := ""
	if ns := Field(meta, "namespace"); ns != nil && ns.Tag != tagNull {
		namespace = c.text(meta, "namespace", meta)
		if namespace != "" && !dnsLabel().MatchString(namespace) {
			c.add(ns, fmt.Sprintf("namespace %q is not a DNS label", namespace), "")
		}
	}
	if version != "" && !apiVersion.MatchString(version) {
		c.add(Field(n, "apiVersion"), fmt.Sprintf("apiVersion %q is neither a version nor group/version", version), "")
	}
	if kind != "" && !kindName().MatchString(kind) {
		c.add(Field(n, "kind"), fmt.Sprintf("kind %q is not a kind's name", kind), "")
	}
	id := ID{Group: Group(version), Kind: kind, Namespace: namespace, Name: c.name(n, meta)}
	c.name2(meta, id)
	if clusterScoped[id.Kind+"."+id.Group] {
		id.Namespace = ""
	}
	c.stringMaps(n, id)
	if len(*list) > before {
		return nil
	}
	return &Object{ID: id, APIVersion: version, Node: n, Origin: origin}
}

// checker reports what is wrong with one object.
type checker struct {
	file string
	line int
	list *finding.List
}

func (c checker) add(at *yaml.Node, text, hint string) {
	line := c.line
	if at != nil && at.Line > 0 && c.line > 0 {
		line = at.Line
	}
	c.list.Add(c.file, line, text, hint)
}

// text gives a field that has to be a string that is not empty.
func (c checker) text(n *yaml.Node, key string, at *yaml.Node) string {
	f := Field(n, key)
	switch {
	case f == nil:
		c.add(at, "no "+key, "")
	case f.Kind != yaml.ScalarNode || f.Tag != tagString:
		c.add(f, key+" has to be text, it is "+describe(f), "")
	case f.Value == "":
		c.add(f, key+" is empty", "")
	default:
		return f.Value
	}
	return ""
}

// name gives metadata.name.
func (c checker) name(n, meta *yaml.Node) string {
	if f := Field(meta, "name"); f == nil {
		if g := Field(meta, "generateName"); g != nil {
			c.add(g, "generateName makes a new object at every apply", "give the object a metadata.name")
			return ""
		}
		at := keyNode(n, "metadata")
		c.add(at, "no metadata.name", "")
		return ""
	}
	return c.text(meta, "name", meta)
}

// name2 checks that the API server can hold an object of this name.
func (c checker) name2(meta *yaml.Node, id ID) {
	at := Field(meta, "name")
	switch {
	case id.Name == "":
	case len(id.Name) > 253:
		c.add(at, fmt.Sprintf("metadata.name has %d characters, 253 are allowed", len(id.Name)), "")
	case id.Group == "rbac.authorization.k8s.io":
		if !segment.MatchString(id.Name) || id.Name == "." || id.Name == ".." {
			c.add(at, fmt.Sprintf("metadata.name %q cannot be part of a URL", id.Name), "")
		}
	case !dnsDomain.MatchString(id.Name):
		c.add(at, fmt.Sprintf("metadata.name %q is not a lower-case DNS name", id.Name), "")
	}
}

// stringMaps checks the maps whose values the API server takes as text only.
func (c checker) stringMaps(n *yaml.Node, id ID) {
	meta := Field(n, "metadata")
	maps := map[string]*yaml.Node{"metadata.annotations": Field(meta, "annotations"), "metadata.labels": Field(meta, "labels")}
	if id.Group == "" && (id.Kind == "ConfigMap" || id.Kind == "Secret") {
		maps["data"], maps["stringData"] = Field(n, "data"), Field(n, "stringData")
	}
	for _, path := range []string{"metadata.annotations", "metadata.labels", "data", "stringData"} {
		m := maps[path]
		if m == nil || m.Tag == tagNull {
			continue
		}
		if m.Kind != yaml.MappingNode {
			c.add(m, path+" has to be a mapping, it is "+describe(m), "")
			continue
		}
		for i := 0; i+1 < len(m.Content); i += 2 {
			key, value := m.Content[i].Value, m.Content[i+1]
			if value.Tag != tagString && !(value.Tag == tagNull && path != "metadata.annotations" && path != "metadata.labels") {
				c.add(value, fmt.Sprintf("%s: the value of %q has to be text, it is %s", path, key, describe(value)), "put it between quotes")
			}
			if path == "metadata.annotations" {
				c.annotation(m.Content[i], value)
			}
		}
	}
}

// annotation refuses what kustomize would take for its own: the branch is a
// kustomization, and an engine that builds it has to give what lies there.
func (c checker) annotation(key, value *yaml.Node) {
	switch {
	case strings.HasPrefix(key.Value, "internal.config.kubernetes.io/"), key.Value == "config.kubernetes.io/index",
		key.Value == "config.kubernetes.io/path", key.Value == "config.k8s.io/id":
		c.add(key, fmt.Sprintf("annotation %q belongs to kustomize's own bookkeeping", key.Value), "delete it")
	case key.Value == "config.kubernetes.io/local-config" && value.Value != "false":
		c.add(key, fmt.Sprintf("annotation %q keeps the object from every cluster that kustomize applies to", key.Value), "delete the annotation, or take the file off kubectlApply")
	}
}

// signed tells whether SOPS has signed the document, order of keys included.
func signed(n *yaml.Node) bool {
	sops := Field(n, "sops")
	return sops != nil && Field(sops, "mac") != nil
}

// document gives the text of a chunk without its separator line.
func document(raw []byte) []byte {
	text := string(raw)
	if strings.HasPrefix(text, "---") {
		_, text, _ = strings.Cut(text, "\n")
	}
	return []byte(strings.TrimRight(text, "\n") + "\n")
}

// Field gives the value of a mapping's key, nil if it is not there or n is no
// mapping.
func Field(n *yaml.Node, path ...string) *yaml.Node {
	for _, key := range path {
		if n == nil || n.Kind != yaml.MappingNode {
			return nil
		}
		var found *yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				found = n.Content[i+1]
				break
			}
		}
		n = found
	}
	return n
}

func keyNode(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i]
		}
	}
	return nil
}

// describe names a node's type. It never shows a value: it may be secret.
func describe(n *yaml.Node) string {
	switch {
	case n == nil:
		return "missing"
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case tagNull:
		return "null"
	case tagInt, tagFloat:
		return "a number"
	case tagBool:
		return "a boolean"
	}
	return "text"
}
