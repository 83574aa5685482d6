package program

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

// maxShown is how many fields of one object are named.
const maxShown = 5

// ownFields are those that an injector may change in any object.
var ownFields = [...][]string{{"metadata", "annotations"}, {"metadata", "labels"}}

// podFields gives where the pod of an object lies: what an injector is for.
func podFields(o *manifest.Object) []string {
	switch {
	case o.ID.Group == "" && o.ID.Kind == "Pod":
		return []string{"spec"}
	case o.ID.Group == "batch" && o.ID.Kind == "CronJob":
		return []string{"spec", "jobTemplate"}
	case manifest.Field(o.Node, "spec", "template", "spec", "containers") != nil:
		return []string{"spec", "template"}
	}
	return nil
}

// accept gives o with what the program changed in it, or says why that cannot be.
func accept(p *Program, o, printed *manifest.Object, list *finding.List) *manifest.Object {
	add := func(text, hint string) {
		list.Add(o.Origin.File, o.Origin.Line, fmt.Sprintf("%s: %s %s", o.ID, p.Tool, text), hint)
	}
	allowed := slices.Clone(ownFields[:])
	if pod := podFields(o); pod != nil {
		allowed = append(allowed, pod)
	}
	if faults := trespasses(o.Node, printed.Node, allowed); len(faults) > 0 {
		for _, path := range faults {
			add("changed "+path+", which is not an injector's to change", "")
		}
		return o
	}
	for _, name := range lost(o, printed) {
		add(fmt.Sprintf("left out the container %q", name), "")
	}
	result := *o
	result.Node = graft(o.Node, printed.Node, allowed)
	changed := !equal(solid(o.Node), solid(result.Node))
	if by := slices.IndexFunc(o.Injected, func(i manifest.Injection) bool { return i.Injector == p.Tool }); by >= 0 {
		if changed || o.Injected[by].Version != p.Version {
			add(fmt.Sprintf("%s has injected it already, and %s would change it again", o.Injected[by].Version, p.Version), "select each workload once")
		}
		return o
	}
	if !changed {
		add("left it as it was, without a proxy", "take it off the list, or take the proxy out of the source if it holds one already")
	}
	result.Injected = append(slices.Clone(o.Injected), manifest.Injection{Injector: p.Tool, Version: p.Version})
	return &result
}

// trespasses gives the fields outside of the allowed ones in which what came
// out differs from what went in. Fields without content do not count: programs
// that read objects into types add and drop them.
func trespasses(in, out *yaml.Node, allowed [][]string) []string {
	in, out = copyNode(in), copyNode(out)
	for _, keys := range allowed {
		set(in, keys, nil)
		set(out, keys, nil)
	}
	var paths []string
	differences("", solid(in), solid(out), func(path string, _, _ *yaml.Node) bool {
		paths = append(paths, path)
		return len(paths) < maxShown
	})
	return paths
}

// lost gives the names of the containers that went in and did not come out. A
// document that was cut off can be whole to a parser.
func lost(in, out *manifest.Object) []string {
	left := map[string]bool{}
	for _, name := range containers(out) {
		left[name] = true
	}
	return slices.DeleteFunc(containers(in), func(name string) bool { return left[name] })
}

func containers(o *manifest.Object) []string {
	path := podFields(o)
	switch {
	case path == nil:
		return nil
	case o.ID.Kind == "CronJob":
		path = append(path, "spec", "template", "spec")
	case o.ID.Kind != "Pod":
		path = append(path, "spec")
	}
	spec := manifest.Field(o.Node, path...)
	var names []string
	for _, key := range []string{"initContainers", "containers"} {
		if items := manifest.Field(spec, key); items != nil {
			for _, c := range items.Content {
				if name := manifest.Field(c, "name"); name != nil {
					names = append(names, name.Value)
				}
			}
		}
	}
	return names
}

// graft copies in with the allowed fields of out.
func graft(in, out *yaml.Node, allowed [][]string) *yaml.Node {
	result := copyNode(in)
	for _, keys := range allowed {
		before, after := manifest.Field(in, keys...), manifest.Field(out, keys...)
		switch {
		case hollow(before) && hollow(after):
		case isNull(after):
			set(result, keys, nil)
		default:
			set(result, keys, unlined(tidy(before, after)))
		}
	}
	return result
}

// tidy copies out without the noise of programs that read objects into types:
// nulls, and resources of containers that ask for nothing, where in has no
// such field. Other empty fields may mean something: emptyDir does.
func tidy(in, out *yaml.Node) *yaml.Node {
	result := *out
	result.Content = nil
	for i, c := range out.Content {
		switch {
		case out.Kind != yaml.MappingNode:
			result.Content = append(result.Content, tidy(counterpart(in, c, i), c))
		case i%2 == 1:
			key := out.Content[i-1]
			before := manifest.Field(in, key.Value)
			noise := isNull(c) || key.Value == "resources" && c.Kind == yaml.MappingNode && len(c.Content) == 0
			if before == nil && noise {
				continue
			}
			result.Content = append(result.Content, key, tidy(before, c))
		}
	}
	return &result
}

// counterpart finds the item of a list that another one was made of: the one
// of the same name, else the one at the same place.
func counterpart(list, item *yaml.Node, i int) *yaml.Node {
	if list == nil || list.Kind != yaml.SequenceNode {
		return nil
	}
	if name := manifest.Field(item, "name"); name != nil {
		for _, c := range list.Content {
			if other := manifest.Field(c, "name"); other != nil && other.Value == name.Value {
				return c
			}
		}
		return nil
	}
	if i < len(list.Content) {
		return list.Content[i]
	}
	return nil
}
