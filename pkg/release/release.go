// Package release upgrades clusters. In go the files of a repository, its
// config and a release; out come the files of a cluster with the values that
// the release sets, every other byte as it was, and what there is to know
// about that: what changes, what was edited by hand, what hides a value.
package release

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/source"
)

// Catalog is the releases that a repository holds.
type Catalog struct {
	Dir      string              // slash path of the directory that holds one for each provider
	Versions map[string][]string // of each provider, oldest first

	cfg *config.Config
}

// Open lists the releases of a repository. A repository without any has an
// empty catalog.
func Open(files *source.FS, cfg *config.Config) (*Catalog, error) {
	c := &Catalog{Dir: cfg.ReleasesDir(), Versions: map[string][]string{}, cfg: cfg}
	providers, err := directories(files, c.Dir)
	if err != nil {
		return nil, err
	}
	for _, p := range providers {
		versions, err := directories(files, path.Join(c.Dir, p))
		if err != nil {
			return nil, err
		}
		versions = slices.DeleteFunc(versions, func(v string) bool { return !config.IsRelease(v) })
		slices.SortFunc(versions, semver.Compare)
		if len(versions) > 0 {
			c.Versions[p] = versions
		}
	}
	return c, nil
}

// directories gives the names of the directories in a directory, none if it
// is not there.
func directories(files *source.FS, dir string) ([]string, error) {
	entries, err := files.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Kind == source.Dir && !strings.HasPrefix(e.Name, ".") {
			names = append(names, e.Name)
		}
	}
	return names, nil
}

// provider gives whose releases a cluster gets. at is the config path of what
// names it.
func (c *Catalog) provider(name, at string) (string, error) {
	names := c.providers()
	switch {
	case name == "" && len(names) == 1:
		return names[0], nil
	case len(names) == 0:
		return "", c.fault(at, fmt.Sprintf("%s holds no release", c.Dir), fmt.Sprintf("a release is a directory such as %s/aws/v21.0.0/base; releases: {path: …} names another place", c.Dir))
	case name == "":
		return "", c.fault(at, "there are releases of "+strings.Join(names, ", ")+", and no provider is named", "add provider: to the cluster")
	case c.Versions[name] == nil:
		return "", c.fault(at, fmt.Sprintf("%s holds no release of provider %q", c.Dir, name), "there are releases of "+strings.Join(names, ", "))
	}
	return name, nil
}

func (c *Catalog) providers() []string {
	var names []string
	for name := range c.Versions {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (c *Catalog) fault(at, text, hint string) error {
	place := c.cfg.Place(at)
	return finding.Finding{File: place.File, Line: place.Line, Text: text, Hint: hint}
}

// has checks that a provider has a release.
func (c *Catalog) has(provider, version string) error {
	if !config.IsRelease(version) {
		return finding.Finding{Text: fmt.Sprintf("release %q is not a version", version), Hint: "write it in full, for instance v21.0.0"}
	}
	if slices.Contains(c.Versions[provider], version) {
		return nil
	}
	return finding.Finding{
		Text: fmt.Sprintf("%s/%s holds no release %s", c.Dir, provider, version),
		Hint: "the nearest that are there: " + strings.Join(nearest(c.Versions[provider], version), ", "),
	}
}

// nearest gives the two versions on either side of one that is not there.
func nearest(versions []string, version string) []string {
	at, _ := slices.BinarySearchFunc(versions, version, semver.Compare)
	return versions[max(0, at-2):min(len(versions), at+2)]
}

// between gives the releases that lie between two. Those before a release
// proper, such as v22.0.0-rc.1, are steps that nobody has to take.
func (c *Catalog) between(provider, from, to string) []string {
	var out []string
	for _, v := range c.Versions[provider] {
		if semver.Compare(from, v) < 0 && semver.Compare(v, to) < 0 && semver.Prerelease(v) == "" {
			out = append(out, v)
		}
	}
	return out
}

// newer gives the releases that come after one; all of them if it is empty.
func (c *Catalog) newer(provider, than string) []string {
	out := []string{}
	for _, v := range c.Versions[provider] {
		if (than == "" || semver.Compare(than, v) < 0) && (semver.Prerelease(v) == "" || semver.Prerelease(than) != "") {
			out = append(out, v)
		}
	}
	return out
}

// newest gives a provider's newest release, one before a release proper only
// if there is no other.
func (c *Catalog) newest(provider string) string {
	if all := c.newer(provider, ""); len(all) > 0 {
		return all[len(all)-1]
	}
	all := c.Versions[provider]
	return all[len(all)-1]
}
