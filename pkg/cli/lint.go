package cli

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/lint"
)

func (c *command) lintCommand() *cobra.Command {
	var rev string
	cmd := &cobra.Command{
		Use: "lint", Short: "Find what is allowed but probably not meant",
		Long: `Lint renders the source and looks for what is allowed and probably not meant.
It reads the working tree, or a commit with --rev, asks nobody, and changes
nothing. The exit status is 1 if anything is found.

image-variance: an image differs between an environment and the one that it is
promoted from, although no overlay says so: the manifest is another file, the base
another directory, the revision another commit. What an overlay's images or a
patch decides is meant.`,
		Example: `  sluice lint
  sluice lint --rev HEAD -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, err := c.open()
			if err != nil {
				return err
			}
			s, err := states{command: c, workspace: w}.snapshot(rev)
			if err != nil {
				return err
			}
			found, err := c.lint(cmd.Context(), w, s)
			if err != nil {
				return err
			}
			return c.printLint(found)
		},
	}
	cmd.Flags().StringVar(&rev, "rev", "", "look at commit `REV` of the source instead of the working tree")
	return cmd
}

// lint gives what the rules find in one state of the source.
func (c *command) lint(ctx context.Context, w *workspace, s *snapshot) ([]lint.Finding, error) {
	chosen, err := choose(s.config, nil)
	if err != nil {
		return nil, err
	}
	t, err := c.newTracer(w, s)
	if err != nil {
		return nil, err
	}
	defer t.renderer.Close()
	if err := t.render(ctx, chosen); err != nil {
		return nil, err
	}
	pairs, err := environmentPairs(s.config, nil)
	if err != nil || len(pairs) == 0 {
		return nil, err
	}
	if err := t.trace(ctx, chosen, nil); err != nil {
		return nil, err
	}
	images := t.linted()
	var found []lint.Finding
	unknown := 0
	for _, p := range pairs {
		some, n := lint.Images(images[p[0].Name], images[p[1].Name])
		found, unknown = append(found, some...), unknown+n
	}
	if unknown > 0 {
		c.note("note: %s differ of which it cannot be told where they are decided: sluice images", count(unknown, "image"))
	}
	return found, nil
}

// linted gives the containers of each environment as the rules take them.
func (t *tracer) linted() map[string][]lint.Image {
	sources := map[string]string{}
	for _, e := range t.before {
		for _, r := range e.Records {
			for _, o := range r.Objects {
				sources[e.Name+"\n"+path.Join(r.App, o.File)] = o.Source
			}
		}
	}
	units := map[string]config.Unit{}
	for _, e := range t.before {
		of, _ := t.snapshot.config.Environment(e.Name)
		for _, u := range t.snapshot.config.Units(of) {
			units[e.Name+"\n"+u.App] = u
		}
	}
	images := map[string][]lint.Image{}
	for i, ct := range t.containers {
		l := lint.Image{Container: ct, Source: sources[ct.Environment+"\n"+ct.File], Words: t.decided(i)}
		if at := t.origins[i].Site; at != nil {
			l.Site = lint.Site{File: at.File, Line: at.Line}
		}
		u := units[ct.Environment+"\n"+ct.App]
		for _, s := range u.Apply {
			if s.Exec == nil {
				l.Entries = append(l.Entries, path.Clean(s.Text))
			}
		}
		if u.Revision != "" {
			l.Place = lint.Site(t.revisionPlace(ct.App))
		}
		images[ct.Environment] = append(images[ct.Environment], l)
	}
	return images
}

// revisionPlace is where the config binds an app to a commit.
func (t *tracer) revisionPlace(app string) config.Place {
	for i, a := range t.snapshot.config.Apps {
		if a.Name == app {
			return t.snapshot.config.Place(fmt.Sprintf("apps[%d].revision", i))
		}
	}
	return config.Place{}
}

// maxNamed is how many objects a finding names.
const maxNamed = 3

func (c *command) printLint(found []lint.Finding) error {
	v := struct {
		Findings []lint.Finding `json:"findings"`
	}{append([]lint.Finding{}, found...)}
	for _, f := range found {
		c.news.found = append(c.news.found, lintFinding(f))
	}
	err := c.print(v, func() error {
		if len(found) == 0 {
			c.note("nothing found")
		}
		for i, f := range found {
			at := f.File
			if f.Line > 0 {
				at = fmt.Sprintf("%s:%d", f.File, f.Line)
			}
			said := c.news.found[i]
			if _, err := fmt.Fprintf(c.Out, "%s: %s: %s\n%s\n", escape(at), c.paint(c.Out, yellow, f.Rule), escape(said.Text), escape("  hint: "+said.Hint)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && len(found) > 0 {
		return errFound
	}
	return err
}

// lintFinding says what a rule found, and what to do about it.
func lintFinding(f lint.Finding) finding.Finding {
	objects, more := f.Objects, ""
	if len(objects) > maxNamed {
		more = fmt.Sprintf(" and %d more", len(objects)-maxNamed)
		objects = objects[:maxNamed]
	}
	return finding.Finding{
		File: f.File, Line: f.Line,
		Text: fmt.Sprintf("%s has %s, and %s has %s (%s), although no overlay says so: %s%s", f.After.Environment, f.After.Image, f.Before.Environment, f.Before.Image, f.Before.Decided, strings.Join(objects, "; "), more),
		Hint: fmt.Sprintf("if it is meant, say so in an overlay of %s, under images of its kustomization; if not, make them the same: one image, one base or one revision for both", f.After.Environment),
	}
}
