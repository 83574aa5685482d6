package edit

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"
)

// flowForm is how a flow collection is written.
type flowForm struct {
	json   bool   // all text in double quotes
	colon  string // ": " or ":"
	comma  string // ", " or ","
	lines  bool   // each member has a line of its own
	inner  bool   // as lines, for what is in the members
	indent string // of those lines
	step   string // by which lines in them are indented further
}

// flowForm tells how a collection is written.
func (e *editor) flowForm(o *yaml.Node) flowForm {
	f, known := e.flows[o]
	if !known {
		f = e.seen(o)
		e.flows[o] = f
	}
	return f
}

// seen takes a collection's form from its members.
func (e *editor) seen(o *yaml.Node) flowForm {
	f := flowForm{json: e.json, colon: ": ", comma: ", ", step: "  "}
	olds := e.members(o, true)
	if len(olds) == 0 {
		return f
	}
	quoted := 0
	f.inner = true
	for _, m := range olds {
		if m.key != nil && m.key.Style&yaml.DoubleQuotedStyle != 0 {
			quoted++
		}
		if s := e.spans[m.value]; len(m.value.Content) > 0 && !bytes.Contains(e.text[s.start:s.end], []byte("\n")) {
			f.inner = false
		}
	}
	f.json = f.json || quoted == len(olds)
	last := olds[len(olds)-1]
	if k := last.key; k != nil && f.json && !e.at(e.spans[last.value].after, " \t\r\n") {
		f.colon = ":"
	}
	if e.json && e.tight() {
		f.colon, f.comma = ":", ","
	}
	f.lines = e.opens(last.start)
	f.inner = f.inner && f.lines
	if f.lines {
		f.indent = string(e.text[e.lineStart(last.start):last.start])
		outer := e.text[e.lineStart(e.spans[o].body):]
		outer = outer[:skipBlanks(outer, 0)]
		if step, ok := strings.CutPrefix(f.indent, string(outer)); ok && step != "" {
			f.step = step
		}
	} else if n := len(olds); n > 1 {
		between := string(e.text[olds[n-2].end:last.start])
		if strings.Trim(between, ", ") == "" && strings.Count(between, ",") == 1 && !strings.HasPrefix(between, " ") {
			f.comma = between
		}
	}
	return f
}

// tight tells whether a JSON document has no space behind its first colon.
func (e *editor) tight() bool {
	at := bytes.Index(e.text, []byte(`":`))
	return at >= 0 && !e.at(at+2, " \t\r\n")
}

// flowMembers puts in and takes out members of a flow collection of which at
// least one stays.
func (e *editor) flowMembers(o *yaml.Node, olds, news []member, steps []step) {
	f := e.flowForm(o)
	w := e.writer(nil)
	stay := 0
	for _, s := range steps {
		if s.old >= 0 && s.new >= 0 {
			stay = s.old
			break
		}
	}
	prev := -1
	for i, s := range steps {
		switch {
		case s.new < 0 && prev < 0:
			e.change(olds[s.old].start, olds[s.old+1].start, "")
		case s.new < 0:
			e.removeBehind(olds[s.old-1].end, olds[s.old])
		case s.old >= 0:
			e.matched(o, olds[s.old], news[s.new])
			prev = s.old
		case prev < 0:
			e.change(olds[stay].start, olds[stay].start, w.flowMember(news[s.new], f)+f.separator(e.eol))
		case i > 0 && steps[i-1].old < 0:
		default:
			var texts []string
			for ; i < len(steps) && steps[i].old < 0; i++ {
				texts = append(texts, w.flowMember(news[steps[i].new], f))
			}
			e.insertBehind(olds[prev].end, prev == len(olds)-1, texts, f)
		}
	}
	e.fail(w.err)
}

func (f flowForm) separator(eol string) string {
	if f.lines {
		return "," + eol + f.indent
	}
	return f.comma
}

// insertBehind adds members behind the one that ends there. The comment
// behind the last member of a collection stays with it.
func (e *editor) insertBehind(end int, last bool, texts []string, f flowForm) {
	text := strings.Join(texts, f.separator(e.eol))
	rest := bytes.TrimLeft(e.text[end:lineEnd(e.text, end)], " \t")
	if f.lines && last && bytes.HasPrefix(rest, []byte("#")) {
		e.change(end, end, ",")
		below := lineEnd(e.text, end)
		e.change(below, below, e.eol+f.indent+text)
		return
	}
	e.change(end, end, f.separator(e.eol)+text)
}

// removeBehind takes out a member and the comma before it; before is where
// the member above ends. A comment between them stays.
func (e *editor) removeBehind(before int, m member) {
	between := e.text[before:m.start]
	if skipSpaceOnly(between) {
		e.change(before, m.end, "")
		return
	}
	comma := before + bytes.IndexByte(between, ',')
	e.change(comma, comma+1, "")
	start := m.start
	if line := e.lineStart(start); e.opens(start) && line > before {
		start = len(trimEOL(e.text[:line]))
	}
	e.change(start, m.end, "")
}

// skipSpaceOnly tells whether text holds a comma and white space only.
func skipSpaceOnly(text []byte) bool {
	return len(bytes.Trim(text, ", \t\r\n")) == 0
}

// replaceInFlow writes a value in flow style.
func (e *editor) replaceInFlow(o, c *yaml.Node, p place) {
	if e.refill(o, c, p) {
		return
	}
	s, w, f := e.spans[o], e.writer(nil), e.flowForm(p.owner)
	f.lines = f.inner
	if nothing(c) {
		if s.after >= 0 && !e.json {
			e.change(s.base, s.end, "")
			return
		}
		e.rewrote = true // null has to be written
	}
	text := w.flowStyled(c, f, f.indent, o.Style)
	e.fail(w.err)
	if s.end == s.base {
		e.change(s.base, s.base, " "+text)
		return
	}
	e.change(s.from, s.end, text)
}

// refill empties a flow collection, or fills an empty one that has to stay in
// flow style; false if there is something else to do.
func (e *editor) refill(o, c *yaml.Node, p place) bool {
	s := e.spans[o]
	if !s.flow || s.opaque || o.Kind != c.Kind || o.ShortTag() != c.ShortTag() || o == e.anew {
		return false
	}
	switch {
	case len(o.Content) > 0 && len(c.Content) == 0:
		e.empty(o)
	case len(o.Content) == 0 && (p.kind == inFlow || s.end > s.body+2):
		e.fill(o, c, p)
	default:
		return false
	}
	return true
}

// empty takes out all members. White space inside the brackets goes with
// them, unless the first stood right behind the bracket.
func (e *editor) empty(o *yaml.Node) {
	s, olds := e.spans[o], e.members(o, true)
	start, end := olds[0].start, olds[len(olds)-1].end
	head, tail := e.text[s.body+1:start], e.text[end:s.end-1]
	comma := bytes.IndexByte(e.text[end:skipSpace(e.text, end)+1], ',')
	switch {
	case len(head) > 0 && len(bytes.TrimSpace(head)) == 0 && skipSpaceOnly(tail):
		start, end = s.body+1, s.end-1
	case comma >= 0:
		e.change(end+comma, end+comma+1, "")
	}
	e.change(start, end, "")
}

func (e *editor) fill(o, c *yaml.Node, p place) {
	s, w := e.spans[o], e.writer(nil)
	f := flowForm{json: e.json, colon: ": ", comma: ", ", step: "  "}
	if p.kind == inFlow {
		f = e.flowForm(p.owner)
		f.lines = f.inner && s.end == s.body+2
	}
	text := w.flow(c, f, f.indent)
	e.fail(w.err)
	e.change(s.body+1, s.body+1, text[1:len(text)-1])
}
