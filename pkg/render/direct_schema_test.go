package render

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// everySchema gives all of kyaml's definitions.
func everySchema(t *testing.T) spec.Definitions {
	t.Helper()
	openapi.ResetOpenAPI()
	t.Cleanup(openapi.ResetOpenAPI)
	return openapi.Schema().Definitions
}

// typesOf gives the types that a definition is of.
func typesOf(t *testing.T, d spec.Schema) (all []kyaml.TypeMeta) {
	t.Helper()
	text, err := json.Marshal(d.Extensions["x-kubernetes-group-version-kind"])
	var list []struct{ Group, Version, Kind string }
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range list {
		all = append(all, kyaml.TypeMeta{APIVersion: strings.TrimPrefix(g.Group+"/"+g.Version, "/"), Kind: g.Kind})
	}
	return all
}

// A kind that some text names has, with all that it leads to, the schema that
// it has when everything is loaded.
func TestSchemasOfKinds(t *testing.T) {
	every := everySchema(t)
	index := map[kyaml.TypeMeta]*openapi.ResourceSchema{}
	for name, d := range every {
		for _, m := range typesOf(t, d) {
			index[m] = openapi.SchemaForResourceType(m)
			if !strings.HasSuffix(name, "."+m.Kind) && !strings.HasPrefix(name, "io.k8s.kustomize") && !strings.Contains(m.APIVersion, "kustomize") {
				t.Errorf("%s is of the kind %s", name, m.Kind)
			}
		}
	}
	if len(index) < 100 {
		t.Fatalf("%d types", len(index))
	}
	shared := &schemas{}
	if err := shared.read(libraryBundle); err != nil {
		t.Fatal(err)
	}
	for m, want := range index {
		s := &schemas{text: shared.text, kinds: shared.kinds, loaded: map[string]bool{}}
		s.prepare(map[string][]byte{"a.yaml": fmt.Appendf(nil, "x: {apiVersion: %s, 'kind': \"%s\"}\n", m.APIVersion, m.Kind)})
		if s.state != schemasPart {
			t.Fatalf("%v: all was loaded", m)
		}
		if got := openapi.SchemaForResourceType(m); !reflect.DeepEqual(got, want) {
			t.Errorf("%v: another schema, %v", m, got)
		}
		for name, d := range openapi.Schema().Definitions {
			if !reflect.DeepEqual(d, every[name]) {
				t.Errorf("%v: %s is another definition", m, name)
			}
			text, _ := json.Marshal(d)
			for _, part := range strings.Split(string(text), `"#/definitions/`)[1:] {
				to, _, _ := strings.Cut(part, `"`)
				if _, there := openapi.Schema().Definitions[to]; !there {
					t.Errorf("%v: %s refers to %s, which is not there", m, name, to)
				}
			}
		}
		if len(openapi.Schema().Definitions) > len(every)*2/3 {
			t.Errorf("%v: %d of %d definitions", m, len(openapi.Schema().Definitions), len(every))
		}
		s.whole()
	}
}

// What may hide a kind has everything loaded.
func TestSchemasOfWhatIsHidden(t *testing.T) {
	everySchema(t)
	for _, text := range []string{
		`kind: "\u0044eployment"`, `kind: "\x44eployment"`, `kind: "\U00000044eployment"`, "kind: \"Deploy\\\nment\"", "kind: \"Deploy\\\r\nment\"",
		`a: b # {"$ref":"#/definitions/io.k8s.api.apps.v1.Deployment"}`, `a: b # {"$openapi":"x"}`, `- {op: copy, from: /a, path: /kind}`, `[{"op":"move"}]`, `a\`,
	} {
		s := &schemas{}
		s.prepare(map[string][]byte{"a.yaml": []byte("kind: Service\n"), "b.yaml": []byte(text)})
		if s.state != schemasWhole {
			t.Errorf("%s: not all was loaded", text)
		}
	}
	for _, text := range []string{`"a\nDeployment"`, `"a\tDeployment"`, `{"kind":"Deployment"}`, `"{\"kind\":\"Deployment\"}"`, "kind: >-\n  Deployment\n", "Deployment"} {
		if !slices.Contains(slices.Collect(words([]byte(text))), "Deployment") {
			t.Errorf("%s: the kind is not found", text)
		}
	}
	for _, bundle := range []string{"", "x"} {
		if err := (&schemas{}).read([]byte(bundle)); err == nil {
			t.Errorf("read %q", bundle)
		}
	}
	s := &schemas{}
	for range partialBuilds + 1 {
		s.prepare(nil)
	}
	if s.state != schemasWhole {
		t.Error("not all was loaded after many builds")
	}
}

// A file that comes late has not been looked through: the library builds then.
func TestSchemasOfALateFile(t *testing.T) {
	everySchema(t)
	d, err := newDirect()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{
		"kustomization.yaml": "resources: [a.yaml]\n",
		"a.yaml":             "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
	}
	fs, late := tree(all), tree(all)
	if _, err := d.build(fs, "."); err != nil || d.schemas.state != schemasPart {
		t.Fatalf("%v, state %d", err, d.schemas.state)
	}
	delete(late.known, "a.yaml")
	late.ask = func(name string) (answer, error) {
		if name != "a.yaml" {
			return answer{}, nil
		}
		return answer{kind: leadsToFile, real: name, data: []byte(all[name])}, nil
	}
	if _, err := d.build(late, "."); err == nil || d.schemas.state != schemasWhole {
		t.Errorf("%v, state %d", err, d.schemas.state)
	}
}

// What generators make is of kinds that no text has to name.
func TestSchemasOfGenerators(t *testing.T) {
	everySchema(t)
	s := &schemas{}
	s.prepare(nil)
	for _, kind := range []string{"ConfigMap", "Secret"} {
		if openapi.SchemaForResourceType(kyaml.TypeMeta{APIVersion: "v1", Kind: kind}) == nil {
			t.Errorf("no schema of a %s", kind)
		}
	}
}

// Builds with a part of the schemas give what the library gives with all.
func TestShortWayWithSomeSchemas(t *testing.T) {
	quiet(t)
	everySchema(t)
	d, err := newDirect()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	partial, built := 0, 0
	for range 50 {
		all, dir := grow(r.Uint64())
		d.schemas = &schemas{}
		if bothWays(t, d, all, dir) {
			built++
			if d.schemas.builds > 0 {
				partial++
			}
		}
		openapi.ResetOpenAPI()
	}
	if built < 10 || partial < built {
		t.Errorf("%d built, %d of them with a part of the schemas", built, partial)
	}
}
