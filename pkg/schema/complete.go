package schema

import (
	"strconv"

	"go.yaml.in/yaml/v3"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

// plainValue gives a node as encoding/json would: maps, lists and scalars.
func plainValue(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		out := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			out[n.Content[i].Value] = plainValue(n.Content[i+1])
		}
		return out
	case yaml.SequenceNode:
		out := make([]any, len(n.Content))
		for i, item := range n.Content {
			out[i] = plainValue(item)
		}
		return out
	}
	switch n.Tag {
	case "!!null":
		return nil
	case tagBool:
		return n.Value == "true"
	case tagInt:
		if i, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
			return i
		}
		fallthrough
	case tagFloat:
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return f
		}
	}
	return n.Value
}

// complete does to an object what the API server does before it validates:
// nulls that the schema does not allow are dropped, defaults filled in.
func complete(value any, s *spec.Schema) any {
	if s == nil {
		return value
	}
	switch value := value.(type) {
	case map[string]any:
		for name, p := range s.Properties {
			if field, set := value[name]; set && field == nil && !p.Nullable {
				delete(value, name)
			}
			if _, set := value[name]; !set && p.Default != nil {
				value[name] = copied(p.Default)
			}
			if field, set := value[name]; set {
				value[name] = complete(field, &p)
			}
		}
		if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
			values := s.AdditionalProperties.Schema
			for name, field := range value {
				if _, known := s.Properties[name]; known {
					continue
				}
				if field == nil && !values.Nullable {
					if values.Default == nil {
						delete(value, name)
						continue
					}
					field = copied(values.Default)
				}
				value[name] = complete(field, values)
			}
		}
	case []any:
		if s.Items == nil || s.Items.Schema == nil {
			break
		}
		items := s.Items.Schema
		for i, item := range value {
			if item == nil && !items.Nullable && items.Default != nil {
				item = copied(items.Default)
			}
			value[i] = complete(item, items)
		}
	}
	return value
}

// copied gives a default that complete may write into.
func copied(value any) any {
	switch value := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(value))
		for k, v := range value {
			out[k] = copied(v)
		}
		return out
	case []any:
		out := make([]any, len(value))
		for i, v := range value {
			out[i] = copied(v)
		}
		return out
	}
	return value
}
