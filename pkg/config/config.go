package config

import (
	"path"
	"reflect"
	"strconv"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

// FileName is the config's name where none is given.
const FileName = "sluice.yaml"

// Parse reads a config. file is its path relative to the repository root, for
// findings and because the paths in it are relative to it. The result has its
// defaults filled in and its paths relative to the repository root; the error
// is a finding.List of everything at fault.
func Parse(file string, data []byte) (*Config, error) {
	docs, err := manifest.Documents(file, data)
	if err != nil {
		return nil, err
	}
	d := decoder{file: file, lines: map[string]int{}}
	switch len(docs) {
	case 0:
		d.list.Add(file, 1, "the config is empty", "list what to apply under kubectlApply:")
		return nil, d.list
	case 1:
	default:
		d.list.Add(file, docs[1].Line, "a second document: a config is one", "delete the line --- above it")
		return nil, d.list
	}
	c := &Config{file: file, lines: d.lines}
	d.decode(docs[0].Node, "", reflect.ValueOf(c).Elem())
	if err := d.list.Err(); err != nil {
		return nil, err // what follows would only repeat it
	}
	c.fill()
	if err := c.check(); err != nil {
		return nil, err
	}
	return c, nil
}

// File is the config's slash path relative to the repository root.
func (c *Config) File() string { return c.file }

// Line tells where a value stands, by its path: environments[1].branch. Where
// the value is not written, it is the line of what should hold it.
func (c *Config) Line(at string) int {
	for at != "" {
		if line, ok := c.lines[at]; ok {
			return line
		}
		at = parent(at)
	}
	return max(1, c.lines[""])
}

func parent(at string) string {
	for i := len(at) - 1; i >= 0; i-- {
		if at[i] == '.' || at[i] == '[' {
			return at[:i]
		}
	}
	return ""
}

// fill sets the defaults, and makes the unnamed app of the top-level lists.
func (c *Config) fill() {
	if len(c.Environments) == 0 {
		c.Environments = []Environment{{Name: "default"}}
	}
	for i := range c.Environments {
		e := &c.Environments[i]
		if e.Branch == "" {
			e.Branch = "env/" + e.Name
		}
		if e.Path == "" {
			e.Path = e.Name
		}
	}
	if c.Secrets == "" {
		c.Secrets = "refuse"
	}
}

// Unit is one app as it is rendered: the config's lists with their places.
type Unit struct {
	App     string // empty for the top-level lists
	Apply   []Path
	Inject  []Path
	Pin     *Conduit // nil without one
	PinPath string   // config path of the pin, for Line
	// DependsOn holds names of apps that come before this one.
	DependsOn []string
}

// Path is a path of the config with the place where it is written.
type Path struct {
	Text string // slash path relative to the repository root, {env} expanded
	Line int
}

// Units gives the apps of an environment, each after those it depends on and
// otherwise in the config's order.
func (c *Config) Units(e Environment) []Unit {
	if len(c.Apps) == 0 {
		return []Unit{{
			Apply: c.paths("kubectlApply", c.KubectlApply, e), Inject: c.paths("conduitInject", c.ConduitInject, e),
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
		at := "apps[" + strconv.Itoa(i) + "]"
		u := Unit{
			App: a.Name, DependsOn: a.DependsOn,
			Apply: c.paths(at+".kubectlApply", a.KubectlApply, e), Inject: c.paths(at+".conduitInject", a.ConduitInject, e),
			Pin: a.Conduit, PinPath: at + ".conduit",
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

func (c *Config) paths(at string, list []string, e Environment) []Path {
	out := make([]Path, len(list))
	for i, text := range list {
		out[i] = Path{Text: path.Join(path.Dir(c.file), expand(text, e)), Line: c.Line(at + "[" + strconv.Itoa(i) + "]")}
	}
	return out
}

// Environment gives the environment of that name.
func (c *Config) Environment(name string) (Environment, bool) {
	for _, e := range c.Environments {
		if e.Name == name {
			return e, true
		}
	}
	return Environment{}, false
}

// Chain is a chain's environments, each after the one it is promoted from.
// The first is the root.
type Chain []Environment

// Root is the environment that commit writes to.
func (c Chain) Root() Environment { return c[0] }

// Chains gives the chains in the order of their roots in the config.
func (c *Config) Chains() []Chain {
	var chains []Chain
	for _, e := range c.Environments {
		if e.PromotedFrom == "" {
			chains = append(chains, append(Chain{e}, c.promotedFrom(e.Name)...))
		}
	}
	return chains
}

// ChainOf gives the chain that an environment belongs to.
func (c *Config) ChainOf(name string) Chain {
	for _, chain := range c.Chains() {
		for _, e := range chain {
			if e.Name == name {
				return chain
			}
		}
	}
	return nil
}

func (c *Config) promotedFrom(name string) []Environment {
	var out []Environment
	for _, e := range c.Environments {
		if e.PromotedFrom == name {
			out = append(out, e)
		}
	}
	for _, e := range out[:len(out):len(out)] {
		out = append(out, c.promotedFrom(e.Name)...)
	}
	return out
}

func (c *Config) finding(at, text, hint string) finding.Finding {
	return finding.Finding{File: c.file, Line: c.Line(at), Text: text, Hint: hint}
}

// Finding gives a finding about the value at a config path.
func (c *Config) Finding(at, text, hint string) error { return c.finding(at, text, hint) }
