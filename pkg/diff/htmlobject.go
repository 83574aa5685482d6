package diff

import (
	"strings"

	"github.com/sluice-dev/sluice/pkg/onepage"
)

func (p *page) object(o *Object) {
	p.Put("<details class=\"object %s\" id=\"o%d\" open data-status=\"%s\" data-text=\"%s\">\n", o.Status, p.ids, o.Status, o.searched())
	p.ids++
	p.Put("<summary><span class=\"badge %s\">%s</span> <span class=\"kind\">%s</span> <span class=\"name\">%s</span>", o.Status, o.Status, o.kind(), o.place())
	if o.RenamedFrom != "" {
		p.Put(" <small>was %s</small>", o.RenamedFrom)
	}
	p.Put(" <small class=\"size\">+%d −%d</small></summary>\n<p class=\"where\"><code>%s</code></p>\n", o.Text.Added, o.Text.Removed, o.File)
	if len(o.Notes) > 0 {
		p.Put("<ul class=\"notes\">\n")
		for _, n := range o.Notes {
			class := ""
			if n.Kind.Warns() {
				class = "warns"
			}
			p.Put("<li class=\"%s\"><b>%s</b> %s</li>\n", class, n.Kind, n.words())
		}
		p.Put("</ul>\n")
	}
	own, injector := o.parts()
	p.Put("<div class=\"by-field\">\n")
	p.fields(own)
	if len(injector) > 0 {
		p.Put("<details class=\"injector\"><summary>%s by the injector</summary>\n", count(len(injector), "field"))
		p.fields(injector)
		p.Put("</details>\n")
	}
	p.Put("</div>\n")
	class := "lines by-line"
	if len(o.Fields) == 0 {
		class = "lines" // the lines are all there is
	}
	if o.Own == nil {
		p.lines(class, &o.Text)
	} else {
		p.lines(class+" own", o.Own)
		p.Put("<p class=\"folded own %s\">folded: %s of the injector</p>\n", strings.TrimPrefix(class, "lines"), count(o.Text.Added-o.Own.Added+o.Text.Removed-o.Own.Removed, "line"))
		p.lines(class+" whole", &o.Text)
	}
	p.Put("</details>\n")
}

// searched is what the filter looks through.
func (o *Object) searched() string {
	parts := []string{string(o.Status), o.Object, o.RenamedFrom, o.App, o.File}
	for _, c := range o.Images {
		parts = append(parts, c.Before, c.After)
	}
	for _, n := range o.Notes {
		parts = append(parts, string(n.Kind))
	}
	for _, f := range o.Fields {
		parts = append(parts, f.Path)
	}
	return strings.ToLower(strings.Join(parts, " "))
}

func (p *page) fields(all []Field) {
	if len(all) == 0 {
		return
	}
	p.Put("<ul class=\"fields\">\n")
	for _, f := range all {
		head, last := lastPart(f.Path)
		p.Put("<li class=\"%s\"><code class=\"path\">%s<b>%s</b></code>", f.Op, head, last)
		p.values(f)
		if a := f.aside(); a != "" {
			p.Put(" <small>%s</small>", a)
		}
		p.Put("</li>\n")
	}
	p.Put("</ul>\n")
}

// lastPart cuts a path before its last part, which stands out.
func lastPart(path string) (head, last string) {
	cut, within, quoted := 0, false, false
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ']':
			within = false
		case !within && (c == '.' || c == '['):
			cut, within = i, c == '['
		}
	}
	return path[:cut], path[cut:]
}

func (p *page) values(f Field) {
	if before, after, ok := f.texts(); ok {
		text, err := Lines(before, after)
		if err != nil {
			text = Text{Omitted: err.Error()}
		}
		p.lines("lines", &text)
		return
	}
	if f.Op == FieldChanged || f.Op == Reordered {
		before, after := p.pair(f)
		p.Put(" <span class=\"pair\"><del>%s</del> <span class=\"arrow\">→</span> <ins>%s</ins></span>", before, after)
		return
	}
	tag := onepage.Markup("ins")
	if f.Op == FieldRemoved {
		tag = "del"
	}
	text := f.side().YAML()
	if !strings.Contains(text, "\n") {
		p.Put(" <%s>%s</%s>", tag, p.value(f.side()), tag)
		return
	}
	mark := map[Op]string{FieldAdded: "+", FieldRemoved: "-"}[f.Op]
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = mark + lines[i]
	}
	p.lines("lines", &Text{Hunks: []Hunk{{Lines: lines}}})
}

// lines writes a diff by lines. Each line is an element with its mark, so
// that the script can put the two sides beside each other.
func (p *page) lines(class string, t *Text) {
	p.Put("<pre class=\"%s\">", class)
	if t.Omitted != "" {
		p.Put("<span class=\"at\">folded: %d lines removed, %d added (%s)</span>", t.Removed, t.Added, t.Omitted)
	}
	for _, h := range t.Hunks {
		if t.Removed > 0 && t.Added > 0 {
			p.Put("<span class=\"at\">%s</span>", h.header())
		}
		for i := 0; i < len(h.Lines); {
			i = p.run(h.Lines, i)
		}
	}
	p.Put("</pre>\n")
}

// run writes an unchanged line, or lines that went with those that came in
// their place; where they are as many, what differs in each stands out.
func (p *page) run(lines []string, i int) (next int) {
	if lines[i][0] == ' ' {
		p.Put("<span>%s</span>", lines[i])
		return i + 1
	}
	mid := i
	for mid < len(lines) && lines[mid][0] == '-' {
		mid++
	}
	end := mid
	for end < len(lines) && lines[end][0] == '+' {
		end++
	}
	for j := i; j < end; j++ {
		class, other := onepage.Markup("del"), mid+j-i
		if j >= mid {
			class, other = "add", i+j-mid
		}
		if mid-i != end-mid {
			p.Put("<span class=\"%s\">%s</span>", class, lines[j])
			continue
		}
		from, to := differing(lines[j][1:], lines[other][1:])
		p.Put("<span class=\"%s\">%s<b>%s</b>%s</span>", class, lines[j][:1+from], lines[j][1+from:1+to], lines[j][1+to:])
	}
	return end
}

// differing gives the part of a that is not in b: without what both begin and
// end with, cut between characters.
func differing(a, b string) (from, to int) {
	start := func(s string, i int) bool { return i == len(s) || s[i]&0xc0 != 0x80 }
	for from < len(a) && from < len(b) && a[from] == b[from] {
		from++
	}
	for !start(a, from) {
		from--
	}
	to = len(a)
	for other := len(b); to > from && other > from && a[to-1] == b[other-1]; to, other = to-1, other-1 {
	}
	for !start(a, to) {
		to++
	}
	return from, to
}
