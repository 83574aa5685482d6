package cli

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"github.com/sluice-dev/sluice/pkg/finding"
)

func TestRunnerLog(t *testing.T) {
	for in, want := range map[string]string{
		"plain :: text\n":        "plain :: text\n",
		"::error::x\n":           "\\x3a:error::x\n",
		"  \t::error::x":         "  \t\\x3a:error::x",
		"\u00a0\ufeff::error::x": "\u00a0\ufeff\\x3a:error::x",
		"a\r::error::x\n":        "a\r\\x3a:error::x\n",
		"a\r\n\n::error::x\r\n":  "a\r\n\n\\x3a:error::x\r\n",
		"a ###[error]x ##[y\n":   "a ##\\x23[error]x #\\x23[y\n",
		"::##[error]x\n":         "\\x3a:#\\x23[error]x\n",
		"a:: b\n: :c\n":          "a:: b\n: :c\n",
	} {
		// Whole, and byte for byte.
		for _, step := range []int{len(in), 1} {
			var b bytes.Buffer
			l := &runnerLog{to: &b}
			for i := 0; i < len(in); i += step {
				if n, err := l.Write([]byte(in[i : i+step])); n != step || err != nil {
					t.Fatal(n, err)
				}
			}
			l.flush()
			if b.String() != want || (l.found > 0) != (in != want) {
				t.Errorf("%q is written as %q, want %q; %d found", in, b.String(), want, l.found)
			}
			b.Reset()
			kept := &runnerLog{to: &b, keep: true}
			if _, err := kept.Write([]byte(in)); err != nil {
				t.Fatal(err)
			}
			kept.flush()
			if b.String() != in || kept.found != l.found {
				t.Errorf("%q is kept as %q; %d found", in, b.String(), kept.found)
			}
		}
	}
}

// What the runner makes of a line, as its own parser does it: whatever is
// written, it finds no command.
func FuzzRunnerLog(f *testing.F) {
	f.Add("::error::x", "\n  ::add-mask::y\r##[group]z")
	f.Fuzz(func(t *testing.T, one, two string) {
		var b bytes.Buffer
		l := &runnerLog{to: &b}
		for _, s := range []string{one, two} {
			if _, err := l.Write([]byte(s)); err != nil {
				t.Fatal(err)
			}
		}
		l.flush()
		for _, line := range strings.FieldsFunc(b.String(), func(r rune) bool { return r == '\r' || r == '\n' }) {
			if strings.HasPrefix(strings.TrimLeftFunc(line, unicode.IsSpace), "::") || strings.Contains(line, "##[") {
				t.Errorf("%q and %q give the line %q", one, two, line)
			}
		}
	})
}

// FuzzAnnotation reads a command as the runner does: it is one line, and holds
// the file and the text.
func FuzzAnnotation(f *testing.F) {
	f.Add("a,b:c%0A.yaml", "text::with %25\nlines\r", "hint\nmore")
	f.Fuzz(func(t *testing.T, file, text, hint string) {
		c := &command{Program: Program{Env: func(string) string { return "" }}}
		got := c.annotation(finding.Finding{File: file, Line: 7, Text: text, Hint: hint})
		info, data, _ := strings.Cut(strings.TrimPrefix(got, "::error "), "::")
		properties := map[string]string{}
		for _, p := range strings.Split(info, ",") {
			name, value, _ := strings.Cut(p, "=")
			properties[name] = strings.NewReplacer("%25", "%", "%3A", ":", "%2C", ",", "%0D", "\r", "%0A", "\n").Replace(value)
		}
		mended := func(s string) string { return strings.ReplaceAll(escape(s), "##[", `#\x23[`) }
		if strings.ContainsAny(got, "\r\n") || strings.Contains(got, "##[") || properties["file"] != mended(file) || properties["title"] != "sluice" || (file != "" && properties["line"] != "7") {
			t.Errorf("%q gives %q", file, got)
		}
		first, _, _ := strings.Cut(data, "%0A")
		if strings.NewReplacer("%25", "%").Replace(first) != mended(text) {
			t.Errorf("%q gives %q", text, got)
		}
	})
}
