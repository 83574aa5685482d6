package render

import (
	"context"
	"slices"
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
	limit   int
	memo    *memo

	mu      sync.Mutex
	busy    int
	idle    []*process
	waiting []*waiter
}

// Lane renders what has much in common, one after the other: a worker remembers
// what it read for the build before, so a lane goes on in its worker if that is
// free. What comes out does not depend on it.
type Lane struct {
	pool *Pool
	last *process // guarded by the pool's lock
}

// waiter is a build that waits for a worker.
type waiter struct {
	lane  *Lane
	alone bool
	turn  chan *process
}

// NewPool gives a pool of at most limit workers, none of them running yet.
func NewPool(command Command, limit int, limits Limits) *Pool {
	return &Pool{command: command, limits: limits.withDefaults(), limit: max(limit, 1), memo: newMemo()}
}

// Size is how many builds are done at a time.
func (p *Pool) Size() int { return p.limit }

// Lane begins a lane. Any number of them share the workers.
func (p *Pool) Lane() *Lane { return &Lane{pool: p} }

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
func (l *Lane) build(ctx context.Context, req request, alone bool, ask func(string) answer) (out outcome, err error) {
	p := l.pool
	w, err := p.acquire(ctx, l, alone)
	if err != nil {
		return outcome{}, err
	}
	if w == nil {
		if w, err = p.command.start(p.limits.Memory); err != nil {
			p.release(nil)
			return outcome{}, err
		}
	}
	out, err = w.build(ctx, req, p.limits, ask)
	switch {
	case err != nil || out.dead != "":
		w = nil
	case alone || out.failed != nil && out.failed.reason != failedBuild:
		w.end()
		w = nil
	default:
		p.mu.Lock()
		l.last = w
		p.mu.Unlock()
	}
	p.release(w)
	return out, err
}

// acquire waits until one more build may run, and gives the worker for it, nil
// if one has to be started.
func (p *Pool) acquire(ctx context.Context, l *Lane, alone bool) (*process, error) {
	p.mu.Lock()
	if p.busy < p.limit {
		p.busy++
		defer p.mu.Unlock()
		return p.take(l, alone), nil
	}
	me := &waiter{lane: l, alone: alone, turn: make(chan *process, 1)}
	p.waiting = append(p.waiting, me)
	p.mu.Unlock()
	select {
	case w := <-me.turn:
		return w, nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	i := slices.Index(p.waiting, me)
	if i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
	}
	p.mu.Unlock()
	if i < 0 {
		p.release(<-me.turn) // its turn came meanwhile
	}
	return nil, ctx.Err()
}

// release says that a build is over. Its worker, if it is still of use, goes to
// whoever waits: to its own lane before others.
func (p *Pool) release(w *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w != nil {
		p.idle = append(p.idle, w)
	}
	if len(p.waiting) == 0 {
		p.busy--
		return
	}
	i := max(0, slices.IndexFunc(p.waiting, func(x *waiter) bool { return w != nil && x.lane.last == w }))
	next := p.waiting[i]
	p.waiting = slices.Delete(p.waiting, i, i+1)
	next.turn <- p.take(next.lane, next.alone)
}

// take gives an idle worker, the lane's own if it can.
func (p *Pool) take(l *Lane, alone bool) *process {
	if alone || len(p.idle) == 0 {
		return nil
	}
	i := slices.Index(p.idle, l.last)
	if i < 0 {
		i = len(p.idle) - 1
	}
	w := p.idle[i]
	p.idle = slices.Delete(p.idle, i, i+1)
	return w
}
