package diff

import (
	"fmt"
	"strings"
)

// Style is how a writer shows text that comes from others.
type Style struct {
	// Escape makes text safe for one line: nothing in it that is not
	// printable. Every writer adds what its own medium needs.
	Escape func(string) string
	// Paint colors text of Text; nil leaves it as it is.
	Paint func(Color, string) string
	// Full shows what is otherwise folded: counted and named.
	Full bool
	// Limit bounds Markdown, in bytes; 0 is no bound.
	Limit int
}

// Color is what a color stands for.
type Color int

// The colors of a terminal that Text uses.
const (
	Green Color = iota
	Red
	Yellow
	Cyan
)

func (s Style) paint(c Color, text string) string {
	if s.Paint == nil {
		return text
	}
	return s.Paint(c, text)
}

// Summary says in words how many objects came to what.
func (c Counts) Summary() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{
		{c.Added, "added"},
		{c.Removed, "removed"},
		{c.Changed, "changed"},
		{c.Renamed, "renamed"},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if c.Files > 0 {
		parts = append(parts, count(c.Files, "other file"))
	}
	if len(parts) == 0 {
		return "no difference in " + count(c.Unchanged, "object")
	}
	return strings.Join(parts, ", ") + fmt.Sprintf(", %d the same", c.Unchanged)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// title names an object, with what it was called before.
func (o Object) title() string {
	if o.RenamedFrom != "" {
		return o.Object + " (was " + o.RenamedFrom + ")"
	}
	return o.Object
}

// parts gives the fields that somebody changed in the source, and those that
// the injector changed.
func (o Object) parts() (own, injector []Field) {
	for _, f := range o.Fields {
		if f.Injector {
			injector = append(injector, f)
		} else {
			own = append(own, f)
		}
	}
	return own, injector
}

// aside says what there is to know about a field beside its values.
func (f Field) aside() string {
	switch {
	case f.Follows != "":
		return "follows the rename of " + f.Follows
	case f.Op == Reordered && f.NoEffect:
		return "another order, without effect"
	case f.Op == Reordered:
		return "another order"
	}
	return ""
}

// words is a note with the field that it is about, where the text does not
// say as much.
func (n Note) words() string {
	if n.Path == "" || n.Kind == Replicas {
		return n.Text
	}
	return n.Path + ": " + n.Text
}

// mark is the sign of an op at the beginning of a line.
func (o Op) mark() string {
	switch o {
	case FieldAdded:
		return "+"
	case FieldRemoved:
		return "-"
	}
	return "~"
}

// side gives the one value of a field that came or went.
func (f Field) side() *Value {
	if f.After == nil {
		return f.Before
	}
	return f.After
}

// maxShown is how many bytes of a value on one line are shown, unless all of
// it is wanted: people keep dashboards as one line of JSON.
const maxShown = 400

// beside is how much is shown on each side of where a long value changed.
const beside = 60

// value gives one value on one line, or its beginning and its length.
func (s Style) value(v *Value) string {
	text := v.Inline()
	if s.Full || len(text) <= maxShown {
		return text
	}
	return whole(text[:maxShown/2]) + "... (" + count(len(text), "byte") + ")"
}

// pair gives two values on one line each; of long ones, the part that differs.
func (s Style) pair(f Field) (before, after string) {
	before, after = f.Before.Inline(), f.After.Inline()
	if s.Full || len(before) <= maxShown && len(after) <= maxShown {
		return before, after
	}
	cut := func(text, other string) string {
		from, to := differing(text, other)
		first, last := max(0, from-beside), min(len(text), to+beside, from+maxShown/2)
		return "..." + whole(text[first:last]) + "... (" + count(len(text), "byte") + ")"
	}
	return cut(before, after), cut(after, before)
}

// whole takes off the halves of characters at both ends.
func whole(text string) string { return strings.ToValidUTF8(text, "") }

// texts gives both values where a text of several lines changed.
func (f Field) texts() (before, after string, ok bool) {
	if f.Op != FieldChanged || f.Before.node.Tag != "!!str" || f.After.node.Tag != "!!str" {
		return "", "", false
	}
	before, after = f.Before.node.Value, f.After.node.Value
	return before, after, strings.Contains(before, "\n") || strings.Contains(after, "\n")
}

// words names both images.
func (c ImageChange) words() (before, after string) {
	before, after = c.Before, c.After
	if before == "" {
		before = "(none)"
	}
	if after == "" {
		after = "(none)"
	}
	return before, after
}

// Unified gives the hunks as every diff writes them, one line after the other.
func (t Text) Unified() string {
	var b strings.Builder
	for _, h := range t.Hunks {
		b.WriteString(h.header() + "\n")
		for _, l := range h.Lines {
			b.WriteString(l + "\n")
		}
	}
	return b.String()
}

// header is the line of a hunk as every diff writes it.
func (h Hunk) header() string {
	before, after := 0, 0
	for _, l := range h.Lines {
		if l[0] != '+' {
			before++
		}
		if l[0] != '-' {
			after++
		}
	}
	first := func(line, n int) int { // of no lines, it is the line before
		if n == 0 {
			return line - 1
		}
		return line
	}
	return fmt.Sprintf("@@ -%d,%d +%d,%d @@", first(h.Before, before), before, first(h.After, after), after)
}
