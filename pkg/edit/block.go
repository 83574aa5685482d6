package edit

import (
	"bytes"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// form is how a document is indented.
type form struct {
	step int // from a mapping's keys to those of a mapping in it
	dash int // from a mapping's keys to the dashes of a list in it
	gap  int // from a dash to its item
}

var defaults = form{step: 2, dash: 0, gap: 2}

// form tells how a document is indented from the first places that show it.
func (l *layout) form(n *yaml.Node) form {
	f := form{step: -1, dash: -1, gap: -1}
	l.shown(n, &f, true)
	return f.or(defaults)
}

// near is the form of what is next to a collection's members, else the
// document's.
func (e *editor) near(n *yaml.Node) form {
	if n == nil {
		return e.form
	}
	f, known := e.forms[n]
	if !known {
		f = form{step: -1, dash: -1, gap: -1}
		e.shown(n, &f, false)
		f = f.or(e.form)
		e.forms[n] = f
	}
	return f
}

func (f form) or(other form) form {
	if f.step < 0 {
		f.step = other.step
	}
	if f.dash < 0 {
		f.dash = other.dash
	}
	if f.gap < 0 {
		f.gap = other.gap
	}
	return f
}

// shown fills in what a node shows of a form, and what the nodes in it do.
func (l *layout) shown(n *yaml.Node, f *form, deep bool) {
	s := l.spans[n]
	if s.flow || s.opaque || f.step >= 0 && f.dash >= 0 && f.gap >= 0 {
		return
	}
	for i, c := range n.Content {
		in := l.spans[c]
		block := len(c.Content) > 0 && !in.flow
		switch {
		case n.Kind == yaml.SequenceNode:
			if f.gap < 0 && in.end > in.after && !l.opens(in.start) {
				f.gap = columnOf(l.text, s.dashes[i], in.start)
			}
		case i%2 == 0 || !block:
		case c.Kind == yaml.MappingNode && f.step < 0:
			f.step = in.column - s.column
		case c.Kind == yaml.SequenceNode && f.dash < 0:
			f.dash = in.column - s.column
		}
		if deep {
			l.shown(c, f, true)
		}
	}
}

func (e *editor) writer(near *yaml.Node) *writer {
	return &writer{eol: e.eol, form: e.near(near), literals: true, final: e.final, json: e.json}
}

func pad(n int) string { return strings.Repeat(" ", max(n, 0)) }

// blockMembers puts in and takes out members of a block collection of which
// at least one stays.
func (e *editor) blockMembers(o *yaml.Node, olds, news []member, steps []step) {
	col := e.spans[o].column
	first := slices.IndexFunc(steps, func(s step) bool { return s.old >= 0 && s.new >= 0 })
	stay := steps[first].old
	e.removeHead(olds, stay)
	prev := -1
	for _, s := range steps {
		switch {
		case s.new < 0:
			if s.old > stay || e.opens(olds[0].start) {
				e.removeLines(olds, s.old, prev, col)
			}
		case s.old >= 0:
			e.matched(o, olds[s.old], news[s.new])
			prev = s.old
		default:
			w := e.writer(o)
			text := w.member(news[s.new], col)
			e.fail(w.err)
			switch start := olds[stay].start; {
			case prev >= 0:
				at := e.comments(nextLine(e.text, olds[prev].end), col)
				e.change(at, at, pad(col)+text+e.eol)
			case e.opens(start):
				at := e.lineStart(start)
				e.change(at, at, pad(col)+text+e.eol)
			default:
				e.change(start, start, text+e.eol+pad(col))
			}
		}
	}
}

// removeHead takes out the members before the first that stays where they
// begin behind a dash: what stays moves up to it unless there are comments
// between them.
func (e *editor) removeHead(olds []member, stay int) {
	if stay == 0 || e.opens(olds[0].start) {
		return
	}
	start, next := olds[0].start, olds[stay].start
	if len(bytes.TrimSpace(e.text[olds[stay-1].end:next])) == 0 {
		e.change(start, next, "")
		return
	}
	for start > 0 && blank(e.text[start-1]) {
		start--
	}
	e.change(start, olds[0].end, "")
	for i := 1; i < stay; i++ {
		e.change(e.lineStart(olds[i].start), nextLine(e.text, olds[i].end), "")
	}
}

// removeLines takes out a member with its lines. Comments below it stay, but
// for those that would become the text of the block scalar above it.
func (e *editor) removeLines(olds []member, i, prev, col int) {
	end := nextLine(e.text, olds[i].end)
	if prev >= 0 && e.spans[lastOf(olds[prev].value)].header > 0 {
		end = e.comments(end, col)
	}
	e.change(e.lineStart(olds[i].start), end, "")
}

// replace writes a node in the place of another one.
func (e *editor) replace(o, c *yaml.Node, p place) {
	s := e.spans[o]
	if s.named {
		delete(e.kept, o)
	}
	if s.tagged && (o.Kind != yaml.ScalarNode || nothing(o)) {
		e.rewrote = true
	}
	c = follow(c)
	switch p.kind {
	case inFlow:
		e.replaceInFlow(o, c, p)
	case inMapping:
		e.replaceValue(o, c, p)
	default:
		e.replaceInPlace(o, c, p)
	}
}

// replaceValue writes the value of a block mapping's entry. What it has in
// the key's line goes there, the rest into the lines below.
func (e *editor) replaceValue(o, c *yaml.Node, p place) {
	s, w := e.spans[o], e.writer(p.owner)
	if e.refill(o, c, p) {
		return
	}
	below := nextLine(e.text, s.end)
	under := e.comments(below, p.col)
	w.literals = w.literals && under == below
	head, lines := w.value(c, p.col, o.Style)
	if head == "" && lines != "" {
		if !e.opensUp(o) {
			head, lines = w.flow(c, flowForm{colon: ": ", comma: ", "}, ""), ""
		} else {
			below = under
		}
	}
	e.fail(w.err)
	lead := head
	if head != "" {
		lead = " " + head
	}
	switch {
	case s.end == s.base:
		e.change(s.base, s.base, lead)
	case s.header > 0:
		e.change(s.base, s.header, lead)
		if s.end > s.header && nextLine(e.text, s.header) <= s.end {
			e.change(nextLine(e.text, s.header), nextLine(e.text, s.end), "")
		}
	case len(o.Content) > 0 && !s.flow:
		to := s.base
		if s.from < s.body {
			to = lineEnd(e.text, s.base)
		}
		e.change(s.base, to, lead)
		e.change(e.lineStart(s.body), nextLine(e.text, s.end), "")
	case head == "":
		e.change(s.base, s.end, "")
	default:
		e.change(s.from, s.end, head)
	}
	if lines != "" {
		e.change(below, below, lines+e.eol)
	}
}

// opensUp tells whether a value in a block mapping can become a block
// collection, and be put back from it to the byte.
func (e *editor) opensUp(o *yaml.Node) bool {
	s := e.spans[o]
	switch {
	case s.end == s.base, s.header > 0, len(o.Content) > 0 && !s.flow:
		return true
	case string(e.text[s.base:s.from]) != " ":
		return false
	}
	text := string(e.text[s.from:s.end])
	return !s.flow || text == "{}" || text == "[]"
}

// replaceInPlace writes an item of a block sequence, or the root.
func (e *editor) replaceInPlace(o, c *yaml.Node, p place) {
	if e.refill(o, c, p) {
		return
	}
	s, w := e.spans[o], e.writer(p.owner)
	col := p.col + w.form.gap
	if s.end > s.from {
		col = columnOf(e.text, e.lineStart(s.from), s.from)
	}
	below := nextLine(e.text, s.end)
	w.literals = w.literals && e.comments(below, p.col) == below &&
		len(bytes.TrimSpace(e.text[s.end:lineEnd(e.text, s.end)])) == 0
	anchored := s.base > s.after && s.base > 0 && !bytes.Contains(e.text[s.base:s.from], []byte("\n"))
	var text string
	if len(c.Content) > 0 && (anchored || s.flow && len(o.Content) > 0 && o != e.anew) {
		text = w.flow(c, flowForm{colon: ": ", comma: ", "}, "")
	} else {
		text = w.styled(c, col, o.Style)
	}
	e.fail(w.err)
	switch {
	case text == "" && s.base >= 0:
		e.change(s.base, s.end, "")
	case text == "":
		e.rewrote = true
		e.change(s.from, s.end, "null")
	case s.end == s.base:
		e.change(s.base, s.base, pad(w.form.gap-1)+text)
	default:
		e.change(s.from, s.end, text)
	}
}
