package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/hydrate"
	"github.com/sluice-dev/sluice/pkg/inject/conduit"
	"github.com/sluice-dev/sluice/pkg/pins"
	"github.com/sluice-dev/sluice/pkg/source"
)

func (c *command) pinCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "pin", Short: "Change a pin in sluice.yaml, and see what that changes",
		Long: `Pin changes a version in sluice.yaml, with the checksums that belong to it, and
leaves every other byte of the file as it is. It renders the working tree with
the old and with the new pin and prints what is different. If the new pin does
not render, nothing is written.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Errorf("pin takes conduit or tool, not %q", args[0])}
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(c.pinConduitCommand(), c.pinToolCommand())
	return cmd
}

func (c *command) pinConduitCommand() *cobra.Command {
	var app string
	var dry bool
	cmd := &cobra.Command{
		Use: "conduit RELEASE", Short: "Pin a release of the native injector",
		Long: `Conduit pins a release of the injector that is built in, for the whole
repository or for one app, and tells what is known about pods of the old and
of the new release living together.`,
		Example: `  sluice pin conduit v0.3.1
  sluice pin conduit v0.3.0 --app legacy`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.repin(cmd.Context(), dry, func(_ context.Context, s *snapshot) (*repinned, error) {
				return pinConduit(s.config, app, args[0])
			})
		},
	}
	cmd.Flags().StringVar(&app, "app", "", "pin for the app `NAME` only")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "print what would change and write nothing")
	return cmd
}

// repinned is a change of a pin: which file, and how its text changes.
type repinned struct {
	File   string        `json:"file"` // relative to the repository root
	Pin    string        `json:"pin"`  // conduit, or a tool's name
	Before string        `json:"before"`
	After  string        `json:"after"`
	Dry    bool          `json:"dryRun"`
	Wrote  bool          `json:"written"`
	Notes  []releaseNote `json:"notes"` // on living together, from the older to the newer release
	Effect []pins.Effect `json:"changes"`
	Sums   []checksum    `json:"checksums,omitempty"`

	change func(text []byte) ([]byte, error)
}

// releaseNote is what there is to know about two releases side by side.
type releaseNote struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Breaks bool   `json:"breaks"` // something stops working while both are there
	Text   string `json:"text"`
}

func releaseNotes(notes []conduit.Note) []releaseNote {
	out := []releaseNote{}
	for _, n := range notes {
		out = append(out, releaseNote(n))
	}
	return out
}

// pinConduit plans a change of a native pin.
func pinConduit(cfg *config.Config, app, release string) (*repinned, error) {
	p := &repinned{File: cfg.File(), Pin: "conduit", After: release}
	if _, err := conduit.New(config.Conduit{Version: release}); err != nil {
		return nil, releaseFinding(err)
	}
	current := cfg.Conduit
	if app != "" {
		at, own := appNamed(cfg, app)
		if own == nil {
			return nil, finding.Finding{File: cfg.File(), Line: cfg.Line("apps"), Text: fmt.Sprintf("no app is named %q", app)}
		}
		if own.Conduit != nil {
			current = own.Conduit
		}
		// An included app has a file of its own, and the pin at its top.
		if p.File = cfg.Place(at).File; p.File != cfg.File() {
			app = ""
		}
	}
	if current != nil {
		p.Before = current.Version
	}
	notes, _ := conduit.Between(p.Before, release)
	p.Notes = releaseNotes(notes)
	p.change = func(text []byte) ([]byte, error) { return pins.Conduit(text, app, release) }
	return p, nil
}

// releaseFinding is the error of a release that is none, in the words of the
// command line.
func releaseFinding(err error) error {
	list, ok := optionFindings(err).(finding.List)
	if !ok {
		return err
	}
	for i := range list {
		list[i].Text = strings.TrimPrefix(list[i].Text, "--conduit-version: ")
	}
	return list
}

func appNamed(cfg *config.Config, name string) (at string, app *config.App) {
	for i := range cfg.Apps {
		if cfg.Apps[i].Name == name {
			return fmt.Sprintf("apps[%d]", i), &cfg.Apps[i]
		}
	}
	return "", nil
}

// repin changes a pin in the working tree, after the result has been rendered.
func (c *command) repin(ctx context.Context, dry bool, plan func(context.Context, *snapshot) (*repinned, error)) error {
	w, err := c.open()
	if err != nil {
		return err
	}
	s, err := w.workingTree()
	if err != nil {
		return err
	}
	p, err := plan(ctx, s)
	if err != nil {
		return err
	}
	before, err := s.fs.ReadFile(p.File)
	if err != nil {
		return err
	}
	after, err := p.change(before)
	if err != nil {
		return fmt.Errorf("changing %q: %w", p.File, err)
	}
	if p.Effect, err = c.effects(ctx, w, s, p.File, after); err != nil {
		return err
	}
	if p.Dry = dry; !dry && !bytes.Equal(before, after) {
		if err := replace(filepath.Join(w.root, filepath.FromSlash(p.File)), after); err != nil {
			return err
		}
		p.Wrote = true
	}
	return c.printPin(p, bytes.Equal(before, after))
}

// effects renders the working tree with the old and with the new text of a
// config file, and compares.
func (c *command) effects(ctx context.Context, w *workspace, s *snapshot, file string, text []byte) ([]pins.Effect, error) {
	cfg, err := config.Load(replaced{s.fs, file, text}, w.config)
	if err != nil {
		return nil, err
	}
	renderer, err := c.renderer()
	if err != nil {
		return nil, err
	}
	defer renderer.Close()
	src := w.source(ctx, s)
	src.Config = cfg
	all, err := choose(cfg, nil)
	if err != nil {
		return nil, err
	}
	c.stage("rendering with the new pin")
	after, err := hydrate.Environments(ctx, src, all, renderer)
	if err != nil {
		return nil, err
	}
	src.Config = s.config
	c.stage("rendering with the old pin")
	before, err := hydrate.Environments(ctx, src, all, renderer)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		c.note("with the old pin nothing renders, so everything is new: %s", first)
		before = nil
	}
	return pins.Effects(before, after)
}

// replaced is the files of a source with the text of one of them replaced.
type replaced struct {
	*source.FS
	path string
	text []byte
}

func (r replaced) ReadFile(path string) ([]byte, error) {
	if path == r.path {
		return r.text, nil
	}
	return r.FS.ReadFile(path)
}

// replace gives a file another content; no reader sees half of it.
func replace(file string, data []byte) error {
	file, err := filepath.EvalSymlinks(file)
	if err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Chmod(info.Mode().Perm())
	}
	if err == nil {
		err = temp.Sync()
	}
	if closing := temp.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("writing %q: %w", file, err)
	}
	return os.Rename(temp.Name(), file)
}

func (c *command) printPin(p *repinned, same bool) error {
	return c.print(p, func() error {
		was := p.Before
		if was == "" {
			was = "none"
		}
		said := fmt.Sprintf("%s: %s %s -> %s", p.File, p.Pin, was, p.After)
		switch {
		case same:
			said = fmt.Sprintf("%s: %s %s, unchanged", p.File, p.Pin, p.After)
		case p.Dry:
			said += ", not written"
		}
		fmt.Fprintln(c.Out, escape(said))
		for _, s := range p.Sums {
			fmt.Fprintln(c.Out, escape(fmt.Sprintf("  %s sha256 %s", s.Platform, s.SHA256)))
		}
		if err := table(c.Out, pinRows(p.Effect), nil); err != nil {
			return err
		}
		fmt.Fprintln(c.Out, changesBy(p.Effect))
		for _, n := range p.Notes {
			word := "note"
			if n.Breaks {
				word = "breaks"
			}
			fmt.Fprintf(c.Out, "%s: %s beside %s: %s\n", word, n.From, n.To, n.Text)
		}
		return nil
	})
}

// pinRows gives a line for each container, or object without one, that differs.
func pinRows(effects []pins.Effect) [][]string {
	var rows [][]string
	for _, e := range effects {
		if len(e.Containers) == 0 {
			rows = append(rows, []string{"  " + e.Environment, e.Object, e.What, ""})
		}
		for _, ct := range e.Containers {
			how := ct.Before + " -> " + ct.After
			switch {
			case ct.Before == ct.After:
				how = ct.After + ", configured otherwise"
			case ct.Before == "":
				how = "added: " + ct.After
			case ct.After == "":
				how = "removed: " + ct.Before
			}
			rows = append(rows, []string{"  " + e.Environment, e.Object, ct.Name, how})
		}
	}
	return rows
}

func changesBy(effects []pins.Effect) string {
	if len(effects) == 0 {
		return "no object changes"
	}
	seen := map[string]bool{}
	var names []string
	containers := 0
	for _, e := range effects {
		containers += len(e.Containers)
		if !seen[e.Environment] {
			seen[e.Environment] = true
			names = append(names, e.Environment)
		}
	}
	verb := "change"
	if len(effects) == 1 {
		verb = "changes"
	}
	return fmt.Sprintf("%s and %s %s in %s", count(len(effects), "object"), count(containers, "container"), verb, strings.Join(names, ", "))
}
