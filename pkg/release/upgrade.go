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

// Request is an upgrade that somebody asks for.
type Request struct {
	Cluster string
	To      string   // the release
	Only    []string // names of the files to upgrade; empty: all

	Skip, Downgrade bool // releases may be left out, or gone back to
	Discard         bool // edits by hand may be lost
}

// Upgrade is what a request comes to. Nothing of it has been written.
type Upgrade struct {
	Cluster  string   `json:"cluster"`
	Provider string   `json:"provider"`
	From     string   `json:"from"` // the recorded release; empty if there is none
	To       string   `json:"to"`
	Only     []string `json:"only,omitempty"`

	Changes []Change `json:"changes"`
	Edits   []Edit   `json:"discarded"` // edits by hand that are lost
	Masks   []Mask   `json:"masked"`
	Left    []Left   `json:"left"`
	Absent  []string `json:"absent"` // files of the release that the cluster does not have

	// Files holds the text of every file that differs, the config included, by
	// slash path relative to the repository root.
	Files map[string][]byte `json:"-"`
}

// Place is a value of an object.
type Place struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Object string `json:"object"`
	Field  string `json:"field"`
}

// Change is a value that an upgrade changes. Empty stands for no value, text
// is as it is, everything else as in JSON.
type Change struct {
	Place
	Before string `json:"before"`
	After  string `json:"after"`
}

// Edit is a value that is not the one that the recorded release gave, and
// that the new release sets.
type Edit struct {
	Place
	From     string `json:"from"`     // the recorded release, of this file
	To       string `json:"to"`       // the new one
	Recorded string `json:"recorded"` // what the recorded release gave
	Present  string `json:"present"`
	New      string `json:"new"`
}

// Left is a value that the recorded release set and the new one does not: it
// stays as it is, and belongs to the cluster from now on.
type Left struct {
	Place
	Value string `json:"value"`
}

// EditedError refuses an upgrade that would lose edits by hand.
type EditedError struct {
	Cluster string
	Overlay string // directory of the cluster that edits belong into
	Edits   []Edit
}

func (e *EditedError) Error() string {
	if len(e.Edits) == 1 {
		return fmt.Sprintf("cluster %s: 1 value was edited by hand and would be overwritten", e.Cluster)
	}
	return fmt.Sprintf("cluster %s: %d values were edited by hand and would be overwritten", e.Cluster, len(e.Edits))
}

// Hint says how to go on.
func (e *EditedError) Hint() string {
	return fmt.Sprintf("to keep a value, put it into %s; to let the release have its way: --discard-edits", e.Overlay)
}

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

func newUpgrade(r Request, provider, from string) *Upgrade {
	return &Upgrade{
		Cluster: r.Cluster, Provider: provider, From: from, To: r.To, Only: r.Only,
		Changes: []Change{}, Edits: []Edit{}, Masks: []Mask{}, Left: []Left{}, Absent: []string{}, Files: map[string][]byte{},
	}
}

// UnknownCluster is the error of a name that is no cluster's.
func UnknownCluster(cfg *config.Config, name string) error {
	var names []string
	for _, c := range cfg.Clusters {
		names = append(names, c.Name)
	}
	hint := "clusters are listed under clusters:"
	if len(names) > 0 {
		hint = "there are " + strings.Join(names, ", ")
	}
	return finding.Finding{File: cfg.File(), Line: cfg.Line("clusters"), Text: fmt.Sprintf("no cluster is named %q", name), Hint: hint}
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
	return slices.Compact(only), list.Err()
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

// given gives the trees that the recorded release put over the documents of a
// file, nil if that is not known.
func (p *plan) given(name string, f *file) ([]*yaml.Node, error) {
	from := p.recorded(name)
	if from == "" {
		return nil, nil
	}
	if !slices.Contains(p.catalog.Versions[p.up.Provider], from) {
		if p.request.Discard {
			return nil, nil
		}
		return nil, &finding.Refusal{
			Text: fmt.Sprintf("%s/%s holds no release %s, which cluster %s is at: edits by hand cannot be told from what it gave", p.catalog.Dir, p.up.Provider, from, p.request.Cluster),
			Hint: "keep the releases that clusters are at; to upgrade all the same, and lose edits: --discard-edits",
		}
	}
	c, err := p.release(from)
	if err != nil {
		return nil, err
	}
	return c[name].meant(f)
}

// note writes down the changes of a document, and which of them lose an edit.
func (p *plan) note(name, at string, d *doc, deltas []delta, before []*yaml.Node, i int) {
	for _, c := range deltas {
		place := Place{File: at, Line: d.line(c.at), Object: object(d.means), Field: show(c.path)}
		p.up.Changes = append(p.up.Changes, Change{place, d.shown(c.was), d.shown(c.will)})
		if before == nil {
			continue
		}
		var gave *yaml.Node
		if before[i] != nil {
			gave, _ = given(before[i], c.path)
		}
		if !equal(gave, c.was) {
			p.up.Edits = append(p.up.Edits, Edit{place, p.recorded(name), p.request.To, d.shown(gave), d.shown(c.was), d.shown(c.will)})
		}
	}
}

// leave writes down what the recorded release set and the new one does not.
func (p *plan) leave(at string, d *doc, before []*yaml.Node, i int, tree *yaml.Node) {
	if before == nil || before[i] == nil {
		return
	}
	for _, leaf := range leaves(before[i], nil) {
		is := find(d.means, leaf)
		if is == nil || isNull(is) || touches(tree, leaf) {
			continue
		}
		p.up.Left = append(p.up.Left, Left{Place{at, is.Line, object(d.means), show(leaf)}, d.shown(is)})
	}
}

// touches tells whether a tree says anything of a path, of what it lies in, or
// of what lies in it.
func touches(tree *yaml.Node, at []string) bool {
	for n := len(at); n > 0; n-- {
		if value := find(tree, at[:n]); value != nil {
			return n == len(at) || value.Kind != yaml.MappingNode
		}
	}
	return false
}

// record gives the config with the release written down.
func (p *plan) record() error {
	text, err := p.files.ReadFile(p.cfg.File())
	if err != nil {
		return err
	}
	changed, err := Record(text, p.cluster, p.request.To, p.request.Only)
	if err != nil {
		return fmt.Errorf("changing %q: %w", p.cfg.File(), err)
	}
	if !bytes.Equal(text, changed) {
		p.up.Files[p.cfg.File()] = changed
	}
	return nil
}
