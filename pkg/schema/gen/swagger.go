package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
)

// schema is what is kept of a definition.
type schema struct {
	Ref        string             `json:"$ref,omitempty"`
	Type       string             `json:"type,omitempty"`
	Format     string             `json:"format,omitempty"`
	Enum       []string           `json:"enum,omitempty"`
	Required   []string           `json:"required,omitempty"`
	Properties map[string]*schema `json:"properties,omitempty"`
	Items      *schema            `json:"items,omitempty"`
	Values     *schema            `json:"additionalProperties,omitempty"`
}

type groupVersionKind struct{ Group, Version, Kind string }

func (k groupVersionKind) apiVersion() string {
	if k.Group == "" {
		return k.Version
	}
	return k.Group + "/" + k.Version
}

type document struct {
	Definitions map[string]struct {
		schema
		Kinds []groupVersionKind `json:"x-kubernetes-group-version-kind"`
	}
	Paths map[string]map[string]json.RawMessage
}

// special are definitions whose Go types read JSON in their own way; the
// OpenAPI document says less than what they take.
var special = map[string]*schema{
	"api.resource.Quantity":   {Format: "quantity"},
	"runtime.RawExtension":    {},
	"meta.v1.FieldsV1":        {},
	"meta.v1.Time":            {Format: "date-time"},
	"meta.v1.MicroTime":       {Format: "date-time"},
	"util.intstr.IntOrString": {Format: "int-or-string"},
	"apiextensions.v1.JSON":   {},
	"meta.v1.Patch":           {},
}

// readSwagger gives the definitions that objects can hold, by short name, and
// a line for each kind.
func readSwagger(kubernetes string) (map[string]*schema, []string, error) {
	data, err := os.ReadFile(filepath.Join(kubernetes, "api", "openapi-spec", "swagger.json"))
	if err != nil {
		return nil, nil, err
	}
	var doc document
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, nil, err
	}
	objects, err := doc.objects()
	if err != nil {
		return nil, nil, err
	}
	optional := map[string]bool{}
	for _, f := range rows(acceptedText) {
		optional[f[0]+" "+f[1]] = true
	}
	all := map[string]*schema{}
	var kinds, roots []string
	for long, d := range doc.Definitions {
		name, s := short(long), d.schema
		if special[name] != nil {
			s = *special[name]
		}
		s.trim(name, optional)
		all[name] = &s
		// Definitions of many kinds, such as DeleteOptions, are options of requests.
		if len(d.Kinds) != 1 || strings.HasSuffix(d.Kinds[0].Kind, "List") {
			continue
		}
		use := "part"
		if objects[d.Kinds[0]] {
			use = "object"
		}
		kinds = append(kinds, strings.Join([]string{d.Kinds[0].apiVersion(), d.Kinds[0].Kind, name, use}, "\t"))
		roots = append(roots, name)
	}
	used := map[string]*schema{}
	for _, name := range roots {
		reach(name, all, used)
	}
	return used, kinds, nil
}

// objects gives the kinds that can be posted to a collection.
func (d *document) objects() (map[groupVersionKind]bool, error) {
	out := map[groupVersionKind]bool{}
	for path, operations := range d.Paths {
		raw, ok := operations["post"]
		if !ok || strings.Contains(path, "{name}") {
			continue
		}
		var op struct {
			Kind groupVersionKind `json:"x-kubernetes-group-version-kind"`
		}
		if err := json.Unmarshal(raw, &op); err != nil {
			return nil, err
		}
		out[op.Kind] = true
	}
	return out, nil
}

var prefixes = []string{
	"io.k8s.api.", "io.k8s.apimachinery.pkg.apis.", "io.k8s.apimachinery.pkg.",
	"io.k8s.apiextensions-apiserver.pkg.apis.", "io.k8s.kube-aggregator.pkg.apis.",
}

func short(name string) string {
	for _, p := range prefixes {
		if rest, ok := strings.CutPrefix(name, p); ok {
			return rest
		}
	}
	return name
}

var alpha = regexp.MustCompile(`\.v\d+alpha\d+\.`)

// trim shortens references and takes out of required what the server does
// without. Alpha versions change what they require from release to release.
func (s *schema) trim(definition string, optional map[string]bool) {
	if s.Ref != "" {
		s.Ref, s.Type = short(strings.TrimPrefix(s.Ref, "#/definitions/")), ""
	}
	var required []string
	for _, field := range s.Required {
		if !optional[definition+" "+field] && !alpha.MatchString(definition) {
			required = append(required, field)
		}
	}
	sort.Strings(required)
	s.Required = required
	for _, p := range s.Properties {
		p.trim(definition, optional)
	}
	if s.Items != nil {
		s.Items.trim(definition, optional)
	}
	if s.Values != nil {
		s.Values.trim(definition, optional)
	}
}

func reach(name string, all, used map[string]*schema) {
	if used[name] != nil || all[name] == nil {
		return
	}
	used[name] = all[name]
	all[name].refs(func(ref string) { reach(ref, all, used) })
}

func (s *schema) refs(visit func(string)) {
	if s.Ref != "" {
		visit(s.Ref)
	}
	for _, p := range s.Properties {
		p.refs(visit)
	}
	if s.Items != nil {
		s.Items.refs(visit)
	}
	if s.Values != nil {
		s.Values.refs(visit)
	}
}
