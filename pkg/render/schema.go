package render

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/finding"
)

// conform checks a canonical node against the Go type that kustomize decodes
// it into: unknown keys and values of the wrong type, all of them, with their
// lines. kustomize takes keys in any letter case (its own documentation has
// fieldpath for fieldPath): they are rewritten, so that nothing is overlooked.
func conform(file, at string, n *yaml.Node, t reflect.Type, list *finding.List) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	wrong := func(want string) {
		hint := ""
		if want == "a list" {
			hint = "write each entry on a line of its own, behind a dash"
		}
		list.Add(file, n.Line, fmt.Sprintf("%s has to be %s", at, want), hint)
	}
	switch t.Kind() {
	case reflect.Struct:
		if n.Kind != yaml.MappingNode {
			wrong("a mapping")
			return
		}
		conformStruct(file, at, n, t, list)
	case reflect.Map:
		if n.Kind != yaml.MappingNode {
			wrong("a mapping")
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			conform(file, at+"."+n.Content[i].Value, n.Content[i+1], t.Elem(), list)
		}
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			wrong("a list")
			return
		}
		for i, item := range n.Content {
			conform(file, fmt.Sprintf("%s[%d]", at, i), item, t.Elem(), list)
		}
	case reflect.String:
		if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
			list.Add(file, n.Line, at+" has to be text", "put the value between quotes")
		}
	case reflect.Bool:
		if n.Tag != "!!bool" {
			wrong("true or false")
		}
	case reflect.Int, reflect.Int32, reflect.Int64:
		if n.Tag != "!!int" {
			wrong("a whole number")
		}
	}
}

func conformStruct(file, at string, n *yaml.Node, t reflect.Type, list *finding.List) {
	fields := map[string]reflect.Type{}
	collect(t, fields)
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		where := strings.TrimPrefix(at+"."+key.Value, ".")
		name := known(key.Value, fields)
		switch {
		case name == "":
			hint := "known fields: " + strings.Join(slices.Sorted(maps.Keys(fields)), ", ")
			if at == "" {
				hint = "kustomize knows no such field"
			}
			if near := nearest(key.Value, fields); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			list.Add(file, key.Line, fmt.Sprintf("unknown field %q", where), hint)
		case seen[name]:
			list.Add(file, key.Line, fmt.Sprintf("field %q is there twice, in another letter case", where), "keep "+name)
		default:
			key.Value = name
			conform(file, where, n.Content[i+1], fields[name], list)
		}
		seen[name] = true
	}
}

// known gives a key as the type has it, or "".
func known(key string, fields map[string]reflect.Type) string {
	if _, ok := fields[key]; ok {
		return key
	}
	for name := range fields {
		if strings.EqualFold(name, key) {
			return name
		}
	}
	return ""
}

// collect gives the keys that encoding/json knows for a struct.
func collect(t reflect.Type, fields map[string]reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			collect(f.Type, fields)
		case f.IsExported() && name == "":
			fields[f.Name] = f.Type
		case f.IsExported() && name != "-":
			fields[name] = f.Type
		}
	}
}

// nearest gives the known key that a misspelt one most likely stands for, or "".
func nearest(key string, fields map[string]reflect.Type) string {
	best, least := "", 1+len(key)/3
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if d := distance(strings.ToLower(key), strings.ToLower(name)); d <= least {
			best, least = name, d-1
		}
	}
	return best
}

// distance is the number of letters to insert, delete or replace between a and b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
