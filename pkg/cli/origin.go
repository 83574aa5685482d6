package cli

import (
	"context"
	"strings"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/promote"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// first tells whether the environment is the first of its chain: it gets what
// commit --pull-request put on the snapshot, not what another one has.
func (p *pull) first() bool { return p.env.PromotedFrom == "" }

// make plans by where the remote's branches are.
func (p *pull) make(ctx context.Context, rev string) (*promote.Plan, error) {
	if !p.first() {
		return promote.Make(ctx, p.w.repo, p.cfg, p.env, p.head, rev, p.c.Version)
	}
	head, err := p.head(p.env)
	if err != nil {
		return nil, err
	}
	return promote.Review(ctx, p.w.repo, head, p.snapshotAt, rev)
}

// origin is the head that candidates come from.
func (p *pull) origin() (branch.Head, error) {
	if !p.first() {
		from, _ := p.cfg.Environment(p.env.PromotedFrom)
		return p.head(from)
	}
	if p.snapshotAt == "" {
		return p.head(p.env)
	}
	return branch.HeadAt(p.w.repo, p.env, p.snapshotAt)
}

// verify refuses a candidate that is not what its source renders to. Whoever may
// push may put a commit on the snapshot that an environment's first branch is
// asked to take, and name a source in it that nobody has merged: there, what the
// branch itself was made of says which branch is the source's.
func (p *pull) verify(ctx context.Context, plan *promote.Plan) error {
	return p.history.With(ctx, func() error {
		sources := branch.NewSources(p.w.repo)
		if p.first() {
			head, err := p.head(p.env)
			if err != nil {
				return err
			}
			sources = branch.SourcesOf(p.w.repo, recordedRef(head), p.asked)
		}
		return p.c.verifyCandidate(ctx, p.w, plan, sources)
	})
}

// recordedRef is the ref of the source that a head says it comes from; empty if
// it does not say.
func recordedRef(h branch.Head) string {
	if h.Provenance == nil {
		return ""
	}
	return h.Provenance.Source.Ref
}

// recordedBranch is the branch of the source that a head says it comes from;
// empty if it does not say.
func recordedBranch(h branch.Head) string {
	name, _ := strings.CutPrefix(recordedRef(h), "refs/heads/")
	return name
}

// noteAhead says that a branch here holds what its remote's has not. That is a
// hint and no more: not being able to tell is no error.
func (p *pull) noteAhead(ctx context.Context, head branch.Head) {
	if p.first() || head.Local == "" || head.Local == head.Tip || head.Tip == "" {
		return
	}
	if ahead, err := p.w.repo.IsAncestor(ctx, head.Tip, head.Local); err == nil && ahead == repo.Yes {
		p.c.note("note: %s here is ahead of %s's, which is what counts; sluice commit --push brings it there", head.Environment.Branch, p.remote.Name())
	}
}
