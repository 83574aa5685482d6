package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sluice-dev/sluice/pkg/hydrate"
)

// rendering are the verbs that render, and so take --jobs.
var rendering = [...]string{"render", "diff", "parity", "lint", "commit", "promote", "rollback", "verify", "images", "set-image", "pin", "export"}

// jobsFlags gives the verbs that render, and those below them, the flag --jobs.
func (c *command) jobsFlags(root *cobra.Command) {
	for _, name := range rendering {
		if cmd, _, err := root.Find([]string{name}); err == nil && cmd != root {
			cmd.PersistentFlags().IntVar(&c.jobs, "jobs", 0, "do `N` builds at a time (default as many as there are CPUs); the output is the same")
		}
	}
}

// checkJobs refuses a number of builds that would never build anything.
func (c *command) checkJobs(cmd *cobra.Command) error {
	if f := cmd.Flags().Lookup("jobs"); f != nil && f.Changed && c.jobs < 1 {
		return &usageError{errors.New("--jobs takes a number from 1 on, not " + f.Value.String())}
	}
	return nil
}

// progress gives what shows how far rendering is; nil if nobody is to see it.
func (c *command) progress() hydrate.Progress {
	if c.line == nil || c.quiet {
		return nil
	}
	return c.line.update
}

// What takes less time than showAfter shows no line; then it is written anew
// every redrawAfter at most.
const (
	showAfter   = 300 * time.Millisecond
	redrawAfter = 100 * time.Millisecond
)

// statusLine is the last line of a terminal, as long as nothing else is
// written there. It is made of spaces and carriage returns, which every
// terminal knows. A nil one does nothing.
type statusLine struct {
	to    io.Writer
	width func() int // columns of the terminal

	mu      sync.Mutex
	text    string // what it is to say; empty: nothing
	shown   string // what stands there
	stopped chan struct{}
	running sync.WaitGroup
}

// newStatusLine gives the line of the terminal that p.Err is; nil if it is
// none, or one that is read by nobody.
func newStatusLine(p Program) *statusLine {
	file := terminal(p.Err)
	if file == nil || p.Env("CI") != "" || p.Env("TERM") == "dumb" {
		return nil
	}
	return &statusLine{to: file, width: func() int {
		if w, _, err := term.GetSize(int(file.Fd())); err == nil && w > 0 {
			return w
		}
		return 80
	}}
}

// terminal gives the terminal that a writer is; nil if it is none.
func terminal(w io.Writer) *os.File {
	if b, ok := w.(*besideLine); ok {
		w = b.Writer
	}
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return file
	}
	return nil
}

// update is the Progress of a rendering.
func (l *statusLine) update(done, total int, app string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if app == "" {
		l.text = ""
		l.clear()
		return
	}
	l.text = fmt.Sprintf("rendering: %d of %s done, %s", done, count(total, "app"), escape(app))
	if l.stopped == nil {
		l.stopped = make(chan struct{})
		l.running.Go(l.run)
	}
}

// run draws the line from time to time.
func (l *statusLine) run() {
	wait := time.NewTimer(showAfter)
	defer wait.Stop()
	for {
		select {
		case <-l.stopped:
			return
		case <-wait.C:
		}
		l.draw()
		wait.Reset(redrawAfter)
	}
}

func (l *statusLine) draw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	// Room stays for what a terminal shows of a Ctrl-C.
	if text := cut(l.text, l.width()-3); text != l.shown && text != "" {
		l.clear()
		l.shown = text
		io.WriteString(l.to, text)
	}
}

// clear takes the line away, with what stands behind it.
func (l *statusLine) clear() {
	if l.shown != "" {
		io.WriteString(l.to, "\r"+strings.Repeat(" ", max(l.width()-1, 0))+"\r")
		l.shown = ""
	}
}

// close takes the line away for good.
func (l *statusLine) close() {
	if l == nil || l.stopped == nil {
		return
	}
	close(l.stopped)
	l.running.Wait()
	l.clear()
}

// cut shortens a text to a number of columns. Names of apps and environments
// are ASCII: a character is a column.
func cut(text string, columns int) string {
	if utf8.RuneCountInString(text) <= columns {
		return text
	}
	runes := []rune(text)
	return string(runes[:max(columns-1, 0)]) + "…"
}

// beside gives a writer to the same place that takes the line away first.
func (l *statusLine) beside(w io.Writer) io.Writer {
	if l == nil {
		return w
	}
	return &besideLine{w, l}
}

// besideLine writes where a statusLine may stand.
type besideLine struct {
	io.Writer
	line *statusLine
}

func (b *besideLine) Write(data []byte) (int, error) {
	b.line.mu.Lock()
	defer b.line.mu.Unlock()
	b.line.clear()
	return b.Writer.Write(data)
}
