package image

import (
	"fmt"
	"path"
	"regexp"
	"strconv"

	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// Container is a container of the output.
type Container struct {
	Environment string
	App         string
	File        string // on the branch, relative to the environment's directory
	Object      string
	Name        string
	Image       Reference
	Injected    []tree.Pin // injectors of the object, which may have put it there
}

// place identifies a container in every rendering of its environment.
type place struct {
	environment, file, name string
	nth                     int // of its name, in order
}

// Containers gives the containers of environments that name an image, in order.
func Containers(environments []*tree.Environment) ([]Container, error) {
	all, _, err := containers(environments)
	return all, err
}

func containers(environments []*tree.Environment) (all []Container, places []place, err error) {
	for _, e := range environments {
		for _, r := range e.Records {
			for _, o := range r.Objects {
				if len(o.Images) == 0 {
					continue
				}
				file := path.Join(r.App, o.File)
				set, err := manifest.Parse(file, e.Files[file])
				if err != nil {
					return nil, nil, fmt.Errorf("reading what was rendered: %w", err)
				}
				seen := map[string]int{}
				for _, object := range set {
					for _, c := range manifest.Containers(object) {
						at := place{e.Name, file, c.Name, seen[c.Name]}
						seen[c.Name]++
						if c.Image == "" {
							continue
						}
						places = append(places, at)
						all = append(all, Container{
							Environment: e.Name, App: r.App, File: file, Object: object.ID.String(), Name: c.Name,
							Image: Parse(c.Image), Injected: o.Injected,
						})
					}
				}
			}
		}
	}
	return all, places, nil
}

// What stands for an image's tag or digest to see where it comes out. The
// number of the site is in it.
const (
	probeTag    = "sluice-probe-%06d"
	probeDigest = "sha256:0051d0ce9c0bea11ed0051d0ce9c0bea11ed0051d0ce9c0bea11ed00ff%06d"
)

var probed = regexp.MustCompile(`sluice-probe-([0-9]{6})|0051d0ce9c0bea11ed0051d0ce9c0bea11ed0051d0ce9c0bea11ed00ff([0-9]{6})`)

// Probe gives the files that hold sites, each site with a mark in place of its
// tag or digest. What a mark comes out in is decided by its site.
func Probe(sites []Site, read func(file string) ([]byte, error)) (map[string][]byte, error) {
	changed := map[string][]byte{}
	for i, s := range sites {
		data, ok := changed[s.File]
		if !ok {
			var err error
			if data, err = read(s.File); err != nil {
				return nil, err
			}
		}
		to := Reference{Tag: fmt.Sprintf(probeTag, i)}
		if s.Form == Digest {
			to = Reference{Digest: fmt.Sprintf(probeDigest, i)}
		}
		// A place that cannot be changed decides nothing that could be changed.
		if marked, err := Change(data, []Edit{{Site: s, To: to}}); err == nil {
			changed[s.File] = marked
		}
	}
	return changed, nil
}

// Origin tells where a container's image was found to come from.
type Origin struct {
	Site  *Site // nil if that is not known
	Added bool  // it is not in what is rendered without injectors: one has put it there
}

// Trace compares environments with what was rendered of probed files, without
// injectors. The result goes with what Containers gives of them.
func Trace(environments, marked []*tree.Environment, sites []Site) ([]Origin, error) {
	all, places, err := containers(environments)
	if err != nil {
		return nil, err
	}
	is, at, err := containers(marked)
	if err != nil {
		return nil, err
	}
	images := map[place]Reference{}
	for i, p := range at {
		images[p] = is[i].Image
	}
	origins := make([]Origin, len(all))
	for i, p := range places {
		image, there := images[p]
		origins[i].Added = !there && len(all[i].Injected) > 0
		m := probed.FindStringSubmatch(image.String())
		if m == nil {
			continue
		}
		if n, err := strconv.Atoi(m[1] + m[2]); err == nil && n < len(sites) {
			origins[i].Site = &sites[n]
		}
	}
	return origins, nil
}
