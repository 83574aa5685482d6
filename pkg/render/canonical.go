package render

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// maxDepth is how deep an object may be nested.
const maxDepth = 200

var errDepth = errors.New("nested too deeply")

// canonical writes a node of kustomize's as the value that kustomize would
// print. kustomize gets there through YAML text, JSON and YAML again; this is
// the same in one step, at a fiftieth of the cost.
func (p *packer) canonical(n *yaml.Node, depth int) error {
	if n == nil {
		p.b = append(p.b, nodeNull)
		p.text("null")
		return nil
	}
	if depth == 0 {
		return errDepth
	}
	switch n.Kind {
	case yaml.DocumentNode:
		if len(n.Content) != 1 {
			return fmt.Errorf("a document of %d values", len(n.Content))
		}
		return p.canonical(n.Content[0], depth)
	case yaml.AliasNode:
		return p.canonical(n.Alias, depth-1)
	case yaml.MappingNode:
		return p.mapping(n, depth)
	case yaml.SequenceNode:
		p.b = append(p.b, nodeSeq)
		p.num(len(n.Content))
		for _, c := range n.Content {
			if err := p.canonical(c, depth-1); err != nil {
				return err
			}
		}
		return nil
	}
	kind, value, err := scalar(n)
	if err != nil {
		return err
	}
	p.b = append(p.b, kind)
	p.text(value)
	return nil
}

func (p *packer) mapping(n *yaml.Node, depth int) error {
	seen := make(map[string]bool, len(n.Content)/2)
	p.b = append(p.b, nodeMap)
	p.num(len(n.Content) / 2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		for key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge" {
			return errors.New("a key that is not text")
		}
		if seen[key.Value] {
			return fmt.Errorf("key %q twice in one mapping", key.Value)
		}
		seen[key.Value] = true
		p.b = append(p.b, nodeString)
		p.text(key.Value)
		if err := p.canonical(n.Content[i+1], depth-1); err != nil {
			return err
		}
	}
	return nil
}

// scalar gives the kind and text of a scalar as JSON would hold it.
func scalar(n *yaml.Node) (kind byte, value string, err error) {
	switch tag := n.ShortTag(); tag {
	case "!!str", "!!merge":
		return nodeString, n.Value, nil
	case "!!null":
		return nodeNull, "null", nil
	case "!!bool":
		switch strings.ToLower(n.Value) {
		case "true", "false":
			return nodeBool, strings.ToLower(n.Value), nil
		}
		return 0, "", errors.New("a boolean that is neither true nor false")
	case "!!int", "!!float":
		return number(n.Value)
	case "!!timestamp":
		var t time.Time
		if err := n.Decode(&t); err != nil {
			return 0, "", errors.New("a date that is none")
		}
		return nodeString, t.Format(time.RFC3339Nano), nil
	case "!!binary":
		d, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Value), ""))
		if err != nil {
			return 0, "", errors.New("a !!binary value that is not base64")
		}
		return nodeString, string(d), nil
	default:
		return 0, "", fmt.Errorf("a value with the tag %q", tag)
	}
}

// number follows yaml.v3 in reading and encoding/json in writing, as
// kustomize's way to its output does.
func number(text string) (kind byte, value string, err error) {
	plain := strings.ReplaceAll(text, "_", "")
	if i, err := strconv.ParseInt(plain, 0, 64); err == nil {
		return nodeInt, strconv.FormatInt(i, 10), nil
	}
	if u, err := strconv.ParseUint(plain, 0, 64); err == nil {
		return nodeInt, strconv.FormatUint(u, 10), nil
	}
	f, err := strconv.ParseFloat(plain, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) || strings.ContainsAny(plain, "nN") {
		return 0, "", errors.New("a number that JSON cannot hold")
	}
	shown, err := json.Marshal(f)
	if err != nil {
		return 0, "", err
	}
	if strings.ContainsAny(string(shown), ".eE") {
		return nodeFloat, string(shown), nil
	}
	return nodeInt, string(shown), nil
}
