package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/release"
)

func (c *command) printUpgrade(out *upgraded) error {
	return c.print(out, func() error {
		if err := c.printUpgradeChanges(out); err != nil {
			return err
		}
		for _, e := range out.Edits {
			c.printLine("%s:%d: overwrites %s of %s, which was edited by hand: %s instead of %s, which %s gave", e.File, e.Line, e.Field, e.Object, orNothing(e.Present), orNothing(e.Recorded), e.From)
		}
		for _, m := range out.Masks {
			c.printLine("%s:%d: hides %s of %s: %s instead of %s", m.File, m.Line, m.Field, m.Object, orNothing(m.Value), orNothing(m.Hidden))
		}
		for _, l := range out.Left {
			c.printLine("%s:%d: %s of %s stays %s: %s does not set it any more", l.File, l.Line, l.Field, l.Object, l.Value, out.To)
		}
		if len(out.Absent) > 0 {
			c.printLine("not in this cluster: %s", strings.Join(out.Absent, ", "))
		}
		if out.rendered {
			if err := table(c.Out, pinRows(out.Effect), nil); err != nil {
				return err
			}
			c.printLine("%s", changesBy(out.Effect))
		}
		if out.sourceRequest != nil {
			c.printLine("%s", out.sourceRequest.line())
		}
		return nil
	})
}

func (c *command) printUpgradeChanges(out *upgraded) error {
	what := out.Cluster
	if len(out.Only) > 0 {
		what += ", " + strings.Join(out.Only, ", ")
	}
	from := out.From
	if from == "" {
		from = "no release"
	}
	switch {
	case len(out.Upgrade.Files) == 0:
		c.printLine("%s: %s, unchanged", what, out.To)
	case out.Dry:
		c.printLine("%s: %s -> %s, not written", what, from, out.To)
	default:
		c.printLine("%s: %s -> %s", what, from, out.To)
	}
	return c.printValues(out.Changes)
}

func (c *command) printValues(changes []release.Change) error {
	var rows [][]string
	for _, v := range changes {
		rows = append(rows, []string{fmt.Sprintf("  %s:%d", v.File, v.Line), v.Object, v.Field, becomes(v.Before, v.After)})
	}
	return table(c.Out, rows, nil)
}

func becomes(before, after string) string {
	switch {
	case before == "":
		return "added: " + after
	case after == "":
		return "removed: " + before
	}
	return before + " -> " + after
}

// printLine prints a line of the product.
func (c *command) printLine(format string, args ...any) {
	fmt.Fprintln(c.Out, escape(fmt.Sprintf(format, args...)))
}

// listByHand shows the three values of each edit: what the recorded release
// gave, what is there, and what the new release sets.
func (c *command) listByHand(edits []release.Edit) {
	for i, e := range edits {
		if i == maxEdits {
			fmt.Fprintf(c.Err, "  and %d more\n", len(edits)-i)
			return
		}
		rows := [][]string{{e.From + " gave", orNothing(e.Recorded)}, {"now", orNothing(e.Present)}, {e.To + " sets", orNothing(e.New)}}
		width := max(len(rows[0][0]), len(rows[2][0]))
		fmt.Fprintln(c.Err, escape(fmt.Sprintf("  %s:%d: %s of %s", e.File, e.Line, e.Field, e.Object)))
		for _, row := range rows {
			fmt.Fprintln(c.Err, escape(fmt.Sprintf("    %-*s  %s", width, row[0], row[1])))
		}
	}
}

func (c *command) releaseStatusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status [CLUSTER...]", Short: "List the clusters, the release of each, and what is newer",
		Long: `Status lists the clusters of sluice.yaml: whose releases each gets, which one it
is at, which are newer, which files were upgraded alone, and how many values
are not what the release gave. It reads the working tree and changes nothing.`,
		Example: `  sluice release status
  sluice release status gauss/peu01 -o json`,
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, names []string) error {
			w, err := c.open()
			if err != nil {
				return err
			}
			s, err := w.workingTree()
			if err != nil {
				return err
			}
			list, err := release.Statuses(s.fs, s.config, names)
			if err != nil {
				return err
			}
			return c.print(list, func() error {
				if len(list) == 0 {
					c.printLine("no cluster: list them under clusters: in %s", s.config.File())
				}
				var rows [][]string
				for _, st := range list {
					rows = append(rows, statusCells(st))
				}
				return table(c.Out, rows, nil)
			})
		},
	}
}

// statusCells is a cluster's row.
func statusCells(st release.Status) []string {
	at, newer := st.Release, "newest"
	if at == "" {
		at = "none"
	}
	if len(st.Newer) > 0 {
		newer = "newer: " + strings.Join(st.Newer, ", ")
	}
	said := []string{newer}
	if st.Gone {
		said = append(said, "the release is not here any more")
	}
	for _, part := range st.Components {
		said = append(said, part.File+" at "+part.Release)
	}
	switch n := len(st.Edited); {
	case st.Fault != "":
		said = append(said, "edits by hand cannot be told: "+st.Fault)
	case n > 0:
		said = append(said, count(n, "value")+" edited by hand")
	}
	return []string{st.Cluster, st.Provider, at, strings.Join(said, "; ")}
}
