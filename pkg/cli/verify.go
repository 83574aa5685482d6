package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/tree"
)

func (c *command) verifyCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "verify [ENV...] [FROM..TO]", Short: "Prove that the branches hold what their source renders to",
		Long: `Verify renders the source commit that each environment branch says it was made
of and compares the result with the branch byte by byte. It names every file
that is extra, missing or different, shows in which lines, and then exits with
1. The source commit has to be in the branch that it is recorded with, or in
what is checked out. Without names it verifies every environment that has been
hydrated.

The tip of a branch is verified; with --all every commit that the branch went
through; with FROM..TO those that led from FROM to TO. Without TO it is the tip
of the branch, without FROM the range begins at the root commit.`,
		Example: `  sluice verify
  sluice verify --all production
  sluice verify staging v1.2..`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			asked, err := parseSpan(args, all)
			if err != nil {
				return err
			}
			w, err := c.open()
			if err != nil {
				return err
			}
			if err := w.needRepo(); err != nil {
				return err
			}
			results, err := w.spans(cmd.Context(), asked)
			if err != nil {
				return err
			}
			pool, err := c.renderer()
			if err != nil {
				return err
			}
			defer pool.Close()
			if err := c.prove(cmd.Context(), w, pool, results); err != nil {
				return err
			}
			c.verifiedNews(w, results)
			return c.printVerified(results)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "verify every commit that the branches went through, from the root commit on")
	return cmd
}

// span is which commits of which branches are asked for.
type span struct {
	names    []string
	all      bool // every commit from the root commit on
	ranged   bool
	from, to string // revisions; either may be empty
}

func parseSpan(args []string, all bool) (span, error) {
	s := span{all: all}
	for _, arg := range args {
		from, to, ranged := strings.Cut(arg, "..")
		switch {
		case !ranged:
			s.names = append(s.names, arg)
		case s.ranged:
			return s, &usageError{fmt.Errorf("one range at a time, not %q and %q", s.from+".."+s.to, arg)}
		case strings.HasPrefix(to, "."):
			return s, &usageError{fmt.Errorf("%q: a range has two dots", arg)}
		case all:
			return s, &usageError{errors.New("--all is every commit: it takes no range")}
		default:
			s.ranged, s.from, s.to = true, from, to
		}
	}
	return s, nil
}

// verified is what came of one branch.
type verified struct {
	environment string             // empty for a range that no environment is named with
	of          config.Environment // the same, as the config has it
	branch      string             // or the range
	commits     []proved           // newest first
	earlier     int                // commits from before sluice wrote to the branch
	cut         error              // why there may be more commits than are here
}

// proved is what came of one commit, for the output.
type proved struct {
	Commit      repo.ID           `json:"commit"`
	Source      repo.ID           `json:"source,omitempty"`
	OK          bool              `json:"ok"`
	Differences []tree.Difference `json:"differences"`
	Error       string            `json:"error,omitempty"` // why it could not be verified

	err      error
	foreign  bool
	renderer string // the programs that made it, if they are others than these
}

// spans gives the commits to verify, branch by branch.
func (w *workspace) spans(ctx context.Context, s span) ([]*verified, error) {
	replaced, err := w.repo.Replaced()
	if err != nil {
		return nil, err
	}
	if replaced {
		return nil, &finding.Refusal{Text: "refs/replace or grafts show other commits than the repository holds", Hint: "what is verified would not be what git shows: take them away (git replace -d) or verify in a fresh clone"}
	}
	var from, to repo.ID
	for _, end := range []struct {
		rev string
		id  *repo.ID
	}{{s.from, &from}, {s.to, &to}} {
		if end.rev == "" {
			continue
		}
		if *end.id, err = w.repo.Resolve(end.rev); err != nil {
			return nil, err
		}
	}
	if to != "" && len(s.names) == 0 {
		v := &verified{branch: s.from + ".." + s.to}
		return []*verified{v}, v.line(ctx, w, from, to)
	}
	// Only here the config matters: a range can be verified from any checkout.
	cfg, err := w.anyConfig()
	if err != nil {
		return nil, err
	}
	chosen, err := choose(cfg, s.names)
	if err != nil {
		return nil, err
	}
	results := []*verified{}
	for _, e := range chosen {
		v, err := w.span(ctx, e, s, from, to)
		if err != nil {
			return nil, err
		}
		if v != nil {
			results = append(results, v)
		}
	}
	return results, nil
}

// span gives the commits of one environment's branch, nil if it holds nothing
// and was not asked for by name.
func (w *workspace) span(ctx context.Context, e config.Environment, s span, from, to repo.ID) (*verified, error) {
	head, err := branch.ReadHead(w.repo, e)
	if err != nil {
		return nil, err
	}
	v := &verified{environment: e.Name, of: e, branch: e.Branch}
	switch {
	case head.Foreign:
		return nil, &finding.Refusal{Text: fmt.Sprintf("branch %s was not written by sluice", e.Branch), Hint: "there is nothing that it could be compared with"}
	case head.Bare() && len(s.names) > 0:
		return nil, finding.Finding{Text: fmt.Sprintf("environment %q has nothing to verify: branch %s is empty", e.Name, e.Branch), Hint: "hydrate it first: sluice commit, then sluice promote " + e.Name}
	case head.Bare():
		return nil, nil
	case !s.all && !s.ranged:
		v.add(w.repo, branch.Hydrated{ID: head.Tip, Provenance: head.Provenance})
		return v, nil
	case to == "":
		return v, v.line(ctx, w, from, head.Tip)
	}
	if err := w.onBranch(ctx, to, head); err != nil {
		return nil, err
	}
	return v, v.line(ctx, w, from, to)
}

// onBranch refuses the end of a range that is not on the branch.
func (w *workspace) onBranch(ctx context.Context, id repo.ID, head branch.Head) error {
	on, err := w.repo.IsAncestor(ctx, id, head.Tip)
	if err != nil || on == repo.Yes {
		return err
	}
	return finding.Finding{Text: fmt.Sprintf("commit %s is not on branch %s", id.Short(), head.Environment.Branch), Hint: "name a commit that git log " + head.Environment.Branch + " shows, or leave the environment out"}
}

// line fills in the commits between two points.
func (v *verified) line(ctx context.Context, w *workspace, from, to repo.ID) error {
	line, err := branch.ReadPast(ctx, w.repo, from, to)
	if err != nil {
		return err
	}
	for _, h := range line.Commits {
		v.add(w.repo, h)
	}
	if v.earlier = line.Earlier; v.earlier > 0 && len(line.Commits) == 0 {
		return &finding.Refusal{Text: fmt.Sprintf("commit %s was not written by sluice", to.Short()), Hint: "there is nothing that it could be compared with"}
	}
	if !line.Complete {
		v.cut = branch.UnknownHistory(fmt.Sprintf("whether there are more commits in %s cannot be told", v.branch))
	}
	return nil
}

// add adds a commit with its source: after a rollback the former one.
func (v *verified) add(r *repo.Repo, h branch.Hydrated) {
	source := branch.Head{Environment: v.of, Tip: h.ID, Provenance: h.Provenance}.Source(r)
	v.commits = append(v.commits, proved{Commit: h.ID, Source: source, foreign: h.Foreign, Differences: []tree.Difference{}})
}
