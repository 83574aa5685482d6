package hydrate

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/render"
	"github.com/sluice-dev/sluice/pkg/source"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// reuse says which apps are taken over from a base: those that rendering would
// give again, byte for byte, and whose checks would end as they did. Where
// that is not certain, an app is rendered. A nil one takes nothing over.
type reuse struct {
	base  *tree.Base
	all   map[string][]config.Unit          // of each environment
	taken map[string]map[string]tree.Taken  // by environment and app
	was   map[string]map[string]recordedApp // the same, of all that the base holds
}

// recordedApp is an app as the base holds it.
type recordedApp struct {
	tree.Summary
	at string // its directory on the branch
}

// errDoubt is that what was rendered may concern what was taken over.
var errDoubt = errors.New("what is taken over may not come out the same")

// of gives what is taken over of an environment, by app.
func (k *reuse) of(e config.Environment) map[string]tree.Taken {
	if k == nil {
		return nil
	}
	return k.taken[e.Name]
}

func (k *reuse) units(src Source, e config.Environment) []config.Unit {
	if k == nil {
		return src.Config.All(e)
	}
	return k.all[e.Name]
}

// everything tells whether nothing is to be rendered.
func (k *reuse) everything(environments []config.Environment) bool {
	for _, e := range environments {
		if k == nil || len(k.taken[e.Name]) < len(k.all[e.Name]) || len(k.all[e.Name]) == 0 {
			return false
		}
	}
	return true
}

// reusable finds out what of src.Base can be taken over, from what changed in
// the source between the two commits; nil if that is nothing.
func reusable(ctx context.Context, src Source, environments []config.Environment, r Renderer) (*reuse, error) {
	if src.Base == nil {
		return nil, nil
	}
	changed, err := src.Files.Since(src.Base.Source)
	if err != nil {
		return nil, err
	}
	p := plan{src: src, changed: changed}
	if !changed.None() && !p.sameConfig() {
		if p.before, err = config.Load(source.New(src.Base.Source), src.Config.File()); err != nil {
			return nil, nil // whatever it was then
		}
	}
	k := &reuse{base: src.Base, all: map[string][]config.Unit{}, taken: map[string]map[string]tree.Taken{}, was: map[string]map[string]recordedApp{}}
	for _, e := range environments {
		k.all[e.Name] = src.Config.All(e)
		same, err := p.sameDefinitions(ctx, e, r)
		if err != nil {
			return nil, err
		}
		if recorded, ok := src.Base.Provenance.Environment(e.Path); ok && recorded.Name == e.Name && same {
			if err := p.environment(k, e); err != nil {
				return nil, err
			}
		}
	}
	return k, nil
}

// plan is what reusable decides from.
type plan struct {
	src     Source
	changed *source.Changed
	before  *config.Config // of the base; nil if it is the same
}

// sameConfig tells whether config and included files are surely those of the base.
func (p plan) sameConfig() bool {
	view, inputs := p.src.Files.Record()
	return readConfig(view, p.src.Config) && !p.anyTouched(inputs)
}

// readConfig reads the files that a config was made of. It tells whether all
// could be read.
func readConfig(view *source.FS, cfg *config.Config) bool {
	read := func(file string) bool {
		_, err := view.ReadFile(file)
		return err == nil
	}
	if !read(cfg.File()) {
		return false
	}
	for _, pattern := range cfg.Include {
		found, err := view.Glob(path.Join(path.Dir(cfg.File()), pattern))
		if err != nil || slices.ContainsFunc(found, func(f string) bool { return !read(f) }) {
			return false
		}
	}
	return true
}

// Beside gives the files that environments depend on beside those that the
// records of their apps name: the config with what it includes, definitions of
// custom resources, and programs of the repository.
func Beside(src Source, environments []config.Environment) []source.Input {
	view, inputs := src.Files.Record()
	readConfig(view, src.Config)
	for _, tool := range src.Config.Tools {
		for _, platform := range tool.Platforms {
			_, _ = view.Stat(src.Config.InRepo(platform.URL)) // a URL is where nothing is
		}
	}
	for _, e := range environments {
		for _, at := range src.Config.Definitions(e) {
			found, _ := view.Glob(at.Text)
			for _, f := range append(found, at.Text) {
				_, _ = view.Stat(f)
			}
		}
	}
	return inputs.Sorted()
}

func (p plan) anyTouched(inputs *source.Inputs) bool {
	return slices.ContainsFunc(inputs.Sorted(), func(in source.Input) bool { return p.changed.Touches(in.Path) })
}

// sameDefinitions tells whether what validate.crds names is as it was.
func (p plan) sameDefinitions(ctx context.Context, e config.Environment, r Renderer) (bool, error) {
	if p.changed.None() {
		return true, nil
	}
	view, inputs := p.src.Files.Record()
	for _, at := range p.src.Config.Definitions(e) {
		_, err := r.Workers.Render(ctx, view, []render.Entry{{Path: at.Text, File: at.File, Line: at.Line}})
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if err != nil {
			return false, nil // it is reported where it is needed
		}
	}
	return !p.anyTouched(inputs), nil
}

// environment takes over what it can of an environment.
func (p plan) environment(k *reuse, e config.Environment) error {
	if p.changed.None() {
		whole, err := p.whole(k, e)
		if err != nil || whole {
			return err
		}
	}
	was, taken := map[string]recordedApp{}, map[string]tree.Taken{}
	k.was[e.Name] = was
	apps, err := p.src.Base.Apps(e.Name)
	if err != nil {
		return err
	}
	for _, s := range apps {
		was[s.App] = recordedApp{s, path.Join(e.Path, s.App)}
	}
	then := map[string]string{} // revisions that apps were bound to
	if p.before != nil {
		if old, known := p.before.Environment(e.Name); known {
			for _, u := range p.before.Units(old) {
				then[u.App] = u.Revision
			}
		}
	}
	units := k.all[e.Name]
	for _, u := range units {
		s, ok := was[u.App]
		if u.Engine != "" {
			// It was made of the apps before it, so all of those have to be the same.
			ok = ok && len(taken) >= len(p.src.Config.Units(e)) && len(was) == len(units) && p.sameExport(e, u, s.Summary)
		} else {
			ok = ok && then[u.App] == "" && p.same(u, s.Summary)
		}
		if ok {
			taken[u.App] = tree.Taken{App: u.App, Tree: s.Tree, Record: s.ID, Pins: s.Pins, Inputs: s.Inputs}
		}
	}
	if len(taken) == len(units) && len(taken) == len(was) {
		k.taken[e.Name] = taken
		return nil
	}
	// Something is rendered, or gone: custom resources are held against the
	// definitions of all apps, so those have to be at hand.
	for _, s := range was {
		if !s.Defines {
			continue
		}
		if !slices.ContainsFunc(units, func(u config.Unit) bool { return u.App == s.App }) {
			return nil
		}
		delete(taken, s.App)
	}
	k.taken[e.Name] = taken
	return nil
}

// whole takes an environment over as it stands, if the source is the same and
// no app is bound to another one. Then no record has to be read.
func (p plan) whole(k *reuse, e config.Environment) (bool, error) {
	apps, err := p.src.Base.Listed(e.Name)
	units := k.all[e.Name]
	if err != nil || len(apps) != len(units) {
		return false, err
	}
	taken := map[string]tree.Taken{}
	for _, s := range apps {
		taken[s.App] = tree.Taken{App: s.App, Tree: s.Tree, Record: s.ID, Unread: true}
	}
	for _, u := range units {
		if _, is := taken[u.App]; !is || u.Revision != "" {
			return false, nil
		}
	}
	k.taken[e.Name] = taken
	return true, nil
}

// same tells whether an app's part of the config and all that was read for it
// are as they were.
func (p plan) same(u config.Unit, s tree.Summary) bool {
	if u.Revision != "" {
		return false
	}
	if p.changed.None() {
		return true
	}
	if p.before != nil {
		if now, err := digest(p.src.Config, u); err != nil || now != s.Config {
			return false
		}
	}
	for _, in := range s.Inputs {
		if p.changed.Touches(in.Path) {
			return false
		}
	}
	if slices.ContainsFunc(s.Absent, p.changed.Touches) {
		return false
	}
	for _, name := range toolsOf(u) {
		tool, _, _ := p.src.Config.Tool(name)
		view, way := p.src.Files.Record()
		for _, platform := range tool.Platforms {
			_, _ = view.Stat(platform.URL) // a URL is where nothing is
		}
		if p.anyTouched(way) {
			return false
		}
	}
	return true
}

// doubt is errDoubt if what was rendered of an environment may concern what was
// taken over: definitions of custom resources that changed, and objects that
// are new and that another app may have too. errs are the apps' faults.
func (k *reuse) doubt(e config.Environment, apps []tree.App, errs []error) error {
	taken := k.of(e)
	if len(taken) == 0 || len(taken) == len(apps) {
		return nil
	}
	fresh := map[string]bool{}
	for i, a := range apps {
		if _, is := taken[a.Name]; is {
			continue
		}
		was, known := k.was[e.Name][a.Name]
		if slices.ContainsFunc(a.Set, isDefinition) || known && was.Defines {
			env, err := tree.Lay(e.Name, e.Path, []tree.App{a})
			if errs[i] != nil || err != nil || !known || env.Records[0].Tree != was.Tree {
				return errDoubt
			}
		}
		had, err := k.identities(e, a.Name)
		if err != nil {
			return err
		}
		for _, o := range a.Set {
			if !had[o.ID] {
				fresh[tree.ObjectPath(o.ID)] = true
			}
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	for _, t := range taken {
		if !t.Holds() {
			continue
		}
		found, err := k.holdsAny(k.was[e.Name][t.App].at, "", fresh)
		if err != nil || found {
			return errors.Join(err, errDoubt)
		}
	}
	return nil
}

// identities gives the objects of an app of the base.
func (k *reuse) identities(e config.Environment, app string) (map[manifest.ID]bool, error) {
	r, err := tree.ReadRecord(k.base.Files, e.Name, app)
	if err != nil || r == nil {
		return nil, err
	}
	had := map[manifest.ID]bool{}
	for _, o := range r.Objects {
		group, _, grouped := strings.Cut(o.APIVersion, "/")
		if !grouped {
			group = ""
		}
		had[manifest.ID{Group: group, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}] = true
	}
	return had, nil
}

// holdsAny tells whether one of the files lies in a directory of the base.
func (k *reuse) holdsAny(dir, below string, files map[string]bool) (bool, error) {
	entries, err := k.base.Files.ReadDir(path.Join(dir, below))
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		at := path.Join(below, e.Name)
		found := files[at]
		if e.Kind == source.Dir {
			if found, err = k.holdsAny(dir, at, files); err != nil {
				return false, err
			}
		}
		if found {
			return true, nil
		}
	}
	return false, nil
}
