// Package finding holds what is wrong with an input, in the one form in which
// people read it: file, line, what, and what to do next.
package finding

import (
	"errors"
	"sort"
	"strconv"
	"strings"
)

// Finding is one thing at fault in the config, a manifest or a kustomization.
type Finding struct {
	File string // slash path relative to the repository root; empty if no file is at fault
	Line int    // first line is 1; 0 if unknown
	Text string // what is wrong, without a full stop
	Hint string // what to do next; empty if the text says it all
}

// Error gives "file:line: text", without the hint.
func (f Finding) Error() string {
	switch {
	case f.File == "":
		return f.Text
	case f.Line == 0:
		return f.File + ": " + f.Text
	}
	return f.File + ":" + strconv.Itoa(f.Line) + ": " + f.Text
}

// List is every finding of a stage. As an error it is one line a finding.
type List []Finding

func (l List) Error() string {
	lines := make([]string, len(l))
	for i, f := range l {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// Add appends a finding.
func (l *List) Add(file string, line int, text, hint string) {
	*l = append(*l, Finding{File: file, Line: line, Text: text, Hint: hint})
}

// Take appends the findings that err holds and returns nil, or returns an
// error that is not about the input unchanged.
func (l *List) Take(err error) error {
	var list List
	var one Finding
	switch {
	case err == nil:
	case errors.As(err, &list):
		*l = append(*l, list...)
	case errors.As(err, &one):
		*l = append(*l, one)
	default:
		return err
	}
	return nil
}

// Err gives the list as an error, in order of file and line without
// repetitions, or nil if it is empty.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	sorted := append(List(nil), l...)
	sort.SliceStable(sorted, func(i, j int) bool {
		if sorted[i].File != sorted[j].File {
			return sorted[i].File < sorted[j].File
		}
		return sorted[i].Line < sorted[j].Line
	})
	var out List
	seen := map[Finding]bool{}
	for _, f := range sorted {
		if !seen[f] {
			seen[f] = true
			out = append(out, f)
		}
	}
	return out
}

// Refusal is a step not taken because it could lose or hide something,
// although nothing is wrong with the input.
type Refusal struct {
	Text string
	Hint string
}

func (r *Refusal) Error() string { return r.Text }
