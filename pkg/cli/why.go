package cli

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/tree"
	"github.com/sluice-dev/sluice/pkg/why"
)

func (c *command) whyCommand() *cobra.Command {
	var namespace string
	cmd := &cobra.Command{
		Use: "why ENV/PATH | ENV KIND/NAME", Short: "Tell where an object of an environment came from",
		Long: `Why tells where an object on an environment branch came from: its file, the
source file and line, the source commit that its bytes were rendered from, the
injector that put a proxy into it, its images, and the hydrated commit that
changed it last. It renders nothing and needs no network.

The object is named by its file or by kind and name. KIND is what kubectl takes:
Deployment, deployments, deploy, deployment.apps. The namespace may stand before
it, NAMESPACE/KIND/NAME, where the name alone means several.`,
		Example: `  sluice why staging/api/shop/deployment-api.yaml
  sluice why production deploy/api -n shop`,
		Args: usage(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			w, cfg, err := c.openBranches()
			if err != nil {
				return err
			}
			e, q, err := parseWhy(cfg, args, namespace)
			if err != nil {
				return err
			}
			o, err := w.explain(cmd.Context(), cfg, e, q, strings.Join(args, " "))
			if err != nil {
				return err
			}
			return c.printOrigin(o)
		},
	}
	cmd.Flags().StringVarP(&namespace, "namespace", "n", "", "the `NAMESPACE` of the object")
	return cmd
}

// parseWhy finds out which object of which environment is meant.
func parseWhy(cfg *config.Config, args []string, namespace string) (config.Environment, why.Query, error) {
	if len(args) == 2 {
		e, known := cfg.Environment(args[0])
		if !known {
			return e, why.Query{}, unknownEnvironment(cfg, args[0])
		}
		q, err := why.ParseQuery(args[1], namespace)
		if err != nil {
			return e, q, &usageError{err}
		}
		return e, q, nil
	}
	name, within, isPath := strings.Cut(path.Clean(args[0]), "/")
	if e, known := cfg.Environment(name); known && isPath {
		return e, why.Query{File: within}, nil
	}
	for _, e := range cfg.Environments {
		if within, ok := strings.CutPrefix(path.Clean(args[0]), e.Path+"/"); ok {
			return e, why.Query{File: within}, nil
		}
	}
	if _, known := cfg.Environment(name); known {
		return config.Environment{}, why.Query{}, &usageError{fmt.Errorf("%q names no object: sluice why ENV/PATH, or sluice why ENV KIND/NAME", args[0])}
	}
	return config.Environment{}, why.Query{}, unknownEnvironment(cfg, name)
}

// origin is the answer, for the output.
type origin struct {
	Environment  string   `json:"environment"`
	PromotedFrom string   `json:"promotedFrom,omitempty"`
	Branch       string   `json:"branch"`
	Commit       repo.ID  `json:"commit"` // the branch's tip
	Object       object   `json:"object"`
	App          string   `json:"app,omitempty"`
	File         string   `json:"file"` // on the branch
	Source       place    `json:"source"`
	Injected     []pin    `json:"injected"`
	Images       []string `json:"images"`
	// Changed is the hydrated commit that changed the object last; null if the
	// history that is here does not tell.
	Changed *said       `json:"changed"`
	By      why.Bringer `json:"by"`
	Edited  bool        `json:"edited"` // the environment's directory is not what was hydrated

	name string // of the object, as people say it
}

type object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
}

// place is where an object stands in the source.
type place struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"` // of the document
	said
}

// said is what a commit says of itself: nothing but its id if it is not here.
type said struct {
	Commit  repo.ID `json:"commit"`
	Author  string  `json:"author,omitempty"`
	Email   string  `json:"email,omitempty"`
	Date    string  `json:"date,omitempty"`
	Subject string  `json:"subject,omitempty"`
}

func sayCommit(c *repo.Commit) said {
	return said{c.ID, c.Author.Name, c.Author.Email, c.Author.When.Format(time.RFC3339), c.Subject()}
}

// explain asks the environment's branch. asked is the object in the words of
// the command line.
func (w *workspace) explain(ctx context.Context, cfg *config.Config, e config.Environment, q why.Query, asked string) (*origin, error) {
	head, err := branch.ReadHead(w.repo, e)
	if err != nil {
		return nil, err
	}
	switch {
	case head.Foreign:
		return nil, &finding.Refusal{Text: fmt.Sprintf("branch %s was not written by sluice", e.Branch), Hint: "it says nothing of where its files came from"}
	case head.Bare():
		return nil, finding.Finding{Text: fmt.Sprintf("environment %q holds nothing: branch %s is empty", e.Name, e.Branch), Hint: "hydrate it first: sluice commit, then sluice promote " + e.Name}
	case head.Damaged != nil:
		return nil, fmt.Errorf("reading what branch %s says of itself: %w", e.Branch, head.Damaged)
	}
	at := why.Where{Tip: head.Tip, Environment: tree.EnvironmentRecord{Name: e.Name, Path: e.Path}, First: e.PromotedFrom == ""}
	for _, r := range head.Provenance.Environments {
		if r.Name == e.Name {
			at.Environment = r
		}
	}
	if from, ok := cfg.Environment(e.PromotedFrom); ok {
		earlier, err := branch.ReadHead(w.repo, from)
		if err != nil {
			return nil, err
		}
		at.Earlier = earlier.Tip
	}
	m, err := w.match(at, e, q, asked)
	if err != nil {
		return nil, err
	}
	a, err := why.Explain(ctx, w.repo, at, m)
	if err != nil {
		return nil, err
	}
	return newOrigin(e, at.Tip, a), nil
}

// match gives the one object that is meant.
func (w *workspace) match(at why.Where, e config.Environment, q why.Query, asked string) (why.Match, error) {
	files, err := w.repo.Files(at.Tip)
	if err != nil {
		return why.Match{}, err
	}
	found, err := why.Find(files, at.Environment, q)
	if err != nil {
		return why.Match{}, err
	}
	if len(found) == 1 {
		return found[0], nil
	}
	if len(found) == 0 {
		return why.Match{}, finding.Finding{
			Text: fmt.Sprintf("%q is no object of environment %q at %s", asked, e.Name, at.Tip.Short()),
			Hint: "see what there is: git ls-tree -r --name-only " + at.Tip.Short() + " " + at.Environment.Path + "/",
		}
	}
	hint := "name one of them:"
	for _, m := range found {
		hint += "\n  sluice why " + m.File + "  (" + m.ID().String() + ")"
	}
	return why.Match{}, finding.Finding{Text: fmt.Sprintf("%q means %d objects of environment %q", asked, len(found), e.Name), Hint: hint}
}

func newOrigin(e config.Environment, tip repo.ID, a *why.Answer) *origin {
	o := &origin{
		Environment: e.Name, PromotedFrom: e.PromotedFrom, Branch: e.Branch, Commit: tip,
		Object: object{a.Object.APIVersion, a.Object.Kind, a.Object.Namespace, a.Object.Name},
		App:    a.App, File: a.File, Injected: []pin{}, Images: append([]string{}, a.Object.Images...),
		Source: place{File: a.Object.Source, Line: a.Line, said: said{Commit: a.SourceCommit}},
		By:     a.By, Edited: a.Edited, name: a.ID().String(),
	}
	if a.Source != nil {
		o.Source.said = sayCommit(a.Source)
	}
	for _, p := range a.Object.Injected {
		o.Injected = append(o.Injected, pin(p))
	}
	if a.Changed != nil {
		s := sayCommit(a.Changed)
		o.Changed = &s
	}
	return o
}

func (c *command) printOrigin(o *origin) error {
	return c.print(o, func() error {
		source := o.Source.File
		if o.Source.Line > 0 {
			source += fmt.Sprintf(":%d", o.Source.Line)
		}
		rows := [][]string{
			{"object", o.name + " of " + o.Environment},
			{"file", o.File + " on " + o.Branch + " at " + o.Commit.Short()},
			{"source", source},
		}
		if o.Source.Author == "" {
			rows = append(rows, []string{"commit", o.Source.Commit.Short() + ", which is not here"})
		} else {
			rows = append(rows, []string{"commit", o.Source.Commit.Short() + " " + o.Source.Subject}, []string{"", o.Source.Author + " <" + o.Source.Email + ">, " + o.Source.Date})
		}
		for _, p := range o.Injected {
			rows = append(rows, []string{"injector", p.Injector + " " + p.Version})
		}
		for i, image := range o.Images {
			rows = append(rows, []string{map[bool]string{true: "images"}[i == 0], image})
		}
		if o.Changed == nil {
			rows = append(rows, []string{"changed", "cannot be told: the history is not here"})
		} else {
			rows = append(rows, []string{"changed", o.Changed.Commit.Short() + " " + o.Changed.Subject}, []string{"", o.brought()})
		}
		if err := table(c.Out, rows, func(_ int, cell string) string { return c.paint(c.Out, cyan, cell) }); err != nil {
			return err
		}
		if o.Edited {
			c.note("warning: %s was edited by hand on %s, so this may not be what is there: sluice verify %s", o.Environment, o.Branch, o.Environment)
		}
		if o.Changed == nil {
			c.note("hint: fetch it: git fetch --unshallow, or fetch-depth: 0 in actions/checkout")
		}
		return nil
	})
}

// brought tells how the last change came to the branch.
func (o *origin) brought() string {
	switch o.By {
	case why.Commit:
		return "committed to " + o.Branch
	case why.Promotion:
		return "promoted from " + o.PromotedFrom
	case why.Branch:
		return "written to " + o.Branch + " alone: " + o.PromotedFrom + " has never had it"
	}
	return "whether it was promoted from " + o.PromotedFrom + " cannot be told"
}
