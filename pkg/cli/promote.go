package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/diff"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/promote"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/tree"
)

func (c *command) promoteCommand() *cobra.Command {
	var rev string
	var check, merge bool
	cmd := &cobra.Command{
		Use: "promote ENV", Short: "Move an environment forward to a commit of the one before it",
		Long: `Promote shows what an environment would get from the one that it is promoted
from. With --merge it moves the branch: fast-forward only, to that same commit,
after the commit has been verified by rendering its source again.`,
		Example: `  sluice promote production
  sluice promote production --check
  sluice promote production --merge`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if check && merge {
				return &usageError{errors.New("--check only tells and --merge moves the branch: give one of them")}
			}
			w, cfg, err := c.openBranches()
			if err != nil {
				return err
			}
			e, ok := cfg.Environment(args[0])
			if !ok {
				return unknownEnvironment(cfg, args[0])
			}
			if merge {
				c.noteOwner(w)
			}
			plan, err := promote.Make(cmd.Context(), w.repo, cfg, e, rev, c.Version)
			if err != nil {
				return orFinding(err, check)
			}
			if plan.Outcome == promote.Planned && (check || merge) {
				if err := unasked(e); err != nil {
					return orFinding(err, check)
				}
				if err := branch.CheckMovable(w.repo, e.Branch); err != nil {
					return orFinding(err, check)
				}
			}
			if plan.Outcome == promote.Planned {
				found, err := c.verify(cmd.Context(), w, plan.Candidate)
				if err != nil {
					return err
				}
				if len(found) > 0 {
					return orFinding(notRendered(plan.Candidate, found, "see all of it: sluice verify "+e.PromotedFrom), check)
				}
			}
			if merge && plan.Outcome == promote.Planned {
				if err := c.onlyReflog(plan.Merge(cmd.Context(), w.repo, c.Now())); err != nil {
					return err
				}
			}
			var moved []string
			if plan.Outcome == promote.Merged {
				moved = []string{e.Branch + " to " + plan.Candidate.Short()}
			}
			return unprinted(c.printPromotion(plan, check), moved)
		},
	}
	cmd.Flags().StringVar(&rev, "commit", "", "promote hydrated commit `REV` (default: the tip of the environment before)")
	cmd.Flags().BoolVar(&check, "check", false, "only tell, by the exit status, whether the promotion could be merged")
	cmd.Flags().BoolVar(&merge, "merge", false, "move the branch")
	return cmd
}

// notRendered refuses a commit that could not be verified.
func notRendered(commit repo.ID, found []tree.Difference, hint string) *finding.Refusal {
	text := fmt.Sprintf("commit %s is not what its source renders to: %s %s", commit.Short(), found[0].What, found[0].Path)
	if found[0].Detail != "" {
		text += " (" + found[0].Detail + ")"
	}
	return &finding.Refusal{Text: text, Hint: hint}
}

// unasked refuses what nobody can be asked for yet: a gate that is written
// down and not held would be worse than none.
func unasked(e config.Environment) error {
	if e.Approvals == 0 && len(e.RequiredChecks) == 0 {
		return nil
	}
	return &finding.Refusal{
		Text: fmt.Sprintf("environment %q asks for approvals or checks, which this version does not read from a forge", e.Name),
		Hint: "have the forge's own branch protection ask for them, and take approvals and requiredChecks out of the config",
	}
}

// orFinding gives a refusal as a finding where the question was whether there
// would be one.
func orFinding(err error, check bool) error {
	if check {
		return &checkFailed{err}
	}
	return err
}

// checkFailed is a refusal that was asked for.
type checkFailed struct{ error }

func (e *checkFailed) Unwrap() error { return e.error }

// promotion is the result, for the output.
type promotion struct {
	Environment string          `json:"environment"`
	Branch      string          `json:"branch"`
	Outcome     promote.Outcome `json:"outcome"`
	Before      repo.ID         `json:"before"`
	Commit      repo.ID         `json:"commit"`
	Source      repo.ID         `json:"source,omitempty"`
	Commits     int             `json:"commits"`
	Changes     []change        `json:"changes"`
}

type change struct {
	Status       diff.Status `json:"status"`
	Object       string      `json:"object"`
	File         string      `json:"file"`
	ImagesBefore []string    `json:"imagesBefore,omitempty"`
	ImagesAfter  []string    `json:"imagesAfter,omitempty"`
}

func (c *command) printPromotion(p *promote.Plan, check bool) error {
	v := promotion{
		Environment: p.Environment.Name, Branch: p.Environment.Branch, Outcome: p.Outcome,
		Before: p.Before, Commit: p.Candidate, Source: p.Source, Commits: p.Commits, Changes: []change{},
	}
	v.Changes = append(v.Changes, changesOf(p.Changes)...)
	return c.print(v, func() error {
		if p.Outcome == promote.Nothing {
			_, err := fmt.Fprintf(c.Out, "%s: nothing to promote, it is at %s already\n", escape(v.Environment), v.Commit.Short())
			return err
		}
		verb := "would get"
		if p.Outcome == promote.Merged {
			verb = "gets"
		}
		if _, err := fmt.Fprintf(c.Out, "%s %s %s, %s changed\n", escape(v.Environment), verb, count(v.Commits, "commit"), count(len(v.Changes), "object")); err != nil {
			return err
		}
		if err := c.printChanges(p.Changes); err != nil {
			return err
		}
		if p.Outcome == promote.Merged {
			_, err := fmt.Fprintf(c.Out, "%s moved forward from %s to %s, verified\n", escape(v.Branch), v.Before.Short(), v.Commit.Short())
			return err
		}
		if !check {
			c.note("hint: to move %s to %s: sluice promote %s --merge", v.Branch, v.Commit.Short(), v.Environment)
		}
		return nil
	})
}

// changesOf gives changes as the output has them.
func changesOf(changes []diff.Change) []change {
	var all []change
	for _, ch := range changes {
		all = append(all, change{ch.Status, ch.Object, ch.File, ch.ImagesBefore, ch.ImagesAfter})
	}
	return all
}

// printChanges prints a row an object.
func (c *command) printChanges(changes []diff.Change) error {
	var rows [][]string
	colors := map[diff.Status]string{diff.Added: green, diff.Removed: red, diff.Changed: yellow}
	for _, ch := range changes {
		rows = append(rows, []string{"  " + string(ch.Status), ch.Object, images(ch)})
	}
	return table(c.Out, rows, func(row int, cell string) string {
		return c.paint(c.Out, colors[changes[row].Status], cell)
	})
}

// images tells which images an object loses and gets.
func images(ch diff.Change) string {
	had, has := map[string]bool{}, map[string]bool{}
	for _, i := range ch.ImagesBefore {
		had[i] = true
	}
	for _, i := range ch.ImagesAfter {
		has[i] = true
	}
	var out, in []string
	for _, i := range ch.ImagesBefore {
		if !has[i] {
			out = append(out, i)
		}
	}
	for _, i := range ch.ImagesAfter {
		if !had[i] {
			in = append(in, i)
		}
	}
	switch {
	case len(in) == 0 && len(out) == 0:
		return ""
	case len(out) == 0:
		return strings.Join(in, ", ")
	case len(in) == 0:
		return "no more " + strings.Join(out, ", ")
	}
	return strings.Join(out, ", ") + " -> " + strings.Join(in, ", ")
}
