package config

import (
	"fmt"
	"path"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/refname"
)

var (
	// Counted repeats are dear to compile: only where they are asked for.
	label       = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`) })
	branchPath  = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$`)
	placeholder = regexp.MustCompile(`\{[^}]*\}?|\}`)
	remote      = regexp.MustCompile(`(?i)^(git|hg|s3|gcs|https?|ssh|file|ftp)(@|::|:)|://|[?&]ref=|^(www\.)?(github\.com|gitlab\.com|bitbucket\.org)[/:]|\.git(/|$)`)
)

// checker collects findings about a decoded config.
type checker struct {
	*Config
	list finding.List
	at   []string // the config path of each
}

func (c *checker) add(at, text, hint string) {
	c.list, c.at = append(c.list, c.finding(at, text, hint)), append(c.at, at)
}

func index(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// check finds everything in the config that cannot be meant.
func (c *Config) check() *checker {
	k := &checker{Config: c}
	k.lists()
	k.environments()
	k.branches()
	k.promotions()
	k.apps()
	k.forge()
	k.gates()
	k.validate()
	k.export()
	k.notify()
	k.tools()
	k.skew()
	k.clusters()
	if c.Secrets != "refuse" && c.Secrets != "allow" {
		k.add("secrets", fmt.Sprintf("secrets is %q", c.Secrets), "write refuse or allow")
	}
	return k
}

func (k *checker) lists() {
	top := len(k.KubectlApply) > 0 || len(k.ConduitInject) > 0 || len(k.Inject) > 0
	switch {
	case top && len(k.Apps) > 0:
		k.add("apps", "top-level kubectlApply and conduitInject do not go together with apps", "move the top-level lists into an app of their own")
	case !top && len(k.Apps) == 0 && !k.manages():
		k.add("kubectlApply", "nothing to apply", "list manifests or kustomization directories under kubectlApply:")
	}
	k.app("", k.KubectlApply, k.ConduitInject, k.Inject, k.Conduit)
	k.pin("conduit", k.Conduit)
}

// app checks the lists of the app at config path at.
func (k *checker) app(at string, apply []Apply, conduit []string, programs []Inject, pin *Conduit) {
	for i, a := range apply {
		here := index(join(at, "kubectlApply"), i)
		if a.Exec != nil {
			k.run(here+".exec", a.Exec.Tool, a.Exec.Files)
		} else {
			k.path(here, a.Path)
		}
	}
	for i, p := range conduit {
		k.path(index(join(at, "conduitInject"), i), p)
	}
	k.programs(at, programs)
	if len(apply) == 0 {
		for _, key := range selecting(conduit, programs) {
			k.add(join(at, key), key+" selects from kubectlApply, which lists nothing", "list the files under kubectlApply: too")
		}
	}
	if len(conduit) > 0 && pin == nil {
		k.add(join(at, "conduitInject"), "conduitInject without a pin: conduit.version is not set",
			"pin the injector: add\n  conduit:\n    version: v0.3.1")
	}
}

// selecting gives the keys of an app that select from kubectlApply.
func selecting(conduit []string, programs []Inject) []string {
	var keys []string
	if len(conduit) > 0 {
		keys = append(keys, "conduitInject")
	}
	if len(programs) > 0 {
		keys = append(keys, "inject")
	}
	return keys
}

func (k *checker) pin(at string, pin *Conduit) {
	if pin != nil && pin.Version == "" {
		k.add(at, at+" without a version", "pin the injector: version: v0.3.1")
	}
}

// path checks one entry of a list, and tells whether it can be meant.
func (k *checker) path(at, p string) (ok bool) {
	ok = true
	bad := func(text, hint string) {
		ok = false
		k.add(at, fmt.Sprintf("path %q %s", p, text), hint)
	}
	inRepo := "paths are relative to this file and stay inside the repository"
	switch {
	case p == "":
		bad("is empty", "fill it in or delete it")
		return ok
	case strings.IndexFunc(p, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) >= 0:
		bad("holds a control character or a backslash", "separate directories with /")
		return ok
	case remote.MatchString(p):
		bad("is a remote one", "rendering fetches nothing: keep a copy in the repository")
		return ok
	case strings.HasPrefix(p, "/"), strings.HasPrefix(p, "~"):
		bad("is absolute", inRepo)
		return ok
	case strings.Contains(p, "$"):
		bad("holds a variable: none are expanded", "write the path out; {env} stands for the environment's name")
		return ok
	case strings.TrimSpace(p) != p:
		bad("begins or ends with white space", "delete it")
		return ok
	}
	for _, text := range placeholder.FindAllString(p, -1) {
		if text != "{env}" {
			bad("holds "+text, "the one placeholder is {env}; for alternatives write several entries")
			return ok
		}
	}
	dir := path.Dir(k.Place(at).File)
	if full := path.Join(dir, p); full == ".." || strings.HasPrefix(full, "../") {
		bad("leaves the repository", inRepo)
	}
	return ok
}

func (k *checker) environments() {
	names, paths := map[string]int{}, map[string]int{}
	for i, e := range k.Environments {
		at := index("environments", i)
		if e.Name == "" {
			k.add(at, "an environment without a name", "add name:")
			continue
		}
		if !label().MatchString(e.Name) {
			k.add(at+".name", fmt.Sprintf("environment name %q is not a DNS label", e.Name), "lower-case letters, digits and dashes, 63 at most")
			continue
		}
		if e.Name == "provenance" {
			k.add(at+".name", "no environment can be named provenance: .sluice/provenance.yaml is taken", "choose another name")
		}
		if first, double := names[e.Name]; double {
			k.add(at+".name", fmt.Sprintf("environment %q is already there in line %d", e.Name, k.Line(index("environments", first)+".name")), "names are unique")
			continue
		}
		names[e.Name] = i
		k.environmentPath(at, e, paths, i)
	}
}

func (k *checker) environmentPath(at string, e Environment, paths map[string]int, i int) {
	lower := strings.ToLower(e.Path)
	if !branchPath.MatchString(e.Path) {
		k.add(at+".path", fmt.Sprintf("path %q cannot be a directory of the branch", e.Path), "letters, digits, dots, dashes and slashes; the default is the environment's name")
		return
	}
	for other, first := range paths {
		if other == lower || strings.HasPrefix(other, lower+"/") || strings.HasPrefix(lower, other+"/") {
			k.add(at+".path", fmt.Sprintf("path %q overlaps with that of environment %q", e.Path, k.Environments[first].Name), "give each environment a directory of its own")
		}
	}
	paths[lower] = i
}

func (k *checker) branches() {
	taken := map[string]bool{}
environments:
	for i, e := range k.Environments {
		at := index("environments", i)
		at = join(at, "branch")
		if !label().MatchString(e.Name) || taken[e.Name] {
			continue // the branch's default holds the same fault
		}
		taken[e.Name] = true
		if err := refname.CheckBranch(e.Branch); err != nil {
			k.add(at, err.Error(), "choose a name that `git check-ref-format --branch` accepts")
			continue
		}
		if e.Branch == "sluice" || strings.HasPrefix(e.Branch, "sluice/") {
			k.add(at, fmt.Sprintf("branch %q is kept for pull requests: those below sluice/ are moved back and deleted", e.Branch), "choose another name, such as env/"+e.Name)
			continue
		}
		for j, o := range k.Environments[:i] {
			other := k.Line(index("environments", j) + ".branch")
			switch {
			case e.Branch == o.Branch:
				k.add(at, fmt.Sprintf("branch %q is already that of environment %q, line %d", e.Branch, o.Name, other), "give each environment a branch of its own")
				continue environments
			case strings.HasPrefix(e.Branch, o.Branch+"/"), strings.HasPrefix(o.Branch, e.Branch+"/"):
				k.add(at, fmt.Sprintf("branches %q and %q cannot both exist: one is a directory of the other, line %d", e.Branch, o.Branch, other), "rename one of them")
			}
		}
	}
}

func (k *checker) promotions() {
	var names []string
	for _, e := range k.Environments {
		names = append(names, e.Name)
	}
	for i, e := range k.Environments {
		at := index("environments", i) + ".promotedFrom"
		if e.PromotedFrom == "" {
			continue
		}
		if _, ok := k.Environment(e.PromotedFrom); !ok {
			k.add(at, fmt.Sprintf("promotedFrom names %q, which is no environment", e.PromotedFrom), suggest(e.PromotedFrom, names))
			continue
		}
		if loop := cycle(e.Name, func(name string) []string {
			from, _ := k.Environment(name)
			if from.PromotedFrom == "" {
				return nil
			}
			return []string{from.PromotedFrom}
		}); loop != nil {
			k.add(at, "promotedFrom goes in a circle: "+strings.Join(loop, " <- "), "one environment has to be the first")
		}
	}
}

func (k *checker) apps() {
	names := map[string]int{}
	var known, environments []string
	for _, e := range k.Environments {
		environments = append(environments, e.Name)
	}
	for i, a := range k.Apps {
		at := index("apps", i)
		switch {
		case a.Name == "":
			k.add(at, "an app without a name", "add name:")
			continue
		case !label().MatchString(a.Name):
			k.add(at+".name", fmt.Sprintf("app name %q is not a DNS label", a.Name), "lower-case letters, digits and dashes, 63 at most")
		}
		if first, double := names[a.Name]; double {
			place := k.Place(index("apps", first) + ".name")
			k.add(at+".name", fmt.Sprintf("app %q is already there in %s:%d", a.Name, place.File, place.Line), "names are unique")
		} else {
			names[a.Name] = i
		}
		known = append(known, a.Name)
		if len(a.KubectlApply) == 0 && len(a.ConduitInject) == 0 && len(a.Inject) == 0 {
			k.add(at, fmt.Sprintf("app %q has nothing to apply", a.Name), "list manifests or kustomization directories under kubectlApply:")
		}
		pin := a.Conduit
		if pin == nil {
			pin = k.Conduit
		}
		k.app(at, a.KubectlApply, a.ConduitInject, a.Inject, pin)
		k.pin(at+".conduit", a.Conduit)
		k.revision(at, a)
		for j, name := range a.Environments {
			if _, ok := k.Environment(name); !ok {
				k.add(index(at+".environments", j), fmt.Sprintf("%q is no environment", name), suggest(name, environments))
			}
		}
	}
	k.dependencies(known)
}

var commitID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{40}$`) })

// revision checks the source commits that an app is held back to. A shortened
// id would name another commit one day.
func (k *checker) revision(at string, a App) {
	names := make([]string, 0, len(a.Revision))
	for name := range a.Revision {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		here := at + ".revision." + name
		if _, ok := k.Environment(name); !ok {
			k.add(here, fmt.Sprintf("revision names %q, which is no environment", name), "")
		}
		if !commitID().MatchString(a.Revision[name]) {
			k.add(here, fmt.Sprintf("revision %q is not a full commit id", a.Revision[name]), "git rev-parse prints it: 40 hex digits")
		}
	}
}

func (k *checker) dependencies(known []string) {
	for i, a := range k.Apps {
		at := index("apps", i) + ".dependsOn"
		for j, name := range a.DependsOn {
			if k.appIndex(name) < 0 {
				k.add(index(at, j), fmt.Sprintf("dependsOn names %q, which is no app", name), suggest(name, known))
			}
		}
		if loop := cycle(a.Name, func(name string) []string {
			if i := k.appIndex(name); i >= 0 {
				return k.Apps[i].DependsOn
			}
			return nil
		}); loop != nil {
			k.add(at, "dependsOn goes in a circle: "+strings.Join(loop, " <- "), "one app has to be the first")
		}
	}
}

// cycle gives the way from name back to itself, or nil.
func cycle(name string, next func(string) []string) []string {
	seen := map[string]bool{}
	var walk func(at string, way []string) []string
	walk = func(at string, way []string) []string {
		for _, n := range next(at) {
			if n == name {
				return append(way, n)
			}
			if seen[n] {
				continue
			}
			seen[n] = true
			if found := walk(n, append(way[:len(way):len(way)], n)); found != nil {
				return found
			}
		}
		return nil
	}
	return walk(name, []string{name})
}
