package render

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// maxDepth is how deep an object may be nested.
const maxDepth = 200

var errDepth = errors.New("nested too deeply")

// canonical writes an object of kustomize's as the value that kustomize would
// print. kustomize gets there through YAML text, JSON and YAML again; this is
// the same in one step, at a fiftieth of the cost.
func (p *packer) canonical(r *kyaml.RNode) error {
	n, err := rewritten(r)
	if err != nil {
		return err
	}
	return p.value(n, maxDepth, false)
}

// value writes one value; flow tells whether it stands between brackets.
func (p *packer) value(n *yaml.Node, depth int, flow bool) error {
	if n == nil {
		p.b = append(p.b, nodeNull)
		p.text("null")
		return nil
	}
	if depth == 0 {
		return errDepth
	}
	flow = flow || n.Style&yaml.FlowStyle != 0
	switch n.Kind {
	case yaml.DocumentNode:
		if len(n.Content) != 1 {
			return fmt.Errorf("a document of %d values", len(n.Content))
		}
		return p.value(n.Content[0], depth, flow)
	case yaml.AliasNode:
		return p.value(n.Alias, depth-1, flow)
	case yaml.MappingNode:
		return p.mapping(n, depth, flow)
	case yaml.SequenceNode:
		p.b = append(p.b, nodeSeq)
		p.num(len(n.Content))
		for _, c := range n.Content {
			if err := p.value(c, depth-1, flow); err != nil {
				return err
			}
		}
		return nil
	}
	kind, value, err := scalar(n)
	if err != nil {
		return err
	}
	if kind == nodeNull && n.Value == "" && flow {
		kind, value = nodeString, "" // nothing, between brackets, is written as ''
	}
	p.b = append(p.b, kind)
	p.text(value)
	return nil
}

func (p *packer) mapping(n *yaml.Node, depth int, flow bool) error {
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
		if err := p.value(n.Content[i+1], depth-1, flow); err != nil {
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
		if err != nil || !utf8.Valid(d) {
			return 0, "", errors.New("a !!binary value that is not text")
		}
		return nodeString, string(d), nil
	default:
		return 0, "", fmt.Errorf("a value with the tag %q", tag)
	}
}

// rewritten gives a node as it is after kustomize has written and read it, if
// that may differ: the encoder does not write every block of text so that it
// is read back unchanged, and what kustomize prints is what counts here.
func rewritten(r *kyaml.RNode) (*yaml.Node, error) {
	if n := r.YNode(); n == nil || !delicate(n) {
		return n, nil
	}
	text, err := r.String() // with the comments around it, which matter here
	if err != nil {
		return nil, err
	}
	var again yaml.Node
	if err := yaml.Unmarshal([]byte(text), &again); err != nil {
		return nil, err
	}
	return &again, nil
}

// delicate finds folded text, and literal text that begins or ends with empty
// lines or spaces.
func delicate(n *yaml.Node) bool {
	if n.Kind != yaml.ScalarNode {
		return slices.ContainsFunc(n.Content, delicate)
	}
	return n.Style&yaml.FoldedStyle != 0 || n.Style&yaml.LiteralStyle != 0 &&
		(strings.HasSuffix(n.Value, "\n\n") || strings.HasPrefix(n.Value, " ") || strings.TrimLeft(n.Value, "\n\t") != n.Value || strings.HasSuffix(n.Value, " \n"))
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
	switch {
	case strings.ContainsAny(string(shown), ".eE"):
		return nodeFloat, string(shown), nil
	case math.Abs(f) >= 1<<63:
		// JSON has only numbers; in YAML these digits would be an integer of no type.
		return nodeFloat, strconv.FormatFloat(f, 'e', -1, 64), nil
	}
	return nodeInt, string(shown), nil
}
