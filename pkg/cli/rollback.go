package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/repo"
)

func (c *command) rollbackCommand() *cobra.Command {
	var rev string
	var sign, unsigned bool
	var options branch.Options
	cmd := &cobra.Command{
		Use: "rollback ENV", Short: "Take an environment back to what its branch held before",
		Long: `Rollback commits an environment's former objects, with their records, on top of
its branch, after the former commit has been verified by rendering its source
again. Nothing else on the branch changes, and nothing is rendered anew. Commits
from before the rollback cannot be promoted to the environment any more; what
sluice commit makes afterwards can.`,
		Example: `  sluice rollback production
  sluice rollback production --to env/production~2`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			w, cfg, err := c.openBranches()
			if err != nil {
				return err
			}
			e, ok := cfg.Environment(args[0])
			if !ok {
				return unknownEnvironment(cfg, args[0])
			}
			if options.Signer, err = c.signer(w, sign && !unsigned); err != nil {
				return err
			}
			c.noteOwner(w)
			plan, err := branch.PlanRollback(cmd.Context(), w.repo, e, rev, c.Version, options)
			if err != nil {
				return err
			}
			if !plan.Nothing() {
				found, err := c.verify(cmd.Context(), w, plan.To, branch.NewSources(w.repo))
				if err != nil {
					return err
				}
				if len(found) > 0 {
					return notRendered(plan.To, found, "choose another with --to")
				}
			}
			if err := c.onlyReflog(plan.Apply(cmd.Context(), w.repo, c.Now())); err != nil {
				return err
			}
			return unprinted(c.printRollback(plan), []string{plan.Environment.Branch})
		},
	}
	cmd.Flags().StringVar(&rev, "to", "", "go back to what commit `REV` holds (default: what the branch held before it changed last)")
	cmd.Flags().BoolVar(&options.DiscardEdits, "discard-edits", false, "overwrite what was edited by hand on the branch")
	signFlags(cmd, &sign, &unsigned)
	return cmd
}

// rollback is the result, for the output.
type rollback struct {
	Environment string      `json:"environment"`
	Branch      string      `json:"branch"`
	Outcome     string      `json:"outcome"` // rolled back, or nothing to roll back
	Before      repo.ID     `json:"before"`
	Commit      repo.ID     `json:"commit"`
	To          repo.ID     `json:"to"`
	Source      repo.ID     `json:"source"`
	Changes     []change    `json:"changes"`
	Discarded   []discarded `json:"discarded,omitempty"`
}

func (c *command) printRollback(b *branch.Rollback) error {
	v := rollback{
		Environment: b.Environment.Name, Branch: b.Environment.Branch, Outcome: "rolled back", Before: b.Before, Commit: b.After,
		To: b.To, Source: b.Source, Changes: append([]change{}, changesOf(b.Changes)...), Discarded: discards(b.Edits),
	}
	if b.Nothing() {
		v.Outcome = "nothing to roll back"
	}
	c.put("commit", string(v.Commit))
	c.put("changed", fmt.Sprint(!b.Nothing()))
	return c.print(v, func() error {
		if b.Nothing() {
			_, err := fmt.Fprintf(c.Out, "%s: nothing to roll back, it holds what %s holds\n", escape(v.Environment), v.To.Short())
			return err
		}
		if _, err := fmt.Fprintf(c.Out, "%s goes back to %s, %s changed\n", escape(v.Environment), v.To.Short(), count(len(v.Changes), "object")); err != nil {
			return err
		}
		if err := c.printChanges(b.Changes); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(c.Out, "%s moved forward from %s to %s, verified\n", escape(v.Branch), v.Before.Short(), v.Commit.Short()); err != nil {
			return err
		}
		if b.Environment.PromotedFrom == "" {
			c.note("note: the next sluice commit renders the source again: change the source before it")
		} else {
			c.note("hint: change the source and run sluice commit; what that gives can be promoted again")
		}
		return nil
	})
}
