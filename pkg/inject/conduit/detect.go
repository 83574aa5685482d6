package conduit

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// carried is a proxy of one family in a pod, put there by a release that this
// package knows and so can take out again.
type carried struct {
	family         family
	release        release
	proxies, inits []container // more than one where a program injected twice
}

// A container is a known release's proxy if it has the proxy's name and
//
//   - the pod's created-by annotation names the release, as every release's
//     own program writes it, and the container is a proxy by its image or by
//     its shape (a port of the proxy's name, or a variable with the proxy's
//     prefix): the image may come from anywhere, an option sets it; or
//   - there is no such annotation, but the image is the default one and its
//     tag a release.
//
// The same goes for the init container, whose shape is its first argument.
// Anything else of that name is either a release's that this package does not
// know, which means that the mesh's annotation or image is there, or the
// user's own.
func (l *workload) carries(f family) (carried, bool) {
	found := carried{family: f, release: end}
	for _, c := range l.containers {
		if rel, ok := l.releaseOf(f, c, f.proxy(), f.proxyImage(), isProxy); ok {
			found.proxies, found.release = append(found.proxies, c), rel
		}
	}
	for _, c := range l.inits {
		if rel, ok := l.releaseOf(f, c, f.init(), f.initImage(), isInit); ok {
			found.inits = append(found.inits, c)
			if len(found.proxies) == 0 {
				found.release = rel
			}
		}
	}
	return found, found.release != end
}

func (l *workload) releaseOf(f family, c container, name, image string, shaped func(family, *yaml.Node) bool) (release, bool) {
	if c.name != name {
		return end, false
	}
	version, annotated := l.createdBy(f)
	switch {
	case annotated && repository(c.image) != image && !shaped(f, c.node):
		return end, false
	case !annotated && repository(c.image) != image:
		return end, false
	case !annotated:
		version = imageTag(c.image)
	}
	rel, known := releaseOf(version)
	return rel, known && f.in.has(rel)
}

// createdBy gives what the annotation of a family's program says; other text
// in it is somebody else's and says nothing.
func (l *workload) createdBy(f family) (version string, ok bool) {
	return strings.CutPrefix(l.annotation(f.createdBy()), f.client())
}

func isProxy(f family, n *yaml.Node) bool {
	return anyNamed(n, "ports", func(name string) bool { return name == f.proxy() }) ||
		anyNamed(n, "env", func(name string) bool { return strings.HasPrefix(name, f.env) })
}

func isInit(_ family, n *yaml.Node) bool {
	_, args := entry(n, "args")
	if args == nil || args.Kind != yaml.SequenceNode || len(args.Content) == 0 {
		return false
	}
	return args.Content[0].Value == "-p" || args.Content[0].Value == "--incoming-proxy-port"
}

func anyNamed(m *yaml.Node, list string, match func(string) bool) bool {
	_, items := entry(m, list)
	if items == nil || items.Kind != yaml.SequenceNode {
		return false
	}
	for _, item := range items.Content {
		if item.Kind == yaml.MappingNode && match(text(item, "name")) {
			return true
		}
	}
	return false
}

// all gives the known proxies of every family.
func (l *workload) all() []carried {
	var found []carried
	for _, f := range families {
		if c, ok := l.carries(f); ok {
			found = append(found, c)
		}
	}
	return found
}

// otherMesh gives the reason why another mesh's proxy, or one of a release
// unknown here, keeps the pod from being injected; "" if none does. own is the
// family that is to be injected: a container that merely has its proxy's name
// is a clash and no mesh.
func (l *workload) otherMesh(own family) string {
	known := map[*yaml.Node]bool{}
	for _, c := range l.all() {
		for _, part := range append(c.proxies, c.inits...) {
			known[part.node] = true
		}
	}
	for _, group := range [][]container{l.containers, l.inits} {
		for _, c := range group {
			if !known[c.node] {
				if title := l.meshOf(c, own); title != "" {
					return fmt.Sprintf("%s (%q) is %s's, of no release known here: a pod works with one proxy only", c.path, c.name, title)
				}
			}
		}
	}
	return ""
}

// meshOf gives the mesh that a container belongs to by name or image.
func (l *workload) meshOf(c container, own family) string {
	for _, s := range sidecars {
		for _, image := range s.images {
			if repository(c.image) == image {
				return s.title
			}
		}
		names := s.proxies
		if c.list == "initContainers" {
			names = s.inits
		}
		for _, name := range names {
			if c.name != name {
				continue
			}
			if s.title != own.title || strings.HasPrefix(l.annotation(own.createdBy()), own.mesh+"/") {
				return s.title
			}
		}
	}
	return ""
}

// Detect gives the release whose proxy an object carries, by the annotation
// of the program that put it there, or else by the tag of its image. An
// annotation without a proxy counts for nothing, and so does a proxy of a
// release that is not in Releases.
func Detect(obj *yaml.Node) (version string, ok bool) {
	l := injectable(obj)
	if l == nil {
		return "", false
	}
	found := l.all()
	if len(found) == 0 {
		return "", false
	}
	return found[len(found)-1].release.String(), true
}
