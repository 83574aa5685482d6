package diff

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Text writes a report for a terminal. What is folded is counted and named:
// the lines of removed objects, the values that the injector changed.
func (r *Report) Text(w io.Writer, s Style) error {
	b := bufio.NewWriter(w)
	t := texter{b, s}
	for i := range r.Environments {
		if i > 0 {
			fmt.Fprintln(t)
		}
		t.environment(&r.Environments[i])
	}
	return b.Flush()
}

type texter struct {
	*bufio.Writer
	Style
}

// line writes one line; color is for the whole of it.
func (t texter) line(indent string, c Color, text string) {
	fmt.Fprintln(t, indent+t.paint(c, t.Escape(text)))
}

func (t texter) plain(indent, text string) { fmt.Fprintln(t, indent+t.Escape(text)) }

func (t texter) environment(e *Environment) {
	t.plain("", e.Name+": "+e.Counts.Summary())
	if !e.Counts.Differ() {
		if len(e.Lists) > 0 {
			t.lists(e)
		}
		return
	}
	t.line("", Red, "--- "+e.Before)
	t.line("", Green, "+++ "+e.After)
	for _, c := range e.Images {
		before, after := c.words()
		t.plain("  ", fmt.Sprintf("image %s -> %s (%s)", before, after, count(c.Objects, "object")))
	}
	for i := range e.Objects {
		t.object(&e.Objects[i])
	}
	for _, f := range e.Files {
		fmt.Fprintln(t)
		t.line("", f.Status.color(), string(f.Status)+"  "+f.File)
		t.plain("  ", f.Text)
		if f.Order != nil {
			t.text("  ", f.Order)
		}
	}
	if len(e.Lists) > 0 {
		fmt.Fprintln(t)
		t.lists(e)
	}
}

func (t texter) lists(e *Environment) {
	t.plain("", fmt.Sprintf("folded: %s with nothing but the objects above: %s", count(len(e.Lists), "list"), strings.Join(e.Lists, ", ")))
}

func (s Status) color() Color {
	switch s {
	case Added:
		return Green
	case Removed:
		return Red
	}
	return Yellow
}

func (t texter) object(o *Object) {
	fmt.Fprintln(t)
	t.line("", o.Status.color(), string(o.Status)+"  "+o.title())
	for _, n := range o.Notes {
		if n.Kind.Warns() {
			t.line("  ", Yellow, "! "+string(n.Kind)+": "+n.words())
		} else {
			t.plain("  ", "* "+string(n.Kind)+": "+n.words())
		}
	}
	switch {
	case o.Status == Added:
		t.added(o)
	case o.Status == Removed && !t.Full:
		t.plain("  ", "folded: "+count(o.Text.Removed, "line")+" (--full shows them)")
	case o.Status == Removed:
		t.text("  ", &o.Text)
	default:
		t.fields(o)
	}
}

func (t texter) added(o *Object) {
	if o.Own == nil || t.Full {
		t.text("  ", &o.Text)
		return
	}
	t.text("  ", o.Own)
	t.plain("  ", fmt.Sprintf("folded: %s of the injector (--full shows them)", count(o.Text.Added-o.Own.Added, "line")))
}

func (t texter) fields(o *Object) {
	own, injector := o.parts()
	for _, f := range own {
		t.field(f)
	}
	if len(injector) == 0 {
		return
	}
	if t.Full {
		t.plain("  ", "the injector changed:")
		for _, f := range injector {
			t.field(f)
		}
		return
	}
	var paths []string
	for _, f := range injector {
		paths = append(paths, f.Op.mark()+" "+f.Path)
	}
	t.plain("  ", fmt.Sprintf("folded: %s that the injector changed (--full shows the values)", count(len(injector), "field")))
	for _, p := range paths {
		t.plain("    ", p)
	}
}

func (t texter) field(f Field) {
	colors := map[Op]Color{FieldAdded: Green, FieldRemoved: Red, FieldChanged: Yellow, Reordered: Yellow}
	head := t.paint(colors[f.Op], t.Escape(f.Op.mark()+" "+f.Path))
	aside := ""
	if a := f.aside(); a != "" {
		aside = " (" + t.Escape(a) + ")"
	}
	if before, after, ok := f.texts(); ok {
		fmt.Fprintln(t, "  "+head+aside)
		t.difference("      ", before, after)
		return
	}
	if f.Op == FieldChanged || f.Op == Reordered {
		before, after := t.pair(f)
		fmt.Fprintln(t, "  "+head+": "+t.paint(Red, t.Escape(before))+" -> "+t.paint(Green, t.Escape(after))+aside)
		return
	}
	lines := strings.Split(f.side().YAML(), "\n")
	if len(lines) == 1 {
		fmt.Fprintln(t, "  "+head+": "+t.Escape(t.value(f.side()))+aside)
		return
	}
	fmt.Fprintln(t, "  "+head+aside)
	for _, l := range lines {
		t.plain("      ", l)
	}
}

func (t texter) difference(indent, before, after string) {
	text, err := Lines(before, after)
	if err != nil {
		t.plain(indent, err.Error())
		return
	}
	t.text(indent, &text)
}

// text writes hunks.
func (t texter) text(indent string, text *Text) {
	if text.Omitted != "" {
		t.plain(indent, fmt.Sprintf("folded: %d lines removed, %d added (%s)", text.Removed, text.Added, text.Omitted))
	}
	for _, h := range text.Hunks {
		if text.Removed > 0 && text.Added > 0 {
			t.line(indent, Cyan, h.header())
		}
		for _, l := range h.Lines {
			switch l[0] {
			case '+':
				t.line(indent, Green, l)
			case '-':
				t.line(indent, Red, l)
			default:
				t.plain(indent, l)
			}
		}
	}
}
