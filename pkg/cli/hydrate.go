package cli

import (
	"context"
	"slices"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/hydrate"
	"github.com/sluice-dev/sluice/pkg/render"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// hydrated is what a chain renders to.
type hydrated []*tree.Environment

// hydration is what the chains of one source commit render to, as it is to be
// committed onto the tips that were looked at last.
type hydration struct {
	c    *command
	w    *workspace
	s    *snapshot
	full bool // nothing is taken over from a branch

	all  []hydrated // by chain
	onto []*tree.Base
}

// render renders every chain, but for what is taken over from where the chains
// start. What took nothing over goes with any start, so that it is not
// rendered again for others.
func (h *hydration) render(ctx context.Context, starts []*branch.Start) error {
	var wanted []int // chains that have to be rendered
	bases := make([]*tree.Base, len(starts))
	for i, start := range starts {
		again := h.all != nil
		if again && h.onto[i] == nil {
			continue
		}
		if !h.full {
			var err error
			if bases[i], err = start.Base(ctx, h.w.repo, h.c.provenance(h.w, h.s)); err != nil {
				return err
			}
		}
		if !again || bases[i] == nil || bases[i].Commit != h.onto[i].Commit {
			wanted = append(wanted, i)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	if slices.ContainsFunc(wanted, func(i int) bool { return bases[i] == nil }) {
		h.c.collect(false)
	}
	pool, err := h.c.renderer()
	if err != nil {
		return err
	}
	defer pool.Close()
	all := append(make([]hydrated, 0, len(starts)), h.all...)[:len(starts)]
	var list finding.List
	for _, i := range wanted {
		chain := h.s.config.Chains()[i]
		h.c.stage("rendering %s from %s", chain.Root().Name+"'s chain", h.s.commit.ID.Short())
		src := h.w.source(ctx, h.s)
		src.Base = bases[i]
		all[i], err = hydrate.Environments(ctx, src, chain, pool)
		if err := list.Take(err); err != nil {
			return err
		}
	}
	if err := list.Err(); err != nil {
		return err
	}
	for _, i := range wanted {
		h.c.noteTaken(all[i])
		h.c.noteUnchecked(all[i])
	}
	h.all, h.onto = all, bases
	return nil
}

// noteTaken says, to those who asked, how much was rendered.
func (c *command) noteTaken(environments hydrated) {
	for _, e := range environments {
		c.stage("%s: %s rendered, %d taken over from the branch", e.Name, count(len(e.Records), "app"), len(e.Taken))
	}
}

// noteUnchecked says, to those who asked, how many of the objects that were
// rendered nothing is known of that they could be checked against.
func (c *command) noteUnchecked(environments hydrated) {
	for _, e := range environments {
		if n := len(e.Unchecked); n > 0 {
			c.stage("%s: %s not checked against a schema, the first: %s", e.Name, count(n, "object"), e.Unchecked[0])
		}
	}
}

// provenance is what the next commits will say of themselves.
func (c *command) provenance(w *workspace, s *snapshot) tree.Provenance {
	p := tree.Provenance{
		Source:   tree.Source{Commit: string(s.commit.ID), Ref: s.ref, Config: w.config},
		Renderer: tree.Renderer{Sluice: c.Version, Kustomize: render.KustomizeVersion},
	}
	if remote, ok := w.repo.RemoteURL("origin"); ok {
		p.Source.Repository = repo.SanitizeURL(remote)
	}
	return p
}
