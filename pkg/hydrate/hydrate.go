// Package hydrate turns a source and its config into the environments'
// directories: source -> render -> inject -> tree. It writes nothing.
package hydrate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/inject"
	"github.com/sluice-dev/sluice/pkg/inject/program"
	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/render"
	"github.com/sluice-dev/sluice/pkg/source"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// Source is one state of the source.
type Source struct {
	Files  *source.FS
	Config *config.Config
	Commit string // id of the commit that holds the files; empty for a working tree
	// Open gives the files of an earlier commit of the same history.
	Open func(commit string) (*source.FS, error)
	// Base is the commit whose apps may be taken over; nil: all are rendered.
	Base *tree.Base

	recorded bool // what a hydrated commit was made of: it is compared, not judged anew
}

// Load reads the config at a slash path of the files.
func Load(files *source.FS, file string) (*config.Config, error) {
	cfg, err := config.Load(files, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, finding.List{{
			File: file, Text: "there is no config of this name",
			Hint: "run sluice where " + config.FileName + " is, or name the config with -f",
		}}
	}
	return cfg, err
}

// Environments renders, injects and lays out environments. Whatever is at
// fault in any of them is in the finding.List that it returns. Apps that come
// out as src.Base holds them are taken over from there.
func Environments(ctx context.Context, src Source, environments []config.Environment, r Renderer) ([]*tree.Environment, error) {
	kept, err := reusable(ctx, src, environments, r)
	if err != nil {
		return nil, err
	}
	if kept != nil {
		out, err := hydrated(ctx, src, environments, r, kept)
		if !errors.Is(err, errDoubt) {
			return out, err
		}
	}
	return hydrated(ctx, src, environments, r, nil)
}

// hydrated does it with what kept says is taken over. Where objects had to be
// whole longer than it was thought, everything is rendered once more.
func hydrated(ctx context.Context, src Source, environments []config.Environment, r Renderer, kept *reuse) ([]*tree.Environment, error) {
	out, err := attempt(ctx, src, environments, r, kept, false)
	if errors.Is(err, errWhole) {
		return attempt(ctx, src, environments, r, kept, true)
	}
	return out, err
}

func attempt(ctx context.Context, src Source, environments []config.Environment, r Renderer, kept *reuse, whole bool) ([]*tree.Environment, error) {
	var list finding.List
	if err := list.Take(inject.CheckPins(src.Config)); err != nil {
		return nil, err
	}
	checks := &validation{src: src}
	if !kept.everything(environments) {
		var err error
		checks, err = newValidation(src)
		if err := list.Take(err); err != nil {
			return nil, err
		}
	}
	checks.whole = whole
	programs, err := r.programs(ctx, src, environments, kept, &list)
	if err != nil {
		return nil, err
	}
	rendered := r.apps(ctx, src, environments, programs, checks, kept)
	out := make([]*tree.Environment, len(environments))
	for i, e := range environments {
		env, err := environment(ctx, src, e, r, rendered[i], programs != nil, checks, kept)
		if err := list.Take(err); err != nil {
			return nil, err
		}
		out[i] = env
	}
	return out, list.Err()
}

// environment makes one environment of its apps. Programs may be missing, if
// something is at fault with them.
func environment(ctx context.Context, src Source, e config.Environment, r Renderer, all []rendered, programs bool, checks *validation, kept *reuse) (*tree.Environment, error) {
	taken := kept.of(e)
	var list finding.List
	objects := 0
	units, apps := make([]config.Unit, len(all)), make([]tree.App, len(all))
	sets, errs := make([]manifest.Set, len(all)), make([]error, len(all))
	for i, a := range all {
		if err := list.Take(a.err); err != nil {
			return nil, err
		}
		apps[i], sets[i], errs[i], units[i] = a.App, a.Set, a.err, a.unit
		objects += len(a.Set)
		if t, is := taken[a.Name]; is && t.Holds() && a.unit.Engine == "" {
			objects++
		}
	}
	if len(list) == 0 && programs {
		if err := list.Take(exported(src, e, units, apps, kept)); err != nil {
			return nil, err
		}
		for i, u := range units {
			if u.Engine != "" {
				all[i].App, all[i].late, sets[i] = apps[i], true, apps[i].Set
			}
		}
	}
	if err := kept.doubt(e, apps, errs); err != nil {
		return nil, err
	}
	list = append(list, manifest.Duplicates(sets...)...)
	var unchecked []string
	if len(taken) == 0 || len(taken) < len(all) {
		var err error
		unchecked, err = checks.environment(ctx, e, all, r.Workers)
		if err := list.Take(err); err != nil {
			return nil, err
		}
	}
	if objects == 0 && len(list) == 0 && programs && !src.Config.AllowEmpty {
		place := src.Config.Place("environments")
		list.Add(place.File, place.Line, fmt.Sprintf("environment %q renders to nothing: an engine that prunes would delete everything", e.Name),
			"if that is meant, say so: allowEmpty: true")
	}
	if len(list) > 0 {
		return nil, list.Err()
	}
	env, err := tree.LayWith(e.Name, e.Path, apps, taken)
	if env != nil {
		env.Unchecked = unchecked
	}
	return env, err
}

// app renders and injects one app. Where something is at fault, it gives as
// much of the app as can be checked further, beside the findings. Of what is
// checked by now, the app holds no more than the text. The objects come as
// they were checked, too, in the same order.
func app(ctx context.Context, src Source, u config.Unit, lane *render.Lane, programs map[string]*program.Program, checks *checked) (tree.App, manifest.Set, error) {
	files, commit := src.Files, src.Commit
	if u.Revision != "" {
		var err error
		if files, err = src.Open(u.Revision); err != nil {
			return tree.App{}, nil, err
		}
		commit = u.Revision
	}
	view, inputs := files.Record()
	var list finding.List
	listed, err := entries(ctx, u, programs, view)
	if err := list.Take(err); err != nil {
		return tree.App{}, nil, err
	}
	set, err := lane.RenderEach(ctx, view, listed, func(set manifest.Set) error {
		if len(u.Inject) > 0 || len(u.Programs) > 0 {
			return nil
		}
		return seal(set, checks)
	})
	if err := list.Take(err); err != nil {
		return tree.App{}, nil, err
	}
	whole := len(list) == 0 && len(listed) == len(u.Apply)
	list = append(append(list, Secrets(set, src.Config)...), outside(set, u)...)
	out := tree.App{Name: u.App, Commit: commit}
	if out.Config, err = digest(src.Config, u); err != nil {
		return tree.App{}, nil, err
	}
	if len(u.Inject) > 0 {
		injected, err := inject.Conduit(set, u, src.Config)
		var faults finding.List
		if err := faults.Take(err); err != nil {
			return tree.App{}, nil, err
		}
		if len(faults) == 0 {
			set = injected
		}
		list = append(list, ofObjects(faults, u, whole)...)
	}
	if len(list) == 0 && programs != nil && len(u.Programs) > 0 {
		set, err = inject.Programs(ctx, set, u, programs, view)
		if err := list.Take(err); err != nil {
			return tree.App{}, nil, err
		}
	}
	for _, p := range inject.Pins(src.Config, []config.Unit{u}) {
		out.Pins = append(out.Pins, tree.Pin(p))
	}
	out.Programs = programRecords(src.Config, u)
	out.Set = set
	for _, o := range set {
		checks.look(o)
	}
	for _, in := range inputs.Sorted() {
		switch {
		case in.Kind == source.Missing:
			out.Absent = append(out.Absent, in.Path)
		case in.ID != "":
			out.Inputs = append(out.Inputs, tree.Input{Path: in.Path, ID: in.ID})
		}
	}
	if len(list) > 0 {
		return out, set, list.Err()
	}
	return out, set, out.Lay(checks.needs)
}

// seal checks what can be checked by now, and keeps the text alone of objects
// that nothing is going to look into: not of Secrets, whose values are looked at.
func seal(set manifest.Set, checks *checked) error {
	for _, o := range set {
		checks.look(o)
		if o.ID.Kind == "Secret" || checks.needs(o) {
			continue
		}
		if err := o.Seal(); err != nil {
			return err
		}
	}
	return nil
}
