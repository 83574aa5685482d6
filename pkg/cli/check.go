package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/check"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/hydrate"
	"github.com/sluice-dev/sluice/pkg/inject/program"
	"github.com/sluice-dev/sluice/pkg/repo"
)

func (c *command) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Tell now what would fail later",
		Long: `Check looks at everything that the other commands are going to need: the config,
what it renders to with the programs that it pins, the remote and what the
credentials at hand may do there, the environment branches here and there, and
how the forge is set up: merge buttons, branch rules, the token.

A problem is what would make a command of sluice fail; the exit status is 1
then. Advice is what a person could do by mistake, and what this token does not
get to see. What was not looked at is said. Nothing is pushed, and nothing is
changed on the forge.`,
		Example: `  sluice check
  sluice check -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, err := c.open()
			if err != nil {
				return err
			}
			if err := w.needRepo(); err != nil {
				return err
			}
			k := &checkup{c: c, w: w, heads: map[string]branch.Head{}}
			if err := k.run(cmd.Context()); err != nil {
				return err
			}
			if err := k.print(); err != nil {
				return err
			}
			return k.outcome()
		},
	}
}

// checkup is one run of check, and what it has found so far.
type checkup struct {
	c       *command
	w       *workspace
	source  *snapshot
	remote  *repo.Remote    // nil if there is none that answers
	tips    branch.Tips     // nil without a remote
	history *branch.History // nil without a remote
	heads   map[string]branch.Head
	faulty  bool // the source does not render
	areas   []*area
}

// area is one thing that was looked at.
type area struct {
	Name     string          `json:"name"`
	State    areaState       `json:"state"`
	Text     string          `json:"text,omitempty"` // what was found, or why it was not looked at
	Hint     string          `json:"hint,omitempty"` // where it could not be looked at
	Findings []check.Finding `json:"findings"`
}

// areaState is what a look came to.
type areaState string

const (
	areaOK      areaState = "ok"
	areaAdvice  areaState = "advice"
	areaProblem areaState = "problem"
	areaSkipped areaState = "not looked at"
	areaFailed  areaState = "failed" // the remote or the forge did not answer
)

// run looks at everything. Only what leaves nothing to look at is an error.
func (k *checkup) run(ctx context.Context) error {
	var err error
	if k.source, err = k.w.atHand(); err != nil {
		return err
	}
	cfg := k.source.config
	k.add("config").Text = fmt.Sprintf("%s, %s", cfg.File(), count(len(cfg.Environments), "environment"))
	for _, look := range []func(context.Context) error{k.rendering, k.remotes, k.branches, k.forge} {
		if err := look(ctx); err != nil {
			return err
		}
	}
	for _, a := range k.areas {
		a.Findings = check.Group(a.Findings)
		if worst := check.Worst(a.Findings); worst != "" && a.State == areaOK {
			a.State = areaState(worst)
		}
	}
	return nil
}

// atHand gives the source as it lies on disk, or as HEAD holds it where there is
// none on disk.
func (w *workspace) atHand() (*snapshot, error) {
	if w.root != "" {
		if _, err := os.Lstat(filepath.Join(w.root, filepath.FromSlash(w.config))); err == nil {
			return w.workingTree()
		}
	}
	return w.revision("HEAD")
}

func (k *checkup) add(name string) *area {
	a := &area{Name: name, State: areaOK, Findings: []check.Finding{}}
	k.areas = append(k.areas, a)
	return a
}

func (a *area) problem(where, text, hint string) {
	a.Findings = append(a.Findings, check.Finding{Severity: check.Problem, Where: where, Text: text, Hint: hint})
}

func (a *area) advise(where, text, hint string) {
	a.Findings = append(a.Findings, check.Finding{Severity: check.Advice, Where: where, Text: text, Hint: hint})
}

// fault takes an error that stands for something that would fail later. One
// that says that nobody answered is none: then this was not looked at.
func (a *area) fault(ctx context.Context, err error) error {
	var list finding.List
	if ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return err
	}
	if list.Take(err) == nil {
		for _, f := range list {
			a.problem("", f.Error(), f.Hint)
		}
		return nil
	}
	var refusal *finding.Refusal
	var auth *repo.AuthError
	var fetch *program.FetchError
	text, remote := remoteHint(err)
	switch {
	case errors.As(err, &refusal):
		a.problem("", refusal.Text, refusal.Hint)
	case errors.As(err, &auth):
		a.problem("", err.Error(), text)
	case errors.As(err, &fetch) && (fetch.Status == 404 || fetch.Status == 410):
		a.problem("", err.Error(), fetchHint(fetch))
	case errors.As(err, &fetch):
		a.State, a.Text, a.Hint = areaFailed, err.Error(), fetchHint(fetch)
	case remote:
		a.State, a.Text, a.Hint = areaFailed, err.Error(), text
	default:
		a.problem("", err.Error(), hint(err))
	}
	return nil
}

// rendering renders all environments, with the programs that the config pins.
func (k *checkup) rendering(ctx context.Context) error {
	a := k.add("rendering")
	pool, err := k.c.renderer()
	if err != nil {
		return err
	}
	defer pool.Close()
	k.c.stage("rendering all environments")
	environments, err := hydrate.Environments(ctx, k.w.source(ctx, k.source), k.source.config.Environments, pool)
	if err != nil {
		var list finding.List
		k.faulty = list.Take(err) == nil
		return a.fault(ctx, err)
	}
	var all []string
	for _, e := range environments {
		n := 0
		for _, r := range e.Records {
			n += len(r.Objects)
		}
		all = append(all, e.Name+" "+count(n, "object"))
	}
	a.Text = strings.Join(all, ", ")
	k.c.noteUnchecked(environments)
	return nil
}

// remotes asks origin for the branches, and whether it would take a push. A push
// of nothing ends after the greeting, which is for those only who may push.
func (k *checkup) remotes(ctx context.Context) error {
	a := k.add("remote")
	const name = "origin"
	if _, ok := k.w.repo.RemoteURL(name); !ok {
		a.State, a.Text = areaSkipped, `there is no remote "origin"`
		return nil
	}
	m, err := k.c.remote(k.w, name)
	if err != nil {
		return a.fault(ctx, err)
	}
	chains := k.source.config.Chains()
	tips, err := k.c.fetchTips(ctx, m, chains)
	if err != nil {
		return a.fault(ctx, fmt.Errorf("fetching from %q: %w", name, err))
	}
	on, _, err := k.w.repo.Head()
	if err != nil {
		on = "" // the branch of the source is not known
	}
	k.remote, k.tips, k.history = m, tips, branch.NewHistory(k.w.repo, m, branch.Branches(chains), on)
	if _, err := m.Push(ctx, nil); err != nil {
		return a.fault(ctx, fmt.Errorf("pushing to %q: %w", name, err))
	}
	a.Text = m.URL() + " can be read and pushed to"
	return nil
}

// outcome is the exit status as an error: what is at fault in the source comes
// first, then what was found, then what could not be looked at.
func (k *checkup) outcome() error {
	var problems finding.List
	failed := false
	for _, a := range k.areas {
		for _, f := range a.Findings {
			if f.Severity == check.Problem {
				problems = append(problems, finding.Finding{Text: f.Where + ": " + f.Text, Hint: f.Hint})
			}
		}
		failed = failed || a.State == areaFailed
	}
	switch {
	case k.faulty:
		return errFaulty
	case len(problems) > 0:
		k.c.news.found = problems
		return errFound
	case failed:
		return errUnasked
	}
	return nil
}

// print writes a line an area, and below it what was found there.
func (k *checkup) print() error {
	v := struct {
		Areas    []*area `json:"areas"`
		Problems int     `json:"problems"`
		Advice   int     `json:"advice"`
	}{Areas: k.areas}
	for _, a := range k.areas {
		for _, f := range a.Findings {
			if f.Severity == check.Problem {
				v.Problems++
			} else {
				v.Advice++
			}
		}
	}
	return k.c.print(v, func() error {
		var b strings.Builder
		for _, a := range k.areas {
			k.c.writeArea(&b, a)
		}
		_, err := fmt.Fprint(k.c.Out, b.String())
		return err
	})
}

func (c *command) writeArea(b *strings.Builder, a *area) {
	color := map[areaState]string{areaOK: green, areaProblem: red, areaFailed: red}[a.State]
	if color == "" {
		color = yellow
	}
	fmt.Fprintf(b, "%s: %s", a.Name, c.paint(c.Out, color, string(a.State)))
	if a.Text != "" {
		fmt.Fprintf(b, ": %s", escape(a.Text))
	}
	fmt.Fprintln(b)
	if a.Hint != "" {
		fmt.Fprintf(b, "    hint: %s\n", escape(a.Hint))
	}
	for i, f := range a.Findings {
		color := yellow
		if f.Severity == check.Problem {
			color = red
		}
		fmt.Fprintf(b, "  %s: %s\n", c.paint(c.Out, color, string(f.Severity)), escape(f.String()))
		last := i == len(a.Findings)-1 || a.Findings[i+1].Hint != f.Hint
		if f.Hint != "" && last { // once for all that it helps against
			fmt.Fprintf(b, "    hint: %s\n", escape(f.Hint))
		}
	}
}

// environments gives those of the config in the order of their chains.
func (k *checkup) environments() []config.Environment {
	var all []config.Environment
	for _, chain := range k.source.config.Chains() {
		all = append(all, chain...)
	}
	return all
}
