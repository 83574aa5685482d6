package pins

import (
	"bytes"
	"fmt"
	"path"
	"slices"

	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// Effect is what a change does to one object of an environment.
type Effect struct {
	Environment string            `json:"environment"`
	File        string            `json:"file"` // on the branch
	Object      string            `json:"object"`
	What        string            `json:"what"` // added, removed or changed
	Containers  []ContainerEffect `json:"containers"`
}

// ContainerEffect is what it does to one container.
type ContainerEffect struct {
	Name   string `json:"name"`
	Before string `json:"before"` // image; empty if it is added
	After  string `json:"after"`  // image; empty if it is removed
}

// Effects compares environments object by object.
func Effects(before, after []*tree.Environment) ([]Effect, error) {
	var found []Effect
	older := map[string]*tree.Environment{}
	for _, e := range before {
		older[e.Name] = e
	}
	for _, e := range after {
		old := older[e.Name]
		if old == nil {
			old = &tree.Environment{}
		}
		was, is := objects(old), objects(e)
		for _, file := range keys(was, is) {
			a, b := old.Files[path.Join(was[file].app, was[file].file)], e.Files[path.Join(is[file].app, is[file].file)]
			if bytes.Equal(a, b) {
				continue
			}
			effect := Effect{Environment: e.Name, File: path.Join(e.Path, file), What: "changed", Object: is[file].name}
			switch {
			case a == nil:
				effect.What = "added"
			case b == nil:
				effect.What, effect.Object = "removed", was[file].name
			}
			var err error
			if effect.Containers, err = containers(a, b); err != nil {
				return nil, err
			}
			found = append(found, effect)
		}
	}
	return found, nil
}

type entry struct{ app, file, name string }

// objects gives an environment's objects by their files.
func objects(e *tree.Environment) map[string]entry {
	all := map[string]entry{}
	for _, r := range e.Records {
		for _, o := range r.Objects {
			id := manifest.ID{Group: manifest.Group(o.APIVersion), Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}
			all[path.Join(r.App, o.File)] = entry{r.App, o.File, id.String()}
		}
	}
	return all
}

func keys(maps ...map[string]entry) []string {
	var all []string
	for _, m := range maps {
		for k := range m {
			all = append(all, k)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// containers gives the containers that differ, in the order of the new object.
func containers(before, after []byte) ([]ContainerEffect, error) {
	was, err := parsed(before)
	if err != nil {
		return nil, err
	}
	is, err := parsed(after)
	if err != nil {
		return nil, err
	}
	found := []ContainerEffect{}
	for _, c := range is {
		i := slices.IndexFunc(was, func(o container) bool { return o.Name == c.Name })
		switch {
		case i < 0:
			found = append(found, ContainerEffect{Name: c.Name, After: c.Image})
		case was[i].text != c.text:
			found = append(found, ContainerEffect{Name: c.Name, Before: was[i].Image, After: c.Image})
		}
	}
	for _, c := range was {
		if !slices.ContainsFunc(is, func(o container) bool { return o.Name == c.Name }) {
			found = append(found, ContainerEffect{Name: c.Name, Before: c.Image})
		}
	}
	return found, nil
}

type container struct {
	manifest.Container
	text string
}

func parsed(data []byte) ([]container, error) {
	if data == nil {
		return nil, nil
	}
	set, err := manifest.Parse("", data)
	if err != nil {
		return nil, fmt.Errorf("reading what was rendered: %w", err)
	}
	var all []container
	for _, o := range set {
		for _, c := range manifest.Containers(o) {
			text, err := manifest.EncodeNode(c.Node)
			if err != nil {
				return nil, err
			}
			all = append(all, container{c, string(text)})
		}
	}
	return all, nil
}
