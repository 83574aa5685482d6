package cli

import (
	"context"
	"fmt"
	"path"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/hydrate"
	"github.com/sluice-dev/sluice/pkg/image"
	"github.com/sluice-dev/sluice/pkg/source"
	"github.com/sluice-dev/sluice/pkg/tree"
)

func (c *command) imagesCommand() *cobra.Command {
	var rev string
	cmd := &cobra.Command{
		Use: "images [ENV...]", Short: "List the images, and where the source decides each",
		Long: `Images lists the image of every container of the output, with the place in the
source that decides its tag or digest: a manifest, a patch, the images of a
kustomization, a values file. The place is found by changing what may decide it
and looking at what comes out. It reads the working tree, or a commit with
--rev, and changes nothing.`,
		Example: `  sluice images
  sluice images production -o json`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, names []string) error {
			w, err := c.open()
			if err != nil {
				return err
			}
			s, err := states{command: c, workspace: w}.snapshot(rev)
			if err != nil {
				return err
			}
			chosen, err := choose(s.config, names)
			if err != nil {
				return err
			}
			t, err := c.newTracer(w, s)
			if err != nil {
				return err
			}
			defer t.renderer.Close()
			if err := t.render(cmd.Context(), chosen); err != nil {
				return err
			}
			if err := t.trace(cmd.Context(), chosen, nil); err != nil {
				return err
			}
			return c.printImages(t)
		},
	}
	cmd.Flags().StringVar(&rev, "rev", "", "list those of commit `REV` instead of the working tree")
	return cmd
}

// tracer finds out where the images of one state of the source are decided.
type tracer struct {
	*command
	workspace *workspace
	snapshot  *snapshot
	renderer  hydrate.Renderer

	files      *source.FS // with what was read of it by now
	before     []*tree.Environment
	containers []image.Container
	origins    []image.Origin
	tries      int
}

func (c *command) newTracer(w *workspace, s *snapshot) (*tracer, error) {
	renderer, err := c.renderer()
	if err != nil {
		return nil, err
	}
	return &tracer{command: c, workspace: w, snapshot: s, renderer: renderer, files: s.fs.With(nil)}, nil
}

// hydrated renders files in place of the snapshot's.
func (t *tracer) hydrated(ctx context.Context, files *source.FS, chosen []config.Environment, plain bool) ([]*tree.Environment, error) {
	cfg, err := config.Load(files, t.workspace.config)
	if err != nil {
		return nil, err
	}
	if plain {
		cfg = withoutInjectors(cfg)
	}
	src := t.workspace.source(ctx, t.snapshot)
	src.Files, src.Config = files, cfg
	return hydrate.Environments(ctx, src, chosen, t.renderer)
}

// withoutInjectors gives a config that renders only: nothing is injected and
// nothing judged.
func withoutInjectors(cfg *config.Config) *config.Config {
	bare := *cfg
	bare.ConduitInject, bare.Inject, bare.Secrets = nil, nil, "allow"
	bare.Validate = &config.Validate{Kubernetes: "none"}
	bare.Apps = slices.Clone(cfg.Apps)
	for i := range bare.Apps {
		bare.Apps[i].ConduitInject, bare.Apps[i].Inject, bare.Apps[i].Allow = nil, nil, nil
	}
	return &bare
}

// render renders the environments and takes down their containers.
func (t *tracer) render(ctx context.Context, chosen []config.Environment) error {
	var err error
	if t.before, err = t.hydrated(ctx, t.files, chosen, false); err != nil {
		return err
	}
	t.containers, err = image.Containers(t.before)
	return err
}

// maxTries is how often the source is rendered to find where images are
// decided. Two are enough unless a value that reads like an image is none.
const maxTries = 100

// trace finds where images are decided: all, or those of the containers that
// are of interest. What is there to decide images is tried first, and what
// only reads like one where that explains too little.
func (t *tracer) trace(ctx context.Context, chosen []config.Environment, interest func(i int) bool) error {
	t.stage("looking for where images are decided")
	var sites []image.Site
	for _, file := range t.files.Read() {
		if data, err := t.files.ReadFile(file); err == nil {
			sites = append(sites, image.Scan(file, data)...)
		}
	}
	t.origins = make([]image.Origin, len(t.containers))
	if err := t.try(ctx, chosen, sites); err != nil {
		return err
	}
	var open []image.Reference
	for i, o := range t.origins {
		if o.Site == nil && !o.Added && (interest == nil || interest(i)) {
			open = append(open, t.containers[i].Image)
		}
	}
	if len(open) == 0 {
		return nil
	}
	var guesses []image.Site
	for _, file := range t.files.Read() {
		data, err := t.files.ReadFile(file)
		if err != nil {
			continue
		}
		for _, s := range image.Guess(file, data, open) {
			if s.Form == image.Whole || file != t.workspace.config {
				guesses = append(guesses, s)
			}
		}
	}
	return t.try(ctx, chosen, guesses)
}

// try marks sites and takes down what comes out of them. If that does not
// render with all of them, each half is tried alone, down to the one value
// without which nothing renders: that is no image's.
func (t *tracer) try(ctx context.Context, chosen []config.Environment, sites []image.Site) error {
	if t.tries++; len(sites) == 0 || t.tries > maxTries {
		return nil
	}
	changed, err := image.Probe(sites, t.files.ReadFile)
	if err != nil {
		return err
	}
	marked, err := t.hydrated(ctx, t.files.With(changed), chosen, true)
	switch half := len(sites) / 2; {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && half == 0:
		return nil
	case err != nil:
		if err := t.try(ctx, chosen, sites[:half]); err != nil {
			return err
		}
		return t.try(ctx, chosen, sites[half:])
	}
	origins, err := image.Trace(t.before, marked, sites)
	for i, o := range origins {
		if t.origins[i].Site == nil {
			t.origins[i].Site = o.Site
		}
		t.origins[i].Added = t.origins[i].Added || o.Added
	}
	return err
}

// decided says in words where an image is decided; empty if that is not known.
func (t *tracer) decided(i int) string {
	ct, o := t.containers[i], t.origins[i]
	switch {
	case o.Site != nil:
		return fmt.Sprintf("%s:%d", o.Site.File, o.Site.Line)
	case o.Added:
		return "injected by " + ct.Injected[len(ct.Injected)-1].String()
	}
	if rev := t.revision(ct); rev != "" {
		return "source commit " + rev
	}
	return ""
}

// revision gives the commit that the config has a container's app rendered
// from; empty for the source at hand.
func (t *tracer) revision(ct image.Container) string {
	e, _ := t.snapshot.config.Environment(ct.Environment)
	for _, u := range t.snapshot.config.Units(e) {
		if u.App == ct.App {
			return u.Revision
		}
	}
	return ""
}

// listedImage is an image in the output of images -o json.
type listedImage struct {
	Environment string `json:"environment"`
	App         string `json:"app,omitempty"`
	Object      string `json:"object"`
	File        string `json:"file"` // on the branch
	Container   string `json:"container"`
	Image       string `json:"image"`
	Name        string `json:"name"`
	Tag         string `json:"tag,omitempty"`
	Digest      string `json:"digest,omitempty"`
	Source      *site  `json:"source"`             // null if it is not known
	Injector    *pin   `json:"injector,omitempty"` // that put the container there
	Revision    string `json:"revision,omitempty"` // that the app is rendered from
}

// site is a place in the source.
type site struct {
	File string `json:"file"`
	Line int    `json:"line"`
}

func (c *command) printImages(t *tracer) error {
	list := []listedImage{}
	for i, ct := range t.containers {
		e, _ := t.snapshot.config.Environment(ct.Environment)
		l := listedImage{
			Environment: ct.Environment, App: ct.App, Object: ct.Object, File: path.Join(e.Path, ct.File), Container: ct.Name,
			Image: ct.Image.String(), Name: ct.Image.Name, Tag: ct.Image.Tag, Digest: ct.Image.Digest, Revision: t.revision(ct),
		}
		switch o := t.origins[i]; {
		case o.Site != nil:
			l.Source = &site{o.Site.File, o.Site.Line}
		case o.Added:
			p := pin(ct.Injected[len(ct.Injected)-1])
			l.Injector = &p
		}
		list = append(list, l)
	}
	return c.print(struct {
		Images []listedImage `json:"images"`
	}{list}, func() error {
		var rows [][]string
		for i, l := range list {
			where := t.decided(i)
			if where == "" {
				where = "unknown"
			}
			rows = append(rows, []string{l.Environment, l.Object, l.Container, l.Image, where})
		}
		return table(c.Out, rows, func(_ int, cell string) string { return c.paint(c.Out, cyan, cell) })
	})
}
