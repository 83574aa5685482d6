package edit

import (
	"bytes"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// layout is a source with the place of each of its nodes.
type layout struct {
	*source
	spans map[*yaml.Node]*span
}

// span is the place of a node in the text.
//
//	key:   &anchor   value   # comment
//	    ^after    ^base ^from    ^end
//
// Without an anchor base is after; a tag is part of what from begins, body is
// behind it. A value that is not written has them all in one place.
type span struct {
	after, base, from, body, end int

	start  int  // with anchor and tag
	named  bool // has an anchor that a replacement would lose
	tagged bool
	dashes []int // of a block sequence's items
	column int   // of a block collection's keys or dashes
	flow   bool
	header int  // of a block scalar: the end of its indicators
	opaque bool // can be replaced, but not edited inside
}

// locator walks a tree and its text side by side.
type locator struct {
	*layout
	lines              []int
	line, column, last int // where offset was asked for before: documents on one line are long
	lost               bool
}

// locate finds every node; false if the text is written in a way that it does
// not follow.
func locate(s *source, n *yaml.Node) (*layout, bool) {
	for _, c := range []string{"\u0085", "\u2028", "\u2029"} {
		if bytes.Contains(s.text, []byte(c)) {
			return nil, false
		}
	}
	if s.lone {
		return nil, false
	}
	l := &locator{layout: &layout{source: s, spans: map[*yaml.Node]*span{}}, lines: []int{s.base}}
	for at := nextLine(s.text, 0); at < len(s.text); at = nextLine(s.text, at) {
		l.lines = append(l.lines, at)
	}
	l.node(n, -1, -1, false)
	return l.layout, !l.lost
}

// offset turns a node's line and column, counted in characters from 1, into
// an offset.
func (l *locator) offset(n *yaml.Node) int {
	if n.Line < 1 || n.Line > len(l.lines) {
		l.lost = true
		return 0
	}
	if n.Line != l.line || n.Column < l.column {
		l.line, l.column, l.last = n.Line, 1, l.lines[n.Line-1]
	}
	for ; l.column < n.Column && l.last < len(l.text); l.column++ {
		_, size := utf8.DecodeRune(l.text[l.last:])
		l.last += size
	}
	return l.last
}

// at tells whether the text has one of the characters there.
func (l *layout) at(offset int, chars string) bool {
	return offset < len(l.text) && bytes.IndexByte([]byte(chars), l.text[offset]) >= 0
}

// node finds a node that comes behind after, the end of its colon or dash (-1
// if it has none). indent is the column of the block collection round it.
func (l *locator) node(n *yaml.Node, after, indent int, flow bool) *span {
	s := &span{after: after, base: after, start: after, from: after, body: after, end: after}
	l.spans[n] = s
	if l.lost {
		return s
	}
	bare := n.Kind == yaml.ScalarNode && n.Value == "" && n.Style&^yaml.TaggedStyle == 0
	if bare && n.Anchor == "" && n.Style&yaml.TaggedStyle == 0 && !l.marked(n) {
		l.lost = l.lost || after < 0
		return s
	}
	s.start = l.offset(n)
	anchor, props, body, tagged := skipProps(l.text, s.start)
	s.from, s.body = body, body
	if l.lost || body >= len(l.text) && !bare || s.start < after {
		l.lost = true
		return s
	}
	if bare {
		s.from, s.body, s.end = props, props, props
	}
	switch {
	case tagged:
		s.from, s.named, s.tagged = s.start, anchor > 0, true
	case anchor > 0:
		s.base = anchor
	}
	switch {
	case bare:
	case n.Kind == yaml.AliasNode:
		s.end = s.body + 1 + len(n.Value)
		l.lost = l.lost || !bytes.HasPrefix(l.text[s.body:], []byte("*"+n.Value))
	case n.Kind == yaml.ScalarNode:
		l.scalar(n, s, indent)
	case n.Style&yaml.FlowStyle != 0:
		s.flow = true
		l.flowCollection(n, s, indent)
	case flow:
		l.lost = true
	case n.Kind == yaml.MappingNode:
		l.blockMapping(n, s)
	default:
		l.blockSequence(n, s)
	}
	return s
}

// marked tells whether a value that is not written has the tag "!", of which
// the library tells nothing.
func (l *locator) marked(n *yaml.Node) bool {
	return n.Line >= 1 && n.Line <= len(l.lines) && l.at(l.offset(n), "!")
}

func (l *locator) scalar(n *yaml.Node, s *span, indent int) {
	ok, body := true, s.body
	switch {
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		if ok = l.at(body, `"'`); ok {
			s.end, ok = quotedEnd(l.text, body)
		}
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		if ok = l.at(body, "|>"); ok {
			s.header, s.end = blockEnd(l.text, body, indent)
		}
	default:
		s.end, ok = plainEnd(l.text, body, n.Value)
	}
	l.lost = l.lost || !ok
}

// flowCollection finds what is in brackets. A mapping without brackets, as
// in [a: b], can only be replaced.
func (l *locator) flowCollection(n *yaml.Node, s *span, indent int) {
	at := s.body
	s.opaque = !l.at(at, "{[")
	if !s.opaque {
		at++
	}
	for i, c := range n.Content {
		after := -1
		if n.Kind == yaml.MappingNode && i%2 == 1 {
			if colon := skipSpace(l.text, at); l.at(colon, ":") {
				after = colon + 1
			} else {
				after, s.opaque = at, true
			}
		} else if l.at(skipSpace(l.text, l.separator(at)), "?") {
			s.opaque = true
		}
		at = l.node(c, after, indent, true).end
		if l.lost {
			return
		}
	}
	if s.end = at; l.at(s.body, "{[") {
		at = l.separator(at)
		l.lost = !l.at(at, "}]")
		s.end = at + 1
	}
}

// separator passes white space, comments and a comma.
func (l *locator) separator(at int) int {
	at = skipSpace(l.text, at)
	if l.at(at, ",") {
		at = skipSpace(l.text, at+1)
	}
	return at
}

func (l *locator) blockMapping(n *yaml.Node, s *span) {
	at := s.body
	for i := 0; i+1 < len(n.Content) && !l.lost; i += 2 {
		at = skipSpace(l.text, at)
		explicit := l.at(at, "?") && at+1 < len(l.text) && space(l.text[at+1])
		if i == 0 {
			s.column = columnOf(l.text, l.lineStart(at), at)
		}
		key := l.node(n.Content[i], -1, s.column, false)
		if l.lost || !explicit && key.start != at {
			l.lost = true
			return
		}
		colon := skipBlanks(l.text, key.end)
		if explicit {
			key.start, colon = at, skipSpace(l.text, key.end)
		}
		after := colon + 1
		if !l.at(colon, ":") {
			after, s.opaque = key.end, true
			l.lost = l.lost || !explicit
		}
		at = l.node(n.Content[i+1], after, s.column, false).end
	}
	s.end = at
}

func (l *locator) blockSequence(n *yaml.Node, s *span) {
	at := s.body
	for i, item := range n.Content {
		at = skipSpace(l.text, at)
		if l.lost || !l.at(at, "-") {
			l.lost = true
			return
		}
		if i == 0 {
			s.column = columnOf(l.text, l.lineStart(at), at)
		}
		s.dashes = append(s.dashes, at)
		at = l.node(item, at+1, s.column, false).end
	}
	s.end = at
}

// lineStart is where the line begins that an offset is in.
func (l *layout) lineStart(at int) int {
	return max(bytes.LastIndexByte(l.text[:at], '\n')+1, l.base)
}

// opens tells whether only white space stands before an offset in its line.
func (l *layout) opens(at int) bool {
	for at > l.base && blank(l.text[at-1]) {
		at--
	}
	return at == l.base || l.text[at-1] == '\n'
}

// comments passes the comments that are indented deeper than a column, and
// what blank lines stand before them: they belong to what is above.
func (l *layout) comments(at, column int) int {
	for line := at; line < len(l.text); line = nextLine(l.text, line) {
		first := skipBlanks(l.text, line)
		switch {
		case first == lineEnd(l.text, line):
		case l.text[first] == '#' && first-line > column:
			at = nextLine(l.text, line)
		default:
			return at
		}
	}
	return at
}
