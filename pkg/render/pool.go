package render

import (
	"context"
	"sync"
	"time"
)

// Limits bound what one kustomization may cost. A zero takes the default.
type Limits struct {
	Wall    time.Duration // 60 s
	CPU     time.Duration // 60 s
	Memory  int64         // bytes, 1 GiB
	Input   int64         // bytes of files, 100 MiB
	Output  int64         // bytes, 100 MiB
	Objects int           // resources counted each time they are included, 10,000
	Visits  int           // directories counted each time they are included, 5,000
}

func (l Limits) withDefaults() Limits {
	if l.Wall == 0 {
		l.Wall = time.Minute
	}
	if l.CPU == 0 {
		l.CPU = time.Minute
	}
	if l.Memory == 0 {
		l.Memory = 1 << 30
	}
	if l.Input == 0 {
		l.Input = 100 << 20
	}
	if l.Output == 0 {
		l.Output = 100 << 20
	}
	if l.Objects == 0 {
		l.Objects = 10_000
	}
	if l.Visits == 0 {
		l.Visits = 5_000
	}
	return l
}

// rootDir is where workers run.
const rootDir = "/"

// Pool renders, with kustomize in worker processes that live for many builds
// and do one at a time. It is safe for concurrent use.
type Pool struct {
	command Command
	limits  Limits
	slots   chan struct{}
	memo    *memo

	mu   sync.Mutex
	idle []*process
}

// NewPool gives a pool of at most limit workers, none of them running yet.
func NewPool(command Command, limit int, limits Limits) *Pool {
	return &Pool{
		command: command, limits: limits.withDefaults(),
		slots: make(chan struct{}, max(limit, 1)), memo: newMemo(),
	}
}

// Size is how many builds are done at a time.
func (p *Pool) Size() int { return cap(p.slots) }

// Close ends the workers. Builds must be over.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.idle {
		w.end()
	}
	p.idle = nil
}

// build runs one request in a worker. A request that is to be alone gets a
// process in which nothing was built before, and nothing will be after:
// kustomize keeps the schema of `openapi` for the life of the process.
func (p *Pool) build(ctx context.Context, req request, alone bool, ask func(string) answer) (outcome, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return outcome{}, ctx.Err()
	}
	defer func() { <-p.slots }()
	w := p.take(alone)
	if w == nil {
		var err error
		if w, err = p.command.start(p.limits.Memory); err != nil {
			return outcome{}, err
		}
	}
	out, err := w.build(ctx, req, p.limits, ask)
	switch {
	case err != nil || out.dead != "":
	case alone || out.failed != nil && out.failed.reason != failedBuild:
		w.end()
	default:
		p.mu.Lock()
		p.idle = append(p.idle, w)
		p.mu.Unlock()
	}
	return out, err
}

func (p *Pool) take(alone bool) *process {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if alone || last < 0 {
		return nil
	}
	w := p.idle[last]
	p.idle = p.idle[:last]
	return w
}
