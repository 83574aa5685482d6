package diff

import (
	"fmt"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

// maxText is the largest text that is compared line by line, in bytes. The
// API server takes objects of about 1.5 MiB.
const maxText = 2 << 20

// around is how many unchanged lines stand around a change.
const around = 3

// objectText compares the YAML of two nodes; nil is no object.
func objectText(before, after *yaml.Node) (Text, error) {
	a, err := encode(before)
	if err != nil {
		return Text{}, err
	}
	b, err := encode(after)
	if err != nil {
		return Text{}, err
	}
	return Lines(a, b)
}

func encode(n *yaml.Node) (string, error) {
	if n == nil {
		return "", nil
	}
	data, err := manifest.EncodeNode(n)
	return string(data), err
}

// Lines compares two texts line by line.
func Lines(before, after string) (Text, error) {
	t := Text{Hunks: []Hunk{}}
	if max(len(before), len(after)) > maxText {
		t.Removed, t.Added = strings.Count(before, "\n"), strings.Count(after, "\n")
		t.Omitted = fmt.Sprintf("over %d MiB: not compared line by line", maxText>>20)
		return t, nil
	}
	u, err := udiff.ToUnifiedDiff("", "", before, udiff.Lines(before, after), around)
	if err != nil {
		return t, fmt.Errorf("comparing lines: %w", err)
	}
	for _, h := range u.Hunks {
		out := Hunk{Before: h.FromLine, After: h.ToLine}
		for _, l := range h.Lines {
			mark := " "
			switch l.Kind {
			case udiff.Delete:
				mark = "-"
				t.Removed++
			case udiff.Insert:
				mark = "+"
				t.Added++
			}
			out.Lines = append(out.Lines, mark+strings.TrimSuffix(l.Content, "\n"))
		}
		t.Hunks = append(t.Hunks, out)
	}
	return t, nil
}
