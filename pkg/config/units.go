package config

import (
	"path"
	"strings"
)

// Unit is one app as it is rendered: the config's lists with their places.
type Unit struct {
	App     string // empty for the top-level lists
	Apply   []Path
	Inject  []Path // of conduitInject
	Pin     *Conduit
	PinPath string // config path of the pin, for Line
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

// Units gives the apps of an environment, each after those it depends on and
// otherwise in the config's order.
func (c *Config) Units(e Environment) []Unit {
	if len(c.Apps) == 0 {
		return []Unit{{
			Apply: c.top().paths("kubectlApply", c.KubectlApply, e), Inject: c.top().paths("conduitInject", c.ConduitInject, e),
			Pin: c.Conduit, PinPath: "conduit",
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
			Apply: in.paths(at+".kubectlApply", a.KubectlApply, e), Inject: in.paths(at+".conduitInject", a.ConduitInject, e),
			Pin: a.Conduit, PinPath: at + ".conduit",
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
