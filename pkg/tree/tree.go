// Package tree lays an environment's objects out as the files of its branch,
// with the provenance beside them, and reads both back.
package tree

import (
	"fmt"
	"path"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

// App is one app of an environment, rendered and injected.
type App struct {
	Name     string // empty for the app of the config's top-level lists
	Commit   string // source commit that it was rendered from
	Set      manifest.Set
	Config   string // sha256 of its part of the config
	Pins     []Pin
	Programs []Program
	Inputs   []Input
	Absent   []string

	laid *laid
}

// laid is an app as files.
type laid struct {
	files   Files
	id      string
	objects []ObjectRecord
	list    finding.List
}

// Lay makes the app's files ahead of the environment's. Of objects that are
// not to be kept, its Set then tells what they are and where they come from, and
// no more: those of a whole environment need not be in memory at once.
func (a *App) Lay(keep func(*manifest.Object) bool) error {
	l, err := layApp(*a)
	if err != nil {
		return err
	}
	set := make(manifest.Set, len(a.Set))
	for i, o := range a.Set {
		if set[i] = o; !keep(o) {
			set[i] = &manifest.Object{ID: o.ID, APIVersion: o.APIVersion, Origin: o.Origin}
		}
	}
	a.Set, a.laid = set, l
	return nil
}

// Environment is one environment laid out.
type Environment struct {
	Name    string
	Path    string // directory on the branch
	Files   Files  // relative to Path
	Records []AppRecord
	// Taken are the apps that Files and Records leave out: they are those of the
	// hydrated commit that the next one goes on from.
	Taken []Taken

	id string // of the directory, once asked for

	// Unchecked says, a line an object, which ones no schema is known of.
	Unchecked []string
}

// AppRecord is a record with the name of its app.
type AppRecord struct {
	App string
	Record
}

// Lay gives the files of an environment; apps come in the order in which they
// are applied. Two objects that would share a file are a finding.List.
func Lay(name, dir string, apps []App) (*Environment, error) { return LayWith(name, dir, apps, nil) }

// LayWith is Lay where some of the apps are only named: those are taken over.
func LayWith(name, dir string, apps []App, taken map[string]Taken) (*Environment, error) {
	env := &Environment{Name: name, Path: dir, Files: Files{}}
	var list finding.List
	var resources []string
	for _, app := range apps {
		if t, is := taken[app.Name]; is {
			env.Taken = append(env.Taken, t)
			if app.Name != "" && t.Holds() {
				resources = append(resources, app.Name)
			}
			continue
		}
		if app.laid == nil {
			if err := app.Lay(func(*manifest.Object) bool { return true }); err != nil {
				return nil, err
			}
		}
		files, objects := app.laid.files, app.laid.objects
		list = append(list, app.laid.list...)
		for p, data := range files {
			env.Files[path.Join(app.Name, p)] = data
		}
		if app.Name != "" && len(files) > 0 {
			resources = append(resources, app.Name)
		}
		env.Records = append(env.Records, AppRecord{App: app.Name, Record: Record{
			Commit: app.Commit, Config: app.Config, Pins: app.Pins, Programs: app.Programs, Inputs: app.Inputs, Absent: app.Absent, Tree: app.laid.id, Objects: objects,
		}})
	}
	if len(resources) > 0 {
		index, err := kustomization(resources)
		if err != nil {
			return nil, err
		}
		env.Files["kustomization.yaml"] = index
	}
	return env, list.Err()
}

// layApp gives an app's files relative to its directory, and their records in
// the order in which the objects are applied.
func layApp(app App) (*laid, error) {
	files := Files{}
	var objects []ObjectRecord
	var list finding.List
	var resources []string
	from := map[string]*manifest.Object{}
	for _, o := range app.Set {
		file := ObjectPath(o.ID)
		if other, taken := from[file]; taken {
			list.Add(o.Origin.File, o.Origin.Line, fmt.Sprintf("%s would share its file %s with %s of %s", o.ID, file, other.ID, other.Origin), "rename one of the two, or move it to an app of its own")
			continue
		}
		from[file] = o
		data, err := manifest.Encode(o)
		if err != nil {
			return nil, err
		}
		files[file] = data
		resources = append(resources, file)
		objects = append(objects, record(o, file))
	}
	if len(resources) > 0 {
		index, err := kustomization(resources)
		if err != nil {
			return nil, err
		}
		files["kustomization.yaml"] = index
	}
	return &laid{files: files, id: files.ID(), objects: objects, list: list}, nil
}

func record(o *manifest.Object, file string) ObjectRecord {
	r := ObjectRecord{
		File: file, APIVersion: o.APIVersion, Kind: o.ID.Kind, Namespace: o.ID.Namespace, Name: o.ID.Name,
		Source: o.Origin.File, Images: manifest.Images(o),
	}
	for _, i := range o.Injected {
		r.Injected = append(r.Injected, Pin(i))
	}
	return r
}

// kustomization lists resources in the order in which they are applied.
func kustomization(resources []string) ([]byte, error) {
	var t text
	t.add(struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string `yaml:"kind"`
	}{"kustomize.config.k8s.io/v1beta1", "Kustomization"})
	list(&t, "resources", resources)
	return t.out, t.err
}

// Branch gives the tree of a hydrated commit: each environment's directory
// and, under Dir, the provenance. older tells what the branch's tip holds as
// the record of an app, nil if it holds none. What p says of rollbacks stays.
func Branch(p Provenance, environments []*Environment, older func(environment, app string) (*Record, error)) (map[string]Files, error) {
	dirs := map[string]Files{}
	records := Files{}
	said := p
	p.Environments = nil
	for _, env := range environments {
		er := EnvironmentRecord{Name: env.Name, Path: env.Path}
		er.Tree = env.ID()
		if before, ok := said.Environment(env.Path); ok {
			er.RolledBackTo = before.RolledBackTo
		}
		p.Environments = append(p.Environments, er)
		dirs[env.Path] = env.Files
		for _, r := range env.Records {
			before, err := older(env.Name, r.App)
			if err != nil {
				return nil, err
			}
			data, err := r.Record.Keep(before).encode()
			if err != nil {
				return nil, err
			}
			records[RecordPath(env.Name, r.App)[len(Dir)+1:]] = data
		}
	}
	data, err := encode(p)
	if err != nil {
		return nil, err
	}
	records["provenance.yaml"] = data
	dirs[Dir] = records
	return dirs, nil
}
