package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/promote"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// asked is the request that is to bring a commit in, for the output.
type asked struct {
	Environment string  `json:"environment"`
	Branch      string  `json:"branch"` // that the request moves
	At          repo.ID `json:"at"`     // where that stands
	Outcome     string  `json:"outcome"`
	Number      int64   `json:"number,omitempty"`
	URL         string  `json:"url,omitempty"`
}

// commitAndAsk commits onto what waits for its review, or else onto the
// branches, as origin has them, and asks for the commits by pull request: one a
// chain. Every step can be done again, by this run or by another.
func (c *command) commitAndAsk(ctx context.Context, w *workspace, s *snapshot, full bool, options branch.Options) ([]committed, error) {
	target, err := c.target(w, s.config, "origin")
	if err != nil {
		return nil, err
	}
	if target.Type == forge.None {
		return nil, &finding.Refusal{
			Text: "there is no forge that a pull request could be opened at",
			Hint: "origin has to be on a forge, and forge.type in the config must not be none; sluice commit --push pushes the branches themselves",
		}
	}
	remote, err := c.remote(w, "origin")
	if err != nil {
		return nil, err
	}
	chains := s.config.Chains()
	p := c.pushRun(w, s, full, options, remote, branch.Snapshots(chains)...)
	for _, chain := range chains {
		q, err := c.pull(w, s.config, chain.Root(), target, remote)
		if err != nil {
			return nil, err
		}
		q.history, q.asked = p.history, s.ref
		p.asks = append(p.asks, q)
	}
	results, err := p.run(ctx)
	if err == nil {
		c.noteRequests(s.config, results)
	}
	return results, err
}

// ask writes the commits of one attempt, verifies those that their branches have
// not, makes the branches that are missing, and asks.
func (p *pushRun) ask(ctx context.Context, tips branch.Tips, plans []*branch.Next) (results []committed, err error) {
	w := p.w.repo.NewWriter()
	defer w.Close() // a .keep file that stays is taken away by a later run
	made := make([][]branch.Moved, len(plans))
	for i, next := range plans {
		r := result(next, nil, p.s.commit.ID)
		if r.Commit, made[i], err = next.Write(ctx, w); err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	if err := w.Flush(ctx); err != nil {
		return nil, err
	}
	reviews := make([]*promote.Plan, len(plans))
	for i, next := range plans {
		p.asks[i].at(tips, made[i])
		if next.Outcome == branch.Superseded {
			continue
		}
		if reviews[i], err = p.asks[i].review(ctx, results[i].Commit); err != nil {
			return nil, err
		}
	}
	var done []string
	for i, plan := range reviews {
		if plan == nil {
			continue
		}
		r := &results[i]
		r.Made, err = p.makeBranches(ctx, p.chains[i], made[i])
		for _, name := range r.Made {
			done = append(done, name+" was made")
		}
		if err == nil {
			err = p.request(ctx, p.asks[i], plan, r)
		}
		if plans[i].Outcome == branch.Committed {
			p.open[i][r.Commit] = *r // what another chain ends with may begin all of it again
		}
		if err != nil {
			return nil, halfway(done, err)
		}
		if r.Request.Number > 0 {
			done = append(done, fmt.Sprintf("#%d is there", r.Request.Number))
		}
		if earlier := p.done[i]; earlier != nil && plans[i].Outcome != branch.Committed {
			results[i] = earlier.asking(r.Request)
		}
		p.c.noteBranches(plans[i])
	}
	// All has been asked for: an interruption must not turn that into an error.
	if err := w.Recheck(context.WithoutCancel(ctx)); err != nil {
		p.c.note("warning: the requests are there, but not all objects are here: %v", err)
	}
	return results, nil
}

// asking is a commit of an earlier attempt with what has become of its request:
// that this run opened it stays so.
func (r *committed) asking(now *asked) committed {
	out, request := *r, *now
	if was := r.Request; was != nil && was.Number == now.Number && now.Outcome == string(forge.Unchanged) {
		request.Outcome = was.Outcome
	}
	out.Request = &request
	return out
}

// at says where the remote's branches are, and will be once the missing ones
// are made.
func (p *pull) at(tips branch.Tips, made []branch.Moved) {
	p.tips = maps.Clone(tips)
	for _, m := range made {
		p.tips[m.Branch] = m.After
	}
	p.snapshotAt = tips[p.snapshot]
}

// review plans that the branch gets a commit, and verifies it.
func (p *pull) review(ctx context.Context, commit repo.ID) (plan *promote.Plan, err error) {
	err = p.history.With(ctx, func() error {
		head, err := p.head(p.env)
		if err != nil {
			return err
		}
		plan, err = promote.Review(ctx, p.w.repo, head, commit, "")
		return err
	})
	if err != nil || plan.Outcome == promote.Nothing {
		return plan, err
	}
	return plan, p.verify(ctx, plan)
}

// makeBranches makes a chain's branches that the remote lacks, at the root
// commit. The first one has to be there, or there is nothing that a request
// could ask to move. The others may wait for somebody who is let in.
func (p *pushRun) makeBranches(ctx context.Context, chain config.Chain, moves []branch.Moved) (made []string, err error) {
	for _, m := range moves {
		_, err := p.remote.Push(ctx, []repo.PushRef{{Name: "refs/heads/" + m.Branch, New: m.After}})
		var declined *repo.DeclinedError
		switch {
		case err == nil:
			made = append(made, m.Branch)
		case !errors.As(err, &declined):
			return made, err
		case m.Branch == chain.Root().Branch:
			return made, &unmadeError{err}
		default:
			p.c.note("warning: %s was not made, and nothing can be promoted to it until it is: %v", m.Branch, err)
			p.c.say("", unmadeHint)
		}
	}
	return made, nil
}

// unmadeError is a branch that a request needs and that could not be made.
type unmadeError struct{ error }

func (e *unmadeError) Unwrap() error { return e.error }

// unmadeHint says what to do about that.
const unmadeHint = "let the account that runs sluice create the branch, or have somebody who may run the same command once: it makes the branch at the empty root commit"

// request asks for a chain's commit. Another run may have gone on meanwhile:
// then the request is about that one's commit, and so has to be its text.
func (p *pushRun) request(ctx context.Context, q *pull, plan *promote.Plan, r *committed) error {
	r.Request = &asked{Environment: q.env.Name, Branch: q.env.Branch, At: plan.Before, Outcome: string(plan.Outcome)}
	if r.Branch = q.env.Branch; plan.Outcome == promote.Nothing {
		return nil
	}
	if r.Branch = q.snapshot; q.snapshotAt != r.Commit {
		r.Pushed = p.remote.Name()
	}
	for range maxOvertaken {
		proposed, err := q.propose(ctx, plan)
		if err != nil {
			return err
		}
		r.Request.Outcome, r.Request.Number, r.Request.URL = string(proposed.Outcome), proposed.Number, proposed.URL
		tips, err := p.fetch(ctx)
		if err != nil {
			p.c.note("warning: the request is there, but whether it is still about %s could not be asked: %v", plan.Candidate.Short(), err)
			return nil
		}
		q.at(tips, nil)
		if q.snapshotAt == plan.Candidate || q.snapshotAt == "" {
			return nil
		}
		p.c.stage("%s has moved on to %s", q.snapshot, q.snapshotAt.Short())
		if plan, err = q.review(ctx, q.snapshotAt); err != nil || plan.Outcome == promote.Nothing {
			return err
		}
	}
	return nil
}

// maxOvertaken is how often a request is brought up to date for commits of
// other runs. Each of those does the same.
const maxOvertaken = 5

// gated refuses to move the first branches of chains past what the config asks
// of whatever comes in there. Without push they move here only: who approves of
// that nobody can say.
func gated(cfg *config.Config, push bool) error {
	for _, chain := range cfg.Chains() {
		e := chain.Root()
		if err := promote.Frozen(e.Name, e.Frozen); err != nil {
			return err
		}
		if push && (e.Approvals > 0 || len(e.RequiredChecks) > 0) {
			return &finding.Refusal{
				Text: fmt.Sprintf("environment %q asks for approvals or checks, and --push moves its branch without", e.Name),
				Hint: "ask for the commit: sluice commit --pull-request; without a forge, take approvals and requiredChecks out of the config",
			}
		}
	}
	return nil
}

// noteRequests says how the requests come in, and which will not for now.
func (c *command) noteRequests(cfg *config.Config, results []committed) {
	for _, r := range results {
		if r.Request == nil || r.Request.Number == 0 {
			continue
		}
		e, _ := cfg.Environment(r.Request.Environment)
		if e.Frozen != "" {
			c.note("note: environment %q is frozen: %s; nothing comes in before that ends", e.Name, e.Frozen)
			continue
		}
		c.note("hint: once it may come in: sluice promote %s --merge", e.Name)
	}
}
