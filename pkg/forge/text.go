package forge

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
)

// Markdown is text of a request in which nothing that somebody else wrote is
// markup, a mention or a link. Markdownf is the only way to make one.
type Markdown struct{ text string }

// Markdownf puts foreign text into a sentence of our own: each argument, which
// stands for a %s, becomes a code span.
func Markdownf(format string, foreign ...string) Markdown {
	args := make([]any, len(foreign))
	for i, s := range foreign {
		args[i] = code(s)
	}
	return Markdown{fmt.Sprintf(format, args...)}
}

// String is the text as it is written into a page.
func (m Markdown) String() string { return m.text }

// Section is a list in a request's text. Lines that have no room are counted.
type Section struct {
	Title string // our own words
	Lines []Markdown
}

// Text is what a request about a change of the source says.
type Text struct {
	Subject  string // the request's title; it may hold anything
	Intro    []Markdown
	Sections []Section
}

// EnsureText opens the request that says a text, or brings the open one up to
// date, as Ensure does.
func EnsureText(ctx context.Context, f Requests, head, base string, t Text) (Proposed, error) {
	return ensure(ctx, f, head, base, t, false, nil)
}

// maxTitle is the length of a title, in characters. GitLab takes 255.
const maxTitle = 250

// Title is the subject as one printable line.
func (t Text) Title() string {
	title := []rune(inert(strings.TrimSpace(t.Subject), false))
	if len(title) > maxTitle {
		title = append(title[:maxTitle], []rune("...")...)
	}
	return string(title)
}

// signed is a comment by which a title is known again as ours.
func signed(title string) string {
	sum := sha256.Sum256([]byte(strings.TrimSpace(title)))
	return fmt.Sprintf("%stitle %x -->", mark, sum[:8])
}

func (t Text) wrote(r Request) bool { return strings.Contains(r.Body, signed(r.Title)) }

func (t Text) body(existing string) string {
	existing = strings.ReplaceAll(existing, "\r\n", "\n")
	theirs := len(existing)
	if before, after, found := around(existing); found {
		theirs = len(before) + len(after)
	}
	return splice(existing, t.section(maxBody-theirs-2))
}

// section writes the text in at most room bytes, if there is room for the intro.
func (t Text) section(room int) string {
	var b strings.Builder
	b.WriteString(begin + "\n" + signed(t.Title()) + "\n")
	for _, p := range t.Intro {
		b.WriteString(p.text + "\n\n")
	}
	left := room - b.Len() - len(end)
	for i, s := range t.Sections {
		part := list("### "+s.Title+"\n\n", lines(s.Lines, func(m Markdown) string { return m.text }), "line", left/(len(t.Sections)-i))
		if part != "" {
			part += "\n"
		}
		left -= len(part)
		b.WriteString(part)
	}
	return strings.TrimRight(b.String(), "\n") + "\n" + end
}
