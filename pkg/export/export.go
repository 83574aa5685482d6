// Package export gives the objects by which an engine in the clusters follows
// the environment branches. In go the config and what was rendered, out come
// objects of Flux, Argo CD or kluctl; nothing is applied.
package export

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// Project is what all engines have to know.
type Project struct {
	Repository   string // URL, without credentials
	Name         string // of the repository, as part of a name
	Environments []Environment
}

// Environment is a branch to follow.
type Environment struct {
	Name, Branch, Path string
	Apps               []App // each after those it depends on
	Suspended          bool
	Files              tree.Files
	// Syncs is, by engine, the directory on the branch that holds what the
	// engine follows it by: it follows that directory as well, and is never
	// suspended there, as the end of it could not be told.
	Syncs map[string]string
}

// App is a directory of it that holds objects.
type App struct {
	Name      string // empty for the app of the config's top-level lists
	Path      string // on the branch
	DependsOn []string
	Wave      int    // 0 for an app without dependencies, else one more than theirs
	Namespace string // the only one that it may write to; empty if it is bound to none or to several
	Suspended bool
	Workloads []Workload
}

// Workload is an object whose health tells that of its app.
type Workload struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Name       string `yaml:"name"`
	Namespace  string `yaml:"namespace"` // an engine applies what names none to default
}

// Gather puts together what the engines have to know of environments. remote
// is the URL that is meant where the config names none.
func Gather(cfg *config.Config, remote string, rendered []*tree.Environment) (*Project, error) {
	options := cfg.Export
	if options == nil {
		options = &config.Export{}
	}
	p := &Project{Repository: options.Repository, Name: options.Name}
	if p.Repository == "" {
		p.Repository = remote
	}
	var err error
	if p.Repository, err = reachable(p.Repository, cfg); err != nil {
		return nil, err
	}
	if p.Name == "" {
		p.Name = nameOf(p.Repository)
	}
	for _, r := range rendered {
		e, _ := cfg.Environment(r.Name)
		out := Environment{Name: e.Name, Branch: e.Branch, Path: e.Path, Files: r.Files, Suspended: slices.Contains(options.Suspend, e.Name), Syncs: map[string]string{}}
		for _, u := range cfg.Exported() {
			out.Syncs[u.Engine] = path.Join(e.Path, u.App)
		}
		g := gathering{cfg: cfg, environment: e, rendered: r, reach: map[string][]string{}, waves: map[string]int{}}
		for _, u := range cfg.Units(e) {
			app, err := g.app(u)
			if err != nil {
				return nil, err
			}
			if app != nil {
				app.Suspended = out.Suspended || slices.Contains(options.Suspend, e.Name+"/"+app.Name)
				out.Apps = append(out.Apps, *app)
			}
		}
		if len(out.Apps)+len(out.Syncs) > 0 {
			p.Environments = append(p.Environments, out)
		}
	}
	return p, nil
}

// Objects gives what an engine, named as under export, needs to follow the
// branches, as YAML documents. nil options are the defaults.
func (p *Project) Objects(engine string, options *config.Export) ([][]byte, error) {
	if options == nil {
		options = &config.Export{}
	}
	switch engine {
	case "flux":
		return p.Flux(options.Flux)
	case "argocd":
		return p.ArgoCD(options.ArgoCD)
	case "kluctl":
		return p.Kluctl(options.Kluctl)
	}
	return nil, fmt.Errorf("no engine is named %q", engine)
}

// gathering is the apps of one environment that are known by now.
type gathering struct {
	cfg         *config.Config
	environment config.Environment
	rendered    *tree.Environment
	reach       map[string][]string // apps that stand for one where it is depended on
	waves       map[string]int
}

// app gives an app, nil if it holds nothing: there is no directory to follow
// then, and what depends on it depends on what it depends on.
func (g *gathering) app(u config.Unit) (*App, error) {
	a := &App{Name: u.App, Path: path.Join(g.environment.Path, u.App)}
	for _, name := range u.DependsOn {
		for _, on := range g.reach[name] {
			if !slices.Contains(a.DependsOn, on) {
				a.DependsOn = append(a.DependsOn, on)
				a.Wave = max(a.Wave, g.waves[on]+1)
			}
		}
	}
	if u.Allow != nil && len(u.Allow.Namespaces) == 1 {
		a.Namespace = u.Allow.Namespaces[0]
	}
	var record tree.AppRecord
	for _, r := range g.rendered.Records {
		if r.App == u.App {
			record = r
		}
	}
	if len(record.Objects) == 0 {
		g.reach[u.App] = a.DependsOn
		return nil, nil
	}
	g.reach[u.App], g.waves[u.App] = []string{u.App}, a.Wave
	for _, o := range record.Objects {
		ok, err := checked(o, g.rendered.Files[path.Join(u.App, o.File)])
		if err != nil {
			return nil, err
		}
		if ok {
			a.Workloads = append(a.Workloads, Workload{o.APIVersion, o.Kind, o.Name, or(o.Namespace, a.Namespace, "default")})
		}
	}
	return a, nil
}

// checked tells whether an object is a workload that becomes healthy and stays
// there to tell. A Job that is deleted after its end would be missed.
func checked(o tree.ObjectRecord, data []byte) (bool, error) {
	switch manifest.Group(o.APIVersion) + "/" + o.Kind {
	case "apps/Deployment", "apps/StatefulSet", "apps/DaemonSet":
		return true, nil
	case "batch/Job":
		docs, err := manifest.Documents(o.File, data)
		if err != nil || len(docs) == 0 {
			return false, fmt.Errorf("reading what was rendered: %w", err)
		}
		return manifest.Field(docs[0].Node, "spec", "ttlSecondsAfterFinished") == nil && manifest.Field(docs[0].Node, "spec", "suspend") == nil, nil
	}
	return false, nil
}

var scp = regexp.MustCompile(`^([A-Za-z0-9._-]+@)?([A-Za-z0-9.-]+):([^/].*|/[^/].*)$`)

// reachable gives a URL in the form that the engines take: with a scheme.
func reachable(text string, cfg *config.Config) (string, error) {
	place := cfg.Place("export.repository")
	fault := func(what string) error {
		return finding.Finding{File: place.File, Line: place.Line, Text: what, Hint: "say how the clusters reach it: export: {repository: \"https://git.example/shop/config\"}"}
	}
	if text == "" {
		return "", fault("the repository has no remote named origin whose URL the engines could follow")
	}
	scheme, _, found := strings.Cut(text, "://")
	if !found {
		m := scp.FindStringSubmatch(text)
		if m == nil {
			return "", fault(fmt.Sprintf("%q is no URL that a cluster can reach", text))
		}
		return "ssh://" + m[1] + m[2] + "/" + strings.TrimPrefix(m[3], "/"), nil
	}
	if !slices.Contains([]string{"http", "https", "ssh"}, scheme) {
		return "", fault(fmt.Sprintf("%q is no URL that a cluster can reach: http, https or ssh", text))
	}
	return text, nil
}

var notName = regexp.MustCompile(`[^a-z0-9]+`)

// nameOf gives the last part of a URL as part of an object's name.
func nameOf(url string) string {
	last := strings.TrimSuffix(path.Base(strings.TrimRight(url, "/")), ".git")
	return strings.Trim(notName.ReplaceAllString(strings.ToLower(last), "-"), "-")
}

// name joins what a name is made of, leaving out what is empty.
func name(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "-")
}

// object is one object on its way out.
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   meta   `yaml:"metadata"`
	Spec       any    `yaml:"spec"`
}

type meta struct {
	Name        string            `yaml:"name"`
	Namespace   string            `yaml:"namespace"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
}

// encode gives the objects as YAML documents. Two of one name, or a name that
// no object can have, are an error.
func encode(objects []object) ([][]byte, error) {
	var out [][]byte
	var list finding.List
	seen := map[string]bool{}
	for _, o := range objects {
		id := o.Kind + " " + o.Metadata.Name
		if seen[id] {
			list.Add("", 0, fmt.Sprintf("two apps would be followed by one %s", id), "rename one of the apps or environments")
		}
		seen[id] = true
		var b bytes.Buffer
		enc := yaml.NewEncoder(&b)
		enc.SetIndent(2)
		enc.CompactSeqIndent()
		if err := enc.Encode(o); err != nil {
			return nil, err
		}
		if err := enc.Close(); err != nil {
			return nil, err
		}
		if _, err := manifest.Parse("", b.Bytes()); err != nil {
			if err := list.Take(err); err != nil {
				return nil, err
			}
		}
		out = append(out, b.Bytes())
	}
	return out, list.Err()
}

// or gives the first that is not empty.
func or(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
