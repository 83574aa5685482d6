package config

import (
	"reflect"
	"strings"

	"github.com/sluice-dev/sluice/pkg/finding"
)

// touched are the top-level keys of which nothing can be told for certain
// where a key cannot be read: those that refer to what it holds.
var touched = map[string][]string{
	"environments":  {"apps", "include", "kubectlApply", "conduitInject", "inject"},
	"conduit":       {"apps", "include", "conduitInject"},
	"tools":         {"apps", "include", "kubectlApply", "inject"},
	"apps":          {"include", "kubectlApply", "conduitInject", "inject"},
	"include":       {"apps", "kubectlApply", "conduitInject", "inject"},
	"kubectlApply":  {"apps", "include", "conduitInject", "inject"},
	"conduitInject": {"apps", "include", "kubectlApply", "inject"},
	"inject":        {"apps", "include", "kubectlApply", "conduitInject"},
}

// certain leaves out of what was found about a config, parts of which could
// not be read, what may be wrong only because of that.
func (k *checker) certain(unread finding.List) finding.List {
	doubtful := map[string]bool{}
	for _, f := range unread {
		for _, key := range k.topKeys(f) {
			key = k.meant(key)
			doubtful[key] = true
			for _, other := range touched[key] {
				doubtful[other] = true
			}
		}
	}
	var out finding.List
	for i, f := range k.list {
		if key, _, _ := strings.Cut(strings.ReplaceAll(k.at[i], "[", "."), "."); !doubtful[key] {
			out = append(out, f)
		}
	}
	return out
}

// topKeys gives the top-level key that a finding stands under; more than one
// where several stand in its line. Other files than the config's own hold apps.
func (c *Config) topKeys(f finding.Finding) []string {
	if f.File != c.file {
		return []string{"apps"}
	}
	var keys []string
	line := 0
	for name, place := range c.places {
		switch {
		case name == "" || strings.ContainsAny(name, ".[") || place.File != c.file || place.Line > f.Line || place.Line < line:
		case place.Line > line:
			keys, line = []string{name}, place.Line
		default:
			keys = append(keys, name)
		}
	}
	return keys
}

// meant gives the known key that a misspelt one stands for.
func (c *Config) meant(key string) string {
	var known []string
	for i := range reflect.TypeFor[Config]().NumField() {
		if name := reflect.TypeFor[Config]().Field(i).Tag.Get("yaml"); name != "" {
			known = append(known, name)
		}
	}
	best, distance := key, len(key)/2+1
	for _, k := range known {
		if n := edits(strings.ToLower(key), strings.ToLower(k)); n < distance {
			best, distance = k, n
		}
	}
	return best
}
