package promote

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// Frozen refuses an environment that nothing may come into.
func Frozen(name, reason string) error {
	if reason == "" {
		return nil
	}
	return &finding.Refusal{
		Text: fmt.Sprintf("environment %q is frozen: %s", name, reason),
		Hint: "take the reason out of frozen: in the config when the freeze is over",
	}
}

// Review plans that the first environment of a chain gets a commit that waits
// for it on its snapshot: what commit wrote, not what another environment went
// through. waiting is the snapshot's tip, "" if there is none. rev names a commit
// on the way there; empty means waiting itself. Whether the environment is frozen
// is not asked.
func Review(ctx context.Context, r *repo.Repo, head branch.Head, waiting repo.ID, rev string) (*Plan, error) {
	e := head.Environment
	if head.Tip == "" {
		return nil, &finding.Refusal{
			Text: fmt.Sprintf("environment %q has no branch %s yet", e.Name, e.Branch),
			Hint: "sluice commit --pull-request makes it and asks for what it is to get",
		}
	}
	p := &Plan{Outcome: Nothing, Environment: e, Before: head.Tip, local: head.Local, Candidate: head.Tip}
	if waiting == "" && rev == "" {
		return p, nil
	}
	candidate := waiting
	if rev != "" {
		var err error
		if candidate, err = r.Resolve(rev); err != nil {
			return nil, err
		}
		if err := waits(ctx, r, e.Name, candidate, waiting); err != nil {
			return nil, err
		}
	}
	has, err := r.IsAncestor(ctx, candidate, p.Before)
	switch {
	case err != nil:
		return nil, err
	case has == repo.Yes:
		return p, nil
	case has == repo.Unknown:
		return nil, unknown(candidate, e.Branch)
	}
	follows, err := r.IsAncestor(ctx, p.Before, candidate)
	switch {
	case err != nil:
		return nil, err
	case follows == repo.Unknown:
		return nil, unknown(p.Before, candidate.Short())
	case follows == repo.No:
		return nil, &finding.Refusal{
			Text: fmt.Sprintf("commit %s does not follow branch %s, which is at %s: moving it there would be no fast-forward", candidate.Short(), e.Branch, p.Before.Short()),
			Hint: "run sluice commit --pull-request: it asks for a commit that does",
		}
	}
	p.Outcome, p.Candidate = Planned, candidate
	if err := p.describe(ctx, r); err != nil {
		return p, err
	}
	return p, p.notOlder(ctx, r, head)
}

// notOlder refuses a commit that follows the branch's and is made of an older
// source: commit makes none, but whoever may push the snapshot can. A source that
// has nothing to do with the branch's was asked for when the commit was made.
func (p *Plan) notOlder(ctx context.Context, r *repo.Repo, head branch.Head) error {
	if head.Provenance == nil {
		return nil
	}
	now := repo.ID(head.Provenance.Source.Commit)
	newer, err := r.IsAncestor(ctx, now, p.Source)
	if err != nil || newer == repo.Yes {
		return err
	}
	if newer == repo.Unknown {
		return unknown(now, "source "+p.Source.Short())
	}
	older, err := r.IsAncestor(ctx, p.Source, now)
	var missing *repo.MissingObjectError
	if errors.As(err, &missing) {
		shallow, shallowErr := r.Shallow()
		if shallowErr != nil || shallow {
			return errors.Join(err, shallowErr)
		}
		return nil // the source's history was rewritten, and the old one is gone
	}
	switch {
	case err != nil || older == repo.No:
		return err
	case older == repo.Unknown:
		return unknown(p.Source, "source "+now.Short())
	}
	e := p.Environment
	return &finding.Refusal{
		Text: fmt.Sprintf("commit %s is made of source %s, and %s of a newer one, %s", p.Candidate.Short(), p.Source.Short(), e.Branch, now.Short()),
		Hint: fmt.Sprintf("delete the branch %s; to go back: sluice rollback %s --to COMMIT", branch.Snapshot(e.Name), e.Name),
	}
}

// waits refuses a commit that nobody has asked for.
func waits(ctx context.Context, r *repo.Repo, environment string, candidate, waiting repo.ID) error {
	on := repo.No
	if waiting != "" {
		var err error
		if on, err = r.IsAncestor(ctx, candidate, waiting); err != nil {
			return err
		}
	}
	switch on {
	case repo.Yes:
		return nil
	case repo.Unknown:
		return unknown(candidate, branch.Snapshot(environment))
	}
	return &finding.Refusal{
		Text: fmt.Sprintf("commit %s does not wait for %q: branch %s does not hold it", candidate.Short(), environment, branch.Snapshot(environment)),
		Hint: "sluice commit --pull-request asks for what the source renders to",
	}
}
