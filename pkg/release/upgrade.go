package release

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/semver"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/source"
)

// Plan gives what an upgrade changes, or everything that is in its way.
func Plan(files *source.FS, cfg *config.Config, r Request) (*Upgrade, error) {
	p, err := newPlan(files, cfg, r)
	if err != nil {
		return nil, err
	}
	names, err := p.names()
	if err != nil {
		return nil, err
	}
	if err := p.order(names); err != nil {
		return nil, err
	}
	var list finding.List
	for _, name := range names {
		if err := list.Take(p.file(name)); err != nil {
			return nil, err
		}
	}
	if err := list.Err(); err != nil {
		return nil, err
	}
	if len(p.up.Edits) > 0 && !r.Discard {
		return nil, &EditedError{Cluster: r.Cluster, Overlay: p.overlay() + "/", Edits: p.up.Edits}
	}
	if err := p.dropped(); err != nil {
		return nil, err
	}
	if err := p.masks(); err != nil {
		return nil, err
	}
	return p.up, p.record()
}

// plan is an upgrade that is being put together.
type plan struct {
	files   *source.FS
	cfg     *config.Config
	catalog *Catalog
	request Request
	cluster config.Cluster
	at      string // config path of the cluster
	dir     string // of the files that releases own

	own      map[string]string               // the cluster's files there, by name
	releases map[string]map[string]component // that were read, by version
	merged   []target
	up       *Upgrade
}

// target is an object with what the new release sets of it.
type target struct {
	means *yaml.Node // as it was
	tree  *yaml.Node
}

// newPlan begins an upgrade of a cluster to a release that is there.
func newPlan(files *source.FS, cfg *config.Config, r Request) (*plan, error) {
	p, err := preparePlan(files, cfg, r)
	if err != nil {
		return nil, err
	}
	return p, p.catalog.has(p.up.Provider, r.To)
}

// preparePlan finds a cluster, its provider and its files.
func preparePlan(files *source.FS, cfg *config.Config, r Request) (*plan, error) {
	cluster, i, ok := cfg.Cluster(r.Cluster)
	if !ok {
		return nil, UnknownCluster(cfg, r.Cluster)
	}
	p := &plan{files: files, cfg: cfg, request: r, cluster: cluster, at: fmt.Sprintf("clusters[%d]", i)}
	p.own, p.releases = map[string]string{}, map[string]map[string]component{}
	var err error
	if p.catalog, err = Open(files, cfg); err != nil {
		return nil, err
	}
	provider, err := p.catalog.provider(cluster.Provider, p.at+".provider")
	if err != nil {
		return nil, err
	}
	p.up = newUpgrade(r, provider, cluster.Release)
	return p, p.clusterFiles()
}

// clusterFiles finds the files of a cluster that releases own: those in its
// base, or right in its directory where there is no base.
func (p *plan) clusterFiles() error {
	p.dir = path.Join(p.cfg.ClusterDir(p.cluster), "base")
	entry, err := p.files.Stat(p.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err != nil || entry.Kind != source.Dir {
		p.dir = path.Dir(p.dir)
	}
	names, err := manifests(p.files, p.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return p.catalog.fault(p.at, fmt.Sprintf("cluster %q has no directory %s", p.cluster.Name, p.dir), "name its directory: path:, or make it: sluice cluster create")
	}
	if err != nil {
		return err
	}
	for _, name := range names {
		p.own[path.Base(name)] = name
	}
	return nil
}

func (p *plan) overlay() string { return path.Join(p.cfg.ClusterDir(p.cluster), config.OverlayDir) }

// release reads a release once.
func (p *plan) release(version string) (map[string]component, error) {
	if known, ok := p.releases[version]; ok {
		return known, nil
	}
	c, err := p.catalog.components(p.files, p.up.Provider, version)
	p.releases[version] = c
	return c, err
}

// names gives the names of the files to upgrade.
func (p *plan) names() ([]string, error) {
	target, err := p.release(p.request.To)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(target)) {
		if p.own[name] != "" {
			names = append(names, name)
		} else {
			p.up.Absent = append(p.up.Absent, name)
		}
	}
	if len(names) == 0 {
		return nil, p.catalog.fault(p.at, fmt.Sprintf("%s holds no file of release %s", p.dir, p.request.To), "the release has "+strings.Join(p.up.Absent, ", "))
	}
	if len(p.request.Only) == 0 {
		return names, nil
	}
	if p.cluster.Release == "" {
		return nil, p.catalog.fault(p.at, fmt.Sprintf("cluster %q is at no release, so that one file alone cannot be upgraded", p.cluster.Name), "upgrade all of it first, without --only, or write the release that it is at under release:")
	}
	var list finding.List
	for _, only := range p.request.Only {
		switch {
		case target[only] == nil:
			list.Add("", 0, fmt.Sprintf("release %s has no file %q", p.request.To, only), "it has "+strings.Join(slices.Sorted(maps.Keys(target)), ", "))
		case p.own[only] == "":
			list.Add("", 0, fmt.Sprintf("%s has no file %q", p.dir, only), "it has in common with the release: "+strings.Join(names, ", "))
		}
	}
	p.up.Absent = []string{}
	only := slices.Clone(p.request.Only)
	slices.Sort(only)
	only = slices.Compact(only)
	p.up.Only = only
	return only, list.Err()
}

// recorded gives the release that a file is at.
func (p *plan) recorded(name string) string {
	if v := p.cluster.Components[name]; v != "" {
		return v
	}
	return p.cluster.Release
}

// order refuses what leaves releases out or goes back, unless it was asked for.
func (p *plan) order(names []string) error {
	done := map[string]bool{}
	for _, name := range names {
		from := p.recorded(name)
		if from == "" || done[from] {
			continue
		}
		done[from] = true
		what := p.request.Cluster
		if from != p.cluster.Release {
			what += ", " + name
		}
		switch skipped := p.catalog.between(p.up.Provider, from, p.request.To); {
		case semver.Compare(p.request.To, from) < 0 && !p.request.Downgrade:
			return &finding.Refusal{
				Text: fmt.Sprintf("%s: %s comes before %s, which is what it is at", what, p.request.To, from),
				Hint: "Kubernetes itself cannot go back as a rule; if that is meant, say so: --allow-downgrade",
			}
		case len(skipped) > 0 && !p.request.Skip:
			return &finding.Refusal{
				Text: fmt.Sprintf("%s: from %s to %s leaves out %s", what, from, p.request.To, strings.Join(skipped, ", ")),
				Hint: fmt.Sprintf("upgrade to %s first; if leaving out is meant, say so: --allow-skip", skipped[0]),
			}
		}
	}
	return nil
}

// file merges the new release over one file of the cluster.
func (p *plan) file(name string) error {
	at := p.own[name]
	if real, err := p.files.Resolve(at); err != nil || real != at {
		if err != nil {
			return err
		}
		return finding.Finding{File: at, Text: fmt.Sprintf("leads to %s: what would be changed there is not this cluster's alone", real), Hint: "put a copy of the file in its place"}
	}
	f, err := read(p.files, at)
	if err != nil {
		return err
	}
	text, err := p.merge(name, f)
	if text != nil {
		p.up.Files[at] = text
	}
	return err
}

// merge gives the text of a file with the new release over it, nil if that
// changes nothing.
func (p *plan) merge(name string, f *file) ([]byte, error) {
	trees, err := p.releases[p.request.To][name].meant(f)
	if err != nil {
		return nil, err
	}
	before, err := p.given(name, f)
	if err != nil {
		return nil, err
	}
	changed := false
	for i, d := range f.docs {
		if trees[i] == nil {
			continue
		}
		p.merged = append(p.merged, target{d.means, trees[i]})
		deltas := merge(d.plain, d.means, trees[i], nil)
		if len(deltas) > 0 && scalar(d.means, "sops", "mac") != "" {
			return nil, finding.Finding{File: f.path, Line: d.means.Line, Text: object(d.means) + " is signed by SOPS: a change would break the signature", Hint: "keep what is encrypted in a file that releases do not have"}
		}
		p.note(name, f.path, d, deltas, before, i)
		p.leave(f.path, d, before, i, trees[i])
		changed = changed || len(deltas) > 0
	}
	if !changed {
		return nil, nil
	}
	text, err := f.bytes()
	if err != nil {
		return nil, err
	}
	_, err = parse(f.path, text)
	return text, err
}

// record gives the config with the release written down.
func (p *plan) record() error {
	return configure(p.files, p.cfg, p.up.Files, func(text []byte) ([]byte, error) {
		return Record(text, p.cluster, p.request.To, p.request.Only)
	})
}

// configure adds the changed config to files that are changed, under the path
// that it has without links; nothing if it stays as it is.
func configure(files *source.FS, cfg *config.Config, changed map[string][]byte, by func(text []byte) ([]byte, error)) error {
	real, err := files.Resolve(cfg.File())
	if err != nil {
		return err
	}
	text, err := files.ReadFile(real)
	if err != nil {
		return err
	}
	out, err := by(text)
	if err != nil {
		return fmt.Errorf("changing %q: %w", cfg.File(), err)
	}
	if !bytes.Equal(text, out) {
		changed[real] = out
	}
	return nil
}
