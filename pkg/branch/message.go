package branch

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/sluice-dev/sluice/pkg/tree"
)

// maxSubject is how much of the source commit's subject is quoted, in characters.
const maxSubject = 100

// message gives the message of a hydrated commit: what it changed and the
// source commit's subject, paragraphs that say more, trailers. Every value of a trailer is
// validated before it gets here or stripped to one printable line.
func message(what, subject string, says []string, p tree.Provenance, pins []tree.Pin) string {
	var b strings.Builder
	b.WriteString(what)
	if s := oneLine(subject); s != "" {
		fmt.Fprintf(&b, " (%s)", s)
	}
	for _, s := range says {
		b.WriteString("\n\n" + s)
	}
	return b.String() + "\n\n" + trailers(p, pins)
}

// headline says what a commit changed first of all.
func headline(name string, objects int) string {
	return fmt.Sprintf("%s: %d objects changed", name, objects)
}

// trailers gives the last paragraph of the message.
func trailers(p tree.Provenance, pins []tree.Pin) string {
	var b strings.Builder
	for _, e := range p.Environments {
		if e.RolledBackTo != "" {
			fmt.Fprintf(&b, "Rolled-Back: %s to %s\n", oneLine(e.Name), oneLine(e.RolledBackTo))
		}
	}
	fmt.Fprintf(&b, "Source-Commit: %s\n", p.Source.Commit)
	if p.Source.Ref != "" {
		fmt.Fprintf(&b, "Source-Ref: %s\n", oneLine(p.Source.Ref))
	}
	if p.Source.Repository != "" {
		fmt.Fprintf(&b, "Source-Repository: %s\n", oneLine(p.Source.Repository))
	}
	for _, pin := range pins {
		fmt.Fprintf(&b, "Injector: %s\n", oneLine(pin.String()))
	}
	fmt.Fprintf(&b, "Hydrator-Version: sluice %s\n", oneLine(p.Renderer.Sluice))
	return b.String()
}

// oneLine gives the first line of s without anything that is not printable,
// and not longer than maxSubject.
func oneLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	if runes := []rune(s); len(runes) > maxSubject {
		s = string(runes[:maxSubject]) + "…"
	}
	return printable(s)
}

// printable marks what cannot be printed.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, s)
}
