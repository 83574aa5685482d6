// Package render turns source files into the objects that they define:
// manifests are parsed, kustomizations are built by kustomize in worker
// processes that can reach nothing but the repository's files.
package render

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/api/konfig"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/source"
)

// Entry is one line of a kubectlApply list.
type Entry struct {
	Path string // a file, a directory or a pattern; {env} is expanded
	File string // the config file that has the entry
	Line int    // where in it
	// Objects stand in the place of a path if Path is empty: a program has
	// printed them.
	Objects manifest.Set
}

// unit is one thing to render: a manifest file or a kustomization.
type unit struct {
	entry Entry
	path  string
	built bool // by kustomize
}

// done is what came of a unit.
type done struct {
	set  manifest.Set
	list finding.List
	err  error
}

// Render gives the objects of the entries, in order: those of a file as they
// stand in it, those of a kustomization as kustomize prints them. The error is
// a finding.List of all that is wrong with the sources, unless ctx is over or
// the machine is at fault; beside findings come the objects that have none.
// Objects that two entries give are there twice.
func (p *Pool) Render(ctx context.Context, fs *source.FS, entries []Entry) (manifest.Set, error) {
	return p.Lane().RenderEach(ctx, fs, entries, func(manifest.Set) error { return nil })
}

// RenderEach is Render that hands over the objects of each file and each
// kustomization as soon as they are there, so that whoever needs no more of
// them than their text can seal them. done is called from several goroutines.
func (l *Lane) RenderEach(ctx context.Context, fs *source.FS, entries []Entry, done func(manifest.Set) error) (manifest.Set, error) {
	var list finding.List
	var units []unit
	for _, e := range entries {
		if e.Path == "" {
			units = append(units, unit{entry: e})
			continue
		}
		x := expander{fs: fs, entry: e, list: &list}
		x.entryPath()
		units = append(units, x.units...)
	}
	results := l.each(ctx, fs, units, done)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var set manifest.Set
	for _, d := range results {
		if d.err != nil {
			return nil, d.err
		}
		list = append(list, d.list...)
		set = append(set, d.set...)
	}
	return set, list.Err()
}

// each renders the units, as many at a time as there may be workers.
func (l *Lane) each(ctx context.Context, fs *source.FS, units []unit, ready func(manifest.Set) error) []done {
	results := make([]done, len(units))
	slots := make(chan struct{}, l.pool.limit)
	var wg sync.WaitGroup
	for i, u := range units {
		if u.entry.Path == "" {
			results[i].set = u.entry.Objects
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			switch {
			case ctx.Err() != nil:
				return
			case u.built:
				results[i].set, results[i].list, results[i].err = l.kustomize(ctx, fs, u.entry, u.path)
			default:
				results[i] = file(fs, u)
			}
			if results[i].err == nil {
				results[i].err = ready(results[i].set)
			}
		})
	}
	wg.Wait()
	return results
}

// file parses a manifest file. Its objects carry the path without links.
func file(fs *source.FS, u unit) (d done) {
	data, err := fs.ReadFile(u.path)
	if err != nil {
		d.list = finding.List{pathFinding(fs, u.entry.File, u.entry.Line, err)}
		return d
	}
	real, err := fs.Resolve(u.path)
	if err != nil {
		d.list = finding.List{pathFinding(fs, u.entry.File, u.entry.Line, err)}
		return d
	}
	d.set, err = manifest.Parse(real, data)
	d.err = d.list.Take(err)
	for _, o := range d.set {
		o.Origin.Entry = u.entry.Path
	}
	return d
}

// expander finds the units of one entry.
type expander struct {
	fs    *source.FS
	entry Entry
	units []unit
	list  *finding.List
}

func (x *expander) add(text, hint string) { x.list.Add(x.entry.File, x.entry.Line, text, hint) }

func (x *expander) fail(err error) {
	*x.list = append(*x.list, pathFinding(x.fs, x.entry.File, x.entry.Line, err))
}

func (x *expander) entryPath() {
	e, err := x.fs.Stat(x.entry.Path)
	switch {
	case err == nil:
		x.path(x.entry.Path, e.Kind)
		return
	case !source.IsPattern(x.entry.Path):
		x.fail(err)
		return
	}
	found, err := x.fs.Glob(x.entry.Path)
	if err != nil {
		x.fail(err)
		return
	}
	if len(found) == 0 {
		x.add(fmt.Sprintf("%q matches nothing", x.entry.Path), "")
	}
	for _, name := range found {
		if x.own(name) {
			continue
		}
		if e, err := x.fs.Stat(name); err != nil {
			x.fail(err)
		} else {
			x.path(name, e.Kind)
		}
	}
}

// own tells whether a path is one of sluice's own files, which nobody means
// when listing a directory or a pattern.
func (x *expander) own(name string) bool {
	return path.Base(name) == "sluice.yaml" || name == x.entry.File
}

// path adds what a listed path stands for.
func (x *expander) path(name string, kind source.Kind) {
	switch {
	case kind == source.File && slices.Contains(konfig.RecognizedKustomizationFileNames(), path.Base(name)):
		x.add(fmt.Sprintf("%q is a kustomization, not a manifest", name), "list its directory: "+path.Dir(name))
	case kind == source.File:
		x.units = append(x.units, unit{entry: x.entry, path: name})
	case kind == source.Dir:
		if x.kustomization(name) {
			return
		}
		before, faults := len(x.units), len(*x.list)
		x.walk(name)
		if len(x.units) == before && len(*x.list) == faults {
			x.add(fmt.Sprintf("%q holds no manifests", name), "list a directory that holds .yaml, .yml or .json files")
		}
	case kind == source.Submodule:
		x.add(fmt.Sprintf("%q is a Git submodule, which is not part of this repository's files", name), "copy the files into the repository")
	default:
		x.add(fmt.Sprintf("%q is %s", name, kind), "list files and directories")
	}
}

// kustomization adds a directory that kustomize is to build, if it is one.
func (x *expander) kustomization(dir string) bool {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		// A kustomization that cannot be read is one still: the gate says why.
		if _, err := x.fs.Stat(path.Join(dir, name)); err == nil || !isMissing(err) {
			x.units = append(x.units, unit{entry: x.entry, path: dir, built: true})
			return true
		}
	}
	return false
}

// walk adds the manifests below a directory without a kustomization, in the
// order and with the rules by which Flux's controller generates one:
// subdirectories with a kustomization of their own are built. Names that begin
// with a dot and sluice's own files are left out.
func (x *expander) walk(dir string) {
	entries, err := x.fs.ReadDir(dir)
	if err != nil {
		x.fail(err)
		return
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name)
		if strings.HasPrefix(e.Name, ".") || x.own(name) {
			continue
		}
		at, err := x.fs.Stat(name)
		manifests := slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(e.Name))
		switch {
		case err != nil && (manifests || !isMissing(err)):
			x.fail(err)
		case err != nil:
		case e.Kind == source.Link && at.Kind == source.Dir:
			x.add(fmt.Sprintf("%q is a symbolic link to a directory", name), "list the directory itself")
		case at.Kind == source.Dir:
			if !x.kustomization(name) {
				x.walk(name)
			}
		case at.Kind == source.Submodule, at.Kind == source.Other && manifests:
			x.path(name, at.Kind)
		case at.Kind == source.File && manifests:
			x.units = append(x.units, unit{entry: x.entry, path: name})
		}
	}
}
