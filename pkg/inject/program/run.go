package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// Limits bound one run. A zero field means its default.
type Limits struct {
	Time   time.Duration // default DefaultTime
	Stdout int64         // bytes; more is an error; default DefaultStdout
	Stderr int           // bytes that are kept of its end; default DefaultStderr
}

// The limits that hold where none are given.
const (
	DefaultTime   = 60 * time.Second
	DefaultStdout = 100 << 20
	DefaultStderr = 64 << 10
)

// Invocation is what a program is run with. It gets nothing else: no
// environment, no file of the repository.
type Invocation struct {
	Args   []string // after argv[0], which is the tool's name
	Stdin  []byte
	Files  map[string][]byte // its working directory, by slash path below it
	Limits Limits
}

// errLate is the cause of a deadline of our own.
var errLate = errors.New("late")

// Run runs the program once and gives what it printed. The bytes that the
// kernel executes are those that were hashed: on Linux a sealed file in
// memory, elsewhere a copy in a directory of its own. Whatever the program has
// started is killed when it ends, is late or prints too much. The error is
// ctx's, a *RunError, or about the working directory.
func (p *Program) Run(ctx context.Context, in Invocation) ([]byte, error) {
	limits := in.Limits.orDefault()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("running %q: %w", p.Tool, err)
	}
	dir, err := workdir(in.Files)
	if err != nil {
		return nil, fmt.Errorf("running %q: %w", p.Tool, err)
	}
	defer sweep(dir)
	image, err := newImage(p.data)
	if err != nil {
		return nil, fmt.Errorf("running %q: %w", p.Tool, err)
	}
	defer image.close()
	c, err := start(image, append([]string{p.Tool}, in.Args...), dir)
	if err != nil {
		return nil, &RunError{Tool: p.Tool, Reason: reason(err)}
	}
	timed, cancel := context.WithTimeoutCause(ctx, limits.Time, errLate)
	defer cancel()
	end := c.talk(timed, in.Stdin, limits)
	if why := end.why(timed, limits); why != "" {
		if ctx.Err() != nil && !end.flooded {
			return nil, fmt.Errorf("running %q: %w", p.Tool, ctx.Err())
		}
		return nil, &RunError{Tool: p.Tool, Reason: why, Stderr: string(end.stderr)}
	}
	return end.stdout, nil
}

// why gives the reason for which a run is not a success, "" if it is one.
func (e ending) why(timed context.Context, limits Limits) string {
	done := e.state != nil && e.state.Success()
	switch {
	case e.flooded:
		return "printed more than " + size(limits.Stdout)
	case !done && timed.Err() != nil:
		return "took longer than " + seconds(limits.Time)
	case e.state == nil:
		return "its end was not seen"
	case !done:
		return e.state.String()
	case e.held:
		return "it left a process behind that holds its output open"
	case len(bytes.TrimSpace(e.stdout)) == 0:
		return "no output"
	}
	return ""
}

func (l Limits) orDefault() Limits {
	if l.Time <= 0 {
		l.Time = DefaultTime
	}
	if l.Stdout <= 0 {
		l.Stdout = DefaultStdout
	}
	if l.Stderr <= 0 {
		l.Stderr = DefaultStderr
	}
	return l
}

// reason leaves out the path of a file that exists only while it is run.
func reason(err error) string {
	var at *os.PathError
	if errors.As(err, &at) {
		return at.Err.Error()
	}
	return err.Error()
}

func seconds(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return d.String()
}
