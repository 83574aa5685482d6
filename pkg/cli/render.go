package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/hydrate"
	"github.com/sluice-dev/sluice/pkg/tree"
)

func (c *command) renderCommand() *cobra.Command {
	var rev, out string
	cmd := &cobra.Command{
		Use: "render [ENV...]", Short: "Print the hydrated objects",
		Annotations: map[string]string{verbatim: "true"},
		Long: `Render prints the objects that the clusters are to hold, rendered and injected.
Without names it prints all environments, each after the one it is promoted
from. It reads the working tree, or a commit with --rev, and changes nothing.`,
		Example: `  sluice render staging | kubectl apply -f -
  sluice render --rev v1.4.0 production
  sluice render --out hydrated`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, names []string) error {
			w, err := c.open()
			if err != nil {
				return err
			}
			var s *snapshot
			if rev == "" {
				s, err = w.workingTree()
			} else {
				s, err = w.revision(rev)
			}
			if err != nil {
				return err
			}
			chosen, err := choose(s.config, names)
			if err != nil {
				return err
			}
			pool, err := c.renderer()
			if err != nil {
				return err
			}
			defer pool.Close()
			environments, err := hydrate.Environments(cmd.Context(), w.source(cmd.Context(), s), chosen, pool)
			if err != nil {
				return err
			}
			c.noteUnchecked(environments)
			if out != "" {
				if !filepath.IsAbs(out) {
					out = filepath.Join(c.dir, out)
				}
				return writeOut(out, environments)
			}
			if c.output == "json" {
				return c.renderJSON(environments)
			}
			return c.renderStream(environments)
		},
	}
	cmd.Flags().StringVar(&rev, "rev", "", "render commit `REV` instead of the working tree")
	cmd.Flags().StringVar(&out, "out", "", "write the files into `DIR`, as they lie on the branch, instead of printing them")
	return cmd
}

// choose gives the named environments, or all of them, in chain order.
func choose(cfg *config.Config, names []string) ([]config.Environment, error) {
	var all []config.Environment
	for _, chain := range cfg.Chains() {
		all = append(all, chain...)
	}
	if len(names) == 0 {
		return all, nil
	}
	wanted := map[string]bool{}
	for _, name := range names {
		if _, ok := cfg.Environment(name); !ok {
			return nil, unknownEnvironment(cfg, name)
		}
		wanted[name] = true
	}
	var chosen []config.Environment
	for _, e := range all {
		if wanted[e.Name] {
			chosen = append(chosen, e)
		}
	}
	return chosen, nil
}

func unknownEnvironment(cfg *config.Config, name string) error {
	hint := "environments:"
	for _, e := range cfg.Environments {
		hint += " " + e.Name
	}
	return finding.Finding{File: cfg.File(), Line: cfg.Line("environments"), Text: fmt.Sprintf("no environment is named %q", name), Hint: hint}
}

// renderStream prints the objects as one YAML stream, in the order in which
// they are applied.
func (c *command) renderStream(environments []*tree.Environment) error {
	var b bytes.Buffer
	eachObject(environments, func(env *tree.Environment, file string, _ tree.ObjectRecord) {
		fmt.Fprintf(&b, "---\n# %s\n%s", path.Join(env.Path, file), env.Files[file])
	})
	_, err := c.Out.Write(b.Bytes())
	return err
}

func eachObject(environments []*tree.Environment, visit func(env *tree.Environment, file string, o tree.ObjectRecord)) {
	for _, env := range environments {
		for _, r := range env.Records {
			for _, o := range r.Objects {
				visit(env, path.Join(r.App, o.File), o)
			}
		}
	}
}

// renderedObject is an object in the output of render -o json.
type renderedObject struct {
	File      string          `json:"file"` // on the branch
	Namespace string          `json:"namespace,omitempty"`
	Kind      string          `json:"kind"`
	Name      string          `json:"name"`
	Source    string          `json:"source"`
	Injected  []pin           `json:"injected,omitempty"`
	Images    []string        `json:"images,omitempty"`
	Object    json.RawMessage `json:"object"`
}

type pin struct {
	Injector string `json:"injector"`
	Version  string `json:"version"`
}

func (c *command) renderJSON(environments []*tree.Environment) error {
	type environment struct {
		Name    string           `json:"name"`
		Path    string           `json:"path"`
		Skew    []skew           `json:"skew"` // versions of one injector that live together
		Objects []renderedObject `json:"objects"`
	}
	out := struct {
		Environments []*environment `json:"environments"`
	}{[]*environment{}}
	byName := map[string]*environment{}
	for _, env := range environments {
		e := &environment{Name: env.Name, Path: env.Path, Skew: skewOf(pinsOf(env)), Objects: []renderedObject{}}
		byName[env.Name] = e
		out.Environments = append(out.Environments, e)
	}
	var failed error
	eachObject(environments, func(env *tree.Environment, file string, o tree.ObjectRecord) {
		data, err := yaml.YAMLToJSON(env.Files[file])
		failed = errors.Join(failed, err)
		r := renderedObject{
			File: path.Join(env.Path, file), Namespace: o.Namespace, Kind: o.Kind, Name: o.Name,
			Source: o.Source, Images: o.Images, Object: data,
		}
		for _, i := range o.Injected {
			r.Injected = append(r.Injected, pin(i))
		}
		byName[env.Name].Objects = append(byName[env.Name].Objects, r)
	})
	if failed != nil {
		return failed
	}
	return c.print(out, nil)
}

// pinsOf gives the injectors, with their versions, of an environment.
func pinsOf(env *tree.Environment) []pin {
	var pins []pin
	for _, p := range tree.Pins(env.Records) {
		pins = append(pins, pin(p))
	}
	return pins
}

// writeOut writes the environments' directories below dir. What is there
// already must be what would be written: render never overwrites.
func writeOut(dir string, environments []*tree.Environment) error {
	var list finding.List
	for _, env := range environments {
		at := filepath.Join(dir, filepath.FromSlash(env.Path))
		if entries, err := os.ReadDir(at); err == nil && len(entries) > 0 {
			list.Add(at, 0, "is not empty", "choose another --out, or remove it first")
		}
	}
	if err := list.Err(); err != nil {
		return err
	}
	for _, env := range environments {
		for _, p := range env.Files.Paths() {
			at := filepath.Join(dir, filepath.FromSlash(env.Path), filepath.FromSlash(p))
			if err := os.MkdirAll(filepath.Dir(at), 0o777); err != nil {
				return err
			}
			if err := os.WriteFile(at, env.Files[p], 0o666); err != nil {
				return err
			}
		}
	}
	return nil
}
