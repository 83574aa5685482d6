package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/hydrate"
	"github.com/sluice-dev/sluice/pkg/render"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/source"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// prove verifies every commit once, those of one source one after the other,
// the newest source first. That one cannot be verified does not keep the
// others from it.
func (c *command) prove(ctx context.Context, w *workspace, with hydrate.Renderer, results []*verified) error {
	bySource := map[repo.ID][]*proved{}
	var sources []repo.ID
	for _, v := range results {
		for i := range v.commits {
			p := &v.commits[i]
			if bySource[p.Source] == nil {
				sources = append(sources, p.Source)
			}
			bySource[p.Source] = append(bySource[p.Source], p)
		}
	}
	checks := w.verifier(c, with)
	done := map[repo.ID]proved{}
	for _, s := range sources {
		for _, p := range bySource[s] {
			before, known := done[p.Commit]
			if !known {
				if before = *p; p.foreign {
					before.Differences = []tree.Difference{{Path: tree.ProvenancePath, What: "missing", Detail: "sluice did not write this commit"}}
				} else {
					before.check(ctx, checks)
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				done[p.Commit] = before
			}
			before.Source = p.Source // two environments of one commit may have two
			*p = before
		}
	}
	return nil
}

func (p *proved) check(ctx context.Context, v *verifier) {
	found, err := v.commit(ctx, p.Commit)
	p.Differences = append(p.Differences, found...)
	if p.err = err; err != nil {
		p.Error = err.Error()
	}
	p.OK = len(found) == 0 && err == nil
	if !p.OK {
		p.renderer = v.otherRenderer(p.Commit)
	}
}

// verifier proves commits of the branches one by one.
type verifier struct {
	command *command
	space   *workspace
	bytes   *hydrate.Verifier
	sources *branch.Sources
}

func (w *workspace) verifier(c *command, with hydrate.Renderer) *verifier {
	v := &verifier{command: c, space: w, sources: branch.NewSources(w.repo)}
	v.bytes = hydrate.NewVerifier(func(commit string) (*source.FS, error) {
		files, err := w.repo.Files(repo.ID(commit))
		if err != nil {
			return nil, fmt.Errorf("opening the recorded source %s: %w", repo.ID(commit).Short(), err)
		}
		c.stage("rendering source %s", repo.ID(commit).Short())
		return source.New(files), nil
	}, w.hydrated, with)
	return v
}

// commit renders what a hydrated commit says it was made of, compares, and
// holds the records against the history.
func (v *verifier) commit(ctx context.Context, id repo.ID) ([]tree.Difference, error) {
	v.command.stage("verifying %s", id.Short())
	files, err := v.space.repo.Files(id)
	if err != nil {
		return nil, err
	}
	if err := branch.CheckVersion(files, "commit "+id.Short(), v.command.Version); err != nil {
		return nil, err
	}
	// A source that nobody let in may pin programs, which rendering would run.
	if strange, err := v.origins(ctx, id, files); err != nil || len(strange) > 0 {
		return strange, err
	}
	found, err := v.bytes.Verify(ctx, files)
	if err != nil {
		return nil, err
	}
	for _, more := range []func() ([]tree.Difference, error){
		func() ([]tree.Difference, error) { return v.renderer(files), nil },
		func() ([]tree.Difference, error) { return branch.Verify(ctx, v.space.repo, id) },
		func() ([]tree.Difference, error) { return v.sources.Check(ctx, id) },
	} {
		differences, err := more()
		if err != nil && len(found) > 0 {
			return found, nil // what has been found is an answer
		}
		if err != nil {
			return nil, err
		}
		for _, d := range differences {
			if !slices.ContainsFunc(found, func(f tree.Difference) bool { return f.Path == d.Path }) {
				found = append(found, d)
			}
		}
	}
	return found, nil
}

// origins finds the sources that a commit would be rendered from and that are in
// no branch: its own, and those of commits that it takes environments back to.
func (v *verifier) origins(ctx context.Context, id repo.ID, files source.Tree) ([]tree.Difference, error) {
	ids := []repo.ID{id}
	if p, err := tree.ReadProvenance(files); err == nil {
		for _, e := range p.Environments {
			if e.RolledBackTo != "" {
				ids = append(ids, repo.ID(e.RolledBackTo))
			}
		}
	}
	for i, from := range ids {
		if i > 0 {
			if before, err := v.space.hydrated(string(from)); err != nil || before == nil {
				continue // it is no commit, or is not here: nothing of it is rendered
			}
		}
		if found, err := v.sources.Own(ctx, from); err != nil || len(found) > 0 {
			return found, err
		}
	}
	return nil, nil
}

// otherRenderer names the programs that a commit says it was made with, where
// they are not these.
func (v *verifier) otherRenderer(id repo.ID) string {
	files, err := v.space.repo.Files(id)
	if err != nil {
		return ""
	}
	p, err := tree.ReadProvenance(files)
	if err != nil || p.Renderer == (tree.Renderer{Sluice: v.command.Version, Kustomize: render.KustomizeVersion}) {
		return ""
	}
	return fmt.Sprintf("sluice %s with kustomize %s", p.Renderer.Sluice, p.Renderer.Kustomize)
}

// renderer finds a kustomize that this version of sluice never had. What is
// built from a working copy may have had any.
func (v *verifier) renderer(files source.Tree) []tree.Difference {
	p, err := tree.ReadProvenance(files)
	if err != nil || p.Renderer.Sluice != v.command.Version || p.Renderer.Kustomize == render.KustomizeVersion || !released(v.command.Version) {
		return nil
	}
	return []tree.Difference{{
		Path: tree.ProvenancePath, What: "different",
		Detail: fmt.Sprintf("sluice %s has kustomize %s", v.command.Version, render.KustomizeVersion),
	}}
}

func released(version string) bool {
	return strings.HasPrefix(version, "v") && !strings.Contains(version, "+dirty")
}
