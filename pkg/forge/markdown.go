package forge

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName bounds a name, path or subject in a request's text, in characters.
const maxName = 300

// code gives text from manifests and commits as a code span, in which nothing
// is a mention, a link, a reference, markup or HTML.
func code(s string) string {
	if utf8.RuneCountInString(s) > maxName {
		s = string([]rune(s)[:maxName]) + "..."
	}
	s = inert(s, false)
	if strings.TrimSpace(s) == "" {
		return "(empty)"
	}
	fence := strings.Repeat("`", longest(s)+1)
	// A space on both sides is taken away again, so that s may begin and end
	// with a backtick or a space.
	if strings.ContainsAny(s[:1]+s[len(s)-1:], "` ") {
		s = " " + s + " "
	}
	return fence + s + fence
}

// block gives text as a fenced code block that nothing inside of it can end.
func block(language, s string) string {
	s = inert(strings.TrimSuffix(s, "\n"), true)
	fence := strings.Repeat("`", max(3, longest(s)+1))
	return fence + language + "\n" + s + "\n" + fence + "\n"
}

// inert writes out what is not printable, and keeps text from passing for the
// marks around a section. Lines and tabs stay where they may.
func inert(s string, lines bool) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case lines && (r == '\n' || r == '\t'), r != utf8.RuneError && unicode.IsPrint(r):
			b.WriteRune(r)
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == utf8.RuneError:
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return strings.ReplaceAll(b.String(), mark, `<\x21-- sluice:`)
}

// longest is the length of the longest run of backticks.
func longest(s string) int {
	most, run := 0, 0
	for i := range len(s) {
		if s[i] != '`' {
			run = 0
			continue
		}
		run++
		most = max(most, run)
	}
	return most
}

// mark begins the two comments that a section stands between.
const mark = "<!-- sluice:"

const (
	begin = mark + "begin -->"
	end   = mark + "end -->"
)

// splice puts a section into a body in the place of the one that is there, or
// before what people wrote.
func splice(body, section string) string {
	before, after, found := around(body)
	switch {
	case found:
		return before + section + after
	case strings.TrimSpace(body) == "":
		return section
	}
	return section + "\n\n" + body
}

// around gives what stands before and after the section of a body.
func around(body string) (before, after string, found bool) {
	from, to := strings.Index(body, begin), strings.LastIndex(body, end)
	if from < 0 || to < from {
		return "", "", false
	}
	return body[:from], body[to+len(end):], true
}
