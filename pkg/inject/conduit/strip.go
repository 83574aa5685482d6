package conduit

import (
	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

// Strip takes the proxy of any release out of an object, in place: sidecar,
// init container, and the labels, annotations and volumes of the release that
// put it there. It tells whether there was one.
//
// A map or list that becomes empty by that goes as well. Whether it was empty
// or absent before the injection cannot be told any more; the programs of old
// wrote none of these, and few people do.
func Strip(obj *yaml.Node) bool {
	l := injectable(obj)
	if l == nil {
		return false
	}
	emptied := l.strip()
	if emptied == nil {
		return false
	}
	emptied.prune(l, "initContainers", "volumes", "labels", "annotations")
	return true
}

// injectable opens an object that some release injects; nil for any other.
func injectable(obj *yaml.Node) *workload {
	if obj == nil || obj.Kind != yaml.MappingNode || !ownGroup(text(obj, "apiVersion")) {
		return nil
	}
	if _, known := firstRelease(text(obj, "kind")); !known {
		return nil
	}
	l, err := open(obj)
	if err != nil {
		return nil
	}
	return l
}

// ownGroup tells whether an apiVersion is of a group in which Kubernetes has,
// or had, workloads.
func ownGroup(apiVersion string) bool {
	switch manifest.Group(apiVersion) {
	case "", "apps", "extensions", "batch":
		return true
	}
	return false
}

// emptied names the collections that lost their last item.
type emptied map[string]bool

// strip takes out what all known proxies brought; nil if there are none. What
// becomes empty stays, so that a new injection finds it in its place.
func (l *workload) strip() emptied {
	found := l.all()
	if len(found) == 0 {
		return nil
	}
	gone := emptied{}
	for _, c := range found {
		l.stripMarks(gone, c, "annotations", annotations[:])
		l.stripMarks(gone, c, "labels", labels[:])
		for _, p := range c.proxies {
			l.stripVolumes(gone, c.family, p)
			l.stripContainer(gone, p)
		}
		for _, i := range c.inits {
			l.stripContainer(gone, i)
		}
	}
	return gone
}

func (l *workload) stripMarks(gone emptied, c carried, name string, marks []mark) {
	m := l.pod(name)
	if m == nil {
		return
	}
	_, meta := entry(l.host, "metadata")
	owner, _ := entry(meta, name)
	words := familyWords(c.family)
	for _, k := range marks {
		if k.in.has(c.release) && (k.kind == "" || k.kind == l.kind) && drop(owner, m, words.Replace(k.key)) {
			gone[name] = len(m.Content) == 0
		}
	}
}

func (l *workload) stripContainer(gone emptied, c container) {
	owner, items := entry(l.spec, c.list)
	dropItem(owner, items, c.node)
	gone[c.list] = len(items.Content) == 0
}

// stripVolumes takes out the volumes that a proxy with tls mounts. One of the
// same name that the proxy does not mount is the user's.
func (l *workload) stripVolumes(gone emptied, f family, proxy container) {
	owner, items := entry(l.spec, "volumes")
	if isNull(items) {
		return
	}
	for _, v := range volumes {
		name := familyWords(f).Replace(v.name)
		same := func(n string) bool { return n == name }
		if !anyNamed(proxy.node, "volumeMounts", same) {
			continue
		}
		for _, item := range items.Content {
			if item.Kind == yaml.MappingNode && text(item, "name") == name {
				dropItem(owner, items, item)
				gone["volumes"] = len(items.Content) == 0
				break
			}
		}
	}
}

// prune takes out those of the named collections that were emptied and are
// empty still, and a pod's metadata if that leaves nothing in it.
func (e emptied) prune(l *workload, names ...string) {
	for _, name := range names {
		if !e[name] {
			continue
		}
		section := "spec"
		if name == "labels" || name == "annotations" {
			section = "metadata"
		}
		owner, m := entry(l.host, section)
		if _, n := entry(m, name); n != nil && len(n.Content) == 0 {
			drop(owner, m, name)
		}
		if section == "metadata" && len(m.Content) == 0 {
			drop(l.hostKey, l.host, section)
			return
		}
	}
}
