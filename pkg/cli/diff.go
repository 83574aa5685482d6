package cli

import (
	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/diff"
	"github.com/sluice-dev/sluice/pkg/inject/conduit"
)

func (c *command) diffCommand() *cobra.Command {
	var rev string
	var full bool
	var limit int
	cmd := &cobra.Command{
		Use: "diff [ENV | A B]", Short: "Show what differs, object by object",
		Long: `Diff shows what a commit of the working tree would change: its objects,
rendered and injected, against those on each environment's branch, or on the
branch of one environment. With two names it compares two states. Each is an
environment, which stands for what its branch holds, or a revision: of an
environment branch as it is, of the source as it renders.

Values of Secrets are never shown; equal values have equal numbers. What is
folded is counted and named. The exit status is 1 if anything differs.`,
		Example: `  sluice diff
  sluice diff staging -o html > diff.html
  sluice diff staging production
  sluice diff v1.4.0 main -o markdown`,
		Annotations: map[string]string{moreFormats: "markdown html"},
		Args:        usage(cobra.MaximumNArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			w, cfg, err := c.openBranches()
			if err != nil {
				return err
			}
			v := states{command: c, workspace: w, config: cfg}
			pairs, err := v.pairs(cmd.Context(), rev, args)
			if err != nil {
				return err
			}
			report, err := diff.Compare(cmd.Context(), pairs, diff.Options{Strip: conduit.Strip})
			if err != nil {
				return err
			}
			return c.printDiff(report, full, limit)
		},
	}
	cmd.Flags().StringVar(&rev, "rev", "", "compare commit `REV` of the source instead of the working tree")
	cmd.Flags().BoolVar(&full, "full", false, "show what is folded")
	cmd.Flags().IntVar(&limit, "limit", 0, "leave out details of markdown beyond `BYTES` (default no limit)")
	return cmd
}

// printDiff writes a report in the format that -o asks for, and says by its
// error whether anything differs.
func (c *command) printDiff(r *diff.Report, full bool, limit int) error {
	style := diff.Style{Escape: escape, Full: full, Limit: limit}
	var err error
	switch c.output {
	case "markdown":
		err = r.Markdown(c.Out, style)
	case "html":
		err = r.HTML(c.Out, style)
	default:
		err = c.print(r, func() error {
			style.Paint = c.painter()
			return r.Text(c.Out, style)
		})
	}
	if err == nil && r.Counts.Differ() {
		return errFound
	}
	return err
}

// painter colors what goes to the product, if that is a terminal.
func (c *command) painter() func(diff.Color, string) string {
	colors := map[diff.Color]string{diff.Green: green, diff.Red: red, diff.Yellow: yellow, diff.Cyan: cyan}
	return func(color diff.Color, text string) string { return c.paint(c.Out, colors[color], text) }
}
