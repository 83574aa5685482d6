package cli

import (
	"slices"

	"github.com/sluice-dev/sluice/pkg/release"
)

// clusters gives the clusters that are not among the arguments.
func (c *command) clusters(args []string, _ string) []string {
	_, cfg := c.settings()
	if cfg == nil {
		return nil
	}
	var names []string
	for _, cluster := range cfg.Clusters {
		if !slices.Contains(args, cluster.Name) {
			names = append(names, cluster.Name)
		}
	}
	return names
}

// clusterReleases gives the releases that the cluster of the arguments may be
// upgraded to.
func (c *command) clusterReleases(args []string, _ string) []string {
	catalog, s := c.catalog()
	if catalog == nil || len(args) == 0 {
		return nil
	}
	cluster, _, known := s.config.Cluster(args[0])
	switch {
	case !known:
		return nil
	case cluster.Provider == "" && len(catalog.Versions) == 1:
		return c.anyRelease(nil, "")
	}
	return catalog.Versions[cluster.Provider]
}

// anyRelease gives the releases of all providers.
func (c *command) anyRelease([]string, string) []string {
	catalog, _ := c.catalog()
	if catalog == nil {
		return nil
	}
	var all []string
	for _, versions := range catalog.Versions {
		all = append(all, versions...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// catalog gives the releases of the working tree; nil where they cannot be
// read.
func (c *command) catalog() (*release.Catalog, *snapshot) {
	w, err := c.open()
	if err != nil {
		return nil, nil
	}
	s, err := w.workingTree()
	if err != nil {
		return nil, nil
	}
	catalog, err := release.Open(s.fs, s.config)
	if err != nil {
		return nil, nil
	}
	return catalog, s
}
