package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/finding"
)

// maxAnnotations is how many errors of one step GitHub shows beside the lines.
const maxAnnotations = 10

// onActions tells whether a runner of GitHub Actions reads what is printed.
func (p Program) onActions() bool { return p.Env("GITHUB_ACTIONS") == "true" }

// verbatim annotates a command whose text is for programs: no byte of it may
// change.
const verbatim = "verbatim"

// runnerLog stands before a stream that a runner of GitHub Actions reads. The
// runner follows a line of any stream that, after white space, begins with
// "::NAME ...::", and a "##[NAME ...]" anywhere in a line, whoever wrote them.
// Text for people is mended, so that nothing that somebody wrote into a manifest
// is such a command; of what is for programs it is only counted.
type runnerLog struct {
	to    io.Writer
	keep  bool
	mu    sync.Mutex
	rest  []byte // of a line that has not ended
	found int    // lines that hold a command
}

func (l *runnerLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	end := bytes.LastIndexAny(l.rest, "\r\n") + 1
	var out []byte
	for line := range bytes.SplitAfterSeq(l.rest[:end], []byte("\n")) {
		for part := range bytes.SplitAfterSeq(line, []byte("\r")) {
			out = append(out, l.line(part)...)
		}
	}
	l.rest = append([]byte(nil), l.rest[end:]...)
	if l.keep {
		return l.to.Write(p)
	}
	if _, err := l.to.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// flush writes a last line that does not end.
func (l *runnerLog) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if out := l.line(l.rest); !l.keep && len(out) > 0 {
		_, _ = l.to.Write(out) // the run is over, and its result is decided
	}
	l.rest = nil
}

// line gives a line without commands, and counts it if it held one.
func (l *runnerLog) line(line []byte) []byte {
	text := bytes.TrimLeftFunc(line, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) })
	begins := bytes.HasPrefix(text, []byte("::"))
	if !begins && !bytes.Contains(line, []byte("##[")) {
		return line
	}
	l.found++
	mended := line
	if begins {
		before := len(line) - len(text)
		mended = append(append(append([]byte{}, line[:before]...), `\x3a`...), text[1:]...)
	}
	return bytes.ReplaceAll(mended, []byte("##["), []byte(`#\x23[`))
}

// guardErr puts the guard before stderr, if a runner reads it.
func (c *command) guardErr() {
	if c.raw = c.Err; c.onActions() {
		c.log = append(c.log, &runnerLog{to: c.Err})
		c.Err = c.log[0]
	}
}

// guardOut puts the guard before the product, if a runner may read it.
func (c *command) guardOut(cmd *cobra.Command) {
	if !c.onActions() {
		return
	}
	keep := c.output != "text"
	for up := cmd; up != nil; up = up.Parent() {
		keep = keep || up.Annotations[verbatim] != ""
	}
	out := &runnerLog{to: c.Out, keep: keep}
	c.log = append(c.log, out)
	c.Out = out
}

// endLog ends the streams that a runner reads.
func (c *command) endLog() {
	for _, l := range c.log {
		l.flush()
		if l.keep && l.found > 0 {
			c.note("note: GitHub Actions takes %s of the output for commands to the runner, if this lands in the log: send it to a file, or let another program read it", count(l.found, "line"))
		}
	}
	for _, l := range c.log {
		l.flush()
	}
}

// annotate has GitHub show an error beside the line that is at fault.
func (c *command) annotate(err error) {
	if err == nil || !c.onActions() {
		return
	}
	var list finding.List
	var refusal *finding.Refusal
	switch {
	case errors.Is(err, errFound) && len(c.news.found) == 0:
		return // a difference is what was asked for
	case errors.Is(err, errFound):
		list = c.news.found
	case errors.As(err, &refusal):
		list = finding.List{{Text: err.Error(), Hint: refusal.Hint}}
	case list.Take(err) != nil:
		list = finding.List{{Text: err.Error()}}
	}
	for _, f := range list[:min(len(list), maxAnnotations)] {
		fmt.Fprintln(c.raw, c.annotation(f))
	}
}

// annotation is a finding as a command to the runner.
func (c *command) annotation(f finding.Finding) string {
	text, place := f.Text, ""
	if f.File != "" {
		place = "file=" + property(c.inCheckout(f.File)) + ","
		if f.Line > 0 {
			place += fmt.Sprintf("line=%d,", f.Line)
		}
	}
	text = commandData(escape(text))
	for line := range strings.Lines(f.Hint) {
		text += "%0A" + commandData(escape(strings.TrimSuffix(line, "\n")))
	}
	return "::error " + strings.ReplaceAll(place+"title=sluice::"+text, "##[", `#\x23[`)
}

// inCheckout gives a path of the repository as the runner counts it: from the
// directory that the first repository of the job is checked out into.
func (c *command) inCheckout(file string) string {
	checkout := c.Env("GITHUB_WORKSPACE")
	if checkout == "" || c.top == "" {
		return file
	}
	if real, err := filepath.EvalSymlinks(checkout); err == nil {
		checkout = real
	}
	rel, err := filepath.Rel(checkout, filepath.Join(c.top, filepath.FromSlash(file)))
	if err != nil || !filepath.IsLocal(rel) {
		return file
	}
	return filepath.ToSlash(rel)
}

// commandData writes a text as the runner reads it back.
func commandData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// property does the same for what ends at a comma or a colon.
func property(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(escape(s))
}
