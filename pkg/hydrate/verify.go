package hydrate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sort"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/source"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// Verifier renders the sources that hydrated commits say they were made of.
// It keeps the last one, so that commits made of one source need one rendering
// if they come one after the other. It serves one goroutine.
type Verifier struct {
	open   func(commit string) (*source.FS, error)
	branch func(commit string) (source.Tree, error)
	with   Renderer
	last   recorded
}

// recorded is a source that commits name, and what it gave for each chain.
type recorded struct {
	commit, file string // of the config
	files        *source.FS
	config       *config.Config
	err          error // why it cannot be read
	chains       map[string]rendering
}

type rendering struct {
	environments []*tree.Environment
	err          error
}

// NewVerifier verifies with the files of the source's commits, which open gives,
// and of other hydrated commits, which branch gives: nil for what is none.
func NewVerifier(open func(commit string) (*source.FS, error), branch func(commit string) (source.Tree, error), with Renderer) *Verifier {
	return &Verifier{open: open, branch: branch, with: with}
}

// read gives a recorded source.
func (v *Verifier) read(commit, file string) (*recorded, error) {
	if v.last.commit != commit || v.last.file != file {
		r := recorded{commit: commit, file: file, chains: map[string]rendering{}}
		if r.files, r.err = v.open(commit); r.err == nil {
			r.config, r.err = Load(r.files, file)
		}
		v.last = r
	}
	return &v.last, v.last.err
}

// render gives what a recorded source renders to for the chain of a commit.
func (v *Verifier) render(ctx context.Context, r *recorded, p *tree.Provenance) ([]*tree.Environment, error) {
	chain := recordedChain(r.config, p)
	root := ""
	if len(chain) > 0 {
		root = chain.Root().Name
	}
	made, known := r.chains[root]
	if !known {
		made.environments, made.err = Environments(ctx, Source{Files: r.files, Config: r.config, Commit: r.commit, Open: v.open, recorded: true}, chain, v.with)
		r.chains[root] = made
	}
	return made.environments, made.err
}

// Verify renders the source that a hydrated commit says it was made of and
// gives every path where the commit holds something else: the environments'
// directories and the provenance itself. An environment that was rolled back is
// held against the source of the commit that it was rolled back to.
func (v *Verifier) Verify(ctx context.Context, have source.Tree) ([]tree.Difference, error) {
	p, err := tree.ReadProvenance(have)
	if errors.Is(err, tree.ErrNoProvenance) {
		return nil, err
	}
	if err != nil {
		return []tree.Difference{{Path: tree.ProvenancePath, What: "different", Detail: err.Error()}}, nil
	}
	r, err := v.read(p.Source.Commit, p.Source.Config)
	if r.files != nil && p.Source.Config != "" {
		if _, absent := r.files.Stat(p.Source.Config); errors.Is(absent, fs.ErrNotExist) {
			return []tree.Difference{{Path: tree.ProvenancePath, What: "different", Detail: "the recorded source holds no " + p.Source.Config}}, nil
		}
	}
	if err != nil {
		return nil, err
	}
	cfg := r.config
	environments, err := v.render(ctx, r, p)
	if err != nil {
		return nil, err
	}
	environments, found, err := v.rolledBack(ctx, p, environments)
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

// rolledBack puts what the environments that were rolled back were rolled back
// to in the place of what the recorded source gives for them.
func (v *Verifier) rolledBack(ctx context.Context, p *tree.Provenance, rendered []*tree.Environment) (environments []*tree.Environment, found []tree.Difference, err error) {
	for _, env := range rendered {
		e, _ := p.Environment(env.Path)
		if e.RolledBackTo != "" {
			if env, err = v.former(ctx, e); err != nil {
				return nil, nil, err
			}
		}
		if env == nil {
			found = append(found, tree.Difference{Path: e.Path, What: "different", Detail: e.RolledBackTo + " holds no such environment"})
			continue
		}
		environments = append(environments, env)
	}
	return environments, found, nil
}

// former renders an environment as the commit has it that it was rolled back
// to; nil if that has none.
func (v *Verifier) former(ctx context.Context, e tree.EnvironmentRecord) (*tree.Environment, error) {
	files, err := v.branch(e.RolledBackTo)
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
	r, err := v.read(p.Source.Commit, p.Source.Config)
	if err != nil {
		return nil, err
	}
	environments, err := v.render(ctx, r, p)
	if err != nil {
		return nil, err
	}
	for _, env := range environments {
		if env.Name == e.Name && env.Path == e.Path {
			return env, nil
		}
	}
	return nil, nil
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
