package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/pins"
	"github.com/sluice-dev/sluice/pkg/release"
)

func (c *command) clusterCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "cluster", Short: "Make new clusters",
		Long: `A cluster is a directory of manifests that is listed under clusters: in
sluice.yaml. sluice release upgrades it.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Errorf("cluster takes create, not %q", args[0])}
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(c.clusterCreateCommand())
	return cmd
}

// createFlags is what the command line says beside the template.
type createFlags struct {
	set        []string
	dry, local bool
	base       string // branch that the pull request is for
}

func (c *command) clusterCreateCommand() *cobra.Command {
	var t release.Template
	var f createFlags
	cmd := &cobra.Command{
		Use: "create NAME --from DIR", Short: "Make a cluster of a template, by pull request",
		Long: `Create copies the files of a directory to a directory with the cluster's name,
fills in ${KEY} wherever it stands in the name of a file or in a value of a YAML
or JSON file, puts a release over the result, and lists the cluster in
sluice.yaml. ${name} is the last part of the cluster's name. A value stays one
value whatever is in it: nothing of it is read as YAML, and nothing is run.

A pull request asks for the files, and nothing here is touched; with --local
they are written here instead. DIR is relative to sluice.yaml.`,
		Example: `  sluice cluster create gauss/peu02 --from templates/aws --set region=eu-central-1
  sluice cluster create gauss/peu02 --from templates/aws --set region=eu-central-1 --release v21.0.0 --local`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case t.From == "":
				return &usageError{errors.New("--from is needed: the directory of the template")}
			case f.base != "" && f.local:
				return &usageError{errors.New("--base says what a pull request is for: with --local there is none")}
			}
			t.Name = args[0]
			var err error
			if t.Values, err = settings(f.set); err != nil {
				return err
			}
			return c.createCluster(cmd.Context(), t, f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&t.From, "from", "", "the `DIR` of the template")
	flags.StringArrayVar(&f.set, "set", nil, "a value for a placeholder, as `KEY=VALUE`; may be repeated")
	flags.StringVar(&t.Provider, "provider", "", "whose releases it gets, the `NAME` of a directory (default: the only one)")
	flags.StringVar(&t.Release, "release", "", "the `RELEASE` to begin with (default: the newest)")
	flags.BoolVar(&f.local, "local", false, "write the files here instead of opening a pull request")
	flags.BoolVar(&f.dry, "dry-run", false, "print what would be written and write nothing")
	baseFlag(cmd, &f.base)
	return cmd
}

// settings reads KEY=VALUE pairs.
func settings(pairs []string) (map[string]string, error) {
	values := map[string]string{}
	for _, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		if _, double := values[key]; double {
			return nil, &usageError{fmt.Errorf("--set gives %s twice", key)}
		}
		if !ok {
			return nil, &usageError{fmt.Errorf("--set takes KEY=VALUE, not %q", pair)}
		}
		values[key] = value
	}
	return values, nil
}

// created is what came of a new cluster, for the output.
type created struct {
	*release.Created
	Dry    bool          `json:"dryRun"`
	Wrote  bool          `json:"written"`
	Effect []pins.Effect `json:"effects"` // on the hydrated output
	*sourceRequest

	rendered bool
}

// createCluster makes a cluster in the working tree, or by pull request, after
// the result has been rendered.
func (c *command) createCluster(ctx context.Context, t release.Template, f createFlags) error {
	w, s, remote, err := c.sourceOf(ctx, !f.local, f.base, "write the files here with --local, and push the branch yourself")
	if err != nil {
		return err
	}
	made, err := release.Create(s.fs, s.config, t)
	if err != nil {
		return err
	}
	out := &created{Created: made, Dry: f.dry}
	if out.Effect, out.rendered, err = c.sourceEffects(ctx, w, s, made.Files); err != nil {
		return fmt.Errorf("rendering with cluster %s: %w", t.Name, err)
	}
	switch {
	case f.dry:
	case f.local:
		var config string
		if config, err = s.fs.Resolve(s.config.File()); err == nil {
			out.Wrote, err = true, w.addCluster(made, config)
		}
	default:
		intro := forge.Markdownf("This adds the cluster %s, made of the template %s.", t.Name, t.From)
		if made.Release != "" {
			intro = forge.Markdownf("This adds the cluster %s, made of the template %s, at the release %s.", t.Name, t.From, made.Release)
		}
		out.sourceRequest, err = remote.propose(ctx, sourceChange{
			Head: "sluice/cluster/" + t.Name, Title: "Create the cluster " + t.Name, Overwrite: true, Files: proposed(made.Files),
			Intro: []forge.Markdown{intro},
		})
	}
	if err != nil {
		return err
	}
	return unprinted(c.printCreated(out), nil)
}

// addCluster writes a new cluster: its files come into being all at once, as
// a directory that is renamed, and the config last.
func (w *workspace) addCluster(made *release.Created, config string) error {
	dir := filepath.Join(w.root, filepath.FromSlash(made.Dir))
	if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	for _, name := range made.Paths {
		at := filepath.Join(temp, filepath.FromSlash(strings.TrimPrefix(name, made.Dir+"/")))
		if err := os.MkdirAll(filepath.Dir(at), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(at, made.Files[name], 0o666); err != nil {
			return err
		}
	}
	// A temporary directory is for its owner only; the root of a checkout shows
	// what people here have for one.
	info, err := os.Stat(filepath.Dir(dir))
	if err == nil {
		err = os.Chmod(temp, info.Mode().Perm())
	}
	if err == nil {
		err = os.Rename(temp, dir)
	}
	if err != nil {
		return fmt.Errorf("writing %q: %w", made.Dir, err)
	}
	return replace(filepath.Join(w.root, filepath.FromSlash(config)), made.Files[config])
}

func (c *command) printCreated(out *created) error {
	return c.print(out, func() error {
		said := out.Cluster
		if out.Release != "" {
			said += ": " + out.Release
		}
		if out.Dry {
			said += ", not written"
		}
		c.printLine("%s", said)
		for _, name := range out.Paths {
			c.printLine("  %s", name)
		}
		if err := c.printValues(out.Changes); err != nil {
			return err
		}
		if len(out.Absent) > 0 {
			c.printLine("not in this cluster: %s", strings.Join(out.Absent, ", "))
		}
		if out.rendered {
			c.printLine("%s", changesBy(out.Effect))
		}
		if out.sourceRequest != nil {
			c.printLine("%s", out.sourceRequest.line())
		}
		return nil
	})
}
