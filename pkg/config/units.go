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
}

// Path is a path of the config with the place where it is written.
type Path struct {
	Text string // slash path relative to the repository root, {env} expanded
	Place
}

// Step is an entry of kubectlApply: a path, or a program to run.
type Step struct {
	Path
	Exec *Exec // nil for a path; its files are relative to the repository root
}

// Injector is a program that injects what its paths select.
type Injector struct {
	Tool  string
	Args  []string
	Files []string // relative to the repository root
	Paths []Path
	Place
}

// Units gives the apps of an environment, each after those it depends on and
// otherwise in the config's order.
func (c *Config) Units(e Environment) []Unit {
	if len(c.Apps) == 0 {
		return []Unit{{
			Apply: c.top().steps("kubectlApply", c.KubectlApply, e), Inject: c.top().paths("conduitInject", c.ConduitInject, e),
			Programs: c.top().programs("inject", c.Inject, e), Pin: c.Conduit, PinPath: "conduit",
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
			Programs: in.programs(at+".inject", a.Inject, e), Pin: a.Conduit, PinPath: at + ".conduit",
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

// inRepo gives a path relative to the repository root.
func (s scope) inRepo(text string, e Environment) string {
	return path.Join(s.dir, strings.ReplaceAll(text, "{env}", e.Name))
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
		out[i].Place = s.Place(index(at, i))
		if a.Exec == nil {
			out[i].Text = s.inRepo(a.Path, e)
			continue
		}
		run := *a.Exec
		run.Files = s.files(a.Exec.Files, e)
		out[i].Exec = &run
	}
	return out
}

func (s scope) programs(at string, list []Inject, e Environment) []Injector {
	var out []Injector
	for i, in := range list {
		at := index(at, i)
		out = append(out, Injector{
			Tool: in.Tool, Args: in.Args, Files: s.files(in.Files, e), Paths: s.paths(at+".paths", in.Paths, e), Place: s.Place(at),
		})
	}
	return out
}

func (s scope) files(list []string, e Environment) []string {
	var out []string
	for _, text := range list {
		out = append(out, s.inRepo(text, e))
	}
	return out
}
