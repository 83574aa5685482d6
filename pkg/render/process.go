package render

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// Command says how to start this program again as a worker.
type Command struct {
	Path string   // of the program
	Name string   // what it sees as its own name; empty: Path
	Args []string // after the name
	// Started is called whenever a worker has been started; it may be nil.
	Started func()
}

// process is one running worker.
type process struct {
	cmd   *exec.Cmd
	in    *bufio.Writer
	out   *bufio.Reader
	close func()
	said  *tail
}

// start runs a worker: no environment, no working directory worth having, no
// network where the kernel lets us take it away.
func (c Command) start(memory int64) (*process, error) {
	p, err := c.run(true)
	if err != nil {
		p, err = c.run(false)
	}
	if err != nil {
		return nil, fmt.Errorf("starting a worker: %w", err)
	}
	if c.Started != nil {
		c.Started()
	}
	hello := packer{}
	hello.num(int(memory))
	if err := writeFrame(p.in, frameHello, hello.b); err != nil {
		p.end()
		return nil, fmt.Errorf("starting a worker: %w", err)
	}
	return p, nil
}

func (c Command) run(isolated bool) (*process, error) {
	name := c.Name
	if name == "" {
		name = c.Path
	}
	cmd := &exec.Cmd{Path: c.Path, Args: append([]string{name}, c.Args...), Env: []string{"PATH="}, Dir: rootDir}
	confine(cmd, isolated)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	said := &tail{}
	cmd.Stderr = said
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &process{
		cmd: cmd, in: bufio.NewWriterSize(stdin, 1<<16), out: bufio.NewReaderSize(stdout, 1<<16),
		close: func() { _ = stdin.Close() }, said: said,
	}, nil
}

// end stops the worker and waits until it is gone.
func (p *process) end() {
	p.close()
	killGroup(p.cmd)
	_ = p.cmd.Wait()
}

// tail keeps the beginning of what a worker says on standard error: enough to
// tell how it died, and never shown.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const maxSaid = 1 << 14

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if room := maxSaid - len(t.b); room > 0 {
		t.b = append(t.b, b[:min(room, len(b))]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}

// outcome is how a build in a worker ended: with objects, with the worker's
// own account of a failure, or with the death of the worker.
type outcome struct {
	objects []byte
	failed  *failure
	dead    string // why the worker is gone
}

// errLate is the cause of a deadline of our own.
var errLate = errors.New("late")

// build hands a request to the worker and answers its questions until it is
// done. The error is ctx's. A worker whose outcome is not objects or a failure is dead.
func (p *process) build(ctx context.Context, req request, limits Limits, ask func(string) answer) (outcome, error) {
	timed, cancel := context.WithTimeoutCause(ctx, limits.Wall, errLate)
	defer cancel()
	stop := context.AfterFunc(timed, func() { killGroup(p.cmd) })
	defer stop()
	out, err := p.converse(req, limits, ask)
	if err == nil && stop() {
		return out, nil
	}
	p.end()
	switch {
	case ctx.Err() != nil:
		return outcome{}, ctx.Err()
	case errors.Is(context.Cause(timed), errLate):
		return outcome{dead: fmt.Sprintf("exceeded the time limit of %s", limits.Wall)}, nil
	case errors.Is(err, errOversize):
		return outcome{dead: overOutput(limits)}, nil
	}
	return outcome{dead: p.autopsy(limits)}, nil
}

func (p *process) converse(req request, limits Limits, ask func(string) answer) (outcome, error) {
	if err := writeFrame(p.in, frameBuild, req.pack()); err != nil {
		return outcome{}, err
	}
	for {
		kind, payload, err := readFrame(p.out, limits.Output+1<<16)
		if err != nil {
			return outcome{}, err
		}
		switch kind {
		case frameResult:
			return outcome{objects: payload}, nil
		case frameFailed:
			u := unpacker{b: payload}
			f := failure{reason: u.num(), text: u.text()}
			return outcome{failed: &f}, u.err
		case frameAsk:
			reply := packer{}
			reply.answer(ask(string(payload)))
			if err := writeFrame(p.in, frameAnswer, reply.b); err != nil {
				return outcome{}, err
			}
		default:
			return outcome{}, fmt.Errorf("%w: frame %q", errFrame, kind)
		}
	}
}

// autopsy says why a worker died, from what it left on standard error. The
// text itself is Go's, of no use to whoever wrote the kustomization.
func (p *process) autopsy(limits Limits) string {
	said := p.said.String()
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(said, w) })
	}
	switch {
	case has(overCPU):
		return fmt.Sprintf("exceeded the limit of %s of CPU time", limits.CPU)
	case has("stack exceeds", "stack overflow"):
		return "crashed kustomize: it recursed without end"
	// Without memory for its stack, a thread cannot be made either.
	case has("out of memory", "cannot allocate memory", "pthread_create failed", "newosproc", "fatal error: failed to reserve"):
		return fmt.Sprintf("exceeded the memory limit of %d MiB", limits.Memory>>20)
	}
	return "crashed kustomize"
}

func overOutput(limits Limits) string {
	return fmt.Sprintf("exceeded the limit of %d MiB of output", limits.Output>>20)
}
