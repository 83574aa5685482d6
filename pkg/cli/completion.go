package cli

import (
	"context"
	"path"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/inject/conduit"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/source"
)

// What a shell is offered comes from the config, the refs and the trees of the
// branches. Nothing is rendered, run or fetched for it, and where something is
// at fault there is nothing to offer: the command itself says what.

// complete gives candidates for a word, having the arguments before it.
type complete func(args []string, word string) []string

// arguments tells what the arguments of verbs are.
func (c *command) arguments() map[string]complete {
	return map[string]complete{
		"render":          c.moreEnvironments,
		"images":          c.moreEnvironments,
		"parity":          upTo(2, c.moreEnvironments),
		"promote":         upTo(1, c.moreEnvironments),
		"rollback":        upTo(1, c.moreEnvironments),
		"diff":            upTo(2, join(c.moreEnvironments, c.revisions)),
		"verify":          join(c.moreEnvironments, c.ranges),
		"why":             c.objects,
		"pin tool":        upTo(1, c.tools),
		"pin conduit":     upTo(1, releases),
		"export flux":     c.moreEnvironments,
		"export argocd":   c.moreEnvironments,
		"export kluctl":   c.moreEnvironments,
		"set-image":       nothing,
		"release upgrade": upTo(1, c.clusters),
		"release status":  c.clusters,
		"cluster create":  nothing,
		"check":           nothing,
		"init":            nothing,
		"version":         nothing,
		"status":          nothing,
		"commit":          nothing,
		"lint":            nothing,
		"graph":           nothing,
	}
}

// completions teaches the commands to complete their arguments and flags.
func (c *command) completions(root *cobra.Command) {
	arguments := c.arguments()
	flags := map[string]complete{
		"rev": c.revisions, "to": c.held, "commit": c.held, "app": c.apps, "env": c.moreEnvironments,
		"conduit-version": releases, "base": c.revisions,
		// What one verb means by a flag goes before what the others do.
		"release upgrade --to": c.clusterReleases, "cluster create --release": c.anyRelease,
	}
	each(root, func(cmd *cobra.Command) {
		name := strings.TrimPrefix(strings.TrimPrefix(cmd.CommandPath(), root.Name()), " ")
		if give := arguments[name]; give != nil && cmd.ValidArgsFunction == nil {
			cmd.ValidArgsFunction = give.words
		}
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			give := flags[name+" --"+f.Name]
			if give == nil {
				give = flags[f.Name]
			}
			if give != nil {
				// It fails only for a flag that has a completion already.
				_ = cmd.RegisterFlagCompletionFunc(f.Name, give.words)
			}
		})
	})
	_ = root.RegisterFlagCompletionFunc("output", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return append([]string{"text", "json", "yaml"}, strings.Fields(cmd.Annotations[moreFormats])...), cobra.ShellCompDirectiveNoFileComp
	})
	_ = root.MarkPersistentFlagDirname("chdir")
	_ = root.MarkPersistentFlagFilename("file", "yaml", "yml")
}

func each(cmd *cobra.Command, do func(*cobra.Command)) {
	do(cmd)
	for _, below := range cmd.Commands() {
		each(below, do)
	}
}

// words is a complete as cobra takes it.
func (give complete) words(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	how := cobra.ShellCompDirectiveNoFileComp
	var safe []string
	for _, s := range give(args, word) {
		if strings.HasPrefix(s, word) && typeable(s) {
			safe = append(safe, s)
			if strings.HasSuffix(s, "/") {
				how |= cobra.ShellCompDirectiveNoSpace
			}
		}
	}
	return safe, how
}

// typeable tells whether a name means itself in every shell. Git lets a branch
// be named $(reboot); to zsh =ls is a program's path, to PowerShell @args a
// variable and a,b two arguments.
func typeable(s string) bool {
	return s != "" && !strings.ContainsRune("-=@", rune(s[0])) && strings.IndexFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("./_-+@=:", r)
	}) < 0
}

func nothing([]string, string) []string { return nil }

// upTo completes a number of arguments.
func upTo(n int, give complete) complete {
	return func(args []string, word string) []string {
		if len(args) >= n {
			return nil
		}
		return give(args, word)
	}
}

func join(all ...complete) complete {
	return func(args []string, word string) []string {
		var names []string
		for _, give := range all {
			names = append(names, give(args, word)...)
		}
		return names
	}
}

// settings gives the workspace and its config; nil where there is none that
// can be read.
func (c *command) settings() (*workspace, *config.Config) {
	w, err := c.open()
	if err != nil {
		return nil, nil
	}
	cfg, err := w.anyConfig()
	if err != nil {
		return nil, nil
	}
	return w, cfg
}

// moreEnvironments gives the environments that are not among the arguments.
func (c *command) moreEnvironments(args []string, _ string) []string {
	_, cfg := c.settings()
	if cfg == nil {
		return nil
	}
	named := map[string]bool{}
	for _, a := range args {
		named[a] = true
	}
	var names []string
	for _, chain := range cfg.Chains() {
		for _, e := range chain {
			if !named[e.Name] {
				names = append(names, e.Name)
			}
		}
	}
	return names
}

func (c *command) apps([]string, string) []string {
	_, cfg := c.settings()
	if cfg == nil {
		return nil
	}
	var names []string
	for _, a := range cfg.Apps {
		names = append(names, a.Name)
	}
	return names
}

func (c *command) tools([]string, string) []string {
	_, cfg := c.settings()
	if cfg == nil {
		return nil
	}
	var names []string
	for _, t := range cfg.Tools {
		names = append(names, t.Name)
	}
	return names
}

func releases([]string, string) []string { return conduit.Releases() }

// revisions gives branches and tags, which need no config.
func (c *command) revisions([]string, string) []string {
	w, err := c.open()
	if err != nil || w.repo == nil {
		return nil
	}
	names, _ := w.repo.Revisions()
	return names
}

// ranges completes what stands behind the dots of a range.
func (c *command) ranges(args []string, word string) []string {
	from, _, ranged := strings.Cut(word, "..")
	if !ranged {
		return nil
	}
	names := c.revisions(args, word)
	for i := range names {
		names[i] = from + ".." + names[i]
	}
	return names
}

// maxOffered is how many commits of a branch are offered to a shell.
const maxOffered = 50

// held gives what the environment of the arguments may be taken to, newest
// first: commits of its branch, and of the one that it is promoted from.
func (c *command) held(args []string, _ string) []string {
	w, cfg := c.settings()
	if cfg == nil || w.repo == nil || len(args) == 0 {
		return nil
	}
	e, known := cfg.Environment(args[0])
	if !known {
		return nil
	}
	var names []string
	seen := map[repo.ID]bool{}
	for _, name := range []string{cfg.ChainOf(e.Name).Root().Branch, e.Branch} {
		tip, err := w.repo.Branch(name)
		if err != nil {
			continue
		}
		n := 0
		// Parents that are not here end what can be offered.
		_, _ = w.repo.WalkFirstParents(context.Background(), tip, func(commit *repo.Commit) (bool, error) {
			if !seen[commit.ID] {
				seen[commit.ID] = true
				names = append(names, commit.ID.Short())
			}
			n++
			return n < maxOffered, nil
		})
	}
	return names
}

// objects completes ENV/PATH, a directory at a time, and ENV KIND/NAME.
func (c *command) objects(args []string, word string) []string {
	w, cfg := c.settings()
	if cfg == nil || w.repo == nil || len(args) > 1 {
		return nil
	}
	if len(args) == 1 {
		return w.kinds(cfg, args[0])
	}
	name, within, below := strings.Cut(word, "/")
	if !below {
		names := c.moreEnvironments(nil, "")
		for _, n := range names {
			names = append(names, n+"/")
		}
		return names
	}
	files, at := w.heldBy(cfg, name)
	if files == nil {
		return nil
	}
	dir := path.Dir(within + "x")
	entries, err := files.ReadDir(path.Join(at, dir))
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		switch full := name + "/" + path.Join(dir, e.Name); {
		case e.Kind == source.Dir:
			names = append(names, full+"/")
		case e.Name != listName:
			names = append(names, full)
		}
	}
	return names
}

// listName is the file beside the objects that lists them.
const listName = "kustomization.yaml"

// heldBy gives what an environment's branch holds, and in which directory;
// nil if that is nothing.
func (w *workspace) heldBy(cfg *config.Config, name string) (source.Tree, string) {
	e, known := cfg.Environment(name)
	if !known {
		return nil, ""
	}
	head, err := branch.ReadHead(w.repo, e)
	if err != nil || head.Bare() || head.Foreign {
		return nil, ""
	}
	files, err := w.repo.Files(head.Tip)
	if err != nil {
		return nil, ""
	}
	return files, e.Path
}

// maxListed is how many files are looked at for the kinds and names of objects.
const maxListed = 5000

// kinds gives the objects of an environment as kind/name, from the names of
// their files: reading them all would take too long for a key.
func (w *workspace) kinds(cfg *config.Config, environment string) []string {
	files, root := w.heldBy(cfg, environment)
	if files == nil {
		return nil
	}
	var names []string
	listed := 0
	var down func(dir string)
	down = func(dir string) {
		entries, err := files.ReadDir(dir)
		if err != nil {
			return
		}
		for _, e := range entries {
			if listed++; listed > maxListed {
				return
			}
			if e.Kind == source.Dir {
				down(path.Join(dir, e.Name))
				continue
			}
			object, is := strings.CutSuffix(e.Name, ".yaml")
			if kind, name, named := strings.Cut(object, "-"); is && named && e.Name != listName {
				names = append(names, kind+"/"+name)
			}
		}
	}
	down(root)
	return names
}
