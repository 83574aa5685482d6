package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/start"
)

func (c *command) initCommand() *cobra.Command {
	var i initialization
	cmd := &cobra.Command{
		Use: "init", Short: "Write a starting sluice.yaml, and workflows for CI",
		Long: `Init writes a sluice.yaml from what it finds: kustomizations, one for each
environment or one for all; plain manifests; with --conduit-version the
workloads that can be injected. It renders the result before it writes it, and
says what still has to be filled in.

With --github-actions or --gitlab-ci it writes workflows that hydrate what is
merged, verify, and promote what has been approved. They are made of the config:
where there is one already, only they are written. No file is ever overwritten.`,
		Example: `  sluice init
  sluice init --conduit-version v0.3.1
  sluice init --github-actions --sluice-version v1.2.3`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			i.command = c
			return i.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&i.release, "conduit-version", "", "pin this `RELEASE`, and inject every workload that can be")
	cmd.Flags().BoolVar(&i.github, "github-actions", false, "write workflows for GitHub Actions")
	cmd.Flags().BoolVar(&i.gitlab, "gitlab-ci", false, "write a pipeline for GitLab CI")
	cmd.Flags().StringVar(&i.version, "sluice-version", "", "the `VERSION` of sluice that they use (default: this one)")
	return cmd
}

// initialization is one run of init.
type initialization struct {
	*command
	release, version string
	github, gitlab   bool

	w    *workspace
	todo []string // what people have to do, in their order
}

// initialized is the product of init.
type initialized struct {
	Wrote []string `json:"written"` // relative to the repository root, sorted
	Todo  []string `json:"todo"`
}

func (i *initialization) run(ctx context.Context) error {
	var err error
	if i.w, err = i.open(); err != nil {
		return err
	}
	if i.w.root == "" {
		return finding.Finding{Text: "a bare repository has no working tree to write into", Hint: "run it in a clone"}
	}
	files, err := i.files(ctx)
	if err != nil {
		return err
	}
	if err := i.write(files); err != nil {
		return err
	}
	out := initialized{Wrote: slices.Sorted(maps.Keys(files)), Todo: append([]string{}, i.todo...)}
	return i.print(out, func() error {
		for _, file := range out.Wrote {
			fmt.Fprintf(i.Out, "wrote %s\n", escape(file))
		}
		for _, text := range out.Todo {
			i.note("todo: %s", text)
		}
		return nil
	})
}

// files gives what is to be written, by slash path.
func (i *initialization) files(ctx context.Context) (map[string][]byte, error) {
	files := map[string][]byte{}
	var cfg *config.Config
	_, err := os.Lstat(filepath.Join(i.w.root, filepath.FromSlash(i.w.config)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		var text []byte
		if cfg, text, err = i.begin(ctx); err != nil {
			return nil, err
		}
		files[i.w.config] = text
	case err != nil:
		return nil, err
	case !i.github && !i.gitlab:
		return nil, &finding.Refusal{
			Text: fmt.Sprintf("%q is there already, and is not overwritten", i.w.config),
			Hint: "change it by hand; sluice init --github-actions or --gitlab-ci writes the workflows that go with it",
		}
	case i.release != "":
		return nil, &usageError{errors.New("--conduit-version goes into a new config: sluice pin conduit changes the one that is there")}
	default:
		s, err := i.w.workingTree()
		if err != nil {
			return nil, err
		}
		cfg = s.config
	}
	return files, i.workflows(cfg, files)
}

// installable is a version that go install takes.
var installable = regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$`)

// workflows adds the files for CI.
func (i *initialization) workflows(cfg *config.Config, files map[string][]byte) error {
	if !i.github && !i.gitlab {
		return nil
	}
	ci := start.CI{Config: cfg, Main: i.mainBranch(), Version: i.version}
	if ci.Version == "" {
		ci.Version, ci.Revision = i.Version, buildRevision()
	}
	if !installable.MatchString(ci.Version) {
		return &usageError{fmt.Errorf("workflows name a released version of sluice, and this one is %q: give one with --sluice-version", ci.Version)}
	}
	for _, kind := range []struct {
		wanted bool
		make   func(start.CI) (map[string][]byte, error)
		todo   string
	}{
		{i.github, start.GitHubActions, "on GitHub, allow workflows to create pull requests (Settings, Actions), and protect the environment branches"},
		{i.gitlab, start.GitLabCI, "on GitLab, set GITLAB_TOKEN, choose fast-forward merges, and protect the environment branches"},
	} {
		if !kind.wanted {
			continue
		}
		made, err := kind.make(ci)
		if err != nil {
			return err
		}
		maps.Copy(files, made)
		i.todo = append(i.todo, kind.todo)
	}
	return nil
}

// mainBranch is the branch that the source is merged into: one that goes by
// the usual names, or else what is checked out.
func (i *initialization) mainBranch() string {
	if i.w.repo == nil {
		return "main"
	}
	for _, name := range []string{"main", "master"} {
		for _, tip := range []func() (repo.ID, error){
			func() (repo.ID, error) { return i.w.repo.RemoteBranch("origin", name) },
			func() (repo.ID, error) { return i.w.repo.Branch(name) },
		} {
			if _, err := tip(); err == nil {
				return name
			}
		}
	}
	if branch, _, _ := i.w.repo.Head(); branch != "" {
		return branch
	}
	return "main"
}

// buildRevision is the commit that this program was built from; empty if it
// was built from anything else.
func buildRevision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	revision := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			return ""
		}
	}
	return revision
}

// write makes files that are not there yet, or none.
func (i *initialization) write(files map[string][]byte) error {
	root, err := os.OpenRoot(i.w.root)
	if err != nil {
		return err
	}
	defer root.Close()
	names := slices.Sorted(maps.Keys(files))
	var there []string
	for _, name := range names {
		if _, err := root.Lstat(filepath.FromSlash(name)); err == nil {
			there = append(there, name)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("looking for %q: %w", name, err)
		}
	}
	if len(there) > 0 {
		return &finding.Refusal{
			Text: fmt.Sprintf("%s is there already, and is not overwritten", strings.Join(there, ", ")),
			Hint: "move it away, run the command again, and see what differs",
		}
	}
	for _, name := range names {
		at := filepath.FromSlash(name)
		if err := root.MkdirAll(filepath.Dir(at), 0o777); err != nil {
			return fmt.Errorf("writing %q: %w", name, err)
		}
		// Whoever makes it in between keeps it.
		f, err := root.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err != nil {
			return fmt.Errorf("writing %q: %w", name, err)
		}
		_, err = f.Write(files[name])
		if err := errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("writing %q: %w", name, err)
		}
	}
	return nil
}
