package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/promote"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// pull is a promotion by pull request: what does not change during a run, and
// where the remote's branches were found.
type pull struct {
	c        *command
	w        *workspace
	cfg      *config.Config
	env      config.Environment
	target   forge.Target
	forge    forge.Forge
	remote   *repo.Remote
	snapshot string // branch that a request comes from; what was reviewed does not move with the environment before

	asked      string // ref of the source that this run asks for, "refs/heads/main"; empty without one
	history    *branch.History
	tips       branch.Tips
	snapshotAt repo.ID        // where the remote has it; empty if it has not
	request    *forge.Request // nil if none is open, or nobody asked
}

// promoteByRequest plans against the remote's branches, and opens, judges or
// completes the pull request. Every step can be done again.
func (c *command) promoteByRequest(ctx context.Context, w *workspace, cfg *config.Config, e config.Environment, t forge.Target, o promoteFlags) error {
	remote, err := c.remote(w, "origin")
	if err != nil {
		return err
	}
	p, err := c.pull(w, cfg, e, t, remote)
	if err != nil {
		return err
	}
	if err := promote.Frozen(e.Name, e.Frozen); err != nil {
		return orFinding(err, o.check)
	}
	if err := p.fetch(ctx); err != nil {
		return err
	}
	if o.check || o.merge {
		if err := p.find(ctx); err != nil {
			return err
		}
		if p.request != nil && o.rev == "" {
			o.rev = string(p.snapshotAt) // what was reviewed, whatever came after it
		}
	}
	plan, err := p.plan(ctx, o.rev)
	if err != nil {
		return orFinding(err, o.check)
	}
	out := promotionOf(plan)
	switch {
	case plan.Outcome == promote.Nothing && o.merge:
		if err := p.finish(ctx, plan); err != nil {
			return err
		}
	case plan.Outcome == promote.Nothing:
	case o.check, o.merge:
		return p.complete(ctx, plan, out, o)
	default:
		proposed, err := p.propose(ctx, plan)
		if err != nil {
			return err
		}
		out.Outcome, out.Number, out.URL = string(proposed.Outcome), proposed.Number, proposed.URL
	}
	return unprinted(c.printPromotion(plan, out, o), nil)
}

// pull opens the forge for one environment's requests. Nothing is asked of it yet.
func (c *command) pull(w *workspace, cfg *config.Config, e config.Environment, t forge.Target, remote *repo.Remote) (*pull, error) {
	p := &pull{c: c, w: w, cfg: cfg, env: e, target: t, remote: remote, snapshot: branch.Snapshot(e.Name)}
	var err error
	p.forge, err = c.forge(t, cfg, p.push)
	return p, err
}

// fetch finds out where the chain's branches and the snapshot are.
func (p *pull) fetch(ctx context.Context) error {
	chains := []config.Chain{p.cfg.ChainOf(p.env.Name)}
	var err error
	if p.tips, err = p.c.fetchTips(ctx, p.remote, chains, p.snapshot); err != nil {
		return err
	}
	p.snapshotAt = p.tips[p.snapshot]
	head, err := p.origin()
	if err != nil {
		return err
	}
	p.noteAhead(ctx, head)
	p.history = branch.NewHistory(p.w.repo, p.remote, append(branch.Branches(chains), p.snapshot), recordedBranch(head))
	return nil
}

// fetchBranch gets one branch and tells where the remote has it.
func (p *pull) fetchBranch(ctx context.Context, name string) (repo.ID, error) {
	full := "refs/heads/" + name
	got, err := p.remote.Fetch(ctx, []repo.FetchSpec{{Remote: full, Local: p.remote.Tracking(name)}}, repo.FetchOptions{Depth: 1})
	return got[full], err
}

func (p *pull) head(e config.Environment) (branch.Head, error) {
	return branch.HeadAt(p.w.repo, e, p.tips[e.Branch])
}

// find looks for the open request.
func (p *pull) find(ctx context.Context) error {
	open, err := p.forge.Find(ctx, p.snapshot, p.env.Branch)
	if err == nil && len(open) > 0 {
		p.request = &open[0]
	}
	return err
}

// plan plans against the remote's branches, and verifies the candidate.
func (p *pull) plan(ctx context.Context, rev string) (plan *promote.Plan, err error) {
	err = p.history.With(ctx, func() error {
		plan, err = p.make(ctx, rev)
		return err
	})
	if err != nil || plan.Outcome == promote.Nothing {
		return plan, err
	}
	return plan, p.verify(ctx, plan)
}

// propose pushes the snapshot, and opens the request or brings it up to date.
func (p *pull) propose(ctx context.Context, plan *promote.Plan) (forge.Proposed, error) {
	proposal, err := plan.Proposal(ctx, p.w.repo, page(p.target))
	if err != nil {
		return forge.Proposed{}, err
	}
	proposal.Merge, proposal.Buttons = "sluice promote "+p.env.Name+" --merge", p.forge.Buttons()
	if err := p.pushSnapshot(ctx, plan.Candidate); err != nil {
		return forge.Proposed{}, err
	}
	p.snapshotAt = plan.Candidate
	var f config.Forge
	if p.cfg.Forge != nil {
		f = *p.cfg.Forge
	}
	proposed, err := forge.Ensure(ctx, p.forge, p.snapshot, p.env.Branch, proposal, f.Draft, f.Labels)
	if err != nil {
		return proposed, &halfwayError{fmt.Sprintf("%s is at %s, and whether a request asks for that is not known", p.snapshot, plan.Candidate.Short()), err}
	}
	if err := p.report(ctx, plan); err != nil {
		p.c.note("note: the request is there: #%d %s", proposed.Number, proposed.URL)
		return proposed, &halfwayError{fmt.Sprintf("#%d asks for %s, and the status %s is not on it yet", proposed.Number, plan.Candidate.Short(), verifyStatus), err}
	}
	return proposed, nil
}

// verifyStatus is the commit status that says that a commit is what its
// source renders to.
const verifyStatus = "sluice/verify"

// report puts that status on the candidate. A token that may open requests and
// not report is enough, unless the status is asked for.
func (p *pull) report(ctx context.Context, plan *promote.Plan) error {
	err := p.forge.Report(ctx, string(plan.Candidate), forge.Status{
		Name: verifyStatus, State: forge.Passed, Text: "rendering source " + plan.Source.Short() + " gives exactly this commit",
	})
	var answer *forge.Error
	if errors.As(err, &answer) && answer.Kind == forge.Forbidden && !slices.Contains(p.env.RequiredChecks, verifyStatus) {
		p.c.note("warning: the request is there, but not the status %s on its commit: %v", verifyStatus, err)
		return nil
	}
	return err
}

// pushSnapshot brings the snapshot to a commit. Only this branch, which nobody
// works on, ever goes back; then it is another branch of the same name.
func (p *pull) pushSnapshot(ctx context.Context, to repo.ID) error {
	p.c.stage("pushing %s to %s", p.snapshot, p.remote.URL())
	full := "refs/heads/" + p.snapshot
	if p.snapshotAt != "" && p.snapshotAt != to {
		forward := repo.No
		err := p.history.With(ctx, func() (err error) {
			if forward, err = p.w.repo.IsAncestor(ctx, p.snapshotAt, to); err == nil && forward == repo.Unknown {
				return branch.UnknownHistory("how " + p.snapshot + " stands to " + to.Short() + " cannot be told")
			}
			return err
		})
		if err != nil {
			return err
		}
		if forward != repo.Yes {
			p.c.note("note: %s goes from %s to %s, which does not follow it: the request that was open is closed, and another is opened", p.snapshot, p.snapshotAt.Short(), to.Short())
			if _, err := p.remote.Push(ctx, []repo.PushRef{{Name: full, Old: p.snapshotAt}}); err != nil {
				return err
			}
			p.snapshotAt = ""
		}
	}
	_, err := p.remote.Push(ctx, []repo.PushRef{{Name: full, Old: p.snapshotAt, New: to}})
	return err
}

// push moves a branch by git's own protocol. Where git's credentials are not
// let in, the forge's may be.
func (p *pull) push(ctx context.Context, m forge.Move) error {
	_, err := p.remote.Push(ctx, []repo.PushRef{{Name: "refs/heads/" + m.Branch, Old: repo.ID(m.Old), New: repo.ID(m.New)}})
	var auth *repo.AuthError
	var declined *repo.DeclinedError
	app := p.cfg.Forge != nil && p.cfg.Forge.App != nil // who may be let past a rule that stops whoever pushes
	if errors.As(err, &auth) || app && errors.As(err, &declined) {
		return fmt.Errorf("%w: %w", forge.ErrNoPush, err)
	}
	return err
}
