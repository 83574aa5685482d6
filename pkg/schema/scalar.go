package schema

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

const (
	tagString = "!!str"
	tagInt    = "!!int"
	tagFloat  = "!!float"
	tagBool   = "!!bool"
)

// quantity is what resource.Quantity reads: a decimal number with a suffix
// of powers of two or of ten, or with an exponent.
var quantity = regexp.MustCompile(`^\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)(n|u|m|k|M|G|T|P|E|[KMGTPE]i|[eE][-+]?[0-9]+)?\s*$`)

// wanted names the types as they are asked for.
var wanted = map[string]string{
	"object": "a mapping", "array": "a list", "string": "text", "integer": "an integer", "int32": "an integer",
	"number": "a number", "boolean": "true or false", "byte": "text in base64", "date-time": "a time",
	"int-or-string": "an integer or text", "quantity": "a quantity",
}

// scalar checks a node that has to be a scalar as Go's JSON decoding of the
// server's types does.
func (c *check) scalar(n *yaml.Node, s *schema, at *step) {
	ok := n.Kind == yaml.ScalarNode
	problem := ""
	switch s.kind {
	case "string":
		ok = ok && n.Tag == tagString
		if ok && len(s.enum) > 0 && !c.status && n.Value != "" && !slices.Contains(s.enum, n.Value) {
			c.notOneOf(n, s, at)
		}
	case "integer":
		ok = ok && n.Tag == tagInt
		problem = outside(n, ok, 64)
	case "int32":
		ok = ok && n.Tag == tagInt
		problem = outside(n, ok, 32)
	case "number":
		ok = ok && (n.Tag == tagInt || n.Tag == tagFloat)
	case "boolean":
		ok = ok && n.Tag == tagBool
	case "int-or-string":
		ok = ok && (n.Tag == tagInt || n.Tag == tagString)
		problem = outside(n, ok && n.Tag == tagInt, 32)
	case "quantity":
		ok = ok && (n.Tag == tagInt || n.Tag == tagFloat || n.Tag == tagString)
		if ok && !quantity.MatchString(n.Value) {
			problem = "is not a quantity such as 500m, 1.5 or 2Gi"
		}
	case "byte":
		ok = ok && n.Tag == tagString
		if ok && !isBase64(n.Value) {
			problem = "is not base64"
		}
	case "date-time":
		ok = ok && n.Tag == tagString
		if _, err := time.Parse(time.RFC3339, n.Value); ok && err != nil {
			problem = "is not a time such as 2006-01-02T15:04:05Z"
		}
	default:
		return // a type that this program does not know refuses nothing
	}
	switch {
	case !ok:
		c.mismatch(n, s, at)
	case problem != "":
		c.add(n, path(at)+" "+problem, "")
	}
}

// outside tells of an integer that does not fit into so many bits.
func outside(n *yaml.Node, isInt bool, bits int) string {
	if !isInt {
		return ""
	}
	if _, err := strconv.ParseInt(n.Value, 10, bits); err != nil {
		return fmt.Sprintf("does not fit into %d bits", bits)
	}
	return ""
}

func isBase64(s string) bool {
	_, err := base64.StdEncoding.DecodeString(s)
	return err == nil
}

// mismatch reports a node of the wrong type. It shows no value: it may be
// secret.
func (c *check) mismatch(n *yaml.Node, s *schema, at *step) {
	hint := ""
	scalar := n.Kind == yaml.ScalarNode
	switch s.kind {
	case "string":
		if scalar {
			hint = "put it between quotes"
		}
	case "integer", "int32", "number", "boolean":
		if scalar && n.Tag == tagString {
			hint = "write it without quotes"
		}
	case "array":
		hint = "begin each item with a dash"
	}
	where := path(at)
	if where == "" {
		where = "the object"
	}
	c.add(n, fmt.Sprintf("%s has to be %s, it is %s", where, wanted[s.kind], describe(n)), hint)
}

func (c *check) notOneOf(n *yaml.Node, s *schema, at *step) {
	hint := ""
	if near := nearest(n.Value, s.enum); near != "" {
		hint = fmt.Sprintf("did you mean %s?", near)
	}
	var values []string
	for _, v := range s.enum {
		if v != "" {
			values = append(values, v)
		}
	}
	c.add(n, fmt.Sprintf("%s has to be one of %s", path(at), strings.Join(values, ", ")), hint)
}

func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case tagInt:
		return "an integer"
	case tagFloat:
		return "a number"
	case tagBool:
		return "a boolean"
	case "!!null":
		return "null"
	}
	return "text"
}
