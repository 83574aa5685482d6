package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/diff"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/promote"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// promoteFlags is what the command line says of a promotion.
type promoteFlags struct {
	rev          string // candidate; empty for the default
	check, merge bool
}

func (c *command) promoteCommand() *cobra.Command {
	var o promoteFlags
	cmd := &cobra.Command{
		Use: "promote ENV", Short: "Move an environment forward to a commit of the one before it",
		Long: `Promote asks for an environment to get what the one before it has: it verifies
the commit by rendering its source again, and opens a pull request on the forge
that origin is on, or brings the open one up to date. With --merge it moves the
branch: fast-forward only, to the commit of the request, once approvals and
checks of exactly that commit are there. The first environment of a chain gets
what sluice commit --pull-request asked for.

Without a forge it shows what the environment would get, and --merge moves the
branch here.`,
		Example: `  sluice promote production
  sluice promote production --check
  sluice promote production --merge`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.check && o.merge {
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
			if o.merge {
				c.noteOwner(w)
			}
			c.hear(w, cfg)
			if !o.check {
				c.news.promoting = e.Name
			}
			target, err := c.target(w, cfg, "origin")
			switch {
			case err != nil:
				return err
			case target.Type == forge.None:
				return c.promoteHere(cmd.Context(), w, cfg, e, o)
			}
			return c.promoteByRequest(cmd.Context(), w, cfg, e, target, o)
		},
	}
	cmd.Flags().StringVar(&o.rev, "commit", "", "promote hydrated commit `REV` (default: with --check and --merge what the open request is about, else the tip of the environment before)")
	cmd.Flags().BoolVar(&o.check, "check", false, "only tell, by the exit status, whether the promotion could be merged")
	cmd.Flags().BoolVar(&o.merge, "merge", false, "move the branch")
	return cmd
}

// promoteHere promotes without a forge, on the branches here.
func (c *command) promoteHere(ctx context.Context, w *workspace, cfg *config.Config, e config.Environment, o promoteFlags) error {
	plan, err := promote.Make(ctx, w.repo, cfg, e, w.heads(), o.rev, c.Version)
	if err != nil {
		return orFinding(err, o.check)
	}
	if plan.Outcome == promote.Planned && (o.check || o.merge) {
		if err := unasked(e); err != nil {
			return orFinding(err, o.check)
		}
		if err := branch.CheckMovable(w.repo, e.Branch); err != nil {
			return orFinding(err, o.check)
		}
	}
	if plan.Outcome == promote.Planned {
		if err := c.verifyCandidate(ctx, w, plan, branch.NewSources(w.repo)); err != nil {
			return orFinding(err, o.check)
		}
	}
	if o.merge && plan.Outcome == promote.Planned {
		if err := c.onlyReflog(plan.Merge(ctx, w.repo, c.Now())); err != nil {
			return err
		}
	}
	var moved []string
	if plan.Outcome == promote.Merged {
		moved = []string{e.Branch + " to " + plan.Candidate.Short()}
	}
	return unprinted(c.printPromotion(plan, promotionOf(plan), o), moved)
}

// verifyCandidate refuses a commit that is not what its source renders to.
func (c *command) verifyCandidate(ctx context.Context, w *workspace, plan *promote.Plan, sources *branch.Sources) error {
	found, err := c.verify(ctx, w, plan.Candidate, sources)
	if err != nil || len(found) == 0 {
		return err
	}
	hint := "see all of it: sluice verify " + plan.Environment.PromotedFrom
	if plan.Environment.PromotedFrom == "" {
		hint = fmt.Sprintf("delete the branch %s, and run sluice commit --pull-request again", branch.Snapshot(plan.Environment.Name))
	}
	return notRendered(plan.Candidate, found, hint)
}

// notRendered refuses a commit that could not be verified.
func notRendered(commit repo.ID, found []tree.Difference, hint string) *finding.Refusal {
	text := fmt.Sprintf("commit %s is not what its source renders to: %s %s", commit.Short(), found[0].What, found[0].Path)
	if found[0].Detail != "" {
		text += " (" + found[0].Detail + ")"
	}
	return &finding.Refusal{Text: text, Hint: hint}
}

// unasked refuses what there is nobody to ask for: a gate that is written down
// and not held would be worse than none.
func unasked(e config.Environment) error {
	if e.Approvals == 0 && len(e.RequiredChecks) == 0 {
		return nil
	}
	return &finding.Refusal{
		Text: fmt.Sprintf("environment %q asks for approvals or checks, and without a forge there is nobody to give them", e.Name),
		Hint: "run it in a clone whose origin is on a forge, or take approvals and requiredChecks out of the config",
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
	Environment string   `json:"environment"`
	Branch      string   `json:"branch"`
	Outcome     string   `json:"outcome"` // of the plan or of the request
	Before      repo.ID  `json:"before"`
	Commit      repo.ID  `json:"commit"`
	Source      repo.ID  `json:"source,omitempty"`
	Commits     int      `json:"commits"`
	Number      int64    `json:"number,omitempty"` // of the request
	URL         string   `json:"url,omitempty"`
	Gates       []gate   `json:"gates,omitempty"`
	Changes     []change `json:"changes"`
}

type change struct {
	Status       diff.Status `json:"status"`
	Object       string      `json:"object"`
	File         string      `json:"file"`
	ImagesBefore []string    `json:"imagesBefore,omitempty"`
	ImagesAfter  []string    `json:"imagesAfter,omitempty"`
}

// gate is one condition of a promotion.
type gate struct {
	Name string `json:"name"`
	Open bool   `json:"open"`
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"`
}

func promotionOf(p *promote.Plan) promotion {
	return promotion{
		Environment: p.Environment.Name, Branch: p.Environment.Branch, Outcome: string(p.Outcome),
		Before: p.Before, Commit: p.Candidate, Source: p.Source, Commits: p.Commits,
		Changes: append([]change{}, changesOf(p.Changes)...),
	}
}

func (c *command) printPromotion(p *promote.Plan, v promotion, o promoteFlags) error {
	c.promotedNews(v)
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
		if err := c.printRequest(p, v, o); err != nil {
			return err
		}
		switch {
		case p.Outcome == promote.Merged:
			_, err := fmt.Fprintf(c.Out, "%s moved forward from %s to %s, verified\n", escape(v.Branch), v.Before.Short(), v.Commit.Short())
			return err
		case o.check:
		case v.URL != "":
			c.note("hint: once it may come in: sluice promote %s --merge", v.Environment)
		default:
			c.note("hint: to move %s to %s: sluice promote %s --merge", v.Branch, v.Commit.Short(), v.Environment)
		}
		return nil
	})
}

// printRequest prints what there is to say about the request and, where they
// were asked for, the gates.
func (c *command) printRequest(p *promote.Plan, v promotion, o promoteFlags) error {
	if v.URL != "" {
		became := ""
		if p.Outcome == promote.Planned && !o.check {
			became = v.Outcome + ": "
		}
		if _, err := fmt.Fprintf(c.Out, "#%d %s%s\n", v.Number, became, escape(v.URL)); err != nil {
			return err
		}
	}
	if !o.check {
		return nil
	}
	for _, g := range v.Gates {
		word := c.paint(c.Out, green, "open: ")
		if !g.Open {
			word = c.paint(c.Out, red, "closed: ")
		}
		if _, err := fmt.Fprintln(c.Out, word+escape(g.Text)); err != nil {
			return err
		}
		if !g.Open {
			c.say("", g.Hint)
		}
	}
	return nil
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
