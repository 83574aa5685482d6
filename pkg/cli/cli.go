// Package cli turns a command line into calls of the stages and their results
// into text, JSON and an exit status. It is the only importer of cobra, and
// the only reader of the environment.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/render"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// Program is everything that a run takes from its surroundings.
type Program struct {
	Args    []string // as in os.Args
	In      io.Reader
	Out     io.Writer // the product
	Err     io.Writer // all else
	Env     func(string) string
	Environ []string // all of the environment, for the git program
	Now     func() time.Time
	Random  func() float64 // from 0 up to 1; what waits takes its length from it
	Version string         // empty: taken from the build's own record
}

// workerArg is the one argument of a kustomize worker process.
const workerArg = "kustomize-worker"

// Main runs a command and gives its exit status.
func Main(ctx context.Context, p Program) int {
	if len(p.Args) == 2 && p.Args[1] == workerArg {
		if err := render.Worker(p.In, p.Out); err != nil {
			fmt.Fprintln(p.Err, err)
			return 1
		}
		return 0
	}
	// Libraries log what servers say, as it comes and past every printer here.
	// What matters of it is in their errors.
	log.SetOutput(io.Discard)
	if p.Version == "" {
		p.Version = buildVersion()
	}
	line := newStatusLine(p)
	defer line.close()
	p.Out, p.Err = line.beside(p.Out), line.beside(p.Err)
	c := &command{Program: p, line: line}
	c.guardErr()
	root := c.root()
	root.SetArgs(p.Args[1:])
	root.SetIn(p.In)
	root.SetOut(p.Out)
	root.SetErr(c.Err)
	err := root.ExecuteContext(ctx)
	var unknown *repo.UnknownOutcomeError
	var half *halfwayError
	switch {
	case ctx.Err() == nil || err == nil:
	case errors.As(err, &unknown):
		err = errors.Join(unknown, context.Canceled) // nobody may be told that nothing was changed
	case errors.As(err, &half):
		err = errors.Join(half, context.Canceled)
	default:
		err = context.Canceled
	}
	return c.end(ctx, err)
}

// end says how a run ended, to its reader and then to everybody else.
func (c *command) end(ctx context.Context, err error) int {
	code := c.report(err)
	c.refusedNews(err, code)
	c.publish()
	c.announce(ctx)
	c.endLog()
	c.annotate(err)
	return code
}

// buildVersion is the module's version that Go recorded in the binary.
func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// command is what all verbs share: the surroundings and the global flags.
type command struct {
	Program
	dir, file, output string
	quiet, verbose    bool
	noColor           bool
	jobs              int         // builds at a time; 0: as many as there are CPUs
	line              *statusLine // nil where none is to be shown

	top  string       // of the repository's working tree; empty before it is known
	raw  io.Writer    // stderr, also for commands to a CI runner
	log  []*runnerLog // the streams that a CI runner reads
	news news
}

func (c *command) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "sluice",
		Short: "Git holds exactly what lands in the cluster",
		Long: `Sluice renders the Kubernetes manifests of a config repository, injects the
service-mesh proxy with the version that the repository pins, and commits the
fully hydrated result to an environment branch. Promotion moves the next
environment's branch forward to that same commit.`,
		SilenceUsage: true, SilenceErrors: true,
		SuggestionsMinimumDistance: 2,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			err := fmt.Errorf("unknown command %q", args[0])
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				err = fmt.Errorf("%w: did you mean %s?", err, strings.Join(near, " or "))
			}
			return &usageError{err}
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := c.checkJobs(cmd); err != nil {
				return err
			}
			formats := []string{"text", "json", "yaml"}
			if more := cmd.Annotations[moreFormats]; more != "" {
				formats = append(formats, strings.Fields(more)...)
			}
			if slices.Contains(formats, c.output) {
				c.guardOut(cmd)
				return nil
			}
			last := len(formats) - 1
			return &usageError{fmt.Errorf("-o takes %s or %s, not %q", strings.Join(formats[:last], ", "), formats[last], c.output)}
		},
	}
	flags := root.PersistentFlags()
	flags.StringVarP(&c.dir, "chdir", "C", "", "run as if started in `DIR`")
	flags.StringVarP(&c.file, "file", "f", "", "the config `FILE` (default sluice.yaml, here or in a parent directory of the repository)")
	flags.StringVarP(&c.output, "output", "o", "text", "`FORMAT` of the output: text, json or yaml")
	flags.BoolVarP(&c.quiet, "quiet", "q", false, "print nothing but the product and errors")
	flags.BoolVarP(&c.verbose, "verbose", "v", false, "say what is being done")
	flags.BoolVar(&c.noColor, "no-color", false, "no colors (also: NO_COLOR, CI, or output that is no terminal)")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	c.addCommands(root)
	c.jobsFlags(root)
	c.completions(root)
	return root
}

// addCommands adds the verbs, in the groups that --help lists them in.
func (c *command) addCommands(root *cobra.Command) {
	for _, g := range []struct {
		title string
		verbs []*cobra.Command
	}{
		{"Start:", []*cobra.Command{c.initCommand(), c.checkCommand()}},
		{"Look:", []*cobra.Command{c.renderCommand(), c.diffCommand(), c.parityCommand(), c.lintCommand(), c.statusCommand(), c.whyCommand(), c.imagesCommand(), c.graphCommand()}},
		{"Commit, promote, prove:", []*cobra.Command{c.commitCommand(), c.promoteCommand(), c.rollbackCommand(), c.verifyCommand()}},
		{"Change the source:", []*cobra.Command{c.pinCommand(), c.setImageCommand(), c.proposeCommand(), c.releaseCommand(), c.clusterCommand()}},
		{"In a pipe:", []*cobra.Command{c.injectCommand(), c.uninjectCommand(), c.exportCommand()}},
	} {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, verb := range g.verbs {
			verb.GroupID = g.title
			root.AddCommand(verb)
		}
	}
	root.AddCommand(c.versionCommand())
}

// moreFormats annotates a command with the formats that it has beside those
// of every command.
const moreFormats = "formats"

// usageError is a mistake in the command line itself.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

// noArgs refuses arguments in the words of the command.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return &usageError{fmt.Errorf("%s takes no arguments, not %q", cmd.CommandPath(), args[0])}
	}
	return nil
}

// usage wraps cobra's checks of arguments, so that they count as usage errors.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &usageError{fmt.Errorf("%w\nusage: %s", err, cmd.UseLine())}
		}
		return nil
	}
}

// stage says what is being done, to those who asked.
func (c *command) stage(format string, args ...any) {
	if c.verbose {
		c.note(format, args...)
	}
}

// The colors of a terminal.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

// paint colors text on a terminal, unless somebody does not want it.
func (c *command) paint(w io.Writer, color, text string) string {
	if c.noColor || c.Env("NO_COLOR") != "" || c.Env("CI") != "" || c.Env("TERM") == "dumb" || terminal(w) == nil {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// note prints a line for people beside the product.
func (c *command) note(format string, args ...any) {
	if !c.quiet {
		fmt.Fprintln(c.Err, escape(fmt.Sprintf(format, args...)))
	}
}

// errFound ends a command whose product is what it found: exit 1, no message.
var errFound = errors.New("differences found")

// errFaulty and errUnasked end a command whose product says already that the
// source is at fault, or that a remote or the forge did not answer.
var (
	errFaulty  = errors.New("the source is at fault")
	errUnasked = errors.New("not everything could be looked at")
)
