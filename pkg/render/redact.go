package render

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMessage is how many bytes of kustomize's own words are shown.
const maxMessage = 400

var (
	// What begins a dump of an object, or of the text of one.
	dump = regexp.MustCompile("[{`\x00]|map\\[|\\[patch: |apiVersion:|kind: |\\[\\]byte|with config:|invalid utf8 bytes")
	// The configuration of a builtin plugin, which stands before the cause.
	builtinConfig = regexp.MustCompile("(?s) with config: `.*`: ")
	// A file that kustomize could not take it tries as a directory, and says so last.
	noDirectory = regexp.MustCompile(`^.*accumulation err='(accumulating resources from '[^']*': .*)': must build at directory: '[^']*': file is not directory$`)
	repeated    = regexp.MustCompile(`(accumulating resources: )?accumulation err='(accumulating resources from '[^']*': )?[^']*': `)
)

// redact gives what is fit to be shown of an error of kustomize's, which may
// hold whole objects: one line, no dumps, none of the values in secret, no
// control characters, bounded.
func redact(text string, secret []string) string {
	text = strings.ReplaceAll(text, mount+"/", "")
	text = builtinConfig.ReplaceAllString(text, ": ")
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	text = noDirectory.ReplaceAllString(text, "$1")
	for {
		shorter := repeated.ReplaceAllString(text, "")
		if shorter == text {
			break
		}
		text = shorter
	}
	if at := dump.FindStringIndex(text); at != nil {
		text = strings.TrimRight(text[:at[0]], " :'\"\\n") + " …"
	}
	return tidy(hide(text, secret))
}

// tidy makes text one that can be shown: no control characters, bounded.
func tidy(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return '?'
		}
		return r
	}, text)
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + " …"
	}
	return text
}

// hide replaces every secret value. Longer ones go first: a value may hold another.
func hide(text string, secret []string) string {
	sorted := slices.Clone(secret)
	slices.SortFunc(sorted, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, s := range sorted {
		if s = strings.TrimSpace(s); len(s) >= 3 {
			text = strings.ReplaceAll(text, s, "…")
		}
	}
	return text
}
