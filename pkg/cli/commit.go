package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/hydrate"
	"github.com/sluice-dev/sluice/pkg/render"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/source"
	"github.com/sluice-dev/sluice/pkg/tree"
)

func (c *command) commitCommand() *cobra.Command {
	var rev string
	var sign, unsigned bool
	var options branch.Options
	cmd := &cobra.Command{
		Use: "commit", Short: "Commit the hydrated objects to the environment branches",
		Long: `Commit renders the source commit for every environment and writes the result
as one commit to the branch of the first environment of each chain. The other
environments get that same commit by promotion. If no object changed there is
no commit.`,
		Example: `  sluice commit
  sluice commit --rev main`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, err := c.open()
			if err != nil {
				return err
			}
			s, err := w.revision(rev)
			if err != nil {
				return err
			}
			if options.Signer, err = c.signer(w, sign && !unsigned); err != nil {
				return err
			}
			results, err := c.commit(cmd.Context(), w, s, options)
			if err != nil {
				return err
			}
			return c.printCommits(results)
		},
	}
	cmd.Flags().StringVar(&rev, "rev", "HEAD", "the source commit `REV`")
	cmd.Flags().BoolVar(&options.AllowUnrelatedSource, "allow-unrelated-source", false, "commit from a source that does not contain the one that the branch holds")
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
	Made        []string         `json:"made,omitempty"` // branches made at the root commit
}

func (c *command) commit(ctx context.Context, w *workspace, s *snapshot, options branch.Options) ([]committed, error) {
	pool, err := c.renderer()
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	var plans []*branch.Next
	var inputs []tree.Input
	var list finding.List
	for _, chain := range s.config.Chains() {
		next, read, err := c.plan(ctx, w, s, chain, options, pool)
		if err := list.Take(err); err != nil {
			return nil, err
		}
		plans = append(plans, next)
		inputs = append(inputs, read...)
	}
	if err := list.Err(); err != nil {
		return nil, err
	}
	c.stage("writing the commits and moving the branches")
	moves, err := branch.Apply(ctx, w.repo, plans, c.Now())
	if err = c.onlyReflog(err); err != nil {
		return nil, err
	}
	var results []committed
	for i, next := range plans {
		results = append(results, result(next, moves[i], s.commit.ID))
	}
	if head, err := w.repo.Resolve("HEAD"); err == nil && head == s.commit.ID {
		c.noteUncommitted(w, inputs)
	}
	return results, nil
}

// plan hydrates a chain and gives its next commit.
func (c *command) plan(ctx context.Context, w *workspace, s *snapshot, chain config.Chain, options branch.Options, pool hydrate.Renderer) (*branch.Next, []tree.Input, error) {
	heads, err := branch.ReadHeads(w.repo, chain)
	if err != nil {
		return nil, nil, err
	}
	c.stage("rendering %s from %s", chain.Root().Name+"'s chain", s.commit.ID.Short())
	environments, err := hydrate.Environments(ctx, w.source(ctx, s), chain, pool)
	if err != nil {
		return nil, nil, err
	}
	p := tree.Provenance{
		Source:   tree.Source{Commit: string(s.commit.ID), Ref: s.ref, Config: w.config},
		Renderer: tree.Renderer{Sluice: c.Version, Kustomize: render.KustomizeVersion},
	}
	if remote, ok := w.repo.RemoteURL("origin"); ok {
		p.Source.Repository = repo.SanitizeURL(remote)
	}
	next, err := branch.Plan(ctx, w.repo, heads, environments, p, s.commit, options)
	if err != nil {
		return nil, nil, err
	}
	var inputs []tree.Input
	for _, e := range environments {
		for _, r := range e.Records {
			inputs = append(inputs, r.Inputs...)
		}
	}
	return next, inputs, nil
}

func result(next *branch.Next, moved []branch.Moved, source repo.ID) committed {
	out := committed{
		Environment: next.Root.Name, Branch: next.Root.Branch, Outcome: next.Outcome,
		Commit: next.Tip, Before: next.Tip, Source: source, Changed: next.Changed,
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

func (c *command) printCommits(results []committed) error {
	v := struct {
		Chains []committed `json:"chains"`
	}{results}
	return c.print(v, func() error {
		var rows [][]string
		for _, r := range results {
			rows = append(rows, []string{r.Branch, r.Commit.Short(), r.describe()})
			for _, made := range r.Made {
				rows = append(rows, []string{made, "", "made, nothing promoted yet"})
			}
		}
		return table(c.Out, rows, nil)
	})
}

func (r committed) describe() string {
	switch r.Outcome {
	case branch.Unchanged:
		return "unchanged: source " + r.Source.Short() + " gives the same objects"
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
	return "committed: " + strings.Join(parts, ", ") + " changed, from source " + r.Source.Short()
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// noteUncommitted says which of the files that were rendered lie differently
// in the working tree: what people edit last is often not committed yet.
func (c *command) noteUncommitted(w *workspace, inputs []tree.Input) {
	if w.root == "" {
		return
	}
	files, err := source.OpenDir(w.root)
	if err != nil {
		return
	}
	seen := map[string]bool{}
	var differ []string
	for _, in := range inputs {
		if seen[in.Path] {
			continue
		}
		seen[in.Path] = true
		entry, err := files.Lookup(in.Path)
		if err != nil || entry.Kind != source.File || in.ID == "" {
			continue
		}
		data, err := files.ReadFile(in.Path, maxInput)
		if err == nil && !holds(data, in.ID) || errors.Is(err, source.ErrTooLarge) {
			differ = append(differ, in.Path)
		}
	}
	if len(differ) > 0 {
		c.note("note: not committed yet and so not part of it: %s", strings.Join(differ, ", "))
	}
}

// holds tells whether a file's bytes are those of a blob, perhaps with the line
// endings that core.autocrlf gives a working tree.
func holds(data []byte, blob string) bool {
	return string(repo.BlobID(data)) == blob || string(repo.BlobID(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")))) == blob
}

// maxInput is the largest source file, in bytes.
const maxInput = 10 << 20
