package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/diff"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// What verify shows of differences: every path, and so many lines.
const (
	maxDiffLines = 40  // of one file
	maxDiffTotal = 400 // of one run
)

// tally counts the commits of a run, each once.
type tally struct {
	Commits   int `json:"commits"`
	Verified  int `json:"verified"`
	Different int `json:"different"`
	Failed    int `json:"failed"` // could not be verified
	Paths     int `json:"paths"`  // that differ
	Earlier   int `json:"earlier,omitempty"`

	cut   bool  // there may be more commits
	first error // why a commit, or the end of the history, could not be verified
}

func sum(results []*verified) tally {
	var t tally
	seen := map[repo.ID]bool{}
	for _, v := range results {
		t.Earlier += v.earlier
		for _, p := range v.commits {
			if seen[p.Commit] {
				continue
			}
			seen[p.Commit] = true
			t.Commits++
			switch {
			case p.err != nil:
				t.Failed++
				if t.first == nil {
					t.first = p.err
				}
			case len(p.Differences) > 0:
				t.Different++
				t.Paths += len(p.Differences)
			default:
				t.Verified++
			}
		}
	}
	for _, v := range results {
		t.cut = t.cut || v.cut != nil
		if t.first == nil {
			t.first = v.cut
		}
	}
	return t
}

// String is the last line of the output.
func (t tally) String() string {
	says := fmt.Sprintf("verified %d of %s", t.Verified, count(t.Commits, "commit"))
	if t.Different > 0 {
		says += fmt.Sprintf("; %d different, in %s", t.Different, count(t.Paths, "path"))
	}
	if t.Failed > 0 {
		says += fmt.Sprintf("; %d could not be verified", t.Failed)
	}
	if t.Earlier > 0 {
		says += fmt.Sprintf("; %s from before sluice wrote to the branch", count(t.Earlier, "commit"))
	}
	if t.cut {
		says += "; earlier history is not here"
	}
	return says
}

func (c *command) printVerified(results []*verified) error {
	t := sum(results)
	type entry struct {
		Environment string `json:"environment,omitempty"`
		Branch      string `json:"branch"`
		proved
	}
	v := struct {
		Environments []entry `json:"environments"` // one for each commit
		Summary      tally   `json:"summary"`
	}{[]entry{}, t}
	for _, one := range results {
		for _, p := range one.commits {
			v.Environments = append(v.Environments, entry{one.environment, one.branch, p})
		}
	}
	err := c.print(v, func() error { return c.printProofs(results, t) })
	switch {
	case err != nil:
		return err
	case t.Different > 0:
		return errFound
	}
	return t.first
}

func (c *command) printProofs(results []*verified, t tally) error {
	if len(results) == 0 {
		c.note("nothing has been hydrated yet, so there is nothing to verify: run sluice commit")
	}
	var rows [][]string
	for _, v := range results {
		for _, p := range v.commits {
			rows = append(rows, []string{v.branch, p.Commit.Short(), p.says()})
		}
	}
	if err := table(c.Out, rows, nil); err != nil {
		return err
	}
	d := differences{command: c, left: maxDiffTotal, shown: map[repo.ID]bool{}}
	for _, v := range results {
		for _, p := range v.commits {
			label := v.branch
			if len(v.commits) > 1 {
				label += " " + p.Commit.Short()
			}
			if err := d.print(label, p); err != nil {
				return err
			}
		}
	}
	if d.cut > 0 {
		if _, err := fmt.Fprintf(c.Out, "%s of differences not shown\n", count(d.cut, "line")); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(c.Out, t)
	return err
}

func (p proved) says() string {
	of := "what source " + p.Source.Short() + " renders to"
	switch {
	case p.err != nil:
		first, more, _ := strings.Cut(p.Error, "\n")
		if more != "" {
			first += fmt.Sprintf(" (and %d more)", strings.Count(more, "\n")+1)
		}
		return "cannot be verified: " + first
	case p.Source == "":
		return "does not say what it was rendered from"
	case !p.OK && !slices.ContainsFunc(p.Differences, func(d tree.Difference) bool { return !strings.HasPrefix(d.Path, tree.Dir+"/") }):
		return "says what is not so of itself: " + count(len(p.Differences), "path")
	case !p.OK:
		return "is not " + of + ": " + count(len(p.Differences), "path")
	}
	return "is " + of
}

// differences prints what differs, the lines of a commit once and all in all
// so many.
type differences struct {
	command *command
	shown   map[repo.ID]bool
	left    int // lines that may still be shown
	cut     int // lines that were not
}

func (d *differences) print(label string, p proved) error {
	c := d.command
	for _, one := range p.Differences {
		line := fmt.Sprintf("  %s: %s %s", label, one.What, one.Path)
		if one.Detail != "" {
			line += " (" + one.Detail + ")"
		}
		if _, err := fmt.Fprintln(c.Out, escape(line)); err != nil {
			return err
		}
		if !d.shown[p.Commit] {
			if err := d.lines(one); err != nil {
				return err
			}
		}
	}
	d.shown[p.Commit] = true
	if p.renderer != "" {
		c.note("note: %s says that it was made by %s; this is another program: sluice version", p.Commit.Short(), p.renderer)
	}
	return nil
}

// lines shows what is in a file against what the source renders to.
func (d *differences) lines(one tree.Difference) error {
	if one.Have == nil && one.Want == nil {
		return nil
	}
	c := d.command
	lines, withheld := diff.Bytes(one.Path, one.Want, one.Have)
	if withheld != "" {
		lines = []string{withheld}
	}
	colors := map[byte]string{'-': red, '+': green, '@': cyan}
	show := min(len(lines), maxDiffLines, d.left)
	for _, line := range lines[:show] {
		text := escape(line)
		if color := colors[line[0]]; color != "" {
			text = c.paint(c.Out, color, text)
		}
		if _, err := fmt.Fprintln(c.Out, "    "+text); err != nil {
			return err
		}
	}
	d.left -= show
	d.cut += len(lines) - show
	return nil
}
