package cli

import (
	"io"
	"strings"
	"testing"
)

// TestRenderingVerbs holds the list of verbs that take --jobs, and that the
// number gets to where the builds are done.
func TestRenderingVerbs(t *testing.T) {
	for _, name := range rendering {
		c := &command{Program: Program{Args: []string{"sluice"}, Env: func(string) string { return "" }}}
		cmd, rest, err := c.root().Find([]string{name, "--jobs", "3"})
		if err != nil || cmd.Name() != name {
			t.Errorf("there is no verb %q: %v", name, err)
			continue
		}
		if err := cmd.ParseFlags(rest); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		pool, err := c.renderer()
		if err != nil {
			t.Fatal(err)
		}
		if got := pool.Workers.Size(); got != 3 {
			t.Errorf("%s --jobs 3 does %d builds at a time", name, got)
		}
		pool.Close()
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		text    string
		columns int
		want    string
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"añb", 3, "añb"}, {"abc", 1, "…"}, {"abc", 0, "…"}} {
		if got := cut(c.text, c.columns); got != c.want {
			t.Errorf("cut(%q, %d) = %q, want %q", c.text, c.columns, got, c.want)
		}
	}
}

// A line that never was drawn costs what is written nothing.
func TestBesideLine(t *testing.T) {
	var b strings.Builder
	l := &statusLine{to: &b, width: func() int { return 10 }}
	io.WriteString(l.beside(&b), "one\n")
	l.text = "at work"
	l.draw()
	io.WriteString(l.beside(&b), "two\n")
	l.draw()
	l.update(1, 2, "")
	io.WriteString(l.beside(&b), "three\n")
	const wipe = "\r         \r"
	if want := "one\nat work" + wipe + "two\nat work" + wipe + "three\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}
