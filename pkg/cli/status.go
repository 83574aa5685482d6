package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/tree"
)

func (c *command) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show where every environment stands", Args: noArgs,
		Annotations: map[string]string{moreFormats: "html"},
		Long: `Status prints a row per environment: its branch and commit, the source commit
that it was rendered from, how far it is behind (the first environment of a
chain: behind the checked-out source; the others: behind the environment that
they are promoted from), and the injector versions that it holds. Below, a line
says what happened to each branch that is not as sluice left it, and which
environment is frozen. Where a forge and a token for it are at hand, the open
request to promote is there too.

-o html is one page of its own, with the commits that each environment has yet
to get.`,
		Example: `  sluice status
  sluice status -o html > status.html`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, cfg, err := c.openBranches()
			if err != nil {
				return err
			}
			rows := []standing{}
			for _, chain := range cfg.Chains() {
				more, err := c.chainStatus(cmd.Context(), w, chain)
				if err != nil {
					return err
				}
				rows = append(rows, more...)
			}
			c.findRequests(cmd.Context(), w, cfg, rows)
			if c.output == "html" {
				return c.statusPage(w, rows)
			}
			return c.printStatus(rows)
		},
	}
}

// standing is one environment's row.
type standing struct {
	Environment  string  `json:"environment"`
	Branch       string  `json:"branch"`
	PromotedFrom string  `json:"promotedFrom,omitempty"`
	State        string  `json:"state"` // missing, empty, foreign, damaged or hydrated
	Commit       repo.ID `json:"commit,omitempty"`
	Source       repo.ID `json:"source,omitempty"`
	Subject      string  `json:"subject,omitempty"` // of the source commit
	Behind       *int    `json:"behind"`            // commits; null if it cannot be told
	OffLine      bool    `json:"offLine,omitempty"` // holds commits that promotedFrom, or the checked-out source, never had: nothing can be promoted or committed to it
	Left         *left   `json:"left,omitempty"`    // what happened to a branch that is not as sluice left it
	Injectors    []pin   `json:"injectors"`

	Frozen         string    `json:"frozen,omitempty"`         // why nothing is promoted to it
	Approvals      int64     `json:"approvals,omitempty"`      // that a promotion to it needs
	RequiredChecks []string  `json:"requiredChecks,omitempty"` // that have to have succeeded
	Request        *request  `json:"request,omitempty"`        // open, to promote to it
	Waiting        []waiting `json:"waiting"`                  // the commits that it has yet to get, as far as behind says: the newest, at most 100

	Skew      []skew     `json:"skew"`      // versions of one injector that live together
	Workloads []workload `json:"workloads"` // the objects with proxies
}

// left says how a branch came to be what it is.
type left struct {
	How     branch.How `json:"how,omitempty"`     // empty if it has been taken in already
	Content repo.ID    `json:"content,omitempty"` // hydrated commit with the same content
	Text    string     `json:"text"`
}

func (c *command) chainStatus(ctx context.Context, w *workspace, chain config.Chain) ([]standing, error) {
	heads, err := branch.ReadHeads(w.repo, chain)
	if err != nil {
		return nil, err
	}
	tips := map[string]repo.ID{}
	var rows []standing
	for _, h := range heads {
		tips[h.Environment.Name] = h.Tip
		row := standing{
			Environment: h.Environment.Name, Branch: h.Environment.Branch, PromotedFrom: h.Environment.PromotedFrom,
			Commit: h.Tip, Injectors: []pin{}, Skew: []skew{}, Workloads: []workload{}, Waiting: []waiting{},
			Frozen: h.Environment.Frozen, Approvals: h.Environment.Approvals, RequiredChecks: h.Environment.RequiredChecks,
		}
		switch {
		case h.Tip == "":
			row.State = "missing"
		case h.Foreign:
			row.State = "foreign"
		case h.Damaged != nil:
			row.State = "damaged"
		case h.Bare():
			row.State = "empty"
		default:
			row.State = "hydrated"
			if err := row.fill(w, h); err != nil {
				return nil, err
			}
		}
		if err := row.behind(ctx, w, h, tips); err != nil {
			return nil, err
		}
		if err := row.explain(ctx, w, heads[0], h, tips[h.Environment.PromotedFrom], c.Version); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// fill reads what the branch says of itself.
func (s *standing) fill(w *workspace, h branch.Head) error {
	s.Source = h.Source(w.repo)
	commit, err := w.repo.Commit(s.Source)
	var other *repo.KindError
	switch {
	case errors.As(err, &other):
		s.State, s.Source = "damaged", ""
		return nil
	case err == nil:
		s.Subject, _, _ = strings.Cut(strings.TrimSpace(commit.Message), "\n")
	}
	files, err := w.repo.Files(h.Tip)
	if err != nil {
		return err
	}
	records, err := tree.Records(files, h.Environment.Name)
	var missing *repo.MissingObjectError
	if err != nil && !errors.As(err, &missing) {
		s.State = "damaged"
		return nil
	}
	if err != nil {
		return err
	}
	for _, p := range tree.Pins(records) {
		s.Injectors = append(s.Injectors, pin(p))
	}
	s.Skew, s.Workloads = skewOf(s.Injectors), workloads(h.Environment.Path, records)
	return nil
}

// explain says what happened to a branch that is not as sluice left it.
func (s *standing) explain(ctx context.Context, w *workspace, root, h branch.Head, from repo.ID, ours string) error {
	switch {
	case h.Tip == "":
		return nil
	case h.Tip != root.Tip && root.Tip != "":
		stray, err := branch.Diagnose(ctx, w.repo, h, root.Tip, ours)
		if err != nil {
			return err
		}
		if stray != nil {
			s.Left = &left{stray.How, stray.Content, s.Environment + " " + stray.What() + "; " + stray.Next()}
			return nil
		}
	}
	line := root.Tip
	if line == "" {
		line = h.Tip
	}
	stray, err := branch.Inspect(ctx, w.repo, h, line, ours)
	if err != nil {
		return err
	}
	switch {
	case stray == nil && s.OffLine && s.PromotedFrom == "":
		s.Left = &left{Text: fmt.Sprintf("%s holds source %s, which is not in the history of what is checked out; the next commit is refused unless told to --allow-unrelated-source", s.Environment, s.Source.Short())}
	case stray != nil && h.Environment.PromotedFrom == "":
		s.Left = &left{stray.How, stray.Content, s.Environment + " " + stray.What() + "; " + stray.Next()}
	case stray != nil:
		s.Left = &left{stray.How, stray.Content, s.Environment + " " + stray.What() + "; what is promoted next replaces that"}
	case s.OffLine:
		how, err := s.ahead(ctx, w, root, h)
		s.Left = &left{Text: how + "; it can be promoted to once " + s.PromotedFrom + " has that commit"}
		return err
	}
	return nil
}

// ahead says how the environment came to hold what the one before it does not,
// though the first of the chain does: it may be the one before that was made anew.
func (s *standing) ahead(ctx context.Context, w *workspace, root, h branch.Head) (string, error) {
	on := false
	_, err := w.repo.WalkFirstParents(ctx, root.Tip, func(c *repo.Commit) (bool, error) {
		on = c.ID == h.Tip
		return !on, nil
	})
	if on {
		return fmt.Sprintf("%s is ahead of %s", s.Environment, s.PromotedFrom), err
	}
	return fmt.Sprintf("%s left the line of %s, and %s has taken it in", s.Environment, s.PromotedFrom, root.Environment.Name), err
}

// behind counts the commits that the environment has yet to get.
func (s *standing) behind(ctx context.Context, w *workspace, h branch.Head, tips map[string]repo.ID) error {
	from, to := h.Tip, tips[s.PromotedFrom]
	if s.PromotedFrom == "" {
		head, err := w.repo.Resolve("HEAD")
		if err != nil {
			return nil // no commit yet, or a HEAD that is not there: nothing to be behind of
		}
		from, to = s.Source, head
	}
	if from == "" || to == "" {
		return nil
	}
	n, known, err := w.repo.CountBetween(ctx, from, to)
	var missing *repo.MissingObjectError
	if errors.As(err, &missing) {
		return nil // a source whose history was rewritten, or is not in this clone
	}
	if err != nil || !known {
		return err
	}
	follows, err := w.repo.IsAncestor(ctx, from, to)
	if err != nil {
		return err
	}
	if n > 0 && follows != repo.No {
		if s.Waiting, err = w.waiting(ctx, from, to, n); err != nil {
			return err
		}
	}
	if s.PromotedFrom != "" {
		s.Behind, s.OffLine = &n, follows == repo.No
		return nil
	}
	older, err := w.repo.IsAncestor(ctx, to, from)
	s.OffLine = follows == repo.No && older == repo.No
	if !s.OffLine {
		s.Behind = &n
	}
	return err
}

func (s standing) lag() string {
	of := s.PromotedFrom
	if of == "" {
		of = "source"
	}
	switch {
	case s.OffLine:
		return "not on the line of " + of
	case s.Behind == nil:
		return "-"
	case *s.Behind == 0:
		return "up to date"
	}
	return fmt.Sprintf("%s behind %s", count(*s.Behind, "commit"), of)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
