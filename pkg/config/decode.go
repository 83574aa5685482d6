package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/finding"
)

// decoder fills a Go value from a YAML node, notes where each value stands,
// and collects everything that does not fit.
type decoder struct {
	file   string
	places map[string]Place // by config path, as in environments[1].branch
	list   finding.List
}

func (d *decoder) add(n *yaml.Node, text, hint string) { d.list.Add(d.file, n.Line, text, hint) }

func (d *decoder) decode(n *yaml.Node, path string, into reflect.Value) {
	d.places[path] = Place{d.file, n.Line}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		if path == "" || strings.HasSuffix(path, "]") {
			d.add(n, where(path)+"is empty", "fill it in or delete it")
		}
		return
	}
	if special, ok := into.Addr().Interface().(decodable); ok {
		special.decode(d, n, path)
		return
	}
	switch into.Kind() {
	case reflect.Map:
		d.decodeMap(n, path, into)
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		d.decode(n, path, into.Elem())
	case reflect.Struct:
		d.decodeStruct(n, path, into)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			d.add(n, where(path)+"has to be a list, it is "+typeName(n), "write each entry on a line of its own, behind a dash")
			return
		}
		into.Set(reflect.MakeSlice(into.Type(), len(n.Content), len(n.Content)))
		for i, item := range n.Content {
			d.decode(item, path+"["+strconv.Itoa(i)+"]", into.Index(i))
		}
	default:
		d.decodeScalar(n, path, into)
	}
}

func (d *decoder) decodeMap(n *yaml.Node, path string, into reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.add(n, where(path)+"has to be a mapping, it is "+typeName(n), "")
		return
	}
	into.Set(reflect.MakeMap(into.Type()))
	for i := 0; i+1 < len(n.Content); i += 2 {
		value := reflect.New(into.Type().Elem()).Elem()
		d.decode(n.Content[i+1], join(path, n.Content[i].Value), value)
		into.SetMapIndex(reflect.ValueOf(n.Content[i].Value), value)
	}
}

func (d *decoder) decodeStruct(n *yaml.Node, path string, into reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.add(n, where(path)+"has to be a mapping, it is "+typeName(n), "")
		return
	}
	fields := map[string]int{}
	var known []string
	for i := range into.NumField() {
		if key := into.Type().Field(i).Tag.Get("yaml"); key != "" {
			fields[key] = i
			known = append(known, key)
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		at, ok := fields[key.Value]
		if !ok {
			d.places[join(path, key.Value)] = Place{d.file, key.Line}
			d.add(key, where(path)+fmt.Sprintf("unknown key %q", key.Value), suggest(key.Value, known))
			continue
		}
		sub := join(path, key.Value)
		d.decode(n.Content[i+1], sub, into.Field(at))
		d.places[sub] = Place{d.file, key.Line}
	}
}

func (d *decoder) decodeScalar(n *yaml.Node, path string, into reflect.Value) {
	switch kind := into.Kind(); {
	case n.Kind != yaml.ScalarNode:
	case kind == reflect.String && n.Tag == "!!str":
		into.SetString(n.Value)
		return
	case kind == reflect.Bool && n.Tag == "!!bool":
		into.SetBool(n.Value == "true")
		return
	case n.Tag == "!!int" && into.CanInt():
		if v, err := strconv.ParseInt(n.Value, 10, into.Type().Bits()); err == nil {
			into.SetInt(v)
			return
		}
	case n.Tag == "!!int" && into.CanUint():
		if v, err := strconv.ParseUint(n.Value, 10, into.Type().Bits()); err == nil {
			into.SetUint(v)
			return
		}
	}
	want, hint := "text", "put it between quotes"
	switch {
	case into.Kind() == reflect.Bool:
		want, hint = "true or false", ""
	case into.CanInt() || into.CanUint():
		want, hint = "a whole number", ""
	case n.Kind != yaml.ScalarNode:
		hint = ""
	}
	d.add(n, where(path)+fmt.Sprintf("has to be %s, it is %s", want, typeName(n)), hint)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func where(path string) string {
	if path == "" {
		return ""
	}
	return path + " "
}

func typeName(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!str":
		return "text"
	case n.Tag == "!!bool":
		return "a boolean"
	}
	return "the number " + n.Value
}

// suggest names the nearest known key, or all of them if none is near.
func suggest(key string, known []string) string {
	best, distance := "", len(key)/2+1
	for _, k := range known {
		if n := edits(strings.ToLower(key), strings.ToLower(k)); n < distance {
			best, distance = k, n
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "known keys: " + strings.Join(known, ", ")
}

// edits is the Levenshtein distance of a and b in bytes.
func edits(a, b string) int {
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
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
