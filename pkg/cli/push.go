package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// The bounds on a push that others get ahead of, or whose answers get lost.
const (
	maxAttempts = 200 // times a commit is planned onto a new tip
	maxFailures = 4   // times the way to the remote fails
	pushWithin  = 15 * time.Minute
)

// pushRun is one sluice commit --push: what does not change from one attempt to
// the next, and what earlier ones have left open.
type pushRun struct {
	c       *command
	w       *workspace
	s       *snapshot
	options branch.Options
	remote  *repo.Remote
	history *branch.History
	chains  []config.Chain
	more    []string // branches that count beside those of the chains
	made    hydration
	asks    []*pull // by chain: the requests that bring the commits in; nil if the run moves the branches itself

	open     []map[repo.ID]committed // by chain: commits of attempts that may have landed
	done     []*committed            // by chain: those that surely did
	failures int
}

// commitAndPush commits onto the branches as a remote has them. What it takes
// over from there depends on the tips; all else is rendered once.
func (c *command) commitAndPush(ctx context.Context, w *workspace, s *snapshot, full bool, options branch.Options, name string) ([]committed, error) {
	if err := gated(s.config, true); err != nil {
		return nil, err
	}
	remote, err := c.remote(w, name)
	if err != nil {
		return nil, err
	}
	results, err := c.pushRun(w, s, full, options, remote).run(ctx)
	var declined *repo.DeclinedError
	if errors.As(err, &declined) && protected(declined) {
		err = &protectedError{err}
	}
	return results, err
}

func (c *command) pushRun(w *workspace, s *snapshot, full bool, options branch.Options, remote *repo.Remote, more ...string) *pushRun {
	p := &pushRun{c: c, w: w, s: s, options: options, remote: remote, chains: s.config.Chains(), more: more}
	p.made = hydration{c: c, w: w, s: s, full: full}
	p.history = branch.NewHistory(w.repo, remote, append(branch.Branches(p.chains), more...), strings.TrimPrefix(s.ref, "refs/heads/"))
	p.done = make([]*committed, len(p.chains))
	for range p.chains {
		p.open = append(p.open, map[repo.ID]committed{})
	}
	return p
}

func (p *pushRun) run(ctx context.Context) ([]committed, error) {
	ctx, cancel := context.WithTimeout(ctx, pushWithin)
	defer cancel()
	// Whoever may not even read there learns it before anything is rendered.
	tips, err := p.fetch(ctx)
	if err != nil {
		return nil, err
	}
	results, err := p.loop(ctx, tips)
	if err != nil {
		return nil, err
	}
	p.c.noteUncommitted(ctx, &p.made)
	return results, nil
}

func (p *pushRun) fetch(ctx context.Context) (branch.Tips, error) {
	return p.c.fetchTips(ctx, p.remote, p.chains, p.more...)
}

// loop tries until the push has landed or there is no sense in another attempt.
func (p *pushRun) loop(ctx context.Context, tips branch.Tips) ([]committed, error) {
	for attempt := 1; ; attempt++ {
		results, err := p.attempt(ctx, tips)
		if err == nil || !p.again(err) || attempt == maxAttempts {
			return results, err
		}
		p.c.stage("%v", err)
		if waited := p.c.pause(ctx, attempt); waited != nil {
			return nil, err
		}
		p.history.Again()
		tips, err = p.refetch(ctx, err)
		if err != nil {
			return nil, err
		}
	}
}

// refetch gets the tips anew. Where that fails for good, what the push came to
// says more than why nobody could be asked.
func (p *pushRun) refetch(ctx context.Context, why error) (branch.Tips, error) {
	for {
		tips, err := p.fetch(ctx)
		if err == nil {
			return tips, nil
		}
		if !p.again(err) || p.c.pause(ctx, p.failures) != nil {
			var unknown *repo.UnknownOutcomeError
			if errors.As(why, &unknown) {
				return nil, why
			}
			return nil, err
		}
	}
}

// again tells whether another attempt can end better. An attempt whose outcome is
// not known can be made once more: it gives the same commit.
func (p *pushRun) again(err error) bool {
	var moved *repo.RemoteMovedError
	var unknown *repo.UnknownOutcomeError
	var remote *repo.RemoteError
	switch {
	case errors.Is(err, context.Canceled):
		return false
	case errors.As(err, &moved):
		return true
	case errors.As(err, &unknown), errors.As(err, &remote):
		p.failures++
		return p.failures < maxFailures
	}
	return false
}

// attempt plans onto the tips and pushes.
func (p *pushRun) attempt(ctx context.Context, tips branch.Tips) ([]committed, error) {
	var heads [][]branch.Head
	var plans []*branch.Next
	if err := p.history.With(ctx, func() (err error) {
		heads, plans, err = p.plan(ctx, tips)
		return err
	}); err != nil {
		return nil, err
	}
	if p.asks != nil {
		return p.ask(ctx, tips, plans)
	}
	p.c.stage("pushing to %s", p.remote.URL())
	out, err := branch.Pushing{Repo: p.w.repo, Remote: p.remote, Tips: tips, Heads: heads, Chains: plans, Now: p.c.Now()}.Run(ctx)
	results := make([]committed, len(plans))
	for i, next := range plans {
		if i >= len(out.Moves) {
			break // it ended before anything was sent
		}
		results[i] = result(next, out.Moves[i], p.s.commit.ID)
		if len(out.Moves[i]) > 0 {
			results[i].Pushed = p.remote.Name()
		}
		switch {
		case err == nil && p.done[i] != nil && next.Outcome != branch.Committed:
			results[i] = *p.done[i]
		case err != nil && next.Outcome == branch.Committed:
			p.open[i][results[i].Commit] = results[i]
		}
	}
	if err != nil {
		return nil, err
	}
	for _, next := range plans {
		p.c.noteBranches(next)
	}
	if len(out.Results) > 0 && !p.c.quiet {
		p.c.said(out.Results[0].Said) // of an atomic push all results say the same
	}
	for _, b := range out.Behind {
		p.c.note("warning: the push has landed, but not all has followed here: %v", b)
	}
	return results, nil
}

// plan gives each chain's next commit onto the tips.
func (p *pushRun) plan(ctx context.Context, tips branch.Tips) (heads [][]branch.Head, plans []*branch.Next, err error) {
	var starts []*branch.Start
	for i, chain := range p.chains {
		at, err := p.heads(ctx, chain, tips)
		if err != nil {
			return nil, nil, err
		}
		tip := tips[chain.Root().Branch]
		if p.asks != nil {
			tip = at[0].Tip
		}
		if err := p.landed(ctx, i, tip); err != nil {
			return nil, nil, err
		}
		err = p.history.With(ctx, func() error { return branch.CheckHistory(ctx, p.w.repo, at, p.s.commit.ID) })
		var unknown *branch.HistoryError
		if err != nil && !errors.As(err, &unknown) {
			return nil, nil, err // what cannot be told is refused by the plan, which can be told otherwise
		}
		// More history now may save rendering what the branch holds.
		var start *branch.Start
		if err := p.history.With(ctx, func() error {
			start = branch.Begin(ctx, p.w.repo, at, p.c.Version, p.options)
			return start.Unknown()
		}); err != nil && start.Unknown() == nil {
			return nil, nil, err
		}
		heads, starts = append(heads, at), append(starts, start)
	}
	if err := p.made.render(ctx, starts); err != nil {
		return nil, nil, err
	}
	for i, start := range starts {
		next, err := start.Plan(ctx, p.w.repo, p.made.all[i], p.c.provenance(p.w, p.s), p.s.commit, p.options)
		if err != nil {
			return nil, nil, err
		}
		plans = append(plans, next)
	}
	return heads, plans, nil
}

// heads reads where a chain goes on from.
func (p *pushRun) heads(ctx context.Context, chain config.Chain, tips branch.Tips) ([]branch.Head, error) {
	if p.asks != nil {
		return branch.ReviewHeads(ctx, p.w.repo, chain, tips)
	}
	return branch.HeadsAt(ctx, p.w.repo, p.remote, chain, tips)
}

// landed finds out whether a commit of an earlier attempt has arrived after all:
// the answer was lost, and somebody else may have gone on from it by now.
func (p *pushRun) landed(ctx context.Context, chain int, tip repo.ID) error {
	for id, result := range p.open[chain] {
		if tip == "" {
			break
		}
		is, err := p.w.repo.IsAncestor(ctx, id, tip)
		if err != nil {
			return err
		}
		if is == repo.Unknown {
			return branch.UnknownHistory(fmt.Sprintf("whether %s has landed in %s cannot be told", id.Short(), tip.Short()))
		}
		if is == repo.Yes {
			p.done[chain] = &result
			p.open[chain] = map[repo.ID]committed{}
		}
	}
	return nil
}

// said shows what a server and its hooks have to say, each line by itself.
func (c *command) said(text string) { c.told("remote", text) }

// told shows what another program has to say, each line by itself.
func (c *command) told(who, text string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\r\n\t "); line != "" {
			fmt.Fprintln(c.Err, who+": "+escape(line))
		}
	}
}
