package edit

import (
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"
)

// writer writes nodes as text, without the last line's end. Aliases are
// written out.
type writer struct {
	eol      string
	form     form
	literals bool // block scalars may be used
	final    bool // a line break follows
	json     bool
	err      error
}

func (w *writer) fail(text string) {
	if w.err == nil {
		w.err = errors.New(text)
	}
}

// nothing tells whether a node is a null that is not written.
func nothing(n *yaml.Node) bool {
	n = follow(n)
	return n.Kind == yaml.ScalarNode && n.Value == "" && n.ShortTag() == "!!null"
}

// empty tells whether a node has no text at all.
func empty(n *yaml.Node) bool {
	return nothing(n) && n.Style&yaml.TaggedStyle == 0
}

// member writes an entry or an item that begins at a column.
func (w *writer) member(m member, col int) string {
	if m.key == nil {
		text := w.node(m.value, col+w.form.gap)
		if text == "" {
			return "-"
		}
		return "-" + pad(w.form.gap-1) + text
	}
	head, lines := w.value(m.value, col, 0)
	text := w.key(m.key, false) + ":"
	if head != "" {
		text += " " + head
	}
	if lines != "" {
		text += w.eol + lines
	}
	return text
}

// block writes the members of a collection; the first one's indent is there.
func (w *writer) block(n *yaml.Node, col int) string {
	var parts []string
	if n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			parts = append(parts, w.member(member{value: item}, col))
		}
	} else {
		for i := 0; i+1 < len(n.Content); i += 2 {
			parts = append(parts, w.member(member{key: n.Content[i], value: n.Content[i+1]}, col))
		}
	}
	return strings.Join(parts, w.eol+pad(col))
}

// value writes an entry's value: what comes behind the colon and the lines
// below. col is the key's column, hint the style of what stood there before.
func (w *writer) value(n *yaml.Node, col int, hint yaml.Style) (head, lines string) {
	n = follow(n)
	if n.Kind == yaml.ScalarNode {
		if header, lines, ok := w.literal(n, col+w.form.step, hint); ok {
			return header, lines
		}
		if nothing(n) {
			return "", ""
		}
		return w.scalar(n, hint, false, w.json), ""
	}
	if len(n.Content) == 0 || n.Style&yaml.FlowStyle != 0 {
		return w.flow(n, flowForm{colon: ": ", comma: ", "}, ""), ""
	}
	inner := col + w.form.step
	if n.Kind == yaml.SequenceNode {
		inner = col + w.form.dash
	}
	return strings.TrimSuffix(w.tag(n), " "), pad(inner) + w.block(n, inner)
}

// node writes a node where it stands; col is that column.
func (w *writer) node(n *yaml.Node, col int) string { return w.styled(n, col, 0) }

func (w *writer) styled(n *yaml.Node, col int, hint yaml.Style) string {
	n = follow(n)
	switch {
	case n.Kind == yaml.ScalarNode:
		if header, lines, ok := w.literal(n, max(col, 1), hint); ok {
			return header + w.eol + lines
		}
		if nothing(n) {
			return ""
		}
		return w.scalar(n, hint, false, w.json)
	case len(n.Content) == 0 || n.Style&yaml.FlowStyle != 0:
		return w.flow(n, flowForm{colon: ": ", comma: ", "}, "")
	case w.tag(n) != "":
		return strings.TrimSuffix(w.tag(n), " ") + w.eol + pad(col) + w.block(n, col)
	}
	return w.block(n, col)
}

// flow writes a node in brackets; indent is that of the line it begins in.
func (w *writer) flow(n *yaml.Node, f flowForm, indent string) string {
	return w.flowStyled(n, f, indent, 0)
}

func (w *writer) flowStyled(n *yaml.Node, f flowForm, indent string, hint yaml.Style) string {
	n = follow(n)
	if n.Kind == yaml.ScalarNode {
		return w.scalar(n, hint, true, f.json)
	}
	left, right := "{", "}"
	if n.Kind == yaml.SequenceNode {
		left, right = "[", "]"
	}
	var parts []string
	in := f
	in.indent = indent + f.step
	in.inner = f.lines
	if n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			parts = append(parts, w.flowMember(member{value: item}, in))
		}
	} else {
		for i := 0; i+1 < len(n.Content); i += 2 {
			parts = append(parts, w.flowMember(member{key: n.Content[i], value: n.Content[i+1]}, in))
		}
	}
	left = w.tag(n) + left
	if f.lines && len(parts) > 0 {
		return left + w.eol + in.indent + strings.Join(parts, in.separator(w.eol)) + w.eol + indent + right
	}
	return left + strings.Join(parts, f.comma) + right
}

// flowMember writes an entry or an item of a flow collection.
func (w *writer) flowMember(m member, f flowForm) string {
	in := f
	in.lines = f.inner
	text := w.flow(m.value, in, f.indent)
	if m.key == nil {
		return text
	}
	return w.key(m.key, f.json) + f.colon + text
}

// key writes a key; only scalars of moderate length can be one.
func (w *writer) key(n *yaml.Node, json bool) string {
	n = follow(n)
	if n.Kind != yaml.ScalarNode {
		w.fail("a key is not a scalar")
		return ""
	}
	text := w.scalar(n, 0, true, json)
	if len(text) > 1000 {
		w.fail("a key is too long")
	}
	return text
}

// tag gives what has to be written before a collection to give it its tag.
func (w *writer) tag(n *yaml.Node) string {
	tag := n.ShortTag()
	if n.Kind == yaml.MappingNode && tag == "!!map" || n.Kind == yaml.SequenceNode && tag == "!!seq" {
		return ""
	}
	return tagText(tag) + " "
}

func tagText(tag string) string {
	if strings.HasPrefix(tag, "!") {
		return tag
	}
	return "!<" + tag + ">"
}
