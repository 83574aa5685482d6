package repo

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// pipe is a wire over two byte streams, to a process here or over ssh.
type pipe struct {
	in    io.WriteCloser
	out   *packets
	watch *watch
	words *lockedSaid
	asked bool
	end   func() error // waits for the other side and frees everything
}

// lockedSaid is said for a goroutine that copies a stderr.
type lockedSaid struct {
	mu sync.Mutex
	said
}

func (s *lockedSaid) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.Write(b)
}

func (s *lockedSaid) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.text)
}

func (p *pipe) greeting() *packets { return p.out }

// ask writes beside reading: a server may talk before it has read everything.
func (p *pipe) ask(write func(io.Writer) error) (*packets, func() bool, error) {
	p.asked = true
	var sent atomic.Bool
	go func() {
		// A server that hangs up early says why on the other stream.
		if write(p.watch.writer(p.in)) == nil {
			sent.Store(true)
		}
		p.in.Close()
	}()
	return p.out, sent.Load, nil
}

func (p *pipe) said() string {
	// The words may come a moment after the end of the other stream.
	for range 20 {
		if p.words.String() != "" {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	return p.words.String()
}

func (p *pipe) close() error {
	if !p.asked {
		flushPacket(p.in) // "no request": the program ends well
	}
	p.in.Close()
	return p.end()
}

// openFile serves a repository on this machine through git's own programs: they
// lock, check and run hooks as the repository's owner expects.
func (m *Remote) openFile(ctx context.Context, w *watch, at endpoint, what service) (wire, error) {
	if m.options.Git == "" {
		return nil, &hintedError{errors.New("no git program is here to serve a repository on this machine"), "install git"}
	}
	cmd := exec.CommandContext(ctx, m.options.Git, strings.TrimPrefix(string(what), "git-"), at.path)
	cmd.Dir = m.repo.gitDir
	cmd.Env = gitEnviron(m.options.Environ)
	cmd.WaitDelay = time.Second
	p := &pipe{watch: w, words: &lockedSaid{}}
	cmd.Stderr = p.words
	var err error
	if p.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = newPackets(w.reader(out))
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p.end = sync.OnceValue(func() error {
		// What it still has to say must not hold it up.
		go io.Copy(io.Discard, out)
		cmd.Wait()
		return nil
	})
	return p, nil
}

// gitEnviron takes out of an environment what ties git to one repository, and
// keeps git from asking on the terminal.
func gitEnviron(environ []string) []string {
	var kept []string
	for _, v := range environ {
		name, _, _ := strings.Cut(v, "=")
		switch name {
		case "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
			"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_SHALLOW_FILE", "GIT_QUARANTINE_PATH",
			"GIT_PROTOCOL", "GIT_TERMINAL_PROMPT", "GIT_TRACE_CURL", "GIT_TRACE", "GIT_TRACE_PACKET":
		default:
			kept = append(kept, v)
		}
	}
	return append(kept, "GIT_TERMINAL_PROMPT=0")
}
