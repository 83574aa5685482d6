package cli

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

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

func (c *command) setImageCommand() *cobra.Command {
	var scope imageScope
	var dry bool
	cmd := &cobra.Command{
		Use: "set-image IMAGE=NAME:TAG...", Short: "Change an image where the source decides it",
		Long: `Set-image finds the one place in the source that decides an image, in a
manifest, a patch, the images of a kustomization or a values file, and changes
that value there. Every other byte of the file stays. The result is rendered
before anything is written, and the wanted image has to come out.

IMAGE is the image's full name, the last part of it, or the container's name.
On the right side each part may be left out: =:TAG and =@DIGEST keep the name,
=REGISTRY/NAME keeps tag and digest. An image that several places decide is an
error that lists them: --app and --env narrow down which is meant.`,
		Example: `  sluice set-image api=registry.example/api:v1.4.2
  sluice set-image worker=:v1.4.2 --env staging`,
		Args: usage(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			var wanted []image.Wanted
			for _, text := range args {
				w, err := image.ParseWanted(text)
				if err != nil {
					return &usageError{err}
				}
				wanted = append(wanted, w)
			}
			return c.setImages(cmd.Context(), wanted, scope, dry)
		},
	}
	cmd.Flags().StringSliceVar(&scope.apps, "app", nil, "change it for the app `NAME` only; may be repeated")
	cmd.Flags().StringSliceVar(&scope.environments, "env", nil, "change it in the environment `ENV` only; may be repeated")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "print what would change and write nothing")
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

// setImages changes images in the working tree, after the result has been
// rendered.
func (c *command) setImages(ctx context.Context, wanted []image.Wanted, scope imageScope, dry bool) error {
	w, err := c.open()
	if err != nil {
		return err
	}
	s, err := w.workingTree()
	if err != nil {
		return err
	}
	all, err := choose(s.config, nil)
	if err != nil {
		return err
	}
	t, err := c.newTracer(w, s)
	if err != nil {
		return err
	}
	defer t.renderer.Close()
	if err := scope.check(t); err != nil {
		return err
	}
	if err := t.render(ctx, all); err != nil {
		return err
	}
	targets, err := t.targets(wanted, scope)
	if err != nil {
		return err
	}
	result := &imagesSet{Dry: dry, Edits: []imageEdit{}, Effect: []pins.Effect{}}
	if len(targets) == 0 {
		return c.printSet(result)
	}
	if err := t.trace(ctx, all, func(i int) bool { _, meant := targets[i]; return meant }); err != nil {
		return err
	}
	edits, err := t.edits(wanted, targets, scope)
	if err != nil {
		return err
	}
	changed := map[string][]byte{}
	for _, e := range edits {
		data, ok := changed[e.Site.File]
		if !ok {
			if data, err = t.files.ReadFile(e.Site.File); err != nil {
				return err
			}
		}
		if changed[e.Site.File], err = image.Change(data, []image.Edit{e}); err != nil {
			return finding.Finding{Text: err.Error(), Hint: "change it by hand"}
		}
		result.Edits = append(result.Edits, imageEdit{site{e.Site.File, e.Site.Line}, e.From.String(), e.To.String()})
	}
	after, err := t.hydrated(ctx, t.files.With(changed), all, false)
	if err != nil {
		return fmt.Errorf("rendering with the new image: %w", err)
	}
	if err := t.proven(after, targets, edits); err != nil {
		return err
	}
	if result.Effect, err = pins.Effects(t.before, after); err != nil {
		return err
	}
	for _, file := range slices.Sorted(maps.Keys(changed)) {
		if dry {
			continue
		}
		if err := replace(filepath.Join(w.root, filepath.FromSlash(file)), changed[file]); err != nil {
			return err
		}
		result.Wrote = append(result.Wrote, file)
	}
	return c.printSet(result)
}

// imageTarget is what the image of one container is to be.
type imageTarget struct {
	to   image.Reference
	want int // index of the argument
}

// targets gives the containers whose image is to change, by their index.
func (t *tracer) targets(wanted []image.Wanted, scope imageScope) (map[int]imageTarget, error) {
	targets := map[int]imageTarget{}
	by := map[int]int{}
	var list finding.List
	for n, want := range wanted {
		names := map[string]bool{}
		for i, ct := range t.containers {
			if !scope.holds(ct) || !want.Means(ct.Name, ct.Image) {
				continue
			}
			names[ct.Image.Name] = true
			if first, taken := by[i]; taken {
				list.Add("", 0, fmt.Sprintf("%q and %q both mean container %s of %s", wanted[first].Image, want.Image, ct.Name, ct.Object), "name each image once")
				continue
			}
			by[i] = n
			if to := want.Apply(ct.Image); to != ct.Image {
				targets[i] = imageTarget{to, n}
			}
		}
		switch {
		case len(names) == 0:
			list.Add("", 0, fmt.Sprintf("no container has an image %q", want.Image), "see which there are: sluice images")
		case len(names) > 1:
			list.Add("", 0, fmt.Sprintf("%q means %d images: %s", want.Image, len(names), strings.Join(slices.Sorted(maps.Keys(names)), ", ")), "name the one by its full name, or narrow it down with --app and --env")
		}
	}
	return targets, list.Err()
}

// edits gives the one change that each argument asks for.
func (t *tracer) edits(wanted []image.Wanted, targets map[int]imageTarget, scope imageScope) ([]image.Edit, error) {
	var edits []image.Edit
	var list finding.List
	for n, want := range wanted {
		var found []image.Edit
		var users []string // of each, one container
		for _, i := range slices.Sorted(maps.Keys(targets)) {
			target, o := targets[i], t.origins[i]
			if target.want != n {
				continue
			}
			if o.Site == nil {
				list = append(list, t.undecided(i))
				continue
			}
			if !slices.ContainsFunc(found, func(e image.Edit) bool { return e.Site.Same(*o.Site) }) {
				found = append(found, image.Edit{Site: *o.Site, From: t.containers[i].Image, To: target.to})
				users = append(users, t.containers[i].Environment+", "+t.containers[i].Object)
			}
		}
		if len(found) > 1 {
			hint := "name one of them with --app or --env; or decide the image in one place, under images: of a kustomization:"
			for i, e := range found {
				hint += fmt.Sprintf("\n  %s:%d  %s (%s)", e.Site.File, e.Site.Line, e.From, users[i])
			}
			list.Add("", 0, fmt.Sprintf("%d places decide the image %q", len(found), want.Image), hint)
		}
		edits = append(edits, found...)
	}
	list = append(list, t.shared(edits, targets, scope)...)
	return edits, list.Err()
}

// undecided says why the image of a container cannot be changed.
func (t *tracer) undecided(i int) finding.Finding {
	ct := t.containers[i]
	f := finding.Finding{Text: fmt.Sprintf("%s of %s in %s: nothing of the source that can be changed decides the image %s", ct.Name, ct.Object, ct.Environment, ct.Image), Hint: "change it by hand"}
	if where := t.decided(i); where != "" {
		f.Text = fmt.Sprintf("%s of %s in %s: the image %s is not of the source: %s", ct.Name, ct.Object, ct.Environment, ct.Image, where)
		f.Hint = "an injector's images follow its pin: sluice pin"
		if !t.origins[i].Added {
			f.Hint = "take the app's revision: out of the config, or name a newer one"
		}
	}
	return f
}

// shared finds the containers that would change too, although they are not
// meant.
func (t *tracer) shared(edits []image.Edit, targets map[int]imageTarget, scope imageScope) finding.List {
	var list finding.List
	for _, e := range edits {
		hint, others := "", 0
		for i, ct := range t.containers {
			if _, meant := targets[i]; meant || t.origins[i].Site == nil || !t.origins[i].Site.Same(e.Site) || ct.Image == e.To {
				continue
			}
			others++
			hint += fmt.Sprintf("\n  %s, %s: %s of %s", ct.Environment, ct.Object, ct.Name, ct.Image)
		}
		if others == 0 {
			continue
		}
		head := "give the one that is meant a place of its own, for instance under images: of its overlay; these share it:"
		if len(scope.apps)+len(scope.environments) > 0 {
			head = "name these too, or give the one that is meant a place of its own, for instance under images: of its overlay:"
		}
		list.Add(e.Site.File, e.Site.Line, fmt.Sprintf("decides the images of %s that are not meant, too", count(others, "container")), head+hint)
	}
	return list
}
