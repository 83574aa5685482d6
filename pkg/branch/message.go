package branch

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/sluice-dev/sluice/pkg/tree"
)

// maxSubject is how much of the source commit's subject is quoted, in characters.
const maxSubject = 100

// message gives the message of a hydrated commit. Every value of a trailer is
// validated before it gets here or stripped to one printable line.
func message(name string, objects int, subject string, p tree.Provenance, pins []tree.Pin) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d objects changed", name, objects)
	if s := oneLine(subject); s != "" {
		fmt.Fprintf(&b, " (%s)", s)
	}
	return b.String() + "\n\n" + trailers(p, pins)
}

// trailers gives the last paragraph of the message.
func trailers(p tree.Provenance, pins []tree.Pin) string {
	var b strings.Builder
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
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > maxSubject {
			b.WriteString("…")
			break
		}
		if !unicode.IsPrint(r) {
			r = '\uFFFD'
		}
		b.WriteRune(r)
	}
	return b.String()
}
