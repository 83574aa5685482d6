package config

import (
	"fmt"
	"path"
	"reflect"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

// FileName is the config's name where none is given.
const FileName = "sluice.yaml"

// Files is where a config and what it includes are read from.
type Files interface {
	ReadFile(path string) ([]byte, error)
	Glob(pattern string) ([]string, error)
}

// Load reads the config at a slash path relative to the repository root, and
// the app files that it includes. The result has its defaults filled in; the
// error is a finding.List of everything at fault, or that of files.
func Load(files Files, file string) (*Config, error) {
	data, err := files.ReadFile(file)
	if err != nil {
		return nil, err
	}
	c := &Config{file: file, places: map[string]Place{}}
	d := decoder{file: file, places: c.places}
	d.document(data, "", reflect.ValueOf(c).Elem())
	if _, read := c.places[""]; !read {
		return nil, d.list.Err()
	}
	for i := range c.Apps {
		c.Apps[i].dir = path.Dir(file)
	}
	unread := d.list
	if err := unread.Take(c.include(files)); err != nil {
		return nil, err
	}
	c.fill()
	if err := append(unread, c.check().certain(unread)...).Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// document decodes a file that holds one document into the value at a config path.
func (d *decoder) document(data []byte, at string, into reflect.Value) {
	docs, err := manifest.Documents(d.file, data)
	if err := d.list.Take(err); err != nil {
		d.list.Add(d.file, 0, err.Error(), "")
	}
	switch {
	case len(d.list) > 0:
	case len(docs) == 0:
		d.list.Add(d.file, 1, "the config is empty", "list what to apply under kubectlApply:")
	case len(docs) > 1:
		d.list.Add(d.file, docs[1].Line, "a second document: a config is one", "delete the line --- above it")
	default:
		d.decode(docs[0].Node, at, into)
	}
}

// include adds an app for each file that an include pattern matches: its name
// is that of its directory, its paths are relative to it.
func (c *Config) include(files Files) error {
	var list finding.List
	for i, pattern := range c.Include {
		at := index("include", i)
		k := &checker{Config: c}
		k.path(at, pattern)
		if len(k.list) > 0 {
			list = append(list, k.list...)
			continue
		}
		found, err := files.Glob(path.Join(path.Dir(c.file), pattern))
		if err != nil {
			return c.placed(at, err)
		}
		if len(found) == 0 {
			list = append(list, c.finding(at, fmt.Sprintf("include %q matches no file", pattern), "an app file is for instance teams/shop/sluice-app.yaml"))
		}
		for _, file := range found {
			data, err := files.ReadFile(file)
			if err != nil {
				return c.placed(at, err)
			}
			app := App{dir: path.Dir(file)}
			d := decoder{file: file, places: c.places}
			here := index("apps", len(c.Apps))
			d.document(data, here, reflect.ValueOf(&app).Elem())
			list = append(list, d.list...)
			if app.Name != "" {
				list = append(list, c.finding(here+".name", "an included app is named by its directory", "delete the name"))
			}
			app.Name = path.Base(app.dir)
			c.Apps = append(c.Apps, app)
		}
	}
	return list.Err()
}

// placed gives an error about a file with the place that asks for the file.
func (c *Config) placed(at string, err error) error {
	place := c.Place(at)
	return fmt.Errorf("%s:%d: %w", place.File, place.Line, err)
}

// File is the config's slash path relative to the repository root.
func (c *Config) File() string { return c.file }

// Place tells where a value stands, by its config path: environments[1].branch.
// Where the value is not written, it is the place of what should hold it.
func (c *Config) Place(at string) Place {
	for at != "" {
		if place, ok := c.places[at]; ok {
			return place
		}
		at = parent(at)
	}
	return Place{c.file, max(1, c.places[""].Line)}
}

// Line is the line of Place.
func (c *Config) Line(at string) int { return c.Place(at).Line }

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
	place := c.Place(at)
	return finding.Finding{File: place.File, Line: place.Line, Text: text, Hint: hint}
}
