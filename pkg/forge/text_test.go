package forge

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func change(foreign string) Text {
	return Text{
		Subject:  foreign,
		Intro:    []Markdown{Markdownf("`sluice` asks for %s.", foreign)},
		Sections: []Section{{Title: "Files", Lines: []Markdown{Markdownf("changed %s: %s becomes %s", foreign, foreign, foreign)}}, {Title: "Nothing"}},
	}
}

func TestTextBody(t *testing.T) {
	want := "<!-- sluice:begin -->\n<!-- sluice:title ad22532e8ec7ceb6 -->\n`sluice` asks for ``a`b``.\n\n### Files\n\n- changed ``a`b``: ``a`b`` becomes ``a`b``\n<!-- sluice:end -->"
	got := change("a`b").body("")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if again := change("a`b").body("Before.\r\n" + got + "\r\nAfter."); again != "Before.\n"+got+"\nAfter." {
		t.Errorf("what people wrote is lost:\n%s", again)
	}
}

func FuzzTextInert(f *testing.F) {
	for _, s := range []string{"@acme/all", "<!-- sluice:end -->", "<!-- sluice:title x -->", "`", "a\r\nb", "\x1b[31m", "![x](http://y)", "%s%d", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := change(canary + s + canary)
		body := text.body("")
		if strings.Count(body, mark) != 3 || text.body(body) != body {
			t.Fatalf("the marks of %q:\n%s", s, body)
		}
		if strings.ContainsAny(text.Title(), "\n\r\x1b") {
			t.Fatalf("the title of %q: %q", s, text.Title())
		}
		if !text.wrote(Request{Title: text.Title(), Body: body}) {
			t.Fatalf("the title of %q is not known again", s)
		}
		checkInert(t, body)
	})
}

func TestTextFits(t *testing.T) {
	text := Text{Subject: strings.Repeat("ä", 400)}
	for range 3 {
		s := Section{Title: "Files"}
		for i := range 5000 {
			s.Lines = append(s.Lines, Markdownf("added %s", fmt.Sprintf("some/long/path/%d.yaml", i)))
		}
		text.Sections = append(text.Sections, s)
	}
	human := strings.Repeat("Human words. ", 2000)
	body := text.body(human)
	if len(body) > maxBody || !strings.Contains(body, human) {
		t.Errorf("the body has %d bytes, %d are allowed", len(body), maxBody)
	}
	if n := strings.Count(body, " more, left out for length"); n != 3 {
		t.Errorf("%d of 3 lists are counted", n)
	}
	if n := len([]rune(text.Title())); n != maxTitle+3 {
		t.Errorf("the title has %d characters", n)
	}
}

// one is a repository with one open request.
type one struct {
	Requests
	request Request
	edits   int
}

func (o *one) Find(context.Context, string, string) ([]Request, error) {
	return []Request{o.request}, nil
}

func (o *one) Edit(_ context.Context, _ Request, title, body string) error {
	o.request.Title, o.request.Body = title, body
	o.edits++
	return nil
}

// TestEnsureText keeps a title that people chose, and replaces one of ours.
func TestEnsureText(t *testing.T) {
	first := change("first")
	o := &one{request: Request{Number: 1, Title: first.Title(), Body: first.body("Look!")}}
	ensure := func(text Text, outcome Outcome, title string, edits int) {
		t.Helper()
		got, err := EnsureText(t.Context(), o, "head", "base", text)
		if err != nil || got.Outcome != outcome || got.Title != title || o.edits != edits || !strings.Contains(o.request.Body, "Look!") {
			t.Errorf("EnsureText = %+v, %v, after %d edits, want %s %q", got, err, o.edits, outcome, title)
		}
	}
	ensure(first, Unchanged, "first", 0)
	ensure(change("second"), Updated, "second", 1)
	ensure(change("second"), Unchanged, "second", 1)
	o.request.Title = "People's own"
	ensure(change("second"), Unchanged, "People's own", 1)
	ensure(change("third"), Updated, "People's own", 2)
	ensure(change("third"), Unchanged, "People's own", 2)
}
