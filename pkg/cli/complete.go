package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/promote"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// finishWithin bounds what is done after a branch has moved, although the run
// was interrupted.
const finishWithin = time.Minute

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
			p.clean(ctx, shown && err == nil)
			p.follow(ctx, at)
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
	in := repo.No
	if p.snapshotAt != "" {
		var err error
		if in, err = p.w.repo.IsAncestor(ctx, p.snapshotAt, plan.Before); err != nil {
			return err
		}
	}
	if in == repo.Yes {
		shown := true
		if p.request != nil {
			// Nothing moves any more: this only looks whether the request shows it.
			tip, err := string(plan.Before), error(nil)
			if shown, err = p.forge.Merge(ctx, *p.request, forge.Move{Branch: p.env.Branch, Old: tip, New: tip}); err != nil {
				return err
			}
		}
		p.clean(ctx, shown)
	}
	p.follow(ctx, plan.Before)
	return nil
}

// clean takes the snapshot away, unless the request needs it still. The
// promotion is done, whatever comes of it.
func (p *pull) clean(ctx context.Context, shown bool) {
	if !shown {
		p.c.note("note: the request does not show as merged yet, so %s stays; to look again: sluice promote %s --merge", p.snapshot, p.env.Name)
		return
	}
	if _, err := p.remote.Push(ctx, []repo.PushRef{{Name: "refs/heads/" + p.snapshot, Old: p.snapshotAt}}); err != nil {
		p.c.note("warning: branch %s is of no more use, but could not be deleted: %v", p.snapshot, err)
	}
}

// follow moves the branch here, if there is one, after the remote's.
func (p *pull) follow(ctx context.Context, at repo.ID) {
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
