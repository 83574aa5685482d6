package release

import (
	"errors"
	"maps"
	"slices"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/source"
)

// Status is where a cluster stands.
type Status struct {
	Cluster    string      `json:"cluster"`
	Provider   string      `json:"provider"`
	Release    string      `json:"release"`         // empty if its files come from none
	Gone       bool        `json:"gone,omitempty"`  // the release is not in the repository any more
	Newer      []string    `json:"newer"`           // oldest first
	Components []Component `json:"components"`      // that were upgraded alone
	Edited     []Edit      `json:"edited"`          // values that are not what the release gave
	Fault      string      `json:"fault,omitempty"` // why that cannot be told
}

// Component is a file of a cluster that is at a release of its own.
type Component struct {
	File    string `json:"file"`
	Release string `json:"release"`
}

// Statuses tells where clusters stand, those of the names or all, in the
// config's order.
func Statuses(files *source.FS, cfg *config.Config, names []string) ([]Status, error) {
	for _, name := range names {
		if _, _, ok := cfg.Cluster(name); !ok {
			return nil, UnknownCluster(cfg, name)
		}
	}
	out := []Status{}
	var list finding.List
	for _, cluster := range cfg.Clusters {
		if len(names) > 0 && !slices.Contains(names, cluster.Name) {
			continue
		}
		s, err := status(files, cfg, cluster)
		if err := list.Take(err); err != nil {
			return nil, err
		}
		if s != nil {
			out = append(out, *s)
		}
	}
	return out, list.Err()
}

func status(files *source.FS, cfg *config.Config, cluster config.Cluster) (*Status, error) {
	p, err := preparePlan(files, cfg, Request{Cluster: cluster.Name})
	if err != nil {
		return nil, err
	}
	s := &Status{
		Cluster: cluster.Name, Provider: p.up.Provider, Release: cluster.Release,
		Newer: p.catalog.newer(p.up.Provider, cluster.Release), Components: []Component{}, Edited: []Edit{},
	}
	for _, name := range slices.Sorted(maps.Keys(cluster.Components)) {
		s.Components = append(s.Components, Component{name, cluster.Components[name]})
	}
	if cluster.Release == "" {
		return s, nil
	}
	s.Gone = !slices.Contains(p.catalog.Versions[p.up.Provider], cluster.Release)
	switch err := p.drift(s.Gone); {
	case isFault(err):
		s.Fault = err.Error()
	case err != nil:
		return nil, err
	}
	s.Edited = append(s.Edited, p.up.Edits...)
	return s, nil
}

// isFault tells whether an error is about the files of a cluster or a release.
func isFault(err error) bool {
	var list finding.List
	var one finding.Finding
	var refusal *finding.Refusal
	return errors.As(err, &list) || errors.As(err, &one) || errors.As(err, &refusal)
}

// drift compares the files of a cluster with what the releases that they are
// at gave. gone leaves those out that are at the cluster's own.
func (p *plan) drift(gone bool) error {
	for _, name := range slices.Sorted(maps.Keys(p.own)) {
		at := p.recorded(name)
		if gone && at == p.cluster.Release {
			continue
		}
		if err := p.catalog.has(p.up.Provider, at); err != nil {
			return err
		}
		c, err := p.release(at)
		if err != nil {
			return err
		}
		if c[name] == nil {
			continue
		}
		p.request.To = at
		if err := p.file(name); err != nil {
			return err
		}
	}
	return nil
}
