// Package check takes a config, and what was found of its branches and of how
// the forge is set up, and gives what would fail later.
package check

import (
	"slices"
	"strings"
)

// Severity is what a finding means for whoever goes on without minding it.
type Severity string

// The severities. A problem is a command of sluice that would end in an error,
// or do something else than it says. Advice is what a person could do by
// mistake, and what could not be looked at.
const (
	Problem Severity = "problem"
	Advice  Severity = "advice"
)

// Finding is one thing that would fail later, or that could.
type Finding struct {
	Severity Severity `json:"severity"`
	Where    string   `json:"where,omitempty"` // branches, or a file with its line; empty for all of it
	Text     string   `json:"text"`            // what is so, and what comes of it
	Hint     string   `json:"hint,omitempty"`  // what to set, or to do
}

// String gives "where: text", or the text alone where it says both.
func (f Finding) String() string {
	if strings.Contains(f.Text, f.Where) {
		return f.Text
	}
	return f.Where + ": " + f.Text
}

// Group puts what is said of several branches in the same words into one
// finding, and problems before advice. It never gives nil.
func Group(findings []Finding) []Finding {
	out := []Finding{}
	for _, f := range findings {
		i := slices.IndexFunc(out, func(o Finding) bool {
			return o.Severity == f.Severity && o.Text == f.Text && o.Hint == f.Hint
		})
		switch {
		case i < 0:
			out = append(out, f)
		case !slices.Contains(strings.Split(out[i].Where, ", "), f.Where):
			out[i].Where += ", " + f.Where
		}
	}
	slices.SortStableFunc(out, func(a, b Finding) int { return rank(a) - rank(b) })
	return out
}

func rank(f Finding) int {
	if f.Severity == Problem {
		return 0
	}
	return 1
}

// Worst is the severity of the worst finding, empty without one.
func Worst(findings []Finding) Severity {
	worst := Severity("")
	for _, f := range findings {
		if f.Severity == Problem || worst == "" {
			worst = f.Severity
		}
	}
	return worst
}
