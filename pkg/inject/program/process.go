package program

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// grace is how long the pipes of a program that has ended may stay open.
const grace = time.Second

// child is one running program and our ends of its pipes.
type child struct {
	cmd                   *exec.Cmd
	group                 *group
	stdin, stdout, stderr *os.File
}

// start runs an image, confined as far as the machine lets us.
func start(im *image, argv []string, dir string) (c *child, err error) {
	for _, isolated := range isolation {
		if c, err = launch(im, argv, dir, isolated); err == nil {
			return c, nil
		}
	}
	return nil, err
}

func launch(im *image, argv []string, dir string, isolated bool) (_ *child, err error) {
	var ends [6]*os.File // pairs of read end, write end
	defer func() {
		if err != nil {
			closeAll(ends[:]...)
		}
	}()
	for i := 0; i < len(ends); i += 2 {
		if ends[i], ends[i+1], err = os.Pipe(); err != nil {
			return nil, err
		}
	}
	theirs := []*os.File{ends[0], ends[3], ends[5]}
	// An Env that is nil would hand down our own.
	cmd := &exec.Cmd{Args: argv, Env: []string{}, Dir: dir, Stdin: theirs[0], Stdout: theirs[1], Stderr: theirs[2]}
	confine(cmd, isolated)
	release, err := im.load(cmd, theirs)
	if err != nil {
		return nil, err
	}
	defer release()
	hideInherited()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	closeAll(theirs...)
	restrain(cmd.Process.Pid)
	return &child{
		cmd: cmd, group: &group{cmd: cmd},
		stdin: ends[1], stdout: ends[2], stderr: ends[4],
	}, nil
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}

// group kills a program and what it has started, as long as its process id is
// sure to be its own.
type group struct {
	mu   sync.Mutex
	cmd  *exec.Cmd
	gone bool
}

func (g *group) kill() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.gone {
		killGroup(g.cmd)
	}
}

// reap waits for the program's end and kills what it left behind.
func (g *group) reap() *os.ProcessState {
	if waitUnreaped(g.cmd.Process.Pid) {
		g.finish()
	}
	_ = g.cmd.Wait()
	g.finish()
	return g.cmd.ProcessState
}

func (g *group) finish() {
	g.kill()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gone = true
}

// ending is all that is known of a run that is over.
type ending struct {
	stdout, stderr []byte
	state          *os.ProcessState
	flooded        bool // it printed more than allowed
	held           bool // somebody kept its output open after its end
}

// talk writes the program's input, reads its output and waits for its end. It
// returns soon after ctx is done whatever the program does.
func (c *child) talk(ctx context.Context, stdin []byte, limits Limits) ending {
	stop := context.AfterFunc(ctx, c.group.kill)
	defer stop()
	var end ending
	var out, all sync.WaitGroup
	all.Go(func() {
		// A program need not read its input; that it closes it is no fault.
		_, _ = c.stdin.Write(stdin)
		_ = c.stdin.Close()
	})
	out.Go(func() {
		var err error
		end.stdout, err = io.ReadAll(io.LimitReader(c.stdout, limits.Stdout+1))
		end.held = errors.Is(err, os.ErrClosed)
		if int64(len(end.stdout)) > limits.Stdout {
			end.flooded = true
			c.group.kill()
		}
	})
	all.Go(func() { end.stderr = tail(c.stderr, limits.Stderr) })
	end.state = c.group.reap()
	late := time.AfterFunc(grace, func() { closeAll(c.stdin, c.stdout, c.stderr) })
	out.Wait()
	all.Wait()
	late.Stop()
	closeAll(c.stdin, c.stdout, c.stderr)
	return end
}

// tail reads to the end and keeps the last n bytes.
func tail(r io.Reader, n int) []byte {
	var kept []byte
	buf := make([]byte, 32<<10)
	for {
		got, err := r.Read(buf)
		kept = append(kept, buf[:got]...)
		if len(kept) > 4*n {
			kept = append(kept[:0], kept[len(kept)-n:]...)
		}
		if err != nil {
			return kept[max(0, len(kept)-n):]
		}
	}
}
