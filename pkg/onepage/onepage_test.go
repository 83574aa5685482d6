package onepage

import (
	"strings"
	"testing"
)

func TestWriter(t *testing.T) {
	var b strings.Builder
	w := NewWriter(&b, func(s string) string { return strings.ReplaceAll(s, "\x1b", `\x1b`) })
	w.Begin("a<b>\x1b", "p{}", "one()")
	w.Put("<p class=\"%s\">%s %d %s</p>", `"x"`, "</script><i>", 7, Markup("<b>x</b>"))
	type named string
	w.Put("%s", named("<u>"))
	if err := w.End("one()"); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{
		`<title>a&lt;b&gt;\x1b</title>`, `<p class="&#34;x&#34;">&lt;/script&gt;&lt;i&gt; 7 <b>x</b></p>`, "&lt;u&gt;",
		// printf 'one()' | openssl dgst -sha256 -binary | base64
		"script-src 'sha256-HR7iaask9daLMRRskMI++QeJtjWDOjyPA6lGzYGzKW4='", "default-src 'none'", "<script>one()</script>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s:\n%s", want, page)
		}
	}
}
