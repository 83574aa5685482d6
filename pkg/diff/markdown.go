package diff

import (
	"fmt"
	"html"
	"io"
	"strings"
)

// Markdown writes a report for a pull request. Text from manifests stands in
// code only, so that it mentions nobody and marks nothing up. With a limit,
// objects lose first their details and then their names; what is left out is
// counted.
func (r *Report) Markdown(w io.Writer, s Style) error {
	m := marker{s}
	var all, short, least strings.Builder
	for i := range r.Environments {
		e := &r.Environments[i]
		head := m.head(e)
		all.WriteString(head)
		short.WriteString(head)
		least.WriteString(m.title(e))
		for j := range e.Objects {
			all.WriteString(m.object(&e.Objects[j]))
			short.WriteString(m.name(&e.Objects[j]))
		}
		tail := m.files(e)
		all.WriteString(tail)
		short.WriteString(tail)
	}
	cut := "\nThe details are left out here: they would be too long.\n"
	out := all.String()
	switch {
	case s.Limit == 0 || len(out) <= s.Limit:
	case short.Len()+len(cut) <= s.Limit:
		out = short.String() + cut
	default:
		out = least.String() + "\nThe objects are left out here: they would be too long.\n"
	}
	_, err := io.WriteString(w, strings.TrimPrefix(out, "\n"))
	return err
}

type marker struct{ Style }

// code writes text as a code span: the fence is longer than any run of
// backquotes in it.
func (m marker) code(text string) string {
	text = m.Escape(text)
	fence := strings.Repeat("`", longestRun(text)+1)
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") || strings.TrimSpace(text) == "" {
		text = " " + text + " "
	}
	return fence + text + fence
}

func longestRun(text string) int {
	longest, run := 0, 0
	for i := range len(text) {
		if text[i] != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// block writes lines as a fenced block of a diff.
func (m marker) block(indent string, lines []string) string {
	var b strings.Builder
	text := make([]string, len(lines))
	fence := 3
	for i, l := range lines {
		text[i] = m.Escape(l)
		fence = max(fence, longestRun(text[i])+1)
	}
	ticks := strings.Repeat("`", fence)
	fmt.Fprintf(&b, "\n%s%sdiff\n", indent, ticks)
	for _, l := range text {
		fmt.Fprintf(&b, "%s%s\n", indent, l)
	}
	fmt.Fprintf(&b, "%s%s\n", indent, ticks)
	return b.String()
}

func (m marker) title(e *Environment) string {
	return fmt.Sprintf("\n### %s\n\n%s → %s: %s\n", m.code(e.Name), m.code(e.Before), m.code(e.After), e.Counts.Summary())
}

func (m marker) head(e *Environment) string {
	var b strings.Builder
	b.WriteString(m.title(e))
	if len(e.Images) > 0 {
		b.WriteString("\nImages:\n\n")
		for _, c := range e.Images {
			before, after := c.words()
			fmt.Fprintf(&b, "- %s → %s (%s)\n", m.code(before), m.code(after), count(c.Objects, "object"))
		}
	}
	var warnings strings.Builder
	for _, o := range e.Objects {
		for _, n := range o.Notes {
			if n.Kind.Warns() {
				fmt.Fprintf(&warnings, "- **%s** %s: %s\n", n.Kind, m.code(o.Object), m.note(n))
			}
		}
	}
	if warnings.Len() > 0 {
		b.WriteString("\nLook at these:\n\n" + warnings.String())
	}
	b.WriteString("\n")
	return b.String()
}

// note writes a note; what is in it comes from manifests in part.
func (m marker) note(n Note) string {
	if n.Path == "" || n.Kind == Replicas {
		return m.code(n.Text)
	}
	return m.code(n.Path) + " " + m.code(n.Text)
}

func (m marker) name(o *Object) string {
	return fmt.Sprintf("- %s %s\n", o.Status, m.code(o.title()))
}

func (m marker) object(o *Object) string {
	var b strings.Builder
	own, injector := o.parts()
	what := fmt.Sprintf("+%d −%d lines", o.Text.Added, o.Text.Removed)
	if len(o.Fields) > 0 {
		what = count(len(own), "field")
		if len(injector) > 0 {
			what += fmt.Sprintf(", %d by the injector", len(injector))
		}
	}
	fmt.Fprintf(&b, "<details><summary><b>%s</b> <code>%s</code> (%s)</summary>\n\n", o.Status, html.EscapeString(m.Escape(o.title())), what)
	for _, n := range o.Notes {
		fmt.Fprintf(&b, "- %s: %s\n", n.Kind, m.note(n))
	}
	for _, f := range own {
		b.WriteString(m.field(f))
	}
	if len(injector) > 0 {
		b.WriteString("- changed by the injector:\n")
		for _, f := range injector {
			fmt.Fprintf(&b, "  - %s %s\n", f.Op, m.code(f.Path))
		}
	}
	text := &o.Text
	if o.Own != nil && !m.Full {
		text = o.Own
		fmt.Fprintf(&b, "- folded: %s of the injector\n", count(o.Text.Added-o.Own.Added+o.Text.Removed-o.Own.Removed, "line"))
	}
	b.WriteString(m.lines(text))
	b.WriteString("\n</details>\n")
	return b.String()
}

func (m marker) field(f Field) string {
	line := fmt.Sprintf("- %s %s", f.Op, m.code(f.Path))
	if _, _, long := f.texts(); !long && (f.Op == FieldChanged || f.Op == Reordered) {
		before, after := m.pair(f)
		line += fmt.Sprintf(": %s → %s", m.code(before), m.code(after))
	} else if !long && !strings.Contains(f.side().YAML(), "\n") {
		line += ": " + m.code(m.value(f.side()))
	}
	switch {
	case f.Follows != "":
		line += " (follows the rename of " + m.code(f.Follows) + ")"
	case f.aside() != "":
		line += " (" + f.aside() + ")"
	}
	return line + "\n"
}

func (m marker) lines(t *Text) string {
	if t.Omitted != "" {
		return fmt.Sprintf("- folded: %d lines removed, %d added (%s)\n", t.Removed, t.Added, t.Omitted)
	}
	var lines []string
	for _, h := range t.Hunks {
		lines = append(append(lines, h.header()), h.Lines...)
	}
	if len(lines) == 0 {
		return ""
	}
	return m.block("", lines)
}

func (m marker) files(e *Environment) string {
	var b strings.Builder
	for _, f := range e.Files {
		fmt.Fprintf(&b, "\n%s %s: %s\n", f.Status, m.code(f.File), m.code(f.Text))
		if f.Order != nil {
			b.WriteString(m.lines(f.Order))
		}
	}
	if len(e.Lists) > 0 {
		var names []string
		for _, l := range e.Lists {
			names = append(names, m.code(l))
		}
		fmt.Fprintf(&b, "\nFolded: %s with nothing but the objects above: %s\n", count(len(e.Lists), "list"), strings.Join(names, ", "))
	}
	return b.String()
}
