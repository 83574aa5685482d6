package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/tree"
)

func (c *command) verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "verify [ENV...]", Short: "Prove that the branches hold what their source renders to",
		Long: `Verify renders the source commit that each environment branch says it was made
of and compares the result with the branch byte by byte. It names every file
that is extra, missing or different, and then exits with 1. Without names it
verifies every environment that has been hydrated.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, names []string) error {
			w, cfg, err := c.openBranches()
			if err != nil {
				return err
			}
			chosen, err := choose(cfg, names)
			if err != nil {
				return err
			}
			var results []verified
			byTip := map[repo.ID][]tree.Difference{}
			for _, e := range chosen {
				head, err := branch.ReadHead(w.repo, e)
				if err != nil {
					return err
				}
				v := verified{Environment: e.Name, Branch: e.Branch, Commit: head.Tip, Differences: []tree.Difference{}}
				switch {
				case head.Foreign:
					return &finding.Refusal{Text: fmt.Sprintf("branch %s was not written by sluice", e.Branch), Hint: "there is nothing that it could be compared with"}
				case head.Bare():
					if len(names) > 0 {
						return finding.Finding{Text: fmt.Sprintf("environment %q has nothing to verify: branch %s is empty", e.Name, e.Branch), Hint: "hydrate it first: sluice commit, then sluice promote " + e.Name}
					}
					continue
				}
				found, done := byTip[head.Tip]
				if !done {
					if found, err = c.verify(cmd.Context(), w, head.Tip); err != nil {
						return err
					}
					byTip[head.Tip] = found
				}
				v.Source = head.Source(w.repo)
				v.Differences = append(v.Differences, found...)
				v.OK = len(found) == 0
				results = append(results, v)
			}
			if len(results) == 0 {
				c.note("nothing has been hydrated yet, so there is nothing to verify: run sluice commit")
			}
			return c.printVerified(results)
		},
	}
}

// verified is what came of one environment, for the output.
type verified struct {
	Environment string            `json:"environment"`
	Branch      string            `json:"branch"`
	Commit      repo.ID           `json:"commit"`
	Source      repo.ID           `json:"source"`
	OK          bool              `json:"ok"`
	Differences []tree.Difference `json:"differences"`
}

func (c *command) printVerified(results []verified) error {
	v := struct {
		Environments []verified `json:"environments"`
	}{append([]verified{}, results...)}
	found := false
	for _, r := range results {
		found = found || !r.OK
	}
	err := c.print(v, func() error {
		var rows [][]string
		for _, r := range results {
			says := "is what source " + r.Source.Short() + " renders to"
			switch {
			case r.Source == "":
				says = "does not say what it was rendered from"
			case !r.OK:
				says = "is not what source " + r.Source.Short() + " renders to: " + count(len(r.Differences), "path")
			}
			rows = append(rows, []string{r.Branch, r.Commit.Short(), says})
		}
		if err := table(c.Out, rows, nil); err != nil {
			return err
		}
		for _, r := range results {
			for _, d := range r.Differences {
				line := fmt.Sprintf("  %s: %s %s", r.Branch, d.What, d.Path)
				if d.Detail != "" {
					line += " (" + d.Detail + ")"
				}
				if _, err := fmt.Fprintln(c.Out, escape(line)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err == nil && found {
		return errFound
	}
	return err
}
