package schema

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

// schemas is written by gen, which describes its form.
//
//go:embed schemas.gz
var schemas []byte

// release is what one Kubernetes release serves. Definitions are decoded when
// they are first used.
type release struct {
	version     string
	minor       int
	definitions map[string]*definition
	kinds       map[typeMeta]*kind
	groups      map[string]bool // Kubernetes' own, of any release
	served      map[typeMeta]span
	removed     map[typeMeta]removal
}

type typeMeta struct{ apiVersion, kind string }

// kind is one that a release knows.
type kind struct {
	def    *definition
	object bool // it can be created; otherwise it is the body of some request
}

// span is the known releases that serve a kind, as minors.
type span struct{ from, to int }

// removal says since which minor a kind is gone and what took its place, if
// anything did.
type removal struct {
	minor       int
	replacement typeMeta
}

// embedded gives the first and the last minor of the embedded schemas, and
// their lines.
func embedded() (first, last int, lines string, err error) {
	z, err := gzip.NewReader(bytes.NewReader(schemas))
	if err != nil {
		return 0, 0, "", fmt.Errorf("reading the embedded schemas: %w", err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		return 0, 0, "", fmt.Errorf("reading the embedded schemas: %w", err)
	}
	header, lines, _ := strings.Cut(string(data), "\n")
	f := strings.Split(header, "\t")
	if len(f) != 3 {
		return 0, 0, "", fmt.Errorf("reading the embedded schemas: no header")
	}
	return number(f[1]), number(f[2]), lines, nil
}

func readRelease(version string) (*release, error) {
	first, last, lines, err := embedded()
	if err != nil {
		return nil, err
	}
	text, found := strings.CutPrefix(version, "1.")
	minor := number(text)
	if !found || strconv.Itoa(minor) != text || minor < first || minor > last {
		return nil, fmt.Errorf("no schema of Kubernetes %q: known are 1.%d to 1.%d", version, first, last)
	}
	return newRelease(minor, lines), nil
}

// newRelease takes what concerns one release from the lines of the embedded schemas.
func newRelease(minor int, lines string) *release {
	r := &release{
		version: "1." + strconv.Itoa(minor), minor: minor,
		definitions: map[string]*definition{}, kinds: map[typeMeta]*kind{}, groups: map[string]bool{},
		served: map[typeMeta]span{}, removed: map[typeMeta]removal{},
	}
	for line := range strings.SplitSeq(lines, "\n") {
		r.add(line)
	}
	return r
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}

// add takes in one line. Those of other releases count for what they say
// about when a kind is served.
func (r *release) add(line string) {
	f := strings.Split(line, "\t")
	switch {
	case f[0] == "D" && len(f) == 5 && r.in(f):
		r.definition(f[3]).text = f[4]
	case f[0] == "K" && len(f) == 7:
		t := typeMeta{f[3], f[4]}
		r.groups[group(t.apiVersion)] = true
		s, known := r.served[t]
		if !known {
			s = span{number(f[1]), number(f[2])}
		}
		r.served[t] = span{min(s.from, number(f[1])), max(s.to, number(f[2]))}
		if r.in(f) {
			r.kinds[t] = &kind{def: r.definition(f[5]), object: f[6] == "object"}
		}
	case f[0] == "R" && len(f) == 6:
		t := typeMeta{f[2], f[3]}
		r.groups[group(t.apiVersion)] = true
		gone := removal{minor: number(f[1])}
		if f[4] != "-" {
			gone.replacement = typeMeta{f[4], f[5]}
		}
		r.removed[t] = gone
	}
}

func (r *release) in(f []string) bool { return number(f[1]) <= r.minor && r.minor <= number(f[2]) }

func (r *release) definition(name string) *definition {
	d := r.definitions[name]
	if d == nil {
		d = &definition{release: r}
		r.definitions[name] = d
	}
	return d
}

func group(apiVersion string) string {
	group, _, found := strings.Cut(apiVersion, "/")
	if !found {
		return ""
	}
	return group
}

// definition is a named schema.
type definition struct {
	text    string // JSON; empty for what the release does not define
	release *release
	once    sync.Once
	decoded *schema
}

func (d *definition) schema() *schema {
	d.once.Do(func() {
		var doc document
		if d.text == "" || json.Unmarshal([]byte(d.text), &doc) != nil {
			d.decoded = &schema{} // says nothing, so that nothing is refused
			return
		}
		d.decoded = doc.schema(d.release)
	})
	return d.decoded
}

// document is a schema as it is written in the embedded data.
type document struct {
	Ref        string               `json:"$ref"`
	Type       string               `json:"type"`
	Format     string               `json:"format"`
	Enum       []string             `json:"enum"`
	Required   []string             `json:"required"`
	Properties map[string]*document `json:"properties"`
	Items      *document            `json:"items"`
	Values     *document            `json:"additionalProperties"`
}

// schema is a document with its references resolved: a struct with fields, a
// map with values, a list with items, a scalar of a type, or anything.
type schema struct {
	def      *definition // what it refers to; nothing else is set then
	kind     string      // type or format, see scalar; "" is anything
	fields   map[string]*schema
	required []string
	values   *schema
	items    *schema
	enum     []string
}

func (d *document) schema(r *release) *schema {
	if d.Ref != "" {
		return &schema{def: r.definitions[d.Ref]}
	}
	s := &schema{kind: d.Type, required: d.Required, enum: d.Enum}
	switch d.Format {
	case "int32", "byte", "date-time", "int-or-string", "quantity":
		s.kind = d.Format
	}
	if len(d.Properties) > 0 {
		s.fields = make(map[string]*schema, len(d.Properties))
		for name, p := range d.Properties {
			s.fields[name] = p.schema(r)
		}
	}
	if d.Values != nil {
		s.values = d.Values.schema(r)
	}
	if d.Items != nil {
		s.items = d.Items.schema(r)
	}
	return s
}

// resolved follows references. One to a definition that is not there says
// nothing.
func (s *schema) resolved() *schema {
	for s.def != nil {
		s = s.def.schema()
	}
	return s
}
