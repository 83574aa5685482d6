package schema

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

// sample is an object with every field of its kind set, from the tests of
// k8s.io/api.
type sample struct {
	from, to int
	object   *manifest.Object
}

func samples(t testing.TB) []sample {
	t.Helper()
	data, err := os.ReadFile("testdata/samples.gz")
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	var out []sample
	for line := range strings.SplitSeq(string(text), "\n") {
		f := strings.SplitN(line, "\t", 6)
		if f[0] != "S" {
			continue
		}
		docs, err := manifest.Documents(f[4]+".json", []byte(f[5]))
		if err != nil || len(docs) != 1 {
			t.Fatalf("%s %s: %d documents, %v", f[3], f[4], len(docs), err)
		}
		out = append(out, sample{number(f[1]), number(f[2]), &manifest.Object{
			ID: manifest.ID{Group: manifest.Group(f[3]), Kind: f[4], Name: "x"}, APIVersion: f[3], Node: docs[0].Node,
		}})
	}
	return out
}

// decode checks an object whether it can be applied or is part of a request.
func decode(v *Validator, o *manifest.Object) *check {
	c := &check{object: o, release: v.release, limit: 1 << 30}
	c.value(o.Node, &schema{def: v.release.kinds[typeMeta{o.APIVersion, o.ID.Kind}].def}, nil)
	return c
}

// TestSamples: every field that Kubernetes' own types have is known, with its
// type. Closed lists are left out: the samples hold made-up words.
func TestSamples(t *testing.T) {
	all := samples(t)
	for minor := 27; minor <= 37; minor++ {
		v := load(t, "1."+itoa(minor))
		checked := map[typeMeta]bool{}
		for _, s := range all {
			if s.from > minor || minor > s.to {
				continue
			}
			checked[typeMeta{s.object.APIVersion, s.object.ID.Kind}] = true
			for _, f := range decode(v, s.object).list {
				if !strings.Contains(f.Text, " has to be one of ") {
					t.Errorf("1.%d: %s", minor, f.Text)
				}
			}
		}
		for k := range v.release.kinds {
			if !checked[k] && !noSample[k.kind] {
				t.Errorf("1.%d: no sample of %s %s", minor, k.apiVersion, k.kind)
			}
		}
	}
}

// noSample are the kinds that k8s.io/api does not define, or has no sample of.
var noSample = map[string]bool{
	"CustomResourceDefinition": true, "APIService": true, "Status": true, "APIGroup": true, "APIVersions": true,
	"APIResource": true, "SelfSubjectReview": true,
}

func itoa(n int) string { return string(rune('0'+n/10)) + string(rune('0'+n%10)) }

// TestAgreesWithLibrary changes the type of one value after the other and
// compares with what kube-openapi finds with the same schemas.
func TestAgreesWithLibrary(t *testing.T) {
	v := load(t, "1.33")
	all := samples(t)
	tried, wrong := 0, 0
	for n, s := range all {
		if s.from > 33 || 33 > s.to || s.object.ID.Kind == "CustomResourceDefinition" {
			continue
		}
		nodes := values(s.object.Node, nil)
		root := v.release.kinds[typeMeta{s.object.APIVersion, s.object.ID.Kind}].def.schema()
		expanded := openAPI(root, 0)
		library := validate.NewSchemaValidator(expanded, nil, "", strfmt.Default)
		// A few places of each object, others in each: all of them would take minutes.
		for i := n % 7; i < len(nodes); i += 1 + len(nodes)/8 {
			for j, other := range others() {
				if i == 0 {
					continue // the object itself
				}
				before := *nodes[i]
				*nodes[i] = *other
				refused := false
				for _, f := range decode(v, s.object).list {
					refused = refused || strings.Contains(f.Text, ", it is ")
				}
				want := false
				for _, err := range library.Validate(complete(plainValue(s.object.Node), expanded)).Errors {
					want = want || strings.Contains(err.Error(), "must be of type")
				}
				*nodes[i] = before
				tried++
				if want {
					wrong++
				}
				if refused != want {
					t.Errorf("%s: value %d as %s (%d): refused %v, by the library %v", s.object.ID, i, describe(other), j, refused, want)
				}
			}
		}
	}
	if tried < 1000 || wrong < tried/2 {
		t.Errorf("only %d tried, %d of them wrong", tried, wrong)
	}
}

func values(n *yaml.Node, out []*yaml.Node) []*yaml.Node {
	out = append(out, n)
	for i, c := range n.Content {
		if n.Kind == yaml.SequenceNode || i%2 == 1 {
			out = values(c, out)
		}
	}
	return out
}

func others() []*yaml.Node {
	return []*yaml.Node{
		{Kind: yaml.MappingNode, Tag: "!!map"},
		{Kind: yaml.SequenceNode, Tag: "!!seq"},
		{Kind: yaml.ScalarNode, Tag: tagString, Value: "text"},
		{Kind: yaml.ScalarNode, Tag: tagInt, Value: "7"},
		{Kind: yaml.ScalarNode, Tag: tagFloat, Value: "1.5"},
		{Kind: yaml.ScalarNode, Tag: tagBool, Value: "true"},
	}
}

// openAPI writes out a schema for the library, which knows no references.
func openAPI(s *schema, depth int) *spec.Schema {
	s = s.resolved()
	out := &spec.Schema{}
	if depth > 25 {
		return out
	}
	switch s.kind {
	case "":
	case "int32":
		out.Type = spec.StringOrArray{"integer"}
	case "byte":
		out.Type = spec.StringOrArray{"string", "array"}
	case "date-time":
		out.Type = spec.StringOrArray{"string"}
	case "int-or-string":
		out.Type = spec.StringOrArray{"string", "integer"}
	case "quantity":
		out.Type = spec.StringOrArray{"string", "number", "integer"}
	default:
		out.Type = spec.StringOrArray{s.kind}
	}
	if s.items != nil {
		out.Items = &spec.SchemaOrArray{Schema: openAPI(s.items, depth+1)}
	}
	if s.values != nil {
		out.AdditionalProperties = &spec.SchemaOrBool{Allows: true, Schema: openAPI(s.values, depth+1)}
	}
	if s.fields != nil {
		out.Properties = map[string]spec.Schema{}
		for name, f := range s.fields {
			out.Properties[name] = *openAPI(f, depth+1)
		}
	}
	return out
}

// FuzzValidate takes in the definitions of a file and checks its objects.
func FuzzValidate(f *testing.F) {
	f.Add([]byte(deployment))
	f.Add([]byte(widgets + "---\n" + widget))
	f.Add([]byte(strings.Replace(widgets, "{type: string, nullable: true}", "{$REF: a, items: {}, not: {$ref: b}}", 1) + "---\n" + widget))
	f.Add([]byte("apiVersion: v1\nkind: Secret\nmetadata: null\ndata: []\n"))
	base := load(f, "1.33")
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := manifest.Parse("a.yaml", data)
		if err != nil {
			return
		}
		v := base.Clone()
		for _, o := range set {
			_ = v.AddCRD(o)
		}
		for _, o := range set {
			for _, found := range v.Validate(o) {
				if strings.ContainsAny(found.Text+found.Hint, "\x00\x1b\n\r") {
					t.Errorf("%q would act on a terminal", found.Text)
				}
			}
			v.Unchecked(o)
		}
	})
}
