package schema

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

const widgets = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.shop.example}
spec:
  group: shop.example
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
  - {name: v0, served: false, storage: false}
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          metadata:
            type: object
            properties: {name: {type: string, maxLength: 10}}
          spec:
            type: object
            required: [size, color]
            properties:
              size: {type: integer, minimum: 1, maximum: 5}
              color: {type: string, enum: [red, green], default: red}
              code: {type: string, pattern: '^[a-z]+$'}
              address: {type: string, format: ipv4}
              port: {x-kubernetes-int-or-string: true}
              note: {type: string, nullable: true}
              tags: {type: object, additionalProperties: {type: string}}
              parts:
                type: array
                maxItems: 2
                items:
                  type: object
                  required: [id]
                  properties: {id: {type: integer}}
              open:
                type: object
                x-kubernetes-preserve-unknown-fields: true
                properties: {known: {type: object, properties: {a: {type: string}}}}
              pod:
                type: object
                x-kubernetes-embedded-resource: true
                properties: {spec: {type: object, properties: {a: {type: string}}}}
              box: {type: object, required: [a], properties: {a: {type: string, nullable: true}}}
              amount: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}
              half: {type: number, multipleOf: 0.5}
              host: {type: string, anyOf: [{format: ipv4}, {pattern: '^web$'}]}
              one:
                type: object
                properties: {a: {type: string}, b: {type: string}}
                oneOf: [{required: [a]}, {required: [b]}]
`

const widget = `apiVersion: shop.example/v1
kind: Widget
metadata: {name: a}
spec:
  size: 3
  code: abc
  tags: {a.b: c}
`

func TestCustomResources(t *testing.T) {
	v := load(t, "1.33")
	if err := v.AddCRD(parse(t, widgets)[0]); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, old, new string
		want           []string
	}{
		{"as it should be", "", "", nil},
		{"required", "size: 3", "", []string{"6: Widget.shop.example a: spec.size is required"}},
		{"null counts as missing", "size: 3", "size: null", []string{"5: Widget.shop.example a: spec.size is required"}},
		{"null drops out where it is not allowed", "code: abc", "code: null", nil},
		{"null stays where it is allowed", "code: abc", "box: {a: null}", nil},
		{"null takes the default", "code: abc", "color: null", nil},
		{"wrong type", "size: 3", "size: big", []string{"5: Widget.shop.example a: spec.size must be of type integer"}},
		{"too large", "size: 3", "size: 6", []string{"5: Widget.shop.example a: spec.size should be less than or equal to 5"}},
		{"out of a closed list", "code: abc", "color: blue", []string{"6: Widget.shop.example a: spec.color should be one of [red green]"}},
		{"pattern", "code: abc", "code: ABC", []string{"6: Widget.shop.example a: spec.code should match '^[a-z]+$'"}},
		{"format, without the value", "code: abc", "address: secret", []string{"6: Widget.shop.example a: spec.address must be of type ipv4"}},
		{"unknown field", "code: abc", "cod: abc", []string{
			"6: Widget.shop.example a: spec.cod: no such field in shop.example/v1 Widget | did you mean code?",
		}},
		{"unknown field of the root", "spec:", "status: {}\nspec:", []string{
			"4: Widget.shop.example a: status: no such field in shop.example/v1 Widget",
		}},
		{"unknown field of metadata", "{name: a}", "{name: a, label: {}}", []string{
			"3: Widget.shop.example a: metadata.label: no such field in shop.example/v1 Widget | did you mean labels?",
		}},
		{"constraint on metadata", "{name: a}", "{name: a2345678901}", []string{
			"3: Widget.shop.example a2345678901: metadata.name should be at most 10 chars long",
		}},
		{"integer or text", "code: abc", "port: 80", nil},
		{"text or integer", "code: abc", "port: http", nil},
		{"neither integer nor text", "code: abc", "port: true", []string{
			"6: Widget.shop.example a: spec.port must be of type integer,string",
		}},
		{"text of the library's without a field", "code: abc", "half: 1", []string{
			"6: Widget.shop.example a: spec.half does not fit its schema",
		}},
		{"neither of two types, said once", "code: abc", "amount: 1.5\n  host: x", []string{
			"6: Widget.shop.example a: spec.amount must be of type integer,string",
			"7: Widget.shop.example a: spec.host must be of type ipv4",
		}},
		{"key with a dot", "a.b: c", "a.b: 1", []string{"7: Widget.shop.example a: spec.tags.a.b must be of type string"}},
		{"key with a dot beside its beginning", "tags: {a.b: c}", "tags:\n    a: c\n    a.b: 1", []string{
			"9: Widget.shop.example a: spec.tags.a.b must be of type string",
		}},
		{"none of two, the reason alone", "code: abc", "host: x", []string{
			"6: Widget.shop.example a: spec.host must be of type ipv4",
		}},
		{"in a list", "code: abc", "parts:\n  - id: 1\n  - idd: 2", []string{
			"8: Widget.shop.example a: spec.parts[1].idd: no such field in shop.example/v1 Widget | did you mean id?",
			"8: Widget.shop.example a: spec.parts[1].id is required",
		}},
		{"null in a list", "code: abc", "parts:\n  - null", []string{
			"7: Widget.shop.example a: spec.parts[0] must be of type object",
		}},
		{"too many items", "code: abc", "parts: [{id: 1}, {id: 2}, {id: 3}]", []string{
			"6: Widget.shop.example a: spec.parts should have at most 2 items",
		}},
		{"unknown fields kept", "code: abc", "open: {any: 1, known: {a: x}}", nil},
		{"known fields of what keeps unknown ones", "code: abc", "open: {any: 1, known: {b: x}}", []string{
			"6: Widget.shop.example a: spec.open.known.b: no such field in shop.example/v1 Widget | did you mean a?",
		}},
		{"embedded resource", "code: abc", "pod: {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {a: x}}", nil},
		{"unknown fields of an embedded resource", "code: abc", "pod: {apiVersion: v1, kind: Pod, metadata: {nam: a}, speck: {a: x}}", []string{
			"6: Widget.shop.example a: spec.pod.metadata.nam: no such field in shop.example/v1 Widget | did you mean name?",
			"6: Widget.shop.example a: spec.pod.speck: no such field in shop.example/v1 Widget | did you mean spec?",
		}},
		{"one of two", "code: abc", "one: {a: x}", nil},
		{"both of two", "code: abc", "one: {a: x, b: x}", []string{
			"6: Widget.shop.example a: spec.one must validate one and only one schema (oneOf). Found 2 valid alternatives",
		}},
		{"version that is not served", "shop.example/v1", "shop.example/v0", []string{
			"1: Widget.shop.example a: the CustomResourceDefinition does not serve shop.example/v0 | use shop.example/v1",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(widget, test.old, test.new, 1)
			if test.old != "" && text == widget {
				t.Fatal("nothing replaced")
			}
			if diff := cmp.Diff(test.want, findings(t, v, text)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := findings(t, v, widgets); got != nil {
		t.Errorf("the definition itself: %q", got)
	}
}

// The server drops the status of an object whose kind has an endpoint for it
// before it validates; that it has no such field, it still says.
func TestStatusEndpoint(t *testing.T) {
	const crd = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.shop.example}
spec:
  group: shop.example
  names: {kind: Widget, plural: widgets}
  versions:
  - name: v1
    served: true
    subresources: {status: {}}
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object}, status: {type: object, required: [phase], properties: {
      phase: {type: string, enum: [A, B]}, ready: {type: integer}}}}}}
`
	const beta = `
apiVersion: apiextensions.k8s.io/v1beta1
kind: CustomResourceDefinition
metadata: {name: widgets.shop.example}
spec:
  group: shop.example
  version: v1
  names: {kind: Widget, plural: widgets}
  preserveUnknownFields: false
  subresources: {status: {}}
  validation: {openAPIV3Schema: {type: object, properties: {status: {type: object, required: [phase], properties: {
    phase: {type: string, enum: [A, B]}, ready: {type: integer}}}}}}
`
	missing := "4: Widget.shop.example a: status.phase is required"
	closed := "4: Widget.shop.example a: status.phase should be one of [A B]"
	unknown := "4: Widget.shop.example a: status.phaze: no such field in shop.example/v1 Widget | did you mean phase?"
	own := func(crd string) string { return strings.Replace(crd, "status: {}", "status: null", 1) }
	tests := []struct {
		name, crd, status string
		want              []string
	}{
		{"empty", crd, "{}", nil},
		{"out of a closed list", crd, "{phase: C}", nil},
		{"unknown field", crd, "{phaze: A}", []string{unknown}},
		{"v1beta1", beta, "{}", nil},
		{"no endpoint, empty", own(crd), "{}", []string{missing}},
		{"no endpoint, out of a closed list", own(crd), "{phase: C}", []string{closed}},
		{"no endpoint, v1beta1", own(beta), "{}", []string{missing}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := load(t, "1.33")
			if err := v.AddCRD(parse(t, test.crd)[0]); err != nil {
				t.Fatal(err)
			}
			text := "apiVersion: shop.example/v1\nkind: Widget\nmetadata: {name: a}\nstatus: " + test.status + "\n"
			if diff := cmp.Diff(test.want, findings(t, v, text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestV1beta1(t *testing.T) {
	const crd = `
apiVersion: apiextensions.k8s.io/v1beta1
kind: CustomResourceDefinition
metadata: {name: widgets.shop.example}
spec:
  group: shop.example
  version: v1
  names: {kind: Widget, plural: widgets}
  preserveUnknownFields: false
  validation: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}
`
	const wrong = "apiVersion: shop.example/v1\nkind: Widget\nmetadata: {name: a}\nspec: {size: x, sice: 1}\n"
	unknown := "4: Widget.shop.example a: spec.sice: no such field in shop.example/v1 Widget | did you mean size?"
	mistyped := "4: Widget.shop.example a: spec.size must be of type integer"
	tests := []struct {
		name, crd string
		want      []string
	}{
		{"one schema", crd, []string{unknown, mistyped}},
		{"shared by the versions", strings.Replace(crd, "version: v1", "versions: [{name: v1, served: true}]", 1), []string{unknown, mistyped}},
		{"unknown fields are kept unless told otherwise", strings.Replace(crd, "  preserveUnknownFields: false\n", "", 1), []string{mistyped}},
		{"no schema", crd[:strings.Index(crd, "  validation")], nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := load(t, "1.33")
			if err := v.AddCRD(parse(t, test.crd)[0]); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, findings(t, v, wrong)); diff != "" {
				t.Error(diff)
			}
			note := v.Unchecked(parse(t, wrong)[0])
			if (note != "") != (test.want == nil) {
				t.Errorf("note %q", note)
			}
		})
	}
}

func TestAddCRDRefuses(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"another kind", "kind: CustomResourceDefinition", "kind: CustomResource", "a.yaml:1: CustomResource widgets.shop.example: not a CustomResourceDefinition"},
		{"no group", "group: shop.example", "grupp: shop.example", "a.yaml:5: CustomResourceDefinition widgets.shop.example: no spec.group or no spec.names.kind"},
		{"nothing served", "served: true", "served: false", "a.yaml:5: CustomResourceDefinition widgets.shop.example: serves no version"},
		{"a reference", "{type: string, nullable: true}", "{$ref: '#/a'}", "a.yaml:30: CustomResourceDefinition widgets.shop.example: $ref is not allowed in the schema of a custom resource"},
		{"a pattern that is none", "^[a-z]+$", "(", "a.yaml:27: CustomResourceDefinition widgets.shop.example: a pattern is not a regular expression"},
		{"patterns as names", "nullable: true", "patternProperties: {'(': {}}", "a.yaml:30: CustomResourceDefinition widgets.shop.example: patternProperties is not allowed in the schema of a custom resource"},
		{"additional items", "nullable: true", "additionalItems: {$ref: a}", "a.yaml:30: CustomResourceDefinition widgets.shop.example: additionalItems is not allowed in the schema of a custom resource"},
		{"a list of schemas", "{type: object, additionalProperties: {type: string}}", "{type: array, items: [{$ref: a}]}", "a.yaml:31: CustomResourceDefinition widgets.shop.example: items has to be one schema"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(widgets, test.old, test.new, 1)
			v := load(t, "1.33")
			err := v.AddCRD(parse(t, text)[0])
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			if v.Unchecked(parse(t, widget)[0]) == "" {
				t.Error("the definition was taken in all the same")
			}
		})
	}
}

// TestPrepare: the library panics on some schemas. They are found even if
// AddCRD has not seen them.
func TestPrepare(t *testing.T) {
	ref := spec.Schema{SchemaProps: spec.SchemaProps{Ref: spec.MustCreateRef("#/a")}}
	for name, s := range map[string]spec.SchemaProps{
		"property":         {Properties: map[string]spec.Schema{"a": ref}},
		"items":            {Items: &spec.SchemaOrArray{Schema: &ref}},
		"list of items":    {Items: &spec.SchemaOrArray{Schemas: []spec.Schema{ref}}},
		"values":           {AdditionalProperties: &spec.SchemaOrBool{Schema: &ref}},
		"not":              {Not: &ref},
		"alternative":      {AnyOf: []spec.Schema{ref}},
		"pattern":          {PatternProperties: map[string]spec.Schema{"(": {}}},
		"dependency":       {Dependencies: spec.Dependencies{"a": {Schema: &ref}}},
		"additional items": {AdditionalItems: &spec.SchemaOrBool{Schema: &ref}},
	} {
		if prepare(&spec.Schema{SchemaProps: s}) {
			t.Errorf("a schema with a reference in %s passes for sound", name)
		}
	}
}

// TestUnsoundSchemas: a schema that is none is not checked with.
func TestUnsoundSchemas(t *testing.T) {
	for _, schema := range []string{"{type: [object, 1]}", "{minimum: x}", "[]", "x", "{properties: {a: 1}}"} {
		start := strings.Index(widgets, "        type: object\n")
		v := load(t, "1.33")
		if err := v.AddCRD(parse(t, widgets[:start]+"        "+schema+"\n")[0]); err != nil {
			t.Fatal(err)
		}
		o := parse(t, widget)[0]
		if got := v.Validate(o); got != nil {
			t.Errorf("%s: %v", schema, got)
		}
		if v.Unchecked(o) == "" {
			t.Errorf("%s passes for checked", schema)
		}
	}
}

// TestClone: a definition added to one does not reach the other.
func TestClone(t *testing.T) {
	v := load(t, "1.33")
	c := v.Clone()
	if err := c.AddCRD(parse(t, widgets)[0]); err != nil {
		t.Fatal(err)
	}
	o := parse(t, widget)[0]
	if v.Unchecked(o) == "" || c.Unchecked(o) != "" || c.Clone().Unchecked(o) != "" {
		t.Error("clones share definitions, or do not copy them")
	}
}
