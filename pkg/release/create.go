package release

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/source"
)

// Template is a cluster that is to be made of a directory of files.
type Template struct {
	Name     string            // of the cluster
	From     string            // directory of the template, relative to the config's
	Values   map[string]string // of the placeholders; name is given by Name
	Provider string            // default: the only one there is
	Release  string            // default: the newest
}

// Created is a new cluster. Nothing of it has been written.
type Created struct {
	Cluster  string   `json:"cluster"`
	Provider string   `json:"provider"` // empty if the repository holds no release
	Release  string   `json:"release"`
	Dir      string   `json:"directory"`
	Paths    []string `json:"paths"`   // the new files
	Changes  []Change `json:"changes"` // what the release sets otherwise than the template
	Absent   []string `json:"absent"`  // files of the release that the template does not have

	// Files holds the text of every file that is new or differs, the config
	// included, by slash path relative to the repository root, links followed.
	Files map[string][]byte `json:"-"`
}

// Create gives the files of a new cluster: those of a template with its
// placeholders filled in and a release over them, and the config with the
// cluster on its list.
func Create(files *source.FS, cfg *config.Config, t Template) (*Created, error) {
	cluster := config.Cluster{Name: t.Name, Provider: t.Provider, Release: t.Release}
	dir := cfg.ClusterDir(cluster)
	if err := free(files, cfg, t.Name, dir); err != nil {
		return nil, err
	}
	texts, err := filled(files, path.Join(path.Dir(cfg.File()), t.From), dir, t)
	if err != nil {
		return nil, err
	}
	p, err := begin(files, cfg, cluster)
	if err != nil {
		return nil, err
	}
	cluster.Provider, cluster.Release = p.cluster.Provider, p.request.To
	c := &Created{Cluster: t.Name, Provider: cluster.Provider, Release: cluster.Release, Dir: dir, Changes: []Change{}, Absent: []string{}, Files: texts}
	c.Paths = slices.Sorted(maps.Keys(texts))
	if c.Release != "" {
		if err := p.over(texts, dir); err != nil {
			return nil, err
		}
		c.Changes, c.Absent = p.up.Changes, p.up.Absent
	}
	return c, configure(files, cfg, c.Files, func(text []byte) ([]byte, error) { return Add(text, cluster) })
}

// free checks that nothing is where the cluster is to be.
func free(files *source.FS, cfg *config.Config, name, dir string) error {
	if !config.IsClusterName(name) {
		return finding.Finding{Text: fmt.Sprintf("cluster name %q cannot be a directory", name), Hint: "letters, digits, dots, dashes and slashes, for instance gauss/peu01"}
	}
	if _, i, taken := cfg.Cluster(name); taken {
		return finding.Finding{File: cfg.File(), Line: cfg.Line(fmt.Sprintf("clusters[%d].name", i)), Text: fmt.Sprintf("cluster %q is there already", name), Hint: "choose another name"}
	}
	switch _, err := files.Stat(dir); {
	case err == nil:
		return finding.Finding{File: dir, Text: "is there already, and a new cluster gets a directory of its own", Hint: "choose another name, or put the cluster on the list by hand, under clusters:"}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	for up := path.Dir(dir); up != "."; up = path.Dir(up) {
		switch real, err := files.Resolve(up); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case real != up:
			return finding.Finding{File: up, Text: fmt.Sprintf("leads to %s: the cluster would not lie where its name says", real), Hint: "choose another name"}
		}
	}
	if near := files.Similar(dir); near != "" {
		return finding.Finding{File: near, Text: fmt.Sprintf("is there already, and on some systems %s is the same", dir), Hint: "choose another name"}
	}
	return nil
}

// begin finds the release that a new cluster is to be at; it has none where
// the repository holds none and nobody asked for one.
func begin(files *source.FS, cfg *config.Config, cluster config.Cluster) (*plan, error) {
	p := &plan{files: files, cfg: cfg, cluster: cluster, own: map[string]string{}, releases: map[string]map[string]component{}}
	var err error
	if p.catalog, err = Open(files, cfg); err != nil {
		return nil, err
	}
	if len(p.catalog.Versions) == 0 && cluster.Release == "" && cluster.Provider == "" {
		return p, nil
	}
	if cluster.Provider == "" && len(p.catalog.Versions) > 1 {
		return nil, finding.Finding{Text: "there are releases of " + strings.Join(p.catalog.providers(), ", ") + ", and no provider is named", Hint: "name the one: --provider"}
	}
	if p.cluster.Provider, err = p.catalog.provider(cluster.Provider, "releases"); err != nil {
		return nil, err
	}
	p.request = Request{Cluster: cluster.Name, To: cluster.Release}
	if p.request.To == "" {
		p.request.To = p.catalog.newest(p.cluster.Provider)
	}
	if err := p.catalog.has(p.cluster.Provider, p.request.To); err != nil {
		return nil, err
	}
	p.up = newUpgrade(p.request, p.cluster.Provider, "")
	// There is nothing yet that a release gave and that could have been edited.
	p.cluster.Release = ""
	_, err = p.release(p.request.To)
	return p, err
}

// over merges the release over the files of a new cluster.
func (p *plan) over(texts map[string][]byte, dir string) error {
	base := path.Join(dir, "base")
	for at := range texts {
		if source.Below(base, at) {
			dir = base
		}
	}
	target := p.releases[p.request.To]
	var list finding.List
	for _, name := range slices.Sorted(maps.Keys(target)) {
		at := path.Join(dir, name)
		text, ok := texts[at]
		if !ok {
			p.up.Absent = append(p.up.Absent, name)
			continue
		}
		f, err := parse(at, text)
		if err == nil {
			text, err = p.merge(name, f)
		}
		if err := list.Take(err); err != nil {
			return err
		}
		if text != nil && err == nil {
			texts[at] = text
		}
	}
	return list.Err()
}
