package hydrate

import (
	"encoding/json"
	"fmt"
	"path"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/export"
	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/source"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// exported fills in the apps that hold what the engines follow the others by.
// They are made of these as they are on the branch: what an app contains, and
// which apps are there. units and apps are those of environment.
func exported(src Source, e config.Environment, units []config.Unit, apps []tree.App, kept *reuse) error {
	var project *export.Project
	for i, u := range units {
		if _, taken := kept.of(e)[u.App]; taken || u.Engine == "" {
			continue
		}
		config, err := exportDigest(src.Config, e, u)
		if err != nil {
			return err
		}
		if project == nil {
			if project, err = followed(src, e, units, apps, kept); err != nil {
				return err
			}
		}
		if u.Engine == "kluctl" && kept != nil && kept.was[e.Name][u.App].Config != config {
			return errDoubt // what is taken over has not been looked through for templates
		}
		docs, err := project.Objects(u.Engine, src.Config.Export)
		if err != nil {
			return err
		}
		set, err := exportedSet(src.Config, docs)
		if err != nil {
			return err
		}
		apps[i] = tree.App{Name: u.App, Commit: src.Commit, Config: config, Set: set}
	}
	return nil
}

// exportedSet reads what an engine is to get; it comes from export in the
// config.
func exportedSet(cfg *config.Config, docs [][]byte) (manifest.Set, error) {
	place := cfg.Place("export")
	var all manifest.Set
	for _, d := range docs {
		set, err := manifest.Parse("", d)
		if err != nil {
			return nil, err
		}
		for _, o := range set {
			// The lines of the nodes are those of no file. No document of the config is meant.
			o.Origin = manifest.Origin{Entry: place.File, File: place.File, Line: place.Line, Doc: -1}
		}
		all = append(all, set...)
	}
	return all, nil
}

// followed gathers what engines have to know of the apps, also of those that
// are taken over.
func followed(src Source, e config.Environment, units []config.Unit, apps []tree.App, kept *reuse) (*export.Project, error) {
	var own []tree.App
	for i, u := range units {
		if u.Engine == "" {
			own = append(own, apps[i])
		}
	}
	env, err := tree.LayWith(e.Name, e.Path, own, kept.of(e))
	if err != nil {
		return nil, err
	}
	if len(env.Taken) == 0 {
		return export.Gather(src.Config, "", []*tree.Environment{env})
	}
	onBranch := source.New(kept.base.Files)
	for _, t := range env.Taken {
		r, err := tree.ReadRecord(kept.base.Files, e.Name, t.App)
		if err != nil {
			return nil, err
		}
		if r == nil {
			return nil, errDoubt
		}
		env.Records = append(env.Records, tree.AppRecord{App: t.App, Record: *r})
		for _, o := range r.Objects {
			if o.Kind != "Job" {
				continue // of the others, the record tells all that matters
			}
			file := path.Join(t.App, o.File)
			if env.Files[file], err = onBranch.ReadFile(path.Join(e.Path, file)); err != nil {
				return nil, fmt.Errorf("reading %q of what is taken over: %w", file, err)
			}
		}
	}
	return export.Gather(src.Config, "", []*tree.Environment{env})
}

// sameExport tells whether what the config says to an engine is as it was.
func (p plan) sameExport(e config.Environment, u config.Unit, was tree.Summary) bool {
	now, err := exportDigest(p.src.Config, e, u)
	return err == nil && now == was.Config
}

// exportDigest is the digest of an app that export.into makes.
func exportDigest(cfg *config.Config, e config.Environment, u config.Unit) (string, error) {
	type app struct {
		App       string
		DependsOn []string
		Allow     *config.Allow
	}
	var apps []app
	for _, other := range cfg.Units(e) {
		apps = append(apps, app{other.App, other.DependsOn, other.Allow})
	}
	data, err := json.Marshal(struct {
		Engine                  string
		Export                  *config.Export
		Name, Branch, Directory string
		Apps                    []app
	}{u.Engine, cfg.Export, e.Name, e.Branch, e.Path, apps})
	if err != nil {
		return "", err
	}
	return sum(data)
}
