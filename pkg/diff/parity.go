package diff

import (
	"bufio"
	"fmt"
	"io"
	"sort"
	"strings"
)

// Parity is how two environments differ, one entry for each difference and
// not for each object: what is meant to differ is mostly the same everywhere,
// and what is not stands out.
type Parity struct {
	Before     string     `json:"before"` // name of an environment
	After      string     `json:"after"`
	Same       int        `json:"same"` // objects without any difference
	OnlyBefore []string   `json:"onlyBefore"`
	OnlyAfter  []string   `json:"onlyAfter"`
	Fields     []Variance `json:"fields"`
	Files      []File     `json:"files"`
}

// Variance is a field that has one value in one environment and another, or
// none, in the other.
type Variance struct {
	Field
	Objects []string `json:"objects"` // as they are named in the second one
}

// ParityOf groups what differs between two environments.
func ParityOf(e *Environment, before, after string) *Parity {
	p := &Parity{Before: before, After: after, Same: e.Counts.Unchanged, OnlyBefore: []string{}, OnlyAfter: []string{}, Fields: []Variance{}, Files: e.Files}
	at := map[string]int{}
	for _, o := range e.Objects {
		switch o.Status {
		case Added:
			p.OnlyAfter = append(p.OnlyAfter, o.Object)
		case Removed:
			p.OnlyBefore = append(p.OnlyBefore, o.Object)
		}
		for _, f := range o.Fields {
			key := fmt.Sprintf("%s\n%s\n%v\n%v", f.Path, f.Op, inline(f.Before), inline(f.After))
			i, known := at[key]
			if !known {
				i = len(p.Fields)
				at[key] = i
				p.Fields = append(p.Fields, Variance{Field: f})
			}
			p.Fields[i].Objects = append(p.Fields[i].Objects, o.Object)
		}
	}
	sort.SliceStable(p.Fields, func(i, j int) bool { return p.Fields[i].Path < p.Fields[j].Path })
	return p
}

func inline(v *Value) string {
	if v == nil {
		return ""
	}
	return v.Inline()
}

// Text writes the differences for a terminal.
func (p *Parity) Text(w io.Writer, s Style) error {
	b := bufio.NewWriter(w)
	t := texter{b, s}
	t.plain("", fmt.Sprintf("%s -> %s: %s, %s the same", p.Before, p.After, count(len(p.Fields), "field"), count(p.Same, "object")))
	for _, o := range p.OnlyBefore {
		t.line("  ", Red, "- only in "+p.Before+": "+o)
	}
	for _, o := range p.OnlyAfter {
		t.line("  ", Green, "+ only in "+p.After+": "+o)
	}
	for _, f := range p.Files {
		t.plain("  ", "~ "+f.File+": "+f.Text)
	}
	for _, v := range p.Fields {
		t.field(v.Field)
		t.plain("      ", "in "+strings.Join(v.Objects, ", "))
	}
	return b.Flush()
}
