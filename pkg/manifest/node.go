package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/finding"
)

// What one document may cost. Deeper or larger ones come from attacks or
// mistakes: the API server takes objects of about 1.5 MiB.
const (
	MaxDepth    = 100      // levels of nesting
	MaxNodes    = 500_000  // scalars, lists and maps of a document, aliases expanded
	MaxExpanded = 10 << 20 // bytes of text of a document, aliases expanded
)

// Document is one YAML document in canonical form: see Object for what that is.
type Document struct {
	Node  *yaml.Node
	Line  int // of its first content in the file
	Index int // in the file, empty documents counted
	Raw   []byte
	// Parsed is the document as the parser gave it, lines counted from the
	// first one of Raw.
	Parsed *yaml.Node
	// First and Next are the lines of the file where the document's text,
	// separator included, begins and where the next one's does.
	First, Next int
}

// Documents reads a YAML or JSON stream strictly. Documents that hold nothing
// are left out. The error is a finding.List with the line in the file.
func Documents(file string, data []byte) ([]Document, error) {
	docs, _, err := read(file, data)
	return docs, err
}

// PortableDocuments is Documents for files that kustomize is to read: it also
// reports the scalars that kustomize and kubectl would read differently,
// unquoted dates and the words for booleans of YAML 1.1.
func PortableDocuments(file string, data []byte) ([]Document, error) {
	docs, ambiguous, err := read(file, data)
	if err == nil {
		err = ambiguous.Err()
	}
	return docs, err
}

func read(file string, data []byte) (docs []Document, ambiguous finding.List, err error) {
	data, err = text(file, data)
	if err != nil {
		return nil, nil, err
	}
	chunks, err := split(file, data)
	if err != nil {
		return nil, nil, err
	}
	var list finding.List
	for i, c := range chunks {
		r := reader{file: file, offset: c.line - 1}
		node, parsed := r.document(c.text)
		list = append(list, r.list...)
		ambiguous = append(ambiguous, r.ambiguous...)
		if node != nil {
			docs = append(docs, Document{Node: node, Line: node.Line, Index: i, Raw: c.text, Parsed: parsed, First: c.line, Next: c.end})
		}
	}
	return docs, ambiguous, list.Err()
}

// reader turns one document into canonical form and collects what is wrong with it.
type reader struct {
	file      string
	offset    int // lines of the file before the document
	list      finding.List
	ambiguous finding.List
	nodes     int
	bytes     int
	open      map[*yaml.Node]bool // aliases being expanded
	outer     *yaml.Node          // the alias in the text itself that is being expanded
	stopped   bool
}

func (r *reader) at(n *yaml.Node) int { return n.Line + r.offset }

func (r *reader) add(n *yaml.Node, text, hint string) { r.list.Add(r.file, r.at(n), text, hint) }

func (r *reader) stop(n *yaml.Node, text string) *yaml.Node {
	if r.outer != nil {
		n = r.outer
	}
	if !r.stopped {
		r.add(n, text, "")
	}
	r.stopped = true
	return nil
}

var (
	errorLine     = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// document parses one chunk, and gives its canonical form, nil if it is empty
// or at fault, and what the parser gave.
func (r *reader) document(text []byte) (canonical, parsed *yaml.Node) {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var root, rest yaml.Node
	err := dec.Decode(&root)
	if err == nil {
		if err = dec.Decode(&rest); err == nil {
			r.add(&rest, "a second document without a separator", "begin each document with a line ---")
			return nil, nil
		}
	}
	if !errors.Is(err, io.EOF) {
		r.syntax(text, err)
		return nil, nil
	}
	if root.Kind == 0 || len(root.Content) == 0 {
		return nil, nil
	}
	n := r.node(root.Content[0], 1)
	if n == nil || n.Tag == tagNull || len(r.list) > 0 {
		return nil, nil
	}
	return n, root.Content[0]
}

// syntax reports what the parser said, with the line in the file.
func (r *reader) syntax(chunk []byte, err error) {
	text, line := strings.TrimPrefix(err.Error(), "yaml: "), 1
	if m := errorLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = strings.TrimPrefix(err.Error(), m[0])
	}
	if m := unknownAnchor.FindStringSubmatch(text); m != nil {
		// The parser does not say where.
		before, _, _ := bytes.Cut(chunk, []byte("*"+m[1]))
		line = 1 + bytes.Count(before, []byte("\n"))
		text = fmt.Sprintf("unknown anchor %q: an anchor ends with its document", m[1])
	}
	r.list.Add(r.file, line+r.offset, "not valid YAML: "+text, "")
}

// node gives n in canonical form, lines counted in the file.
func (r *reader) node(n *yaml.Node, depth int) *yaml.Node {
	r.nodes++
	r.bytes += len(n.Value)
	switch {
	case r.stopped:
		return nil
	case depth > MaxDepth:
		return r.stop(n, fmt.Sprintf("nested deeper than %d levels", MaxDepth))
	case r.nodes > MaxNodes || r.bytes > MaxExpanded:
		return r.stop(n, "too large once its aliases are expanded")
	}
	switch n.Kind {
	case yaml.AliasNode:
		return r.alias(n, depth)
	case yaml.MappingNode:
		return r.mapping(n, depth)
	case yaml.SequenceNode:
		r.collectionTag(n, "!!seq")
		out := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: r.at(n)}
		for _, item := range n.Content {
			if c := r.node(item, depth+1); c != nil {
				out.Content = append(out.Content, c)
			}
		}
		return out
	}
	return r.scalar(n)
}

func (r *reader) scalar(n *yaml.Node) *yaml.Node {
	tag, value, ambiguous, problem := resolve(n)
	if problem != "" {
		r.add(n, problem, "")
		return nil
	}
	if ambiguous {
		r.ambiguous.Add(r.file, r.at(n), fmt.Sprintf("kubectl and kustomize read %s differently", n.Value),
			fmt.Sprintf("write %q if text is meant, true or false if a boolean is", n.Value))
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value, Line: r.at(n)}
}

func (r *reader) collectionTag(n *yaml.Node, want string) {
	if n.Style&yaml.TaggedStyle != 0 && n.ShortTag() != want {
		r.add(n, fmt.Sprintf("tag %q has no meaning in a Kubernetes object", n.Tag), "")
	}
}

func (r *reader) alias(n *yaml.Node, depth int) *yaml.Node {
	if r.open[n.Alias] {
		return r.stop(n, fmt.Sprintf("anchor %q contains itself", n.Value))
	}
	if r.open == nil {
		r.open = map[*yaml.Node]bool{}
	}
	if r.outer == nil {
		r.outer = n
		defer func() { r.outer = nil }()
	}
	r.open[n.Alias] = true
	defer delete(r.open, n.Alias)
	return r.node(n.Alias, depth)
}

// mapping expands merge keys: a key of the mapping itself wins over merged
// ones, an earlier merged mapping over a later one.
func (r *reader) mapping(n *yaml.Node, depth int) *yaml.Node {
	r.collectionTag(n, "!!map")
	out := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: r.at(n)}
	own := map[string]int{}
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind == yaml.ScalarNode && k.ShortTag() == "!!merge" {
			merged = append(merged, r.merged(v, depth)...)
			continue
		}
		key := r.key(k, depth)
		value := r.node(v, depth+1)
		if r.stopped {
			return nil
		}
		if key == nil || value == nil {
			continue
		}
		if first, double := own[key.Value]; double {
			r.add(k, fmt.Sprintf("key %q is already there in line %d", key.Value, first), "")
			continue
		}
		own[key.Value] = r.at(k)
		out.Content = append(out.Content, key, value)
	}
	for _, m := range merged {
		for i := 0; i+1 < len(m.Content); i += 2 {
			if _, has := own[m.Content[i].Value]; !has {
				own[m.Content[i].Value] = m.Content[i].Line
				out.Content = append(out.Content, m.Content[i], m.Content[i+1])
			}
		}
	}
	return out
}

// merged gives the mappings that stand behind a merge key, in order.
func (r *reader) merged(v *yaml.Node, depth int) []*yaml.Node {
	n := r.node(v, depth+1)
	if n == nil {
		return nil
	}
	all := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		all = n.Content
	}
	for _, m := range all {
		if m.Kind != yaml.MappingNode {
			r.add(v, "a merge key needs a mapping or a list of mappings", "")
			return nil
		}
	}
	return all
}

// key gives a mapping's key as the text that it is in JSON.
func (r *reader) key(k *yaml.Node, depth int) *yaml.Node {
	if k.Kind == yaml.AliasNode {
		k = &yaml.Node{Kind: k.Alias.Kind, Tag: k.Alias.Tag, Style: k.Alias.Style, Value: k.Alias.Value, Line: k.Line}
	}
	if k.Kind != yaml.ScalarNode {
		r.add(k, "a key has to be text", "")
		return nil
	}
	tag, value, _, problem := resolve(k)
	if problem != "" {
		r.add(k, problem, "")
		return nil
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value, Line: r.at(k)}
	if _, word := words11[k.Value]; word && n.Tag == tagBool {
		// A key like y or on is text to everyone who writes it; kubectl alone
		// would rename it to "true".
		n.Tag, n.Value = tagString, k.Value
		return n
	}
	if n.Tag == tagString && k.ShortTag() == tagString || n.Tag == tagInt && n.Value == k.Value {
		n.Tag = tagString
		return n
	}
	r.add(k, fmt.Sprintf("the key %s is not text to every YAML reader", k.Value), fmt.Sprintf("write %q", k.Value))
	return nil
}

// Plain copies a node as a parser gave it, styles and comments kept, with
// aliases and merge keys replaced by what they stand for. The document must
// have passed Documents, which bounds what that can cost.
func Plain(n *yaml.Node) *yaml.Node {
	switch n.Kind {
	case yaml.AliasNode:
		return Plain(n.Alias)
	case yaml.DocumentNode:
		return Plain(n.Content[0])
	}
	out := *n
	out.Anchor, out.Content = "", nil
	own := map[string]bool{}
	var merged []*yaml.Node
	for i, c := range n.Content {
		if n.Kind != yaml.MappingNode {
			out.Content = append(out.Content, Plain(c))
			continue
		}
		if i%2 == 1 {
			continue
		}
		value := Plain(n.Content[i+1])
		if c.ShortTag() == "!!merge" {
			if value.Kind == yaml.SequenceNode {
				merged = append(merged, value.Content...)
			} else {
				merged = append(merged, value)
			}
			continue
		}
		key := Plain(c)
		own[key.Value] = true
		out.Content = append(out.Content, key, value)
	}
	for _, m := range merged {
		for i := 0; i+1 < len(m.Content); i += 2 {
			if !own[m.Content[i].Value] {
				own[m.Content[i].Value] = true
				out.Content = append(out.Content, m.Content[i], m.Content[i+1])
			}
		}
	}
	return &out
}
