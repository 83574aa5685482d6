package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/image"
	"github.com/sluice-dev/sluice/pkg/pins"
)

// imageScope bounds which containers set-image may change.
type imageScope struct {
	apps, environments []string
}

func (s imageScope) holds(ct image.Container) bool {
	return (len(s.apps) == 0 || slices.Contains(s.apps, ct.App)) &&
		(len(s.environments) == 0 || slices.Contains(s.environments, ct.Environment))
}

// imageFlags is what the command line says beside the images.
type imageFlags struct {
	scope             imageScope
	dry, commit, pull bool
	base              string // branch that the pull request is for
}

func (f imageFlags) check() error {
	switch {
	case f.commit && f.pull:
		return &usageError{errors.New("--commit commits here and --pull-request on the remote: give one of them")}
	case f.base != "" && !f.pull:
		return &usageError{errors.New("--base says what a pull request is for: it goes with --pull-request")}
	}
	return nil
}

func (c *command) setImageCommand() *cobra.Command {
	var f imageFlags
	cmd := &cobra.Command{
		Use: "set-image IMAGE=NAME:TAG...", Short: "Change an image where the source decides it",
		Long: `Set-image finds the one place in the source that decides an image, in a
manifest, a patch, the images of a kustomization or a values file, and changes
that value there. Every other byte of the file stays. The result is rendered
before anything is written, and the wanted image has to come out.

IMAGE is the image's full name, the last part of it, or the container's name.
On the right side each part may be left out: =:TAG and =@DIGEST keep the name,
=REGISTRY/NAME keeps tag and digest. An image that several places decide is an
error that lists them: --app and --env narrow down which is meant.

With --commit the change is committed to the branch that is checked out, by git
and without anything else that is uncommitted. With --pull-request nothing here
is touched: the change is made to the source as the remote has it, and a pull
request asks for it. A later version of the same image takes its place there.`,
		Example: `  sluice set-image api=registry.example/api:v1.4.2
  sluice set-image worker=:v1.4.2 --env staging --dry-run
  sluice set-image worker=:v1.4.2 --env staging --commit
  sluice set-image worker=:v1.4.2 --env production --pull-request`,
		Args: usage(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			var wanted []image.Wanted
			for _, text := range args {
				w, err := image.ParseWanted(text)
				if err != nil {
					return &usageError{err}
				}
				wanted = append(wanted, w)
			}
			return c.setImages(cmd.Context(), wanted, f)
		},
	}
	cmd.Flags().StringSliceVar(&f.scope.apps, "app", nil, "change it for the app `NAME` only; may be repeated")
	cmd.Flags().StringSliceVar(&f.scope.environments, "env", nil, "change it in the environment `ENV` only; may be repeated")
	cmd.Flags().BoolVar(&f.dry, "dry-run", false, "print what would change and write nothing")
	cmd.Flags().BoolVar(&f.commit, "commit", false, "commit exactly this change to the branch that is checked out")
	cmd.Flags().BoolVar(&f.pull, "pull-request", false, "open a pull request on the source, or bring the open one up to date")
	baseFlag(cmd, &f.base)
	return cmd
}

// checkScope refuses names that nothing has.
func (s imageScope) check(t *tracer) error {
	cfg := t.snapshot.config
	for _, name := range s.environments {
		if _, ok := cfg.Environment(name); !ok {
			return unknownEnvironment(cfg, name)
		}
	}
	for _, name := range s.apps {
		if _, app := appNamed(cfg, name); app == nil {
			return finding.Finding{File: cfg.File(), Line: cfg.Line("apps"), Text: fmt.Sprintf("no app is named %q", name)}
		}
	}
	return nil
}

// setImages changes images in the working tree, or by pull request on the source
// that the remote has, after the result has been rendered.
func (c *command) setImages(ctx context.Context, wanted []image.Wanted, f imageFlags) error {
	w, err := c.open()
	if err != nil {
		return err
	}
	var remote *sourceBranch
	var s *snapshot
	if f.pull {
		if remote, err = c.openSource(ctx, w, f.base); err == nil {
			s = remote.at
		}
	} else {
		s, err = w.workingTree()
	}
	if err != nil {
		return err
	}
	t, err := c.newTracer(w, s)
	if err != nil {
		return err
	}
	defer t.renderer.Close()
	result := &imagesSet{Dry: f.dry, Edits: []imageEdit{}, Wrote: []string{}, Effect: []pins.Effect{}}
	changed, err := t.change(ctx, wanted, f.scope, result)
	switch {
	case err != nil:
		return err
	case f.dry:
	case f.pull:
		result.sourceRequest, err = t.requestImages(ctx, remote, wanted, f.scope, changed, result)
	default:
		err = t.write(ctx, changed, f, result)
	}
	if err != nil {
		return err
	}
	return unprinted(c.printSet(result), nil)
}

// change gives the files with the wanted images, and takes down what that does.
// There are none if every image is what it is to be.
func (t *tracer) change(ctx context.Context, wanted []image.Wanted, scope imageScope, result *imagesSet) (map[string][]byte, error) {
	all, err := choose(t.snapshot.config, nil)
	if err != nil {
		return nil, err
	}
	if err := scope.check(t); err != nil {
		return nil, err
	}
	if err := t.render(ctx, all); err != nil {
		return nil, err
	}
	targets, err := t.targets(wanted, scope)
	if err != nil || len(targets) == 0 {
		return nil, err
	}
	if err := t.trace(ctx, all, func(i int) bool { _, meant := targets[i]; return meant }); err != nil {
		return nil, err
	}
	edits, err := t.edits(wanted, targets, scope)
	if err != nil {
		return nil, err
	}
	changed := map[string][]byte{}
	for _, e := range edits {
		data, ok := changed[e.Site.File]
		if !ok {
			if data, err = t.files.ReadFile(e.Site.File); err != nil {
				return nil, err
			}
		}
		if changed[e.Site.File], err = image.Change(data, []image.Edit{e}); err != nil {
			return nil, finding.Finding{Text: err.Error(), Hint: "change it by hand"}
		}
		result.Edits = append(result.Edits, imageEdit{site{e.Site.File, e.Site.Line}, e.From.String(), e.To.String()})
	}
	after, err := t.hydrated(ctx, t.files.With(changed), all, false)
	if err != nil {
		return nil, fmt.Errorf("rendering with the new image: %w", err)
	}
	if err := t.proven(after, targets, edits); err != nil {
		return nil, err
	}
	result.Effect, err = pins.Effects(t.before, after)
	return changed, err
}

// write changes the files here, and commits them if that is asked for.
func (t *tracer) write(ctx context.Context, changed map[string][]byte, f imageFlags, result *imagesSet) error {
	files := slices.Sorted(maps.Keys(changed))
	if !f.commit {
		for _, file := range files {
			if err := replace(filepath.Join(t.workspace.root, filepath.FromSlash(file)), changed[file]); err != nil {
				return err
			}
			result.Wrote = append(result.Wrote, file)
		}
		return nil
	}
	if len(files) == 0 {
		return t.workspace.needRepo()
	}
	h, err := t.newHandCommit(ctx, t.workspace, files)
	if err != nil {
		return err
	}
	title, rest := imageMessage(result, f.scope)
	id, err := h.write(ctx, changed, title+"\n\n"+rest)
	if err != nil {
		return err
	}
	result.Wrote = files
	result.committedTo(h.branch, id)
	return nil
}
