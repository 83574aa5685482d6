package config

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/sluice-dev/sluice/pkg/refname"
)

var (
	pathElement = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*$`)
	component   = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*\.ya?ml$`)
	fullVersion = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^v(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})(-(0|[1-9][0-9]{0,8}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9][0-9]{0,8}|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?$`)
	})
)

// IsRelease tells whether a text can be the version of a release: one in full,
// such as v21.0.0. There is no build metadata in it, as it would not tell
// which of two is newer.
func IsRelease(text string) bool { return fullVersion().MatchString(text) }

// IsClusterName tells whether a text can be a cluster's name: a path of
// directories, none of which begins with a dot, that a branch can be named
// after.
func IsClusterName(text string) bool {
	return len(text) <= maxClusterName && branchPath.MatchString(text) && refname.CheckBranch("sluice/release/"+text) == nil
}

// maxClusterName is what a cluster's name may have in bytes.
const maxClusterName = 200

// OverlayDir is the directory of a cluster, and of a release, that lies over
// the others.
const OverlayDir = "overlay"

// ReleasesDir is the slash path, relative to the repository root, of the
// directory that holds a directory for each provider.
func (c *Config) ReleasesDir() string {
	dir := "releases"
	if c.Releases != nil && c.Releases.Path != "" {
		dir = c.Releases.Path
	}
	return path.Join(path.Dir(c.file), dir)
}

// ClusterDir is the slash path of a cluster's directory relative to the
// repository root.
func (c *Config) ClusterDir(cluster Cluster) string {
	dir := cluster.Path
	if dir == "" {
		dir = cluster.Name
	}
	return path.Join(path.Dir(c.file), dir)
}

// Cluster gives the cluster of that name and its index.
func (c *Config) Cluster(name string) (cluster Cluster, at int, ok bool) {
	for i, cluster := range c.Clusters {
		if cluster.Name == name {
			return cluster, i, true
		}
	}
	return Cluster{}, 0, false
}

// manages tells whether the config is about clusters, were it none so far.
func (c *Config) manages() bool {
	_, clusters := c.places["clusters"]
	_, releases := c.places["releases"]
	return clusters || releases
}

// clusters checks what stands under releases and clusters.
func (k *checker) clusters() {
	if r := k.Releases; r != nil && r.Path != "" && !branchPath.MatchString(r.Path) {
		k.add("releases.path", fmt.Sprintf("releases.path %q cannot be a directory below this file", r.Path), "letters, digits, dots, dashes and slashes; the default is releases")
	}
	names := map[string]int{}
	for i, c := range k.Clusters {
		at := index("clusters", i)
		switch first, double := names[c.Name]; {
		case c.Name == "":
			k.add(at, "a cluster without a name", "add name:")
			continue
		case !IsClusterName(c.Name):
			k.add(at+".name", fmt.Sprintf("cluster name %q cannot be a directory", c.Name), "letters, digits, dots, dashes and slashes, for instance gauss/peu01")
			continue
		case double:
			k.add(at+".name", fmt.Sprintf("cluster %q is already there in line %d", c.Name, k.Line(index("clusters", first)+".name")), "names are unique")
			continue
		}
		names[c.Name] = i
		k.clusterDir(at, c, i)
		k.clusterReleases(at, c)
	}
}

// clusterDir checks that a cluster's directory is its own.
func (k *checker) clusterDir(at string, c Cluster, i int) {
	if c.Path != "" && !branchPath.MatchString(c.Path) {
		k.add(at+".path", fmt.Sprintf("path %q cannot be a cluster's directory below this file", c.Path), "letters, digits, dots, dashes and slashes; the default is the cluster's name")
		return
	}
	dir := k.ClusterDir(c) + "/"
	within := func(other string) bool { return strings.HasPrefix(dir, other+"/") || strings.HasPrefix(other+"/", dir) }
	if within(k.ReleasesDir()) {
		k.add(at+".path", fmt.Sprintf("the directory of cluster %q and that of the releases lie in each other", c.Name), "give the cluster a directory of its own: path:")
	}
	for _, o := range k.Clusters[:i] {
		if IsClusterName(o.Name) && within(k.ClusterDir(o)) {
			k.add(at+".path", fmt.Sprintf("the directories of clusters %q and %q lie in each other", o.Name, c.Name), "give each cluster a directory of its own: path:")
		}
	}
}

func (k *checker) clusterReleases(at string, c Cluster) {
	if c.Provider != "" && !pathElement.MatchString(c.Provider) {
		k.add(at+".provider", fmt.Sprintf("provider %q cannot be a directory of the releases", c.Provider), "name one that is there, for instance aws")
	}
	if c.Release != "" && !IsRelease(c.Release) {
		k.add(at+".release", fmt.Sprintf("release %q is not a version", c.Release), "write it in full, for instance v21.0.0")
	}
	if len(c.Components) > 0 && c.Release == "" {
		k.add(at+".components", fmt.Sprintf("cluster %q has components and no release", c.Name), "add release:, the one that the other files are at")
	}
	for _, file := range slices.Sorted(maps.Keys(c.Components)) {
		here := at + ".components." + file
		if !component.MatchString(file) {
			k.add(here, fmt.Sprintf("component %q is not a file of a release", file), "name it as in the release, for instance machinepool.yaml")
		}
		if v := c.Components[file]; !IsRelease(v) {
			k.add(here, fmt.Sprintf("component %s: %q is not a version", file, v), "write it in full, for instance v21.0.0")
		}
	}
}
