package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/repo"
)

func (c *command) commitCommand() *cobra.Command {
	var rev, remote string
	var push, ask, sign, unsigned, full bool
	var options branch.Options
	cmd := &cobra.Command{
		Use: "commit", Short: "Commit the hydrated objects to the environment branches",
		Long: `Commit renders the source commit for every environment and writes the result
as one commit to the branch of the first environment of each chain. The other
environments get that same commit by promotion. If no object changed there is
no commit. A branch that left its chain's line, by a squash merge or a rollback,
is taken in as a further parent, so that it can be promoted to again.

Apps whose inputs, config and pins are those that the branch records are not
rendered again: they are taken over from the branch, if nobody edited it. --full
renders everything.

With --push it starts from the branches as the remote has them, pushes all of
them together and never by force, and then moves those here. If somebody else
was first, it starts again from there.

With --pull-request it pushes the commit beside the branch, and opens a pull
request that asks for it, or brings the open one up to date. sluice promote ENV
--merge lets it in.`,
		Example: `  sluice commit
  sluice commit --rev main
  sluice commit --push
  sluice commit --pull-request`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case push && ask:
				return &usageError{errors.New("--push moves the branches and --pull-request asks for that: give one of them")}
			case cmd.Flags().Changed("remote") && !push:
				return &usageError{errors.New("--remote says where to push: it goes with --push")}
			}
			c.collect(true)
			w, err := c.open()
			if err != nil {
				return err
			}
			aside := c.lookAside(cmd.Context(), w)
			defer aside.stop()
			s, err := w.revision(rev)
			if err != nil {
				return err
			}
			s.aside = aside
			if options.Signer, err = c.signer(w, sign && !unsigned); err != nil {
				return err
			}
			c.noteOwner(w)
			c.hear(w, s.config)
			var results []committed
			switch {
			case ask:
				results, err = c.commitAndAsk(cmd.Context(), w, s, full, options)
			case push:
				results, err = c.commitAndPush(cmd.Context(), w, s, full, options, remote)
			default:
				results, err = c.commit(cmd.Context(), w, s, full, options)
			}
			if err != nil {
				return err
			}
			c.committedNews(results)
			return unprinted(c.printCommits(results), movedTo(results))
		},
	}
	cmd.Flags().StringVar(&rev, "rev", "HEAD", "the source commit `REV`")
	cmd.Flags().BoolVar(&push, "push", false, "push the branches")
	cmd.Flags().BoolVar(&ask, "pull-request", false, "ask for the commit by pull request, at origin: for branches that are protected")
	cmd.Flags().StringVar(&remote, "remote", "origin", "with --push: the remote's `NAME` in git's config")
	cmd.Flags().BoolVar(&options.AllowUnrelatedSource, "allow-unrelated-source", false, "commit from a source that does not contain the one that the branch holds")
	cmd.Flags().BoolVar(&options.Adopt, "adopt", false, "take over branches that sluice did not write; files beside the environments' directories stay")
	cmd.Flags().BoolVar(&options.DiscardEdits, "discard-edits", false, "overwrite what was edited by hand on the branches")
	cmd.Flags().BoolVar(&full, "full", false, "render every app, also those that the branch holds already")
	signFlags(cmd, &sign, &unsigned)
	return cmd
}

// committed is what came of one chain, for the output.
type committed struct {
	Environment string           `json:"environment"` // the chain's first
	Branch      string           `json:"branch"`
	Outcome     branch.Outcome   `json:"outcome"`
	Commit      repo.ID          `json:"commit,omitempty"` // the branch's tip afterwards
	Before      repo.ID          `json:"before,omitempty"`
	Source      repo.ID          `json:"source"`
	Changed     []branch.Changed `json:"changed,omitempty"`
	Made        []string         `json:"made,omitempty"`   // branches made at the root commit
	Pushed      string           `json:"pushed,omitempty"` // the remote where something moved
	Healed      []healed         `json:"healed,omitempty"`
	Adopted     []string         `json:"adopted,omitempty"` // branches that sluice did not write before
	Discarded   []discarded      `json:"discarded,omitempty"`
	Untold      []string         `json:"untold,omitempty"`  // branches that may have left the line
	Request     *asked           `json:"request,omitempty"` // with --pull-request; then branch is where the commit waits
}

// healed is a branch that had left the line and was taken in.
type healed struct {
	Environment string     `json:"environment"`
	Branch      string     `json:"branch"`
	Commit      repo.ID    `json:"commit"`
	How         branch.How `json:"how"`
	Content     repo.ID    `json:"content,omitempty"` // hydrated commit with the same content
}

// discarded is an edit by hand that was overwritten.
type discarded struct {
	Branch  string   `json:"branch"`
	Commit  repo.ID  `json:"commit"`
	Changes []change `json:"changes"`
}

func discards(edits []branch.Edit) []discarded {
	var all []discarded
	for _, e := range edits {
		all = append(all, discarded{Branch: e.Environment.Branch, Commit: e.Tip, Changes: append([]change{}, changesOf(e.Changes)...)})
	}
	return all
}

// commit moves the branches here.
func (c *command) commit(ctx context.Context, w *workspace, s *snapshot, full bool, options branch.Options) ([]committed, error) {
	if err := gated(s.config, false); err != nil {
		return nil, err
	}
	h := hydration{c: c, w: w, s: s, full: full}
	var starts []*branch.Start
	for _, chain := range s.config.Chains() {
		heads, err := branch.ReadHeads(w.repo, chain)
		if err != nil {
			return nil, err
		}
		starts = append(starts, branch.Begin(ctx, w.repo, heads, c.Version, options))
	}
	if err := h.render(ctx, starts); err != nil {
		return nil, err
	}
	var plans []*branch.Next
	for i, start := range starts {
		next, err := start.Plan(ctx, w.repo, h.all[i], c.provenance(w, s), s.commit, options)
		if err != nil {
			return nil, err
		}
		if err := branch.CheckBehind(ctx, w.repo, next); err != nil {
			return nil, err
		}
		plans = append(plans, next)
	}
	c.stage("writing the commits and moving the branches")
	moves, err := branch.Apply(ctx, w.repo, plans, c.Now())
	if err = c.onlyReflog(err); err != nil {
		return nil, err
	}
	var results []committed
	for i, next := range plans {
		results = append(results, result(next, moves[i], s.commit.ID))
		c.noteBranches(next)
	}
	c.noteUncommitted(ctx, &h)
	return results, nil
}

func result(next *branch.Next, moved []branch.Moved, source repo.ID) committed {
	out := committed{
		Environment: next.Root.Name, Branch: next.Root.Branch, Outcome: next.Outcome,
		Commit: next.Tip, Before: next.Tip, Source: source, Changed: next.Changed,
		Adopted: next.Adopted, Discarded: discards(next.Edits), Untold: next.Untold,
	}
	for _, h := range next.Healed {
		out.Healed = append(out.Healed, healed{h.Environment.Name, h.Environment.Branch, h.Commit, h.How, h.Content})
	}
	for _, m := range moved {
		if m.Branch == next.Root.Branch {
			out.Commit = m.After
		} else {
			out.Made = append(out.Made, m.Branch)
		}
	}
	return out
}

// noteBranches says what became of what people did to the branches.
func (c *command) noteBranches(next *branch.Next) {
	for _, e := range next.Edits {
		c.note("note: discarded what was edited by hand on %s; it is still in its history: git show %s", e.Environment.Branch, e.Tip)
		if !c.quiet {
			c.listEdit(e)
		}
	}
	for _, name := range next.Adopted {
		c.note("note: took over %s, which sluice did not write; files beside the environments' directories are as they were", name)
	}
	for _, name := range next.Untold {
		c.note("note: whether %s has left the line of %s cannot be told: the history is not here; a commit in a full clone heals it", name, next.Root.Branch)
	}
}

// movedTo says which branches the commits moved or made.
func movedTo(results []committed) []string {
	var moved []string
	for _, r := range results {
		if r.Commit != r.Before {
			moved = append(moved, r.Branch+" to "+r.Commit.Short())
		}
		for _, made := range r.Made {
			moved = append(moved, made+" (made)")
		}
	}
	return moved
}

func (c *command) printCommits(results []committed) error {
	v := struct {
		Chains []committed `json:"chains"`
	}{results}
	return c.print(v, func() error {
		var rows [][]string
		for _, r := range results {
			rows = append(rows, []string{r.Branch, r.Commit.Short(), r.describe()})
			if r.Request != nil && r.Request.Number > 0 {
				rows = append(rows, []string{r.Request.Branch, r.Request.At.Short(), fmt.Sprintf("#%d %s: %s", r.Request.Number, r.Request.Outcome, r.Request.URL)})
			}
			for _, h := range r.Healed {
				rows = append(rows, []string{h.Branch, h.Commit.Short(), "taken in: " + string(h.How)})
			}
			for _, made := range r.Made {
				if r.Request == nil || made != r.Request.Branch {
					rows = append(rows, []string{made, "", "made, nothing promoted yet"})
				}
			}
		}
		return table(c.Out, rows, nil)
	})
}

func (r committed) describe() string {
	pushed := ""
	if r.Pushed != "" {
		pushed = ", pushed to " + r.Pushed
	}
	switch r.Outcome {
	case branch.Unchanged:
		return "unchanged: source " + r.Source.Short() + " gives the same objects" + pushed
	case branch.Superseded:
		return "superseded: the branch already holds a newer source than " + r.Source.Short()
	}
	var parts []string
	for _, ch := range r.Changed {
		if ch.Objects == 0 {
			continue
		}
		parts = append(parts, fmt.Sprintf("%s %s", ch.Environment, count(ch.Objects, "object")))
	}
	if len(parts) == 0 {
		parts = []string{"no object"}
	}
	return "committed: " + strings.Join(parts, ", ") + " changed, from source " + r.Source.Short() + pushed
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
