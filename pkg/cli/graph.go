package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/graph"
)

func (c *command) graphCommand() *cobra.Command {
	var rev string
	cmd := &cobra.Command{
		Use: "graph", Short: "Show what follows what: apps and environments",
		Long: `Graph shows the apps with what has to be applied before them, and the
environments with the one that each is promoted from. It reads the config and
renders nothing. -o mermaid prints a flowchart as Git forges show it in
Markdown, -o dot one for Graphviz.`,
		Example: `  sluice graph
  sluice graph -o dot | dot -Tsvg > graph.svg`,
		Args:        noArgs,
		Annotations: map[string]string{moreFormats: "mermaid dot"},
		RunE: func(*cobra.Command, []string) error {
			w, err := c.open()
			if err != nil {
				return err
			}
			s, err := states{command: c, workspace: w}.snapshot(rev)
			if err != nil {
				return err
			}
			return c.printGraph(graph.Of(s.config))
		},
	}
	cmd.Flags().StringVar(&rev, "rev", "", "show that of commit `REV` instead of the working tree")
	return cmd
}

func (c *command) printGraph(g *graph.Graph) error {
	switch c.output {
	case "mermaid":
		_, err := fmt.Fprint(c.Out, escapeLines(g.Mermaid()))
		return err
	case "dot":
		_, err := fmt.Fprint(c.Out, escapeLines(g.Dot()))
		return err
	}
	return c.print(g, func() error { return table(c.Out, g.Rows(), nil) })
}

// escapeLines makes each line of a text safe for a terminal.
func escapeLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = escape(lines[i])
	}
	return strings.Join(lines, "\n")
}
