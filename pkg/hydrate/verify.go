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
// directories and the provenance itself. open gives the files of a commit of
// the source.
func Verify(ctx context.Context, have source.Tree, open func(commit string) (*source.FS, error), r Renderer) ([]tree.Difference, error) {
	p, err := tree.ReadProvenance(have)
	if errors.Is(err, tree.ErrNoProvenance) {
		return nil, err
	}
	if err != nil {
		return []tree.Difference{{Path: tree.ProvenancePath, What: "different", Detail: err.Error()}}, nil
	}
	files, err := open(p.Source.Commit)
	if err != nil {
		return nil, err
	}
	cfg, err := Load(files, p.Source.Config)
	if err != nil {
		return nil, err
	}
	chain := recordedChain(cfg, p)
	environments, err := Environments(ctx, Source{Files: files, Config: cfg, Commit: p.Source.Commit, Open: open, recorded: true}, chain, r)
	if err != nil {
		return nil, err
	}
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
	var found []tree.Difference
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
