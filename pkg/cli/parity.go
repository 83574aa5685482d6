package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/diff"
	"github.com/sluice-dev/sluice/pkg/inject/conduit"
)

func (c *command) parityCommand() *cobra.Command {
	var rev string
	cmd := &cobra.Command{
		Use: "parity [A B]", Short: "Show where the environments differ from each other",
		Long: `Parity renders one state of the source for two environments and shows the
fields in which their objects differ, each difference once with the objects
that have it. Objects count as the same across namespaces and hash suffixes.
Without names it compares every environment with the one that it is promoted
from. It reads the working tree, or a commit with --rev.`,
		Example: `  sluice parity
  sluice parity staging production`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return &usageError{fmt.Errorf("parity takes two environments or none\nusage: %s", cmd.UseLine())}
			}
			return usage(cobra.MaximumNArgs(2))(cmd, args)
		},
		RunE: func(cmd *cobra.Command, names []string) error {
			w, err := c.open()
			if err != nil {
				return err
			}
			v := states{command: c, workspace: w}
			results, err := v.parity(cmd.Context(), rev, names)
			if err != nil {
				return err
			}
			return c.printParity(results)
		},
	}
	cmd.Flags().StringVar(&rev, "rev", "", "compare commit `REV` of the source instead of the working tree")
	return cmd
}

// parity compares environments as one state of the source renders them.
func (v states) parity(ctx context.Context, rev string, names []string) ([]*diff.Parity, error) {
	s, err := v.snapshot(rev)
	if err != nil {
		return nil, err
	}
	pairs, err := environmentPairs(s.config, names)
	if err != nil {
		return nil, err
	}
	var chosen []config.Environment
	seen := map[string]bool{}
	for _, p := range pairs {
		for _, e := range p {
			if !seen[e.Name] {
				seen[e.Name] = true
				chosen = append(chosen, e)
			}
		}
	}
	// What an engine follows an environment by names that environment: it always
	// differs, and tells nothing.
	plain := *s.config
	plain.Export = nil
	s.config = &plain
	state, err := v.rendered(ctx, s, chosen, "")
	if err != nil {
		return nil, err
	}
	var results []*diff.Parity
	for _, p := range pairs {
		pair := diff.Pair{Before: state.sides[p[0].Name], After: state.sides[p[1].Name], Across: true}
		r, err := diff.Compare(ctx, []diff.Pair{pair}, diff.Options{Strip: conduit.Strip})
		if err != nil {
			return nil, err
		}
		results = append(results, diff.ParityOf(&r.Environments[0], p[0].Name, p[1].Name))
	}
	return results, nil
}

// environmentPairs gives the two named environments, or each with the one
// that it is promoted from.
func environmentPairs(cfg *config.Config, names []string) ([][2]config.Environment, error) {
	var pairs [][2]config.Environment
	if len(names) == 2 {
		var pair [2]config.Environment
		for i, name := range names {
			e, ok := cfg.Environment(name)
			if !ok {
				return nil, unknownEnvironment(cfg, name)
			}
			pair[i] = e
		}
		return append(pairs, pair), nil
	}
	for _, chain := range cfg.Chains() {
		for _, e := range chain {
			if before, ok := cfg.Environment(e.PromotedFrom); ok {
				pairs = append(pairs, [2]config.Environment{before, e})
			}
		}
	}
	return pairs, nil
}

func (c *command) printParity(results []*diff.Parity) error {
	v := struct {
		Pairs []*diff.Parity `json:"pairs"`
	}{append([]*diff.Parity{}, results...)}
	return c.print(v, func() error {
		if len(results) == 0 {
			c.note("no environment is promoted from another: there is nothing to compare")
		}
		for i, p := range results {
			if i > 0 {
				fmt.Fprintln(c.Out)
			}
			if err := p.Text(c.Out, diff.Style{Escape: escape, Paint: c.painter()}); err != nil {
				return err
			}
		}
		return nil
	})
}
