package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/promote"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// finishWithin bounds what is done after a branch has moved, although the run
// was interrupted.
const finishWithin = time.Minute

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
	p := &pull{c: c, w: w, cfg: cfg, env: e, target: t, remote: remote, snapshot: "sluice/promote/" + e.Name}
	if p.forge, err = c.forge(t, cfg, p.push); err != nil {
		return err
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

// fetch finds out where the chain's branches and the snapshot are.
func (p *pull) fetch(ctx context.Context) error {
	chains := []config.Chain{p.cfg.ChainOf(p.env.Name)}
	var err error
	if p.tips, err = p.c.fetchTips(ctx, p.remote, chains); err != nil {
		return err
	}
	if p.snapshotAt, err = p.fetchBranch(ctx, p.snapshot); err != nil {
		return err
	}
	from, _ := p.cfg.Environment(p.env.PromotedFrom)
	source := ""
	if head, err := p.head(from); err == nil && head.Provenance != nil {
		source, _ = strings.CutPrefix(head.Provenance.Source.Ref, "refs/heads/")
	}
	p.history = branch.NewHistory(p.w.repo, p.remote, branch.Branches(chains), source)
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
		plan, err = promote.Make(ctx, p.w.repo, p.cfg, p.env, p.head, rev, p.c.Version)
		return err
	})
	if err != nil || plan.Outcome == promote.Nothing {
		return plan, err
	}
	return plan, p.history.With(ctx, func() error { return p.c.verifyCandidate(ctx, p.w, plan) })
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
	var f config.Forge
	if p.cfg.Forge != nil {
		f = *p.cfg.Forge
	}
	proposed, err := forge.Ensure(ctx, p.forge, p.snapshot, p.env.Branch, proposal, f.Draft, f.Labels)
	if err != nil {
		return proposed, err
	}
	return proposed, p.report(ctx, plan)
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

// complete holds the candidate against the gates, and with --merge has the
// forge let it in.
func (p *pull) complete(ctx context.Context, plan *promote.Plan, out promotion, o promoteFlags) error {
	var evidence *forge.Evidence
	if p.request != nil {
		e, err := p.forge.Evidence(ctx, *p.request, string(plan.Candidate))
		if err != nil {
			return err
		}
		evidence, out.Number, out.URL = &e, p.request.Number, p.request.URL
	}
	gates := forge.Gates(forge.Policy{
		Environment: p.env.Name, Approvals: p.env.Approvals, Checks: p.env.RequiredChecks, Frozen: p.env.Frozen,
	}, string(plan.Candidate), evidence)
	for _, g := range gates {
		out.Gates = append(out.Gates, gate(g))
	}
	closed := forge.Closed(gates)
	if o.check {
		if err := p.c.printPromotion(plan, out, o); err != nil || len(closed) == 0 {
			return unprinted(err, nil)
		}
		return errFound
	}
	if len(closed) > 0 {
		return &gatesError{closed}
	}
	if err := p.merge(ctx, plan); err != nil {
		return err
	}
	out.Outcome = string(plan.Outcome)
	return unprinted(p.c.printPromotion(plan, out, o), []string{p.env.Branch + " to " + plan.Candidate.Short()})
}

// merge has the branch moved, and looks at the remote whether it did: whatever
// an answer says, or if none came, what git shows counts.
func (p *pull) merge(ctx context.Context, plan *promote.Plan) error {
	p.c.stage("moving %s to %s", p.env.Branch, plan.Candidate.Short())
	shown, err := p.forge.Merge(ctx, *p.request, forge.Move{Branch: p.env.Branch, Old: string(plan.Before), New: string(plan.Candidate)})
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishWithin)
	defer cancel()
	at, readErr := p.fetchBranch(ctx, p.env.Branch)
	if readErr == nil {
		var in repo.Ancestry
		if in, readErr = p.w.repo.IsAncestor(ctx, plan.Candidate, at); readErr == nil && in == repo.Yes {
			plan.Outcome = promote.Merged
			if err != nil {
				p.c.note("warning: %s has moved, but what came after that did not work; sluice promote %s --merge goes on: %v", p.env.Branch, p.env.Name, err)
			}
			p.clean(ctx, at, shown && err == nil)
			return nil
		}
	}
	switch {
	case err != nil:
		return err
	case readErr != nil:
		return readErr
	}
	return &forge.Error{
		Op: "reading the branch", Host: p.target.Web.Host, Kind: forge.Moved,
		Said: fmt.Sprintf("the forge says that %s was moved to %s, and git finds it at %s", p.env.Branch, plan.Candidate.Short(), at.Short()),
		Hint: "run the command again",
	}
}

// finish does what an earlier run may have left undone after the branch moved.
func (p *pull) finish(ctx context.Context, plan *promote.Plan) error {
	if p.snapshotAt == "" {
		return nil
	}
	in, err := p.w.repo.IsAncestor(ctx, p.snapshotAt, plan.Before)
	if err != nil || in != repo.Yes {
		return err
	}
	shown := true
	if p.request != nil {
		tip := string(plan.Before)
		if shown, err = p.forge.Merge(ctx, *p.request, forge.Move{Branch: p.env.Branch, Old: tip, New: tip}); err != nil {
			return err
		}
	}
	p.clean(ctx, plan.Before, shown)
	return nil
}

// clean takes the snapshot away, unless the request needs it still, and moves
// the branch here after the remote's. The promotion is done, whatever comes of it.
func (p *pull) clean(ctx context.Context, at repo.ID, shown bool) {
	if shown {
		if _, err := p.remote.Push(ctx, []repo.PushRef{{Name: "refs/heads/" + p.snapshot, Old: p.snapshotAt}}); err != nil {
			p.c.note("warning: branch %s is of no more use, but could not be deleted: %v", p.snapshot, err)
		}
	} else {
		p.c.note("note: the request does not show as merged yet, so %s stays; to look again: sluice promote %s --merge", p.snapshot, p.env.Name)
	}
	who := p.w.repo.Committer()
	who.When = p.c.Now()
	if err := branch.Forward(ctx, p.w.repo, p.env.Branch, at, false, who, "sluice promote: fast-forward"); err != nil {
		p.c.note("warning: the promotion has landed, but %s here has not followed: %v", p.env.Branch, err)
	}
}

// gatesError is a promotion that is not let in yet.
type gatesError struct{ closed []forge.Gate }

func (e *gatesError) Error() string {
	var all []string
	for _, g := range e.closed {
		all = append(all, g.Text)
	}
	return strings.Join(all, "; ")
}
