package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/diff"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/hydrate"
	"github.com/sluice-dev/sluice/pkg/tree"
)

var errRevBesideNames = errors.New("--rev names what is compared with the branches: it does not go with two names")

// states finds the states of environments that a command compares.
type states struct {
	*command
	*workspace
	config *config.Config
}

// state is the environments that one name stands for.
type state struct {
	label string
	names []string // in order
	sides map[string]diff.Side
	one   bool // the name was an environment's
}

// pairs gives what the arguments of diff ask to compare.
func (v states) pairs(ctx context.Context, rev string, args []string) ([]diff.Pair, error) {
	if len(args) < 2 {
		return v.againstBranches(ctx, rev, args)
	}
	if rev != "" {
		return nil, &usageError{errRevBesideNames}
	}
	return v.two(ctx, args[0], args[1])
}

// againstBranches compares the source, rendered, with what the branches hold.
func (v states) againstBranches(ctx context.Context, rev string, names []string) ([]diff.Pair, error) {
	s, err := v.snapshot(rev)
	if err != nil {
		return nil, err
	}
	chosen, err := choose(s.config, names)
	if err != nil {
		return nil, err
	}
	label := "working tree"
	if s.commit != nil {
		label = "source " + s.commit.ID.Short()
	}
	after, err := v.rendered(ctx, s, chosen, label)
	if err != nil {
		return nil, err
	}
	var pairs []diff.Pair
	for _, e := range chosen {
		before, err := v.onBranch(e)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, diff.Pair{Name: e.Name, Before: before, After: after.sides[e.Name]})
	}
	return pairs, nil
}

// snapshot gives the working tree, or a commit of the source.
func (v states) snapshot(rev string) (*snapshot, error) {
	if rev == "" {
		return v.workingTree()
	}
	return v.revision(rev)
}

// rendered renders environments of the source.
func (v states) rendered(ctx context.Context, s *snapshot, chosen []config.Environment, label string) (*state, error) {
	renderer, err := v.renderer()
	if err != nil {
		return nil, err
	}
	defer renderer.Close()
	environments, err := hydrate.Environments(ctx, v.source(ctx, s), chosen, renderer)
	if err != nil {
		return nil, err
	}
	out := &state{label: label, sides: map[string]diff.Side{}}
	for _, e := range environments {
		out.names = append(out.names, e.Name)
		out.sides[e.Name] = diff.Side{Label: label, Files: diff.Rendered(e.Files), Path: e.Path}
	}
	return out, nil
}

// onBranch gives what an environment's branch holds of it.
func (v states) onBranch(e config.Environment) (diff.Side, error) {
	head, err := branch.ReadHead(v.repo, e)
	side := diff.Side{Label: e.Branch + " (nothing yet)", Path: e.Path}
	switch {
	case err != nil:
		return side, err
	case head.Foreign:
		return side, &finding.Refusal{Text: fmt.Sprintf("branch %s was not written by sluice", e.Branch), Hint: "there is nothing that it could be compared with"}
	case head.Damaged != nil:
		return side, head.Damaged
	case head.Bare():
		return side, nil
	}
	files, err := v.repo.Files(head.Tip)
	if err != nil {
		return side, err
	}
	for _, recorded := range head.Provenance.Environments {
		if recorded.Name == e.Name {
			side.Path = recorded.Path
		}
	}
	side.Label, side.Files = e.Branch+" at "+head.Tip.Short(), diff.Below(files, side.Path)
	return side, nil
}

// two compares what two names stand for.
func (v states) two(ctx context.Context, a, b string) ([]diff.Pair, error) {
	before, err := v.named(ctx, a)
	if err != nil {
		return nil, err
	}
	after, err := v.named(ctx, b)
	if err != nil {
		return nil, err
	}
	if before.one && after.one {
		x, y := before.names[0], after.names[0]
		name := x + " -> " + y
		if x == y {
			name = x
		}
		return []diff.Pair{{Name: name, Before: before.sides[x], After: after.sides[y], Across: x != y}}, nil
	}
	names := before.names
	switch {
	case after.one:
		names = after.names
	case !before.one:
		for _, name := range after.names {
			if _, both := before.sides[name]; !both {
				names = append(names, name)
			}
		}
	}
	var pairs []diff.Pair
	for _, name := range names {
		pairs = append(pairs, diff.Pair{Name: name, Before: before.side(name), After: after.side(name)})
	}
	return pairs, nil
}

// side gives an environment of a state, an empty one if it has none of the name.
func (s *state) side(name string) diff.Side {
	if side, ok := s.sides[name]; ok {
		return side
	}
	return diff.Side{Label: s.label + " (no such environment)", Path: name}
}

// named finds what a name stands for: an environment first, then a revision
// of an environment branch, then one of the source.
func (v states) named(ctx context.Context, name string) (*state, error) {
	if e, ok := v.config.Environment(name); ok {
		side, err := v.onBranch(e)
		return &state{label: side.Label, names: []string{name}, sides: map[string]diff.Side{name: side}, one: true}, err
	}
	id, err := v.repo.Resolve(name)
	if err != nil {
		return nil, err
	}
	files, err := v.repo.Files(id)
	if err != nil {
		return nil, err
	}
	label := name + " at " + id.Short()
	p, err := tree.ReadProvenance(files)
	if errors.Is(err, tree.ErrNoProvenance) {
		s, err := v.revision(name)
		if err != nil {
			return nil, err
		}
		chosen, err := choose(s.config, nil)
		if err != nil {
			return nil, err
		}
		return v.rendered(ctx, s, chosen, label)
	}
	if err != nil {
		return nil, err
	}
	out := &state{label: label, sides: map[string]diff.Side{}}
	for _, e := range p.Environments {
		out.names = append(out.names, e.Name)
		out.sides[e.Name] = diff.Side{Label: label, Files: diff.Below(files, e.Path), Path: e.Path}
	}
	return out, nil
}
