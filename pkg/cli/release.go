package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/hydrate"
	"github.com/sluice-dev/sluice/pkg/pins"
	"github.com/sluice-dev/sluice/pkg/propose"
	"github.com/sluice-dev/sluice/pkg/release"
)

func (c *command) releaseCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "release", Short: "Upgrade clusters from release to release",
		Long: `A release is a directory of values for the manifests of clusters, such as
releases/aws/v22.0.0 with base/ and overlay/ in it. The clusters, and the
release that each is at, are listed under clusters: in sluice.yaml.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Errorf("release takes upgrade or status, not %q", args[0])}
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(c.releaseUpgradeCommand(), c.releaseStatusCommand())
	return cmd
}

// upgradeFlags is what the command line says beside the request.
type upgradeFlags struct {
	dry, pull bool
	base      string // branch that the pull request is for
}

func (c *command) releaseUpgradeCommand() *cobra.Command {
	var r release.Request
	var f upgradeFlags
	cmd := &cobra.Command{
		Use: "upgrade CLUSTER --to RELEASE", Short: "Put a release over the files of a cluster",
		Long: `Upgrade merges the files of a release, those of its base and then those of its
overlay, over the files of the same name of a cluster, and writes the release
down in sluice.yaml. Every byte that no value of the release changes stays. The
cluster's own overlay is read and never written: values in it that hide what
the release sets are reported.

A value that is not what the recorded release gave was edited by hand. Where
the new release would overwrite one, nothing is written, and the three values
are shown. The result is rendered before anything is written.`,
		Example: `  sluice release upgrade gauss/peu01 --to v22.0.0
  sluice release upgrade gauss/peu01 --to v22.0.0 --only machinepool.yaml
  sluice release upgrade gauss/peu01 --to v22.0.0 --pull-request`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case r.To == "":
				return &usageError{errors.New("--to is needed: the release to upgrade to")}
			case cmd.Flags().Changed("only") && len(r.Only) == 0:
				return &usageError{errors.New("--only takes the name of a file")}
			case f.base != "" && !f.pull:
				return &usageError{errors.New("--base says what a pull request is for: it goes with --pull-request")}
			}
			r.Cluster = args[0]
			return c.upgrade(cmd.Context(), r, f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&r.To, "to", "", "the `RELEASE` to upgrade to, for instance v22.0.0")
	flags.StringSliceVar(&r.Only, "only", nil, "upgrade the `FILE` of that name only; may be repeated")
	flags.BoolVar(&r.Skip, "allow-skip", false, "releases in between may be left out")
	flags.BoolVar(&r.Downgrade, "allow-downgrade", false, "the release may come before the one that the cluster is at")
	flags.BoolVar(&r.Discard, "discard-edits", false, "overwrite values that were edited by hand")
	flags.BoolVar(&f.dry, "dry-run", false, "print what would change and write nothing")
	flags.BoolVar(&f.pull, "pull-request", false, "open a pull request on the source, or bring the open one up to date")
	baseFlag(cmd, &f.base)
	return cmd
}

// upgraded is what came of an upgrade, for the output.
type upgraded struct {
	*release.Upgrade
	Dry    bool          `json:"dryRun"`
	Wrote  []string      `json:"written"` // files, relative to the repository root
	Effect []pins.Effect `json:"effects"` // on the hydrated output
	*sourceRequest

	rendered bool
}

// upgrade changes the files of a cluster in the working tree, or by pull
// request, after the result has been rendered.
func (c *command) upgrade(ctx context.Context, r release.Request, f upgradeFlags) error {
	w, s, remote, err := c.sourceOf(ctx, f.pull, f.base, "change the files here, without --pull-request, and push the branch yourself")
	if err != nil {
		return err
	}
	up, err := release.Plan(s.fs, s.config, r)
	if err != nil {
		return err
	}
	out := &upgraded{Upgrade: up, Dry: f.dry, Wrote: []string{}, Effect: []pins.Effect{}}
	if out.Effect, out.rendered, err = c.sourceEffects(ctx, w, s, up.Files); err != nil {
		return fmt.Errorf("rendering with release %s: %w", r.To, err)
	}
	switch {
	case f.dry:
	case f.pull:
		out.sourceRequest, err = remote.propose(ctx, upgradeChange(out))
	default:
		var last string
		if last, err = s.fs.Resolve(s.config.File()); err == nil {
			out.Wrote, err = w.replaceAll(up.Files, last)
		}
	}
	if err != nil {
		return err
	}
	return unprinted(c.printUpgrade(out), nil)
}

// sourceOf gives the source that a verb is to change: that of the working
// tree, or of a branch as the remote has it. otherwise says what to do where
// there is no forge.
func (c *command) sourceOf(ctx context.Context, pull bool, base, otherwise string) (*workspace, *snapshot, *sourceBranch, error) {
	w, err := c.open()
	if err != nil {
		return nil, nil, nil, err
	}
	if !pull {
		s, err := w.workingTree()
		return w, s, nil, err
	}
	if err := w.needRepo(); err != nil {
		return nil, nil, nil, err
	}
	cfg, err := w.anyConfig()
	if err != nil {
		return nil, nil, nil, err
	}
	if _, err := c.sourceForge(w, cfg, otherwise); err != nil {
		return nil, nil, nil, err
	}
	remote, err := c.openSource(ctx, w, base)
	if err != nil {
		return nil, nil, nil, err
	}
	return w, remote.at, remote, nil
}

// sourceEffects renders the source with some files changed and as it is, and
// compares. A config that applies nothing is only read.
func (c *command) sourceEffects(ctx context.Context, w *workspace, s *snapshot, changed map[string][]byte) (effects []pins.Effect, rendered bool, err error) {
	files := s.fs.With(changed)
	cfg, err := hydrate.Load(files, w.config)
	if err != nil {
		return nil, false, err
	}
	if len(changed) == 0 || len(cfg.Apps) == 0 && len(cfg.KubectlApply) == 0 {
		return []pins.Effect{}, false, nil
	}
	all, err := choose(cfg, nil)
	if err != nil {
		return nil, false, err
	}
	renderer, err := c.renderer()
	if err != nil {
		return nil, false, err
	}
	defer renderer.Close()
	src := w.source(ctx, s)
	src.Files, src.Config = files, cfg
	c.stage("rendering with the change")
	after, err := hydrate.Environments(ctx, src, all, renderer)
	if err != nil {
		return nil, false, err
	}
	src.Files, src.Config = s.fs, s.config
	c.stage("rendering without it")
	before, err := hydrate.Environments(ctx, src, all, renderer)
	if ctx.Err() != nil {
		return nil, false, ctx.Err()
	}
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		c.note("without the change nothing renders, so everything is new: %s", first)
		before = nil
	}
	effects, err = pins.Effects(before, after)
	return effects, true, err
}

// replaceAll gives files of the working tree other contents, one after the
// other; last says what has been done, so it comes last.
func (w *workspace) replaceAll(changed map[string][]byte, last string) ([]string, error) {
	wrote := []string{}
	names := slices.Sorted(maps.Keys(changed))
	if i := slices.Index(names, last); i >= 0 {
		names = append(slices.Delete(names, i, i+1), last)
	}
	for _, name := range names {
		if err := replace(filepath.Join(w.root, filepath.FromSlash(name)), changed[name]); err != nil {
			return nil, err
		}
		wrote = append(wrote, name)
	}
	return wrote, nil
}

// upgradeChange is the pull request of an upgrade: one for each cluster, or for
// each set of files of one.
func upgradeChange(out *upgraded) sourceChange {
	ch := sourceChange{
		Head: "sluice/release/" + out.Cluster, Title: fmt.Sprintf("Upgrade %s to %s", out.Cluster, out.To), Overwrite: true,
		Intro: []forge.Markdown{forge.Markdownf("This puts the release %s over the files of the cluster %s.", out.To, out.Cluster)},
	}
	if len(out.Only) > 0 {
		ch.Head += "@" + strings.Join(out.Only, "+")
		ch.Title = fmt.Sprintf("Upgrade %s of %s to %s", strings.Join(out.Only, ", "), out.Cluster, out.To)
	}
	ch.Files = proposed(out.Upgrade.Files)
	var changes, lost, masked []forge.Markdown
	for _, v := range out.Changes {
		changes = append(changes, forge.Markdownf("%s of %s: %s becomes %s (%s)", v.Field, v.Object, orNothing(v.Before), orNothing(v.After), v.File))
	}
	for _, e := range out.Edits {
		lost = append(lost, forge.Markdownf("%s of %s: %s, which was not what the release %s gave (%s)", e.Field, e.Object, orNothing(e.Present), e.From, orNothing(e.Recorded)))
	}
	for _, m := range out.Masks {
		masked = append(masked, forge.Markdownf("%s of %s: %s in %s instead of %s", m.Field, m.Object, orNothing(m.Value), m.File, orNothing(m.Hidden)))
	}
	ch.Sections = []forge.Section{
		{Title: "Values of the release", Lines: changes},
		{Title: "Edits by hand that are lost", Lines: lost},
		{Title: "What the cluster's overlay hides", Lines: masked},
		{Title: "In the clusters", Lines: effectLines(out.Effect)},
	}
	return ch
}

func proposed(files map[string][]byte) []propose.File {
	var out []propose.File
	for _, name := range slices.Sorted(maps.Keys(files)) {
		out = append(out, propose.File{Path: name, Data: files[name]})
	}
	return out
}

func orNothing(value string) string {
	if value == "" {
		return "nothing"
	}
	return value
}
