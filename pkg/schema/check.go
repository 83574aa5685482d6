package schema

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

// maxFindings bounds what is said about one object: one wrong indent can make
// thousands of fields unknown.
const maxFindings = 50

// check collects the findings of one object.
type check struct {
	object  *manifest.Object
	release *release
	limit   int // findings after which no more are told apart
	list    finding.List
	more    bool
	partial bool // required fields may be missing
	status  bool // inside status, which the server drops when it creates an object
}

// step is the way to a node: a field of a mapping or an item of a list.
type step struct {
	up    *step
	key   string
	index int // of an item, if key is empty
	item  bool
}

// add reports something at a node.
func (c *check) add(n *yaml.Node, text, hint string) {
	switch {
	case len(c.list) < c.limit:
	case c.more:
		return
	default:
		c.more = true
		text, hint = "more is wrong than is shown", ""
	}
	line := 0
	if c.object.Origin.Line > 0 {
		line = c.object.Origin.Line
		if n != nil && n.Line > 0 {
			line = n.Line
		}
	}
	c.list.Add(c.object.Origin.File, line, shown(c.object)+": "+text, hint)
}

// shown names an object. Names of files that were never read as objects may
// hold anything, so they are made safe to print.
func shown(o *manifest.Object) string { return printable(o.ID.String()) }

// value checks a node as the API server decodes it: null is as good as
// absent, and a field that no one knows is an error.
func (c *check) value(n *yaml.Node, s *schema, at *step) {
	s = s.resolved()
	if n.Tag == "!!null" {
		if at != nil && at.item {
			c.required(n, s, at)
		}
		return
	}
	switch {
	case s.kind == "":
	case s.kind == "object":
		if n.Kind != yaml.MappingNode {
			c.mismatch(n, s, at)
			return
		}
		c.mapping(n, s, at)
	case s.kind == "array":
		if n.Kind != yaml.SequenceNode {
			c.mismatch(n, s, at)
			return
		}
		c.items(n, s, at)
	case s.kind == "byte" && n.Kind == yaml.SequenceNode:
		// Go decodes a list of numbers into bytes as well.
	default:
		c.scalar(n, s, at)
	}
}

func (c *check) items(n *yaml.Node, s *schema, at *step) {
	if s.items == nil {
		return
	}
	for i, item := range n.Content {
		c.value(item, s.items, &step{up: at, index: i, item: true})
	}
}

func (c *check) mapping(n *yaml.Node, s *schema, at *step) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		here := &step{up: at, key: key.Value}
		switch field := s.fields[key.Value]; {
		case field != nil:
			// Of the root's fields only: a status below is as good as any field.
			outer := c.status
			c.status = outer || at == nil && key.Value == "status"
			c.value(value, field, here)
			c.status = outer
		case s.fields != nil:
			c.unknown(key, here, s.fields)
		case s.values != nil:
			c.value(value, s.values, here)
		}
	}
	c.required(n, s, at)
}

func (c *check) required(n *yaml.Node, s *schema, at *step) {
	if c.status || c.partial {
		return
	}
	for _, name := range s.required {
		if f := manifest.Field(n, name); f == nil || f.Tag == "!!null" {
			c.missing(n, at, name)
		}
	}
}

func (c *check) missing(n *yaml.Node, at *step, name string) {
	where := path(at)
	if where != "" {
		where += " "
	}
	c.add(n, where+"has no "+printable(name), "the field is required")
}

func (c *check) unknown(key *yaml.Node, at *step, fields map[string]*schema) {
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	c.notAField(key, at, names)
}

func (c *check) notAField(key *yaml.Node, at *step, names []string) {
	hint := ""
	if near := nearest(key.Value, names); near != "" {
		hint = fmt.Sprintf("did you mean %s?", near)
	}
	c.add(key, fmt.Sprintf("%s: no such field in %s %s", path(at), c.object.APIVersion, c.object.ID.Kind), hint)
}

// notServed reports a kind of Kubernetes' own that the release does not have.
func (c *check) notServed() {
	r, t := c.release, typeMeta{c.object.APIVersion, c.object.ID.Kind}
	at := manifest.Field(c.object.Node, "apiVersion")
	hint := ""
	if use, found := r.replacement(t); found {
		hint = "use " + use.apiVersion
		if use.kind != t.kind {
			hint += " " + use.kind
		}
	}
	served, known := r.served[t]
	gone, removed := r.removed[t]
	name := t.apiVersion + " " + t.kind
	switch {
	case r.kinds[t] != nil:
		c.add(at, name+" is part of a request, it is not an object of its own", "")
	case known && served.to < r.minor:
		c.add(at, fmt.Sprintf("%s is not served since Kubernetes 1.%d", name, served.to+1), hint)
	case known && served.from > r.minor:
		c.add(at, fmt.Sprintf("%s is served from Kubernetes 1.%d on, not yet by %s", name, served.from, r.version), hint)
	case removed && gone.minor <= r.minor:
		c.add(at, fmt.Sprintf("%s is not served since Kubernetes 1.%d", name, gone.minor), hint)
	default:
		if hint == "" {
			hint = r.misspelt(t)
		}
		c.add(at, fmt.Sprintf("Kubernetes %s does not serve %s", r.version, name), hint)
	}
}

// replacement gives what to write instead of a kind: what Kubernetes says
// replaced it, if the release serves that, or the most stable version of the
// same kind in its group, or in any.
func (r *release) replacement(t typeMeta) (typeMeta, bool) {
	if use := r.removed[t].replacement; r.kinds[use] != nil {
		return use, true
	}
	var best typeMeta
	for k, info := range r.kinds {
		if k.kind == t.kind && info.object && r.better(k, best, group(t.apiVersion)) {
			best = k
		}
	}
	return best, best.kind != ""
}

func (r *release) better(a, b typeMeta, inGroup string) bool {
	if b.kind == "" {
		return true
	}
	if x, y := group(a.apiVersion) == inGroup, group(b.apiVersion) == inGroup; x != y {
		return x
	}
	// v1 before v2beta1: a version with a suffix is not stable yet.
	x, y := version(a), version(b)
	if s, t := strings.ContainsAny(x[1:], "ab"), strings.ContainsAny(y[1:], "ab"); s != t {
		return !s
	}
	return x > y || x == y && a.apiVersion < b.apiVersion
}

func version(t typeMeta) string { return t.apiVersion[strings.LastIndex(t.apiVersion, "/")+1:] }

// misspelt hints at the kind of the same apiVersion that was probably meant.
func (r *release) misspelt(t typeMeta) string {
	var names []string
	for k, info := range r.kinds {
		if k.apiVersion == t.apiVersion && info.object {
			names = append(names, k.kind)
		}
	}
	if near := nearest(t.kind, names); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return ""
}
