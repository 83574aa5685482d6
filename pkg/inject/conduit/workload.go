package conduit

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// WorkloadError is what keeps a workload from being injected although its
// kind is one that gets a proxy.
type WorkloadError struct {
	Path string // of the field, for instance spec.template.spec.containers[1].name
	Line int    // of its node; 0 if unknown
	Text string
	Hint string
}

func (e *WorkloadError) Error() string {
	if e.Path == "" {
		return e.Text
	}
	return e.Path + ": " + e.Text
}

// workload is an object with a pod in it, checked as far as injection walks.
type workload struct {
	kind, name, namespace string
	nameLine              int

	path        string     // of host; "" for a Pod
	hostKey     *yaml.Node // key of host; nil for a Pod
	host        *yaml.Node // the mapping that holds the pod's metadata and spec
	spec        *yaml.Node // the pod's
	hostNetwork bool

	containers, inits []container
}

// container is an item of containers or initContainers.
type container struct {
	node        *yaml.Node
	list        string // containers or initContainers
	path        string
	line        int // of the name, else of the container
	name, image string
}

// walker descends into an object and keeps the first thing that is odd.
type walker struct{ err *WorkloadError }

func (w *walker) fail(path string, line int, format string, args ...any) {
	if w.err == nil {
		w.err = &WorkloadError{Path: path, Line: line, Text: fmt.Sprintf(format, args...)}
	}
}

// child gives a value of the kind; nil if it is absent, null or odd.
func (w *walker) child(m *yaml.Node, path, name string, kind yaml.Kind) *yaml.Node {
	if m == nil {
		return nil
	}
	key, n := entry(m, name)
	if isNull(n) {
		return nil
	}
	at := join(path, name)
	switch {
	case n.Kind == yaml.AliasNode:
		w.fail(at, key.Line, "is an alias, which has to be expanded first")
	case n.Kind != kind && kind == yaml.MappingNode:
		w.fail(at, key.Line, "is not a map")
	case n.Kind != kind && kind == yaml.SequenceNode:
		w.fail(at, key.Line, "is not a list")
	case n.Kind != kind:
		w.fail(at, key.Line, "is not a plain value")
	case hasMerge(n):
		w.fail(at, key.Line, "has a merge key, which has to be expanded first")
	default:
		return n
	}
	return nil
}

// need is child for what a pod cannot do without.
func (w *walker) need(m *yaml.Node, path, name string, kind yaml.Kind) *yaml.Node {
	n := w.child(m, path, name, kind)
	if n == nil && m != nil {
		key, _ := entry(m, name)
		if key == nil {
			w.fail(join(path, name), m.Line, "is missing")
		} else {
			w.fail(join(path, name), key.Line, "is null")
		}
	}
	return n
}

func (w *walker) scalar(m *yaml.Node, path, name string) string {
	if n := w.child(m, path, name, yaml.ScalarNode); n != nil {
		return n.Value
	}
	return ""
}

func (w *walker) containers(spec *yaml.Node, path, name string) []container {
	list := w.child(spec, path, name, yaml.SequenceNode)
	if list == nil {
		return nil
	}
	found := make([]container, 0, len(list.Content))
	for i, n := range list.Content {
		at := join(path, name) + "[" + strconv.Itoa(i) + "]"
		switch {
		case n.Kind == yaml.AliasNode:
			w.fail(at, n.Line, "is an alias, which has to be expanded first")
		case n.Kind != yaml.MappingNode:
			w.fail(at, n.Line, "is not a map")
		case hasMerge(n):
			w.fail(at, n.Line, "has a merge key, which has to be expanded first")
		default:
			c := container{node: n, list: name, path: at, line: n.Line, name: w.scalar(n, at, "name"), image: w.scalar(n, at, "image")}
			if key, _ := entry(n, "name"); key != nil {
				c.line = key.Line
			}
			found = append(found, c)
		}
	}
	return found
}

// open finds the pod in an object of one of the kinds.
func open(obj *yaml.Node) (*workload, *WorkloadError) {
	var w walker
	l := &workload{kind: text(obj, "kind"), host: obj}
	meta := w.child(obj, "", "metadata", yaml.MappingNode)
	if meta != nil {
		l.name, l.namespace = w.scalar(meta, "metadata", "name"), w.scalar(meta, "metadata", "namespace")
		if key, _ := entry(meta, "name"); key != nil {
			l.nameLine = key.Line
		}
	}
	if l.kind != "Pod" {
		spec := w.need(obj, "", "spec", yaml.MappingNode)
		l.path = "spec.template"
		if l.host = w.need(spec, "spec", "template", yaml.MappingNode); l.host != nil {
			l.hostKey, _ = entry(spec, "template")
		}
	}
	podMeta := w.child(l.host, l.path, "metadata", yaml.MappingNode)
	w.child(podMeta, join(l.path, "metadata"), "labels", yaml.MappingNode)
	w.child(podMeta, join(l.path, "metadata"), "annotations", yaml.MappingNode)

	at := join(l.path, "spec")
	if l.spec = w.need(l.host, l.path, "spec", yaml.MappingNode); l.spec != nil {
		l.containers = w.containers(l.spec, at, "containers")
		l.inits = w.containers(l.spec, at, "initContainers")
		w.child(l.spec, at, "volumes", yaml.SequenceNode)
		l.hostNetwork = w.flag(l.spec, at, "hostNetwork")
	}
	return l, w.err
}

// flag reads a boolean, also as YAML 1.1 spells it.
func (w *walker) flag(m *yaml.Node, path, name string) bool {
	key, n := entry(m, name)
	if isNull(n) {
		return false
	}
	quoted := n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
	if n.Kind == yaml.ScalarNode && !quoted {
		switch strings.ToLower(n.Value) {
		case "true", "yes", "on", "y":
			return true
		case "false", "no", "off", "n":
			return false
		}
	}
	w.fail(join(path, name), key.Line, "is neither true nor false")
	return false
}

// pod gives a mapping below the pod's metadata; nil if it is absent.
func (l *workload) pod(name string) *yaml.Node {
	if _, meta := entry(l.host, "metadata"); !isNull(meta) {
		if _, m := entry(meta, name); !isNull(m) {
			return m
		}
	}
	return nil
}

func (l *workload) annotation(name string) string {
	if m := l.pod("annotations"); m != nil {
		return text(m, name)
	}
	return ""
}

func hasMerge(n *yaml.Node) bool {
	if n.Kind != yaml.MappingNode {
		return false
	}
	key, _ := entry(n, "<<")
	return key != nil && key.ShortTag() == "!!merge"
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
