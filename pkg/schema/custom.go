package schema

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	liberrors "k8s.io/kube-openapi/pkg/validation/errors"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"
)

const (
	extPreserve    = "x-kubernetes-preserve-unknown-fields"
	extIntOrString = "x-kubernetes-int-or-string"
	extEmbedded    = "x-kubernetes-embedded-resource"
)

func has(s *spec.Schema, extension string) bool {
	on, _ := s.Extensions.GetBool(extension)
	return on
}

// open decodes the schema, nil if there is none or it is not one; what is
// wrong with it is found when the definition itself is validated.
func (v *customVersion) open() *spec.Schema {
	v.once.Do(func() {
		if v.node == nil {
			return
		}
		text, err := json.Marshal(plainValue(v.node))
		if err != nil {
			return
		}
		var s spec.Schema
		if json.Unmarshal(text, &s) == nil && prepare(&s) {
			v.schema = &s
		}
	})
	return v.schema
}

// prepare says in plain JSON Schema what Kubernetes says in extensions. It
// tells whether the library can work with the result: on references it panics.
func prepare(s *spec.Schema) bool {
	if s == nil {
		return true
	}
	if s.Ref.String() != "" || s.PatternProperties != nil || s.Dependencies != nil || s.AdditionalItems != nil ||
		s.Items != nil && s.Items.Schema == nil {
		return false
	}
	if has(s, extIntOrString) {
		s.Type = spec.StringOrArray{"integer", "string"}
	}
	sound := prepare(s.Not)
	for name, p := range s.Properties {
		sound = prepare(&p) && sound
		s.Properties[name] = p
	}
	for _, list := range [][]spec.Schema{s.AllOf, s.AnyOf, s.OneOf} {
		for i := range list {
			sound = prepare(&list[i]) && sound
		}
	}
	if s.Items != nil {
		sound = prepare(s.Items.Schema) && sound
	}
	if s.AdditionalProperties != nil {
		sound = prepare(s.AdditionalProperties.Schema) && sound
	}
	return sound
}

// pruned reports the fields that the API server would drop, as its strict
// mode does. Every resource has apiVersion, kind and metadata.
func (c *check) pruned(n *yaml.Node, s *spec.Schema, at *step, resource bool) {
	switch {
	case s == nil:
	case n.Kind == yaml.SequenceNode && s.Items != nil:
		for i, item := range n.Content {
			c.pruned(item, s.Items.Schema, &step{up: at, index: i, item: true}, s.Items.Schema != nil && has(s.Items.Schema, extEmbedded))
		}
	case n.Kind == yaml.MappingNode:
		c.prunedFields(n, s, at, resource)
	}
}

func (c *check) prunedFields(n *yaml.Node, s *spec.Schema, at *step, resource bool) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		here := &step{up: at, key: key.Value}
		if resource && (key.Value == "apiVersion" || key.Value == "kind" || key.Value == "metadata") {
			if at != nil && key.Value == "metadata" {
				c.value(value, &schema{def: c.release.definitions["meta.v1.ObjectMeta"]}, here)
			}
			continue
		}
		switch p, known := s.Properties[key.Value]; {
		case known:
			c.pruned(value, &p, here, has(&p, extEmbedded))
		case s.AdditionalProperties != nil:
			c.pruned(value, s.AdditionalProperties.Schema, here, false)
		case has(s, extPreserve):
		default:
			names := make([]string, 0, len(s.Properties))
			for name := range s.Properties {
				names = append(names, name)
			}
			c.notAField(key, here, names)
		}
	}
}

// library lets the validation that API servers use check the object, without
// its status if that has an endpoint of its own: the server drops it first.
func (c *check) library(s *spec.Schema, status bool) {
	value := plainValue(c.object.Node)
	if fields, is := value.(map[string]any); is && status {
		delete(fields, "status")
	}
	value = complete(value, s)
	result := validate.NewSchemaValidator(s, nil, "", strfmt.Default).Validate(value)
	var faults []fault
	for _, err := range flat(result.Errors) {
		faults = append(faults, reading(err))
	}
	// The library goes through fields as Go goes through maps.
	slices.SortStableFunc(faults, func(a, b fault) int {
		return cmp.Or(strings.Compare(a.where, b.where), strings.Compare(a.text, b.text))
	})
	for _, f := range faults {
		if slices.ContainsFunc(faults, f.explainedBy) || f.missing && c.partial {
			continue
		}
		where := f.where
		if where == "" {
			where = "the object"
		}
		c.add(nodeAt(c.object.Node, f.where), printable(where)+" "+printable(f.text), "")
	}
}

// fault is one error of the library. A summary says that none of several
// alternatives fits.
type fault struct {
	where, text string
	summary     bool
	missing     bool // a required field
}

// explainedBy tells whether another fault says what is wrong in f's field: the
// reason for a summary, or all types where f is about one of them.
func (f fault) explainedBy(o fault) bool {
	if !f.summary {
		return o.where == f.where && strings.HasPrefix(o.text, f.text+",")
	}
	rest, below := strings.CutPrefix(o.where, f.where)
	return below && !o.summary && (f.where == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
}

func flat(list []error) []error {
	var out []error
	for _, err := range list {
		var many *liberrors.CompositeError
		if errors.As(err, &many) {
			out = append(out, flat(many.Errors)...)
			continue
		}
		out = append(out, err)
	}
	return out
}

// reading splits an error of the library into the field's path and what is
// wrong with it. It leaves out values, which some texts end in.
func reading(err error) fault {
	text := err.Error()
	var v *liberrors.Validation
	if errors.As(err, &v) {
		var is bool
		if _, text, is = strings.Cut(text, v.Name+" in body "); !is {
			return fault{where: v.Name, text: "does not fit its schema"} // a multiple of a part of one, say
		}
		if v.Code() == liberrors.InvalidTypeCode {
			text, _, _ = strings.Cut(text, ": ")
		}
		return fault{where: v.Name, text: text, missing: v.Code() == liberrors.RequiredFailCode}
	}
	if quoted, err := strconv.QuotedPrefix(text); err == nil {
		where, _ := strconv.Unquote(quoted)
		return fault{where: where, text: strings.TrimSpace(text[len(quoted):]), summary: true}
	}
	return fault{text: "does not fit its schema", summary: true}
}

// nodeAt finds the node of a path as the library writes it, or the last one
// on the way. Keys may hold dots: the longest that fits is taken.
func nodeAt(n *yaml.Node, path string) *yaml.Node {
	for path != "" {
		next, rest := n, ""
		if n.Kind == yaml.SequenceNode {
			text, after, _ := strings.Cut(strings.TrimPrefix(path, "["), "]")
			i, err := strconv.Atoi(text)
			if err != nil || i < 0 || i >= len(n.Content) {
				return n
			}
			next, rest = n.Content[i], after
		} else {
			best := -1
			for i := 0; i+1 < len(n.Content); i += 2 {
				key := n.Content[i].Value
				after, found := strings.CutPrefix(path, key)
				if found && len(key) > best && (after == "" || after[0] == '.' || after[0] == '[') {
					best, next, rest = len(key), n.Content[i+1], after
				}
			}
			if best < 0 {
				return n
			}
		}
		n, path = next, strings.TrimPrefix(rest, ".")
	}
	return n
}
