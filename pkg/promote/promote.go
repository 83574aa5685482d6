// Package promote takes the heads of two environments and says whether, and
// to which commit, the later one may move: forward only, to a commit that the
// earlier one went through.
package promote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/diff"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// Outcome is what a promotion came to.
type Outcome string

// What a promotion can come to.
const (
	Planned Outcome = "planned"
	Merged  Outcome = "merged"
	Nothing Outcome = "nothing to promote"
)

// Plan is a promotion that nothing speaks against.
type Plan struct {
	Outcome     Outcome
	Environment config.Environment
	Before      repo.ID // tip of the environment's branch
	local       repo.ID // the same in this repository; empty in a clone that has origin's only
	Candidate   repo.ID
	Source      repo.ID // source commit of the candidate
	Commits     int     // hydrated commits that the branch moves forward by
	Changes     []diff.Change
}

// Heads tells where an environment's branch stands: here, or at a remote.
type Heads func(config.Environment) (branch.Head, error)

// Make plans the promotion of an environment. rev names the candidate; empty
// means the tip of the environment that it is promoted from.
// ours is the version of sluice that runs.
func Make(ctx context.Context, r *repo.Repo, cfg *config.Config, e config.Environment, heads Heads, rev, ours string) (*Plan, error) {
	if e.PromotedFrom == "" {
		return nil, &finding.Refusal{
			Text: fmt.Sprintf("environment %q is the first of its chain: nothing is promoted to it", e.Name),
			Hint: "sluice commit writes to it; promotedFrom in the config makes an environment a later one",
		}
	}
	if err := Frozen(e.Name, e.Frozen); err != nil {
		return nil, err
	}
	from, _ := cfg.Environment(e.PromotedFrom)
	head, err := heads(e)
	if err != nil {
		return nil, err
	}
	earlier, err := heads(from)
	if err != nil {
		return nil, err
	}
	if earlier.Bare() || head.Tip == "" {
		text := fmt.Sprintf("nothing has been hydrated for environment %q yet", from.Name)
		if !earlier.Bare() {
			text = fmt.Sprintf("environment %q has no branch %s yet", e.Name, e.Branch)
		}
		return nil, &finding.Refusal{Text: text, Hint: "run sluice commit first, with --push if origin is what counts: it makes the branches that are missing"}
	}
	p := &Plan{Outcome: Planned, Environment: e, Before: head.Tip, local: head.Local, Candidate: earlier.Tip}
	if rev != "" {
		if p.Candidate, err = r.Resolve(rev); err != nil {
			return nil, err
		}
		if err := p.onLine(ctx, r, earlier); err != nil {
			return nil, err
		}
	}
	if p.Candidate == head.Tip {
		p.Outcome = Nothing
		return p, nil
	}
	root := func() (branch.Head, error) { return heads(cfg.ChainOf(e.Name).Root()) }
	if err := p.forward(ctx, r, root, head, from, ours); err != nil {
		return nil, err
	}
	return p, p.describe(ctx, r)
}

// onLine refuses a candidate that the earlier environment never went through.
func (p *Plan) onLine(ctx context.Context, r *repo.Repo, earlier branch.Head) error {
	from := earlier.Environment
	went, err := r.IsAncestor(ctx, p.Candidate, earlier.Tip)
	if err != nil || went == repo.Yes {
		return err
	}
	if went == repo.Unknown {
		return unknown(p.Candidate, from.Branch)
	}
	return &finding.Refusal{
		Text: fmt.Sprintf("commit %s is not on branch %s: %q gets what %q went through", p.Candidate.Short(), from.Branch, p.Environment.Name, from.Name),
		Hint: "choose one of: git log --oneline " + earlier.Rev(),
	}
}

// forward refuses everything but a fast-forward.
func (p *Plan) forward(ctx context.Context, r *repo.Repo, readRoot func() (branch.Head, error), head branch.Head, from config.Environment, ours string) error {
	follows, err := r.IsAncestor(ctx, p.Before, p.Candidate)
	if err != nil || follows == repo.Yes {
		return err
	}
	if follows == repo.Unknown {
		return unknown(p.Before, p.Candidate.Short())
	}
	older, err := r.IsAncestor(ctx, p.Candidate, p.Before)
	if err != nil {
		return err
	}
	if older == repo.Yes {
		return p.past(r)
	}
	stray, err := branch.Diagnose(ctx, r, head, p.Candidate, ours)
	if err != nil {
		return err
	}
	root, err := readRoot()
	if err != nil {
		return err
	}
	refusal := &finding.Refusal{
		Text: fmt.Sprintf("branch %s at %s is not on the line of %s: moving it to %s would be no fast-forward", p.Environment.Branch, p.Before.Short(), from.Branch, p.Candidate.Short()),
		Hint: "run sluice commit: the next hydrated commit takes it in, and can be promoted",
	}
	if stray.How == branch.RolledBack {
		refusal.Text = fmt.Sprintf("commit %s is from before %q was rolled back to %s: it does not follow %s", p.Candidate.Short(), p.Environment.Name, stray.Content.Short(), p.Before.Short())
	} else {
		refusal.Text += fmt.Sprintf(": %s %s", p.Environment.Name, stray.What())
	}
	if root.Tip == "" {
		return refusal
	}
	in, err := r.IsAncestor(ctx, p.Before, root.Tip)
	if err == nil && in == repo.Yes {
		refusal.Hint = fmt.Sprintf("%s has taken it in: promote a commit of that line that follows %s", root.Environment.Branch, p.Before.Short())
		if root.Environment.Name != from.Name {
			refusal.Hint += fmt.Sprintf(", to %q first", from.Name)
		}
	}
	return refusal
}

// past refuses to go back to a commit that the branch went through.
func (p *Plan) past(r *repo.Repo) error {
	files, err := r.Files(p.Before)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("environment %q is past commit %s already: promotion goes forward only", p.Environment.Name, p.Candidate.Short())
	if now, err := tree.ReadProvenance(files); err == nil {
		if e, ok := now.Environment(p.Environment.Path); ok && e.RolledBackTo != "" {
			text = fmt.Sprintf("commit %s is from before %q was rolled back to %s", p.Candidate.Short(), p.Environment.Name, repo.ID(e.RolledBackTo).Short())
		}
	}
	return &finding.Refusal{Text: text, Hint: fmt.Sprintf("to go back: sluice rollback %s --to COMMIT; to go forward: sluice commit, and promote what that gives", p.Environment.Name)}
}

func unknown(id repo.ID, of string) error {
	return branch.UnknownHistory(fmt.Sprintf("whether %s is an ancestor of %s cannot be told", id.Short(), of))
}

// describe fills in what the environment gets.
func (p *Plan) describe(ctx context.Context, r *repo.Repo) error {
	before, err := r.Files(p.Before)
	if err != nil {
		return err
	}
	after, err := r.Files(p.Candidate)
	if err != nil {
		return err
	}
	if p.Changes, err = diff.Objects(before, after, p.Environment.Path); err != nil {
		return err
	}
	candidate, err := tree.ReadProvenance(after)
	if errors.Is(err, tree.ErrNoProvenance) {
		return &finding.Refusal{Text: fmt.Sprintf("commit %s was not written by sluice", p.Candidate.Short()), Hint: "promote a commit that sluice commit made"}
	}
	var missing *repo.MissingObjectError
	if errors.As(err, &missing) {
		return err
	}
	if err != nil {
		return &finding.Refusal{Text: fmt.Sprintf("commit %s cannot be promoted: %v", p.Candidate.Short(), err), Hint: strings.TrimSpace("see what was done to it: sluice status; sluice verify " + p.Environment.PromotedFrom)}
	}
	if !records(candidate, p.Environment) {
		return &finding.Refusal{
			Text: fmt.Sprintf("commit %s holds no environment %q in %s/: its source's config had none there", p.Candidate.Short(), p.Environment.Name, p.Environment.Path),
			Hint: "commit the config and run sluice commit; then promote what that gives",
		}
	}
	for _, e := range candidate.Environments {
		if e.RolledBackTo != "" {
			return &finding.Refusal{
				Text: fmt.Sprintf("commit %s takes %q back to %s, and %s/ in it is still what %q was taken back from", p.Candidate.Short(), e.Name, repo.ID(e.RolledBackTo).Short(), p.Environment.Path, e.Name),
				Hint: "change the source and run sluice commit; then promote what that gives",
			}
		}
	}
	p.Source = repo.ID(candidate.Source.Commit)
	n, known, err := r.CountBetween(ctx, p.Before, p.Candidate)
	if err == nil && !known {
		err = branch.UnknownHistory("how many commits come in cannot be told")
	}
	p.Commits = n
	return err
}

// records tells whether a commit was hydrated for an environment as it is now.
func records(p *tree.Provenance, e config.Environment) bool {
	return slices.ContainsFunc(p.Environments, func(r tree.EnvironmentRecord) bool { return r.Name == e.Name && r.Path == e.Path })
}

// Merge moves the branch forward to the candidate, if it still is where it
// was when the plan was made. now is the time for the reflog. After a
// *repo.ReflogError all has been done but the reflog.
func (p *Plan) Merge(ctx context.Context, r *repo.Repo, now time.Time) error {
	who := r.Committer()
	who.When = now
	update := repo.RefUpdate{Name: "refs/heads/" + p.Environment.Branch, Old: p.local, New: p.Candidate}
	err := r.UpdateRefs(ctx, []repo.RefUpdate{update}, who, "sluice promote: fast-forward")
	if branch.Landed(r, []repo.RefUpdate{update}, err) {
		err = nil
	}
	var reflog *repo.ReflogError
	if err == nil || errors.As(err, &reflog) {
		p.Outcome = Merged
	}
	return err
}
