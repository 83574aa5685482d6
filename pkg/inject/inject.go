// Package inject puts service-mesh proxies into the objects of a Set that the
// config selects. A Set comes in, a Set goes out; a selected workload that
// cannot get its proxy is an error, never left without it silently.
package inject

import (
	"errors"
	"fmt"
	"path"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/inject/conduit"
	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/source"
)

// Conduit injects the objects that u.Inject selects with the release that
// u.Pin names, natively. The objects of set stay as they are. The error is a
// finding.List.
func Conduit(set manifest.Set, u config.Unit, cfg *config.Config) (manifest.Set, error) {
	var list finding.List
	injector, err := compile(cfg, u.PinPath, *u.Pin)
	if err != nil {
		return nil, err
	}
	out := append(manifest.Set(nil), set...)
	for i := range chosen(set, u.Inject, "conduitInject", &list) {
		out[i] = injected(set[i], injector, &list)
	}
	return out, list.Err()
}

// chosen gives the indexes of the workloads that the paths select. A path that
// selects none is a finding.
func chosen(set manifest.Set, paths []config.Path, key string, list *finding.List) map[int]bool {
	done := map[int]bool{}
	for _, entry := range paths {
		selected, workloads := 0, 0
		for i, o := range set {
			if !selects(entry.Text, o.Origin) {
				continue
			}
			selected++
			if runsPods(o) {
				workloads++
				done[i] = true
			}
		}
		switch {
		case selected == 0:
			list.Add(entry.File, entry.Line, fmt.Sprintf("%s %q selects nothing of what kubectlApply lists", key, entry.Text),
				"name a file or directory that kubectlApply lists, or a file inside a kustomization that it lists")
		case workloads == 0:
			list.Add(entry.File, entry.Line, fmt.Sprintf("%s %q selects nothing that runs pods", key, entry.Text),
				"name the file of the workload")
		}
	}
	unplaced(set, done, key, list)
	return done
}

// unplaced reports the workloads of which nobody can tell whether they are
// selected: a patch has taken away what told their file, and of the same
// kustomization some are selected by their file and others are not.
func unplaced(set manifest.Set, done map[int]bool, key string, list *finding.List) {
	selected := map[string]bool{}
	for i := range done {
		selected[set[i].Origin.Entry] = true
	}
	for i, o := range set {
		if done[i] || !selected[o.Origin.Entry] || o.Origin.Line > 0 || !runsPods(o) {
			continue
		}
		switch path.Base(o.Origin.File) {
		case "kustomization.yaml", "kustomization.yml", "Kustomization":
			list.Add(o.Origin.File, 0, fmt.Sprintf("%s: which file it was made of cannot be told, so neither can whether %s selects it", o.ID, key),
				"have the patch change single fields instead of metadata, or list the directory under "+key)
		}
	}
}

// compile makes the injector of the pin at a config path.
func compile(cfg *config.Config, at string, pin config.Conduit) (*conduit.Injector, error) {
	injector, err := conduit.New(pin)
	var list finding.List
	for _, e := range each(err) {
		var option *conduit.OptionError
		if !errors.As(e, &option) {
			return nil, err
		}
		path := at + "." + option.Option
		place := cfg.Place(path)
		list.Add(place.File, place.Line, path+": "+option.Text, option.Hint)
	}
	return injector, list.Err()
}

// selects tells whether a conduitInject entry stands for where an object
// comes from: its file, a directory above it, or the kubectlApply entry that
// it came through; a pattern stands for the files that it matches.
func selects(entry string, o manifest.Origin) bool {
	return entry == o.Entry || source.Match(entry, o.File) || source.Below(entry, o.File)
}

// podKinds are Kubernetes' kinds that make pods, which an injector is for.
var podKinds = map[string]bool{
	"Pod": true, "Deployment": true, "ReplicaSet": true, "DaemonSet": true, "StatefulSet": true,
	"ReplicationController": true, "Job": true, "CronJob": true,
}

func runsPods(o *manifest.Object) bool {
	switch o.ID.Group {
	case "", "apps", "batch", "extensions":
		return podKinds[o.ID.Kind]
	}
	return false
}

// injected gives a copy of a workload with its proxy.
func injected(o *manifest.Object, injector *conduit.Injector, list *finding.List) *manifest.Object {
	out := *o
	out.Node = clone(o.Node)
	result, err := injector.Inject(out.Node)
	for _, e := range each(err) {
		var fault *conduit.WorkloadError
		line, text, hint := o.Origin.Line, e.Error(), ""
		if errors.As(e, &fault) {
			hint = fault.Hint
			if fault.Line > 0 && o.Origin.Line > 0 {
				line = fault.Line
			}
		}
		list.Add(o.Origin.File, line, fmt.Sprintf("%s: %s", o.ID, text), hint)
	}
	if err != nil {
		return o
	}
	if result.Status == conduit.Skipped {
		list.Add(o.Origin.File, o.Origin.Line, fmt.Sprintf("%s is listed under conduitInject and cannot get its proxy: %s", o.ID, result.Reason),
			"take it off the list, or pin a release that injects it")
		return o
	}
	out.Injected = append(append([]manifest.Injection(nil), o.Injected...), manifest.Injection{Injector: "conduit", Version: injector.Version()})
	return &out
}

// each gives the errors that errors.Join has joined.
func each(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

func clone(n *yaml.Node) *yaml.Node {
	out := *n
	out.Content = make([]*yaml.Node, len(n.Content))
	for i, c := range n.Content {
		out.Content[i] = clone(c)
	}
	return &out
}
