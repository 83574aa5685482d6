package program

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

// maxFields is how many differing fields are named at once.
const maxFields = 10

// maxLine is how many bytes of a line are shown.
const maxLine = 80

// Generate gives the objects that the program prints, as they come, at the
// origin at. The program runs twice and has to print the same objects both
// times, once the overrides are applied; comments and layout do not count. A
// difference that takes longer than two runs to show, such as a date, is not
// seen. The error is a finding.List or a *RunError.
func Generate(ctx context.Context, p *Program, args []string, files map[string][]byte, overrides []Override, at manifest.Origin) (manifest.Set, error) {
	var runs [2]manifest.Set
	var texts [2][]byte
	var list finding.List
	for i := range runs {
		stdout, err := p.Run(ctx, Invocation{Args: args, Files: files})
		if err != nil {
			return nil, err
		}
		texts[i] = stdout
		if i > 0 && bytes.Equal(texts[0], stdout) {
			runs[i] = runs[0]
			continue
		}
		printed, err := parse(p, stdout, at)
		if err != nil {
			return nil, err
		}
		runs[i] = override(printed, overrides, at, &list)
	}
	if err := list.Err(); err != nil {
		return nil, err
	}
	if err := sameTwice(p, runs[0], runs[1], at); err != nil {
		return nil, err
	}
	for _, o := range runs[0] {
		doc := o.Origin.Doc
		o.Node, o.Origin = unlined(o.Node), at
		o.Origin.Doc = doc
	}
	return runs[0], nil
}

// sameTwice reports where the objects of two runs differ.
func sameTwice(p *Program, first, second manifest.Set, at manifest.Origin) error {
	var list finding.List
	add := func(text, hint string) {
		list.Add(at.File, at.Line, p.Tool+" does not print the same twice: "+text, hint)
	}
	if !slices.EqualFunc(first, second, func(a, b *manifest.Object) bool { return a.ID == b.ID }) {
		alone := append(without(first, second), without(second, first)...)
		if len(alone) == 0 {
			add("its objects come in another order", "")
		}
		for _, o := range alone[:min(len(alone), maxFields)] {
			add(o.ID.String()+" comes in one of two runs only", "")
		}
		return list.Err()
	}
	more := 0
	for i, o := range first {
		if signed(o) && !sameText(o, second[i]) {
			add(o.ID.String()+" is signed by SOPS each time anew", "")
			continue
		}
		differences("", o.Node, second[i].Node, func(field string, a, b *yaml.Node) bool {
			if len(list) == maxFields {
				more++
				return true
			}
			add(fmt.Sprintf("%s %s %s", o.ID, field, shownValues(o, a, b)), hint(o, field, a, b))
			return true
		})
	}
	if more > 0 {
		add(fmt.Sprintf("and %d more fields", more), "")
	}
	return list.Err()
}

// sameText compares objects that are passed on as they were printed.
func sameText(a, b *manifest.Object) bool {
	x, errX := manifest.Encode(a)
	y, errY := manifest.Encode(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func without(set, other manifest.Set) manifest.Set {
	return slices.DeleteFunc(slices.Clone(set), func(o *manifest.Object) bool {
		return slices.ContainsFunc(other, func(c *manifest.Object) bool { return c.ID == o.ID })
	})
}

// hint says how to go on: only a single value can be overridden.
func hint(o *manifest.Object, field string, a, b *yaml.Node) string {
	for _, n := range []*yaml.Node{a, b} {
		if n == nil || n.Kind != yaml.ScalarNode {
			return "give the program arguments that make its output always the same"
		}
	}
	return fmt.Sprintf("give the field one value: `pin: {%s: VALUE}`", strconv.Quote(pathOf(o, field)))
}

// shownValues tells how a field differs, by its first differing lines.
func shownValues(o *manifest.Object, a, b *yaml.Node) string {
	if secret(o) {
		return "differs; values of Secrets are not shown"
	}
	if a == nil || b == nil || a.Kind != yaml.ScalarNode || b.Kind != yaml.ScalarNode {
		return fmt.Sprintf("is %s, then %s", describe(a), describe(b))
	}
	if a.Tag != b.Tag {
		return fmt.Sprintf("is %s, then %s", describe(a), describe(b))
	}
	x, y := firstDifference(a.Value, b.Value)
	return fmt.Sprintf("is %s, then %s", x, y)
}

func firstDifference(a, b string) (string, string) {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	i := 0
	for i < len(as)-1 && i < len(bs)-1 && as[i] == bs[i] {
		i++
	}
	at := 0
	for at < len(as[i]) && at < len(bs[i]) && as[i][at] == bs[i][at] {
		at++
	}
	return bounded(as[i], at), bounded(bs[i], at)
}

// bounded shows a line escaped, from shortly before the byte at on.
func bounded(line string, at int) string {
	before, after := "", ""
	if at > maxLine/2 {
		line, before = line[at-maxLine/2:], "…"
	}
	if len(line) > maxLine {
		line, after = line[:maxLine], "…"
	}
	return before + strconv.Quote(strings.ToValidUTF8(line, "")) + after
}

// describe names what stands in a field without showing it.
func describe(n *yaml.Node) string {
	switch {
	case n == nil:
		return "absent"
	case n.Kind == yaml.MappingNode:
		return "a map"
	case n.Kind == yaml.SequenceNode:
		return fmt.Sprintf("a list of %d", len(n.Content))
	}
	switch n.Tag {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "a boolean"
	case tagNull:
		return "null"
	}
	return "text"
}
