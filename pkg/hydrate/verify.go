package hydrate

import (
	"context"
	"errors"
	"fmt"
	"sort"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/source"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// Verify renders the source that a hydrated commit says it was made of and
// gives every path where the commit holds something else: the environments'
// directories and the provenance itself. An environment that was rolled back is
// held against the source of the commit that it was rolled back to. open gives
// the files of a commit of the source, branch those of another
// hydrated commit, nil if it is none.
func Verify(ctx context.Context, have source.Tree, open func(commit string) (*source.FS, error), branch func(commit string) (source.Tree, error), r Renderer) ([]tree.Difference, error) {
	p, err := tree.ReadProvenance(have)
	if errors.Is(err, tree.ErrNoProvenance) {
		return nil, err
	}
	if err != nil {
		return []tree.Difference{{Path: tree.ProvenancePath, What: "different", Detail: err.Error()}}, nil
	}
	cfg, environments, err := rerender(ctx, p, open, func(e config.Environment) bool {
		recorded, _ := p.Environment(e.Path)
		return recorded.RolledBackTo == ""
	}, r)
	if err != nil {
		return nil, err
	}
	var found []tree.Difference
	old := map[string]*tree.Environment{} // by path
	for _, e := range p.Environments {
		if e.RolledBackTo == "" {
			continue
		}
		if old[e.Path], err = rolledBack(ctx, e, open, branch, r); err != nil {
			return nil, err
		}
		if old[e.Path] == nil {
			found = append(found, tree.Difference{Path: e.Path, What: "different", Detail: e.RolledBackTo + " holds no such environment"})
		}
	}
	environments = merge(recordedChain(cfg, p), environments, old)
	want, err := tree.Branch(*p, environments, func(environment, app string) (*tree.Record, error) {
		older, err := tree.ReadRecord(have, environment, app)
		if err != nil {
			return nil, nil // no record to go by: the comparison will name the file
		}
		return older, nil
	})
	if err != nil {
		return nil, err
	}
	for dir, files := range want {
		d, err := tree.Compare(have, dir, files)
		if err != nil {
			return nil, err
		}
		found = append(found, d...)
	}
	sort.Slice(found, func(i, j int) bool { return found[i].Path < found[j].Path })
	return append(found, strangers(cfg, p)...), nil
}

// rerender renders the recorded source again: the environments of the chain
// that are chosen.
func rerender(ctx context.Context, p *tree.Provenance, open func(commit string) (*source.FS, error), choose func(config.Environment) bool, r Renderer) (*config.Config, []*tree.Environment, error) {
	files, err := open(p.Source.Commit)
	if err != nil {
		return nil, nil, err
	}
	cfg, err := Load(files, p.Source.Config)
	if err != nil {
		return nil, nil, err
	}
	var chosen []config.Environment
	for _, e := range recordedChain(cfg, p) {
		if choose(e) {
			chosen = append(chosen, e)
		}
	}
	environments, err := Environments(ctx, Source{Files: files, Config: cfg, Commit: p.Source.Commit, Open: open}, chosen, r)
	return cfg, environments, err
}

// rolledBack renders an environment as the commit has it that it was rolled
// back to; nil if that has none.
func rolledBack(ctx context.Context, e tree.EnvironmentRecord, open func(commit string) (*source.FS, error), branch func(commit string) (source.Tree, error), r Renderer) (*tree.Environment, error) {
	files, err := branch(e.RolledBackTo)
	if err == nil && files == nil {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading what %q was rolled back to: %w", e.Name, err)
	}
	p, err := tree.ReadProvenance(files)
	if errors.Is(err, tree.ErrNoProvenance) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	_, environments, err := rerender(ctx, p, open, func(c config.Environment) bool { return c.Name == e.Name && c.Path == e.Path }, r)
	if err != nil || len(environments) == 0 {
		return nil, err
	}
	return environments[0], nil
}

// merge puts rendered environments and those that were rolled back into the
// chain's order.
func merge(chain config.Chain, rendered []*tree.Environment, old map[string]*tree.Environment) []*tree.Environment {
	var all []*tree.Environment
	for _, e := range chain {
		was, rolledBack := old[e.Path]
		switch {
		case rolledBack && was != nil:
			all = append(all, was)
		case !rolledBack:
			all, rendered = append(all, rendered[0]), rendered[1:]
		}
	}
	return all
}

// recordedChain gives the chain of the config that the commit was made for.
func recordedChain(cfg *config.Config, p *tree.Provenance) config.Chain {
	for _, e := range p.Environments {
		if chain := cfg.ChainOf(e.Name); chain != nil {
			return chain
		}
	}
	return nil
}

// strangers names the recorded environments that the recorded config does not know.
func strangers(cfg *config.Config, p *tree.Provenance) []tree.Difference {
	var found []tree.Difference
	for _, e := range p.Environments {
		if _, known := cfg.Environment(e.Name); !known {
			found = append(found, tree.Difference{
				Path: e.Path, What: "extra",
				Detail: fmt.Sprintf("environment %q is not in the recorded source's config", e.Name),
			})
		}
	}
	return found
}
