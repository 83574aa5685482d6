package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	platform = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9]+$`)
	sha256   = regexp.MustCompile(`^[0-9a-f]{64}$`)
	version  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]*$`)
)

// tools checks the pinned programs: without an exact version and checksum
// nothing is pinned.
func (k *checker) tools() {
	names := map[string]int{}
	for i, t := range k.Tools {
		at := index("tools", i)
		if !label.MatchString(t.Name) {
			k.add(at+".name", fmt.Sprintf("tool name %q is not a DNS label", t.Name), "lower-case letters, digits and dashes, 63 at most")
		}
		if first, double := names[t.Name]; double {
			k.add(at+".name", fmt.Sprintf("tool %q is already there in line %d", t.Name, k.Line(index("tools", first)+".name")), "names are unique")
		}
		names[t.Name] = i
		if !version.MatchString(t.Version) || t.Version == "latest" {
			k.add(at+".version", fmt.Sprintf("version %q of tool %q is not an exact one", t.Version, t.Name), "write the release, for instance stable-2.14.10")
		}
		if len(t.Platforms) == 0 {
			k.add(at, fmt.Sprintf("tool %q has no platforms", t.Name), `add one: platforms: {linux/amd64: {url: "...", sha256: "..."}}`)
		}
		keys := make([]string, 0, len(t.Platforms))
		for key := range t.Platforms {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			k.platform(at+".platforms."+key, key, t.Platforms[key])
		}
	}
}

func (k *checker) platform(at, key string, p Platform) {
	if !platform.MatchString(key) {
		k.add(at, fmt.Sprintf("platform %q is not of the form os/architecture", key), "for instance linux/amd64, darwin/arm64")
	}
	if !sha256.MatchString(p.SHA256) {
		k.add(at+".sha256", fmt.Sprintf("sha256 of %s is not 64 hex digits", key), "without a checksum nothing is pinned: sha256sum FILE prints it")
	}
	switch lower := strings.ToLower(p.URL); {
	case strings.HasPrefix(lower, "https://"), strings.HasPrefix(lower, "http://"):
		if at1, _, _ := strings.Cut(p.URL[strings.Index(p.URL, "//")+2:], "/"); strings.Contains(at1, "@") {
			k.add(at+".url", "url of "+key+" holds credentials", "they would be in Git for everyone to read: use a download that needs none")
		}
	case p.URL == "":
		k.add(at, "platform "+key+" has no url", "the address of the download, or a path in the repository")
	default:
		k.path(at+".url", p.URL)
	}
}

func (k *checker) skew() {
	if k.MaxSkew == nil {
		return
	}
	for i, pair := range k.MaxSkew.Pairs {
		if len(pair) != 2 {
			k.add(index("maxSkew", i), "maxSkew takes pairs of versions", "maxSkew: [[v0.3.0, v0.3.1]]")
		}
	}
}
