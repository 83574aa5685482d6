package config

import (
	"path"
	"strings"
)

// Unit is one app as it is rendered: the config's lists with their places.
type Unit struct {
	App     string // empty for the top-level lists
	Apply   []Step
	Inject  []Path // of conduitInject
	Pin     *Conduit
	PinPath string // config path of the pin, for Line
	// Programs are the injectors that are programs, in their order.
	Programs []Injector
	// DependsOn holds names of apps that come before this one.
	DependsOn []string
	Allow     *Allow // nil allows everything
	Revision  string // source commit to render from; empty for the one at hand
	// Engine is set for an app that export.into makes: its objects tell this
	// engine to follow the others.
	Engine string
}

// Path is a path of the config with the place where it is written.
type Path struct {
	Text string // slash path relative to the repository root, {env} expanded
	Place
}

// Step is an entry of kubectlApply: a path, or a program to run.
type Step struct {
	Path
	Exec *Run              // nil for a path
	Pin  map[string]string // fields of the program's output that get a value
}

// Run is a run of a pinned program.
type Run struct {
	Tool  string   // name of an entry of tools
	Args  []string // {env} expanded
	Files []File
}

// File is a file of the source that is put into a program's working directory.
type File struct {
	As string // slash path there
	Path
}

// Injector is a program that injects what its paths select.
type Injector struct {
	Run
	Paths []Path
	Place
}

// Units gives the apps of an environment, each after those it depends on and
// otherwise in the config's order.
func (c *Config) Units(e Environment) []Unit {
	if len(c.Apps) == 0 {
		return []Unit{{
			Apply: c.top().steps("kubectlApply", c.KubectlApply, e), Inject: c.top().paths("conduitInject", c.ConduitInject, e),
			Programs: c.top().injectors("inject", c.Inject, e), Pin: c.Conduit, PinPath: "conduit",
		}}
	}
	var units []Unit
	done := map[string]bool{}
	var visit func(i int)
	visit = func(i int) {
		a := c.Apps[i]
		if done[a.Name] || !a.in(e) {
			return
		}
		done[a.Name] = true
		for _, name := range a.DependsOn {
			visit(c.appIndex(name))
		}
		at := index("apps", i)
		in := scope{c, a.dir}
		u := Unit{
			App: a.Name, DependsOn: a.DependsOn,
			Apply: in.steps(at+".kubectlApply", a.KubectlApply, e), Inject: in.paths(at+".conduitInject", a.ConduitInject, e),
			Programs: in.injectors(at+".inject", a.Inject, e), Pin: a.Conduit, PinPath: at + ".conduit",
			Allow: a.Allow, Revision: a.Revision[e.Name],
		}
		if u.Pin == nil {
			u.Pin, u.PinPath = c.Conduit, "conduit"
		}
		units = append(units, u)
	}
	for i := range c.Apps {
		visit(i)
	}
	return units
}

// All gives the apps of an environment, and behind them those that export.into
// makes.
func (c *Config) All(e Environment) []Unit { return append(c.Units(e), c.Exported()...) }

// Exported gives the apps that export.into makes in every environment.
func (c *Config) Exported() []Unit {
	var units []Unit
	if c.Export != nil && c.Export.Into == IntoEnvironments {
		for _, engine := range c.Export.engines() {
			units = append(units, Unit{App: engine + "-sync", Engine: engine})
		}
	}
	return units
}

func (a App) in(e Environment) bool {
	if len(a.Environments) == 0 {
		return true
	}
	for _, name := range a.Environments {
		if name == e.Name {
			return true
		}
	}
	return false
}

func (c *Config) appIndex(name string) int {
	for i, a := range c.Apps {
		if a.Name == name {
			return i
		}
	}
	return -1
}

// scope is where the paths of an app are relative to.
type scope struct {
	*Config
	dir string
}

func (c *Config) top() scope { return scope{c, path.Dir(c.file)} }

// expand puts the environment's name in.
func expand(text string, e Environment) string { return strings.ReplaceAll(text, "{env}", e.Name) }

// inRepo gives a path relative to the repository root.
func (s scope) inRepo(text string, e Environment) string {
	return path.Join(s.dir, expand(text, e))
}

func (s scope) paths(at string, list []string, e Environment) []Path {
	out := make([]Path, len(list))
	for i, text := range list {
		out[i] = Path{Text: s.inRepo(text, e), Place: s.Place(index(at, i))}
	}
	return out
}

func (s scope) steps(at string, list []Apply, e Environment) []Step {
	out := make([]Step, len(list))
	for i, a := range list {
		here := index(at, i)
		out[i].Place = s.Place(here)
		if a.Exec == nil {
			out[i].Text = s.inRepo(a.Path, e)
			continue
		}
		run := s.run(here+".exec", a.Exec.Tool, a.Exec.Args, a.Exec.Files, e)
		out[i].Exec, out[i].Pin = &run, a.Exec.Pin
	}
	return out
}

func (s scope) injectors(at string, list []Inject, e Environment) []Injector {
	var out []Injector
	for i, in := range list {
		here := index(at, i)
		out = append(out, Injector{
			Run: s.run(here, in.Tool, in.Args, in.Files, e), Paths: s.paths(here+".paths", in.Paths, e), Place: s.Place(here),
		})
	}
	return out
}

func (s scope) run(at, tool string, args, files []string, e Environment) Run {
	run := Run{Tool: tool}
	for _, a := range args {
		run.Args = append(run.Args, expand(a, e))
	}
	for i, p := range s.paths(at+".files", files, e) {
		run.Files = append(run.Files, File{As: path.Clean(expand(files[i], e)), Path: p})
	}
	return run
}

// Tool gives the pinned program of that name, its paths relative to the
// repository root, and where it stands in the config.
func (c *Config) Tool(name string) (tool Tool, at string, ok bool) {
	for i, t := range c.Tools {
		if t.Name != name {
			continue
		}
		platforms := map[string]Platform{}
		for key, p := range t.Platforms {
			p.URL = c.InRepo(p.URL)
			platforms[key] = p
		}
		t.Platforms = platforms
		return t, index("tools", i), true
	}
	return Tool{}, "", false
}

// InRepo gives a tool's URL, if it is a path, relative to the repository root.
func (c *Config) InRepo(url string) string {
	if url == "" || strings.Contains(url, "://") {
		return url
	}
	return path.Join(path.Dir(c.file), url)
}
