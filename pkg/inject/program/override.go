package program

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

// Override gives a field of what a generator prints another value.
//
// Path names the object, then the field:
//
//	Deployment/linkerd/web:spec.template.spec.containers[0].args[3]
//	Widget.example.com/name:metadata.annotations["example.com/created-at"]
//
// The object is Kind, namespace (left out for an object without one) and name.
// A kind of a group that is not Kubernetes' own is followed by a dot and its
// group, as messages show it. A key that holds other characters than letters,
// digits, _ and - stands in brackets and quotes.
//
// Value is text; it takes the type of the field that it replaces, which has
// to be there and to be text, a number, a boolean or null.
type Override struct{ Path, Value string }

// Check tells whether the path can be read.
func (o Override) Check() error {
	_, err := o.parse()
	return err
}

// target is a parsed Override.Path.
type target struct {
	kind, group, namespace, name string
	steps                        []step
}

// step is a key of a mapping, or an index of a list.
type step struct {
	key   string
	index int
	list  bool
}

func (o Override) parse() (target, error) {
	// A name can hold colons, a plain key cannot: the field begins behind the
	// first colon that leaves something that reads as one.
	for at := 0; at < len(o.Path); at++ {
		if o.Path[at] != ':' {
			continue
		}
		steps, ok := parseSteps(o.Path[at+1:])
		if !ok {
			continue
		}
		parts := strings.Split(o.Path[:at], "/")
		for _, part := range parts {
			if part == "" {
				parts = nil
			}
		}
		t := target{steps: steps}
		switch len(parts) {
		case 2:
			t.name = parts[1]
		case 3:
			t.namespace, t.name = parts[1], parts[2]
		default:
			continue
		}
		t.kind, t.group, _ = strings.Cut(parts[0], ".")
		return t, nil
	}
	return target{}, fmt.Errorf("%q does not read Kind/namespace/name:field", o.Path)
}

var stepText = regexp.MustCompile(`^(?:\.?([A-Za-z0-9_-]+)|\[([0-9]{1,6})\]|\[("(?:[^"\\]|\\.)*")\])`)

func parseSteps(text string) ([]step, bool) {
	var steps []step
	for first := true; text != ""; first = false {
		m := stepText.FindStringSubmatch(text)
		// A dot stands between two keys: not at the beginning, and never left out.
		if m == nil || m[1] != "" && first == strings.HasPrefix(text, ".") {
			return nil, false
		}
		switch {
		case m[1] != "":
			steps = append(steps, step{key: m[1]})
		case m[2] != "":
			index, err := strconv.Atoi(m[2])
			if err != nil {
				return nil, false
			}
			steps = append(steps, step{index: index, list: true})
		default:
			key, err := strconv.Unquote(m[3])
			if err != nil {
				return nil, false
			}
			steps = append(steps, step{key: key})
		}
		text = text[len(m[0]):]
	}
	return steps, len(steps) > 0
}

// pathOf gives the Override.Path of a field.
func pathOf(o *manifest.Object, field string) string {
	kind := o.ID.Kind
	if !manifest.OwnGroup(o.ID.Group) {
		kind += "." + o.ID.Group
	}
	if o.ID.Namespace != "" {
		kind += "/" + o.ID.Namespace
	}
	return kind + "/" + o.ID.Name + ":" + field
}

func (t target) is(o *manifest.Object) bool {
	group := t.group == o.ID.Group || t.group == "" && manifest.OwnGroup(o.ID.Group)
	return group && t.kind == o.ID.Kind && t.namespace == o.ID.Namespace && t.name == o.ID.Name
}

// override gives copies of the objects with the overridden fields.
func override(objects manifest.Set, overrides []Override, at manifest.Origin, list *finding.List) manifest.Set {
	out := make(manifest.Set, len(objects))
	for i, o := range objects {
		c := *o
		c.Node = copyNode(o.Node)
		out[i] = &c
	}
	for _, o := range overrides {
		if text := o.apply(out); text != "" {
			list.Add(at.File, at.Line, fmt.Sprintf("pin %q %s", o.Path, text), "")
		}
	}
	return out
}

// apply changes the one field that is meant, or says why there is none.
func (o Override) apply(objects manifest.Set) string {
	t, err := o.parse()
	if err != nil {
		return "does not read Kind/namespace/name:field"
	}
	var hit *manifest.Object
	for _, c := range objects {
		if t.is(c) && hit != nil {
			return "matches more than one object"
		}
		if t.is(c) {
			hit = c
		}
	}
	if hit == nil {
		return "matches nothing: no such object is printed"
	}
	if signed(hit) {
		return "matches an object that SOPS has signed"
	}
	n := t.find(hit.Node)
	if n == nil {
		return "matches nothing: the object has no such field"
	}
	if identifies(t.steps) {
		return "would make another object"
	}
	tag, ok := typed(n, o.Value)
	if !ok {
		return fmt.Sprintf("is given a value that does not fit: the field is %s", describe(n))
	}
	n.Tag, n.Value = tag, o.Value
	return ""
}

// identifies tells whether a field is part of what an object is.
func identifies(steps []step) bool {
	switch {
	case len(steps) == 1:
		return steps[0].key == "apiVersion" || steps[0].key == "kind"
	case len(steps) == 2 && steps[0].key == "metadata":
		return steps[1].key == "name" || steps[1].key == "namespace"
	}
	return false
}

func (t target) find(n *yaml.Node) *yaml.Node {
	for _, s := range t.steps {
		switch {
		case n == nil:
			return nil
		case !s.list:
			n = manifest.Field(n, s.key)
		case n.Kind != yaml.SequenceNode || s.index >= len(n.Content):
			return nil
		default:
			n = n.Content[s.index]
		}
	}
	return n
}

// typed gives the tag of a value in the place of n, if it fits there.
func typed(n *yaml.Node, value string) (tag string, ok bool) {
	if n.Kind != yaml.ScalarNode {
		return "", false
	}
	switch n.Tag {
	case "!!int":
		i, err := strconv.ParseInt(value, 10, 64)
		return n.Tag, err == nil && strconv.FormatInt(i, 10) == value
	case "!!float":
		_, err := strconv.ParseFloat(value, 64)
		return n.Tag, err == nil && decimal.MatchString(value)
	case "!!bool":
		return n.Tag, value == "true" || value == "false"
	}
	return "!!str", true
}

var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)\.[0-9]+$`)
