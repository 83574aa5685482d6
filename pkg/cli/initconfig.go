package cli

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/hydrate"
	"github.com/sluice-dev/sluice/pkg/inject/conduit"
	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/source"
	"github.com/sluice-dev/sluice/pkg/start"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// begin gives a config for what is there, as text and as it is read.
func (i *initialization) begin(ctx context.Context) (*config.Config, []byte, error) {
	disk, err := source.OpenDir(i.w.root)
	if err != nil {
		return nil, nil, err
	}
	files := source.New(disk)
	found, err := start.Look(files, path.Dir(i.w.config))
	if err != nil {
		return nil, nil, err
	}
	if len(found.Units) == 0 {
		return nil, nil, finding.Finding{
			Text: "there are no manifests and no kustomizations here",
			Hint: "run it at the top of a repository that has some, or point at one with -C",
		}
	}
	i.todo = append(i.todo, found.Notes...)
	choices, err := i.choices()
	if err != nil {
		return nil, nil, err
	}
	// What a workload is made of shows in what comes out: first without a proxy.
	bare := choices
	bare.Conduit = ""
	_, environments, err := i.try(ctx, files, found.Config(bare))
	if err != nil {
		return nil, nil, err
	}
	if choices.Inject, err = injectable(i.w.config, environments, choices.Suggested); err != nil {
		return nil, nil, err
	}
	if choices.Inject[""] != nil { // the app without a name
		choices.Inject[found.Units[0].Name] = choices.Inject[""]
	}
	text := found.Config(choices)
	cfg, environments, err := i.try(ctx, files, text)
	if err == nil && environments == nil {
		i.todo = append(i.todo, "then see what comes out: sluice render")
	}
	return cfg, text, err
}

// choices gives what the command line and the surroundings tell.
func (i *initialization) choices() (start.Choices, error) {
	releases := conduit.Releases()
	at := slices.Index(releases, "v18.7.1") // from there on they are named by the month
	c := start.Choices{Conduit: i.release, Suggested: releases[at-1], Approvals: i.github || i.gitlab}
	if i.release != "" {
		if _, err := conduit.New(config.Conduit{Version: i.release}); err != nil {
			return c, releaseFinding(err)
		}
		c.Suggested = i.release
	}
	if i.w.repo == nil {
		i.todo = append(i.todo, "put it into a Git repository: git init")
		return c, nil
	}
	if _, ok := i.w.repo.RemoteURL("origin"); !ok {
		return c, nil
	}
	m, err := i.address(i.w, "origin")
	if err != nil {
		return c, err
	}
	t, err := forge.Detect(i.w.config, m.URL(), "", "")
	switch {
	case err != nil:
		c.Forge = "origin"
		i.todo = append(i.todo, fmt.Sprintf("say which forge origin is on, under forge: (%s)", firstLine(err)))
	case t.Type != forge.None:
		c.Approvals = true
	}
	return c, nil
}

func firstLine(err error) string {
	first, _, _ := strings.Cut(err.Error(), "\n")
	return first
}

// try reads a config that is not on disk, and renders it. What is at fault in
// the source is left for people to do, and the environments are nil then.
func (i *initialization) try(ctx context.Context, files *source.FS, text []byte) (*config.Config, []*tree.Environment, error) {
	cfg, err := config.Load(replaced{files, i.w.config, text}, i.w.config)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the config that would be written: %w", err)
	}
	all, err := choose(cfg, nil)
	if err != nil {
		return nil, nil, err
	}
	pool, err := i.renderer()
	if err != nil {
		return nil, nil, err
	}
	defer pool.Close()
	i.stage("rendering what the config would give")
	environments, err := hydrate.Environments(ctx, i.w.source(ctx, &snapshot{fs: files, config: cfg}), all, pool)
	var list finding.List
	if err := list.Take(err); err != nil {
		return nil, nil, err
	}
	for _, f := range list {
		what := f.Error()
		if f.Hint != "" {
			what += "; " + f.Hint
		}
		if !slices.Contains(i.todo, what) {
			i.todo = append(i.todo, what)
		}
	}
	if len(list) > 0 {
		environments = nil
	}
	return cfg, environments, nil
}

// injectable gives, by app, the files of the objects that a release can inject,
// relative to the config. A file counts if it can be in every environment.
func injectable(file string, environments []*tree.Environment, release string) (map[string][]string, error) {
	injector, err := conduit.New(config.Conduit{Version: release})
	if err != nil {
		return nil, err
	}
	type at struct{ app, file string }
	yes, no := map[at]bool{}, map[at]bool{}
	var order []at
	eachObject(environments, func(env *tree.Environment, name string, o tree.ObjectRecord) {
		if !slices.Contains(injector.Kinds(), o.Kind) {
			return
		}
		app := ""
		if env.Records[0].App != "" {
			app, _, _ = strings.Cut(name, "/")
		}
		from, err := filepath.Rel(filepath.FromSlash(path.Dir(file)), filepath.FromSlash(o.Source))
		key := at{app, filepath.ToSlash(from)}
		set, parsed := manifest.Parse(name, env.Files[name])
		if err != nil || parsed != nil || len(set) != 1 {
			return
		}
		result, err := injector.Inject(set[0].Node)
		switch {
		case err != nil, result.Status != conduit.Injected:
			no[key] = true
		case !yes[key]:
			yes[key] = true
			order = append(order, key)
		}
	})
	out := map[string][]string{}
	for _, key := range order {
		if !no[key] {
			out[key.app] = append(out[key.app], key.file)
		}
	}
	return out, nil
}
