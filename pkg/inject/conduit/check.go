package conduit

import (
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// maxLabel is how long a label's value may be.
const maxLabel = 63

// faults finds what would make a pod that no cluster accepts, or one whose
// containers fight with the proxy.
func (in *Injector) faults(l *workload) []*WorkloadError {
	found := l.nameFaults(in.release.family())
	for _, c := range l.containers {
		found = append(found, in.portFaults(c)...)
	}
	if in.settings.tls {
		found = append(found, in.volumeFaults(l)...)
	}
	if e := in.labelFault(l); e != nil {
		found = append(found, e)
	}
	return found
}

func (l *workload) nameFaults(own family) []*WorkloadError {
	var found []*WorkloadError
	if len(l.containers) == 0 {
		e := &WorkloadError{Path: join(l.path, "spec.containers"), Line: l.spec.Line, Text: "is empty: a pod needs a container"}
		if key, _ := entry(l.spec, "containers"); key != nil {
			e.Line = key.Line
		}
		found = append(found, e)
	}
	seen := map[string]bool{}
	for _, group := range [][]container{l.containers, l.inits} {
		for _, c := range group {
			at := c.path + ".name"
			switch {
			case c.name == "":
			case c.name == own.proxy() || c.name == own.init():
				found = append(found, &WorkloadError{
					Path: at, Line: c.line,
					Text: fmt.Sprintf("%q is the name of %s's own container", c.name, own.title),
					Hint: "give the container another name, or take it out if it is a proxy put in by hand",
				})
			case seen[c.name]:
				found = append(found, &WorkloadError{
					Path: at, Line: c.line,
					Text: fmt.Sprintf("%q names two containers of the pod", c.name),
				})
			}
			seen[c.name] = true
		}
	}
	return found
}

// portFaults finds ports that the proxy listens on itself. Only TCP counts.
func (in *Injector) portFaults(c container) []*WorkloadError {
	_, items := entry(c.node, "ports")
	if items == nil || items.Kind != yaml.SequenceNode {
		return nil
	}
	var found []*WorkloadError
	for i, item := range items.Content {
		if item.Kind != yaml.MappingNode {
			continue
		}
		if protocol := text(item, "protocol"); protocol != "" && protocol != "TCP" {
			continue
		}
		number, err := strconv.ParseUint(text(item, "containerPort"), 0, 32)
		if err != nil {
			continue
		}
		for _, l := range in.settings.listeners(in.release) {
			if uint64(l.port) == number {
				found = append(found, &WorkloadError{
					Path: c.path + ".ports[" + strconv.Itoa(i) + "].containerPort",
					Line: item.Line,
					Text: fmt.Sprintf("%d is the proxy's %s port", number, l.title),
					Hint: fmt.Sprintf("set %s to a port that no container uses", l.option),
				})
			}
		}
	}
	return found
}

func (in *Injector) volumeFaults(l *workload) []*WorkloadError {
	_, items := entry(l.spec, "volumes")
	if isNull(items) {
		return nil
	}
	var found []*WorkloadError
	for i, item := range items.Content {
		for _, v := range volumes {
			name := familyWords(in.release.family()).Replace(v.name)
			if item.Kind == yaml.MappingNode && text(item, "name") == name {
				found = append(found, &WorkloadError{
					Path: join(l.path, "spec.volumes") + "[" + strconv.Itoa(i) + "].name",
					Line: item.Line,
					Text: fmt.Sprintf("%q is the name of a volume that tls adds", name),
					Hint: "give the volume another name",
				})
			}
		}
	}
	return found
}

func (in *Injector) labelFault(l *workload) *WorkloadError {
	for _, m := range in.marks(l, labels[:]) {
		if len(m.value) > maxLabel {
			return &WorkloadError{
				Path: "metadata.name",
				Line: l.nameLine,
				Text: fmt.Sprintf("%q has %d characters; %s copies it into the label %s, which holds %d",
					m.value, len(m.value), in.release, m.key, maxLabel),
				Hint: "shorten the name",
			}
		}
	}
	return nil
}
