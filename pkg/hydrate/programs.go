package hydrate

import (
	"context"
	"fmt"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/inject"
	"github.com/sluice-dev/sluice/pkg/inject/program"
	"github.com/sluice-dev/sluice/pkg/render"
	"github.com/sluice-dev/sluice/pkg/source"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// Renderer is what rendering runs on. It may be used for many sources.
type Renderer struct {
	Workers  *render.Pool
	Programs *program.Cache
	Platform string   // that programs are run on, for instance linux/amd64
	Progress Progress // nil: nobody asks
}

// Close ends the workers.
func (r Renderer) Close() { r.Workers.Close() }

// programs gives the programs that the environments need, or nil where what is
// pinned is at fault: the rest can be checked without them.
func (r Renderer) programs(ctx context.Context, src Source, environments []config.Environment, kept *reuse, list *finding.List) (map[string]*program.Program, error) {
	if len(*list) > 0 {
		return nil, nil
	}
	for _, e := range environments {
		if err := inject.CheckSkew(src.Config, e); err != nil {
			return nil, err
		}
	}
	programs, err := r.fetch(ctx, src, environments, kept)
	if err != nil {
		return nil, list.Take(err)
	}
	return programs, nil
}

// fetch gives the programs that the environments' apps need, apart from those that are taken over, by tool: everything is
// there and checked before anything is rendered.
func (r Renderer) fetch(ctx context.Context, src Source, environments []config.Environment, kept *reuse) (map[string]*program.Program, error) {
	programs := map[string]*program.Program{}
	var list finding.List
	for _, e := range environments {
		for _, u := range kept.units(src, e) {
			if _, taken := kept.of(e)[u.App]; taken {
				continue
			}
			for _, name := range toolsOf(u) {
				if _, done := programs[name]; done {
					continue
				}
				programs[name] = nil
				tool, _ := inject.Tool(src.Config, name)
				p, err := r.Programs.Fetch(ctx, tool, r.Platform, func(path string) ([]byte, error) {
					return src.Files.ReadLarge(path, program.MaxSize)
				})
				if err := list.Take(inject.ToolFindings(src.Config, name, err)); err != nil {
					return nil, err
				}
				programs[name] = p
			}
		}
	}
	return programs, list.Err()
}

// toolsOf gives the names of the programs that an app needs.
func toolsOf(u config.Unit) []string {
	var names []string
	for _, s := range u.Apply {
		if s.Exec != nil {
			names = append(names, s.Exec.Tool)
		}
	}
	for _, in := range u.Programs {
		names = append(names, in.Tool)
	}
	return names
}

// entries gives what kubectlApply lists: paths as they are, programs by the
// objects that they print, if they are there.
func entries(ctx context.Context, u config.Unit, programs map[string]*program.Program, view *source.FS) ([]render.Entry, error) {
	var out []render.Entry
	var list finding.List
	for _, s := range u.Apply {
		e := render.Entry{Path: s.Text, File: s.File, Line: s.Line}
		if s.Exec != nil && programs == nil {
			continue
		}
		if s.Exec != nil {
			set, err := inject.Generate(ctx, s, programs, view)
			if err != nil {
				if err := list.Take(err); err != nil {
					return nil, err
				}
				continue
			}
			e.Path, e.Objects = "", set
		}
		out = append(out, e)
	}
	return out, list.Err()
}

// programRecords says which programs made or changed an app's objects.
func programRecords(cfg *config.Config, u config.Unit) []tree.Program {
	var out []tree.Program
	seen := map[string]bool{}
	for _, name := range toolsOf(u) {
		if seen[name] {
			continue
		}
		seen[name] = true
		tool, _, _ := cfg.Tool(name)
		p := tree.Program{Name: tool.Name, Version: tool.Version, SHA256: map[string]string{}}
		for platform, a := range tool.Platforms {
			p.SHA256[platform] = a.SHA256
		}
		out = append(out, p)
	}
	return out
}

// runs describes the runs of programs for the digest of an app.
func runs(u config.Unit) []string {
	var out []string
	run := func(what string, r config.Run, more any) {
		var files []string
		for _, f := range r.Files {
			files = append(files, f.As+"="+f.Text)
		}
		out = append(out, fmt.Sprintf("%s %q %q %q %q", what, r.Tool, r.Args, files, more))
	}
	for i, s := range u.Apply {
		if s.Exec != nil {
			run(fmt.Sprintf("apply %d", i), *s.Exec, s.Pin) // fmt prints maps in the order of their keys
		}
	}
	for _, in := range u.Programs {
		run("inject", in.Run, texts(in.Paths))
	}
	return out
}

func texts(paths []config.Path) []string {
	var out []string
	for _, p := range paths {
		out = append(out, p.Text)
	}
	return out
}
