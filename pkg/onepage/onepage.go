// Package onepage takes texts that anyone may have written and writes them as
// one HTML page that needs nothing else: no network, no second file.
package onepage

import (
	"bufio"
	"crypto/sha256"
	_ "embed" // for what all pages look like
	"encoding/base64"
	"fmt"
	"html"
	"io"
)

//go:embed base.css
var base string

// Writer writes HTML. The formats that it is given are constants of a program;
// every text that goes into them is escaped, wherever it comes from.
type Writer struct {
	*bufio.Writer
	show func(string) string
}

// Markup is text that is HTML already.
type Markup string

// NewWriter gives a writer whose texts go through show first, which is to leave
// nothing in them that is not printable.
func NewWriter(w io.Writer, show func(string) string) *Writer {
	return &Writer{bufio.NewWriter(w), show}
}

// Put writes a format. No verb may stand in a script, a style or an address,
// but for numbers and Markup.
func (w *Writer) Put(format string, args ...any) {
	for i, a := range args {
		switch a := a.(type) {
		case Markup, int:
		case string:
			args[i] = html.EscapeString(w.show(a))
		default:
			args[i] = html.EscapeString(w.show(fmt.Sprint(a)))
		}
	}
	fmt.Fprintf(w, format, args...)
}

// Begin writes all up to the body's begin. The page allows no script but the
// given one, so that a text could not run as one even if it were not escaped.
func (w *Writer) Begin(title, style, script string) {
	sum := sha256.Sum256([]byte(script))
	w.Put(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'; script-src 'sha256-%s'">
<title>%s</title>
<style>%s</style>
</head>
<body>
`, Markup(base64.StdEncoding.EncodeToString(sum[:])), title, Markup(base+style))
}

// End writes the script that Begin was given, and the end of the page.
func (w *Writer) End(script string) error {
	w.Put("<script>%s</script>\n</body>\n</html>\n", Markup(script))
	return w.Flush()
}
