// Package conduit puts the proxy of a Conduit release, or of one of Linkerd
// 2's first releases, into a workload and takes it out again. In goes one
// Kubernetes object and a pin, out comes the object with what the release's
// own `inject` would have added, and nothing else changed.
package conduit

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

// Injector injects with one release and its options. It holds no state and
// may be used from many goroutines.
type Injector struct {
	release  release
	settings settings
}

// New checks a pin. What is wrong with it comes as *OptionError, several of
// them joined.
func New(c config.Conduit) (*Injector, error) {
	rel, known := releaseOf(c.Version)
	if !known {
		text := fmt.Sprintf("%q is not a known release", c.Version)
		if c.Version == "" {
			text = "no release is given"
		}
		return nil, &OptionError{Option: "version", Text: text, Hint: "known releases: " + strings.Join(Releases(), ", ")}
	}
	s, err := resolve(rel, c)
	if err != nil {
		return nil, err
	}
	return &Injector{release: rel, settings: s}, nil
}

// Version is the release.
func (in *Injector) Version() string { return in.release.String() }

// Kinds lists the kinds that the release injects.
func (in *Injector) Kinds() []string {
	var kinds []string
	for _, w := range workloads {
		if w.from <= in.release {
			kinds = append(kinds, w.kind)
		}
	}
	return kinds
}

// Status is what became of an object.
type Status int

// An Unchanged object carried exactly this proxy before. A Skipped one gets
// none; the reason says why.
const (
	Injected Status = iota + 1
	Unchanged
	Skipped
)

func (s Status) String() string {
	switch s {
	case Injected:
		return "injected"
	case Unchanged:
		return "unchanged"
	case Skipped:
		return "skipped"
	}
	return "unknown"
}

// Result is what became of an object, and why.
type Result struct {
	Status     Status
	Reason     string   // of Skipped
	Replaced   string   // release whose proxy was there before; empty if none was
	Containers []string // names of the proxy's containers, in order of start; empty if skipped
}

// Inject puts the proxy into the object, in place; the proxy of any release
// that is there already is taken out first. Keys, comments and order stay as
// they are; what is new comes last in its map or list. An object that is
// skipped or at fault is not touched; the fault comes as *WorkloadError,
// several of them joined.
func (in *Injector) Inject(obj *yaml.Node) (Result, error) {
	if obj == nil || obj.Kind != yaml.MappingNode {
		return Result{}, &WorkloadError{Text: "is not a Kubernetes object"}
	}
	if reason := in.passes(text(obj, "apiVersion"), text(obj, "kind")); reason != "" {
		return Result{Status: Skipped, Reason: reason}, nil
	}
	changed := clone(obj)
	l, fault := open(changed)
	if fault != nil {
		return Result{}, fault
	}
	own := in.release.family()
	if l.hostNetwork {
		return Result{Status: Skipped, Reason: join(l.path, "spec.hostNetwork") + " is true: the proxy would take the whole node's traffic"}, nil
	}
	if reason := l.otherMesh(own); reason != "" {
		return Result{Status: Skipped, Reason: reason}, nil
	}
	result := Result{Status: Injected, Containers: []string{own.init(), own.proxy()}}
	if version, ok := Detect(changed); ok {
		result.Replaced = version
	}
	gone := l.strip()
	if l, fault = open(changed); fault != nil {
		return Result{}, fault
	}
	if err := in.check(l); err != nil {
		return Result{}, err
	}
	in.add(l)
	gone.prune(l, "volumes")
	if equal(obj, changed) {
		result.Status = Unchanged
		return result, nil
	}
	*obj = *changed
	return result, nil
}

// passes gives the reason why objects of a kind are not injected; "" if they are.
func (in *Injector) passes(apiVersion, kind string) string {
	from, known := firstRelease(kind)
	switch {
	case kind == "":
		return "the object has no kind"
	case kind == "List":
		return "a List is injected item by item"
	case !known:
		return fmt.Sprintf("no release injects %s", kind)
	case !ownGroup(apiVersion):
		return fmt.Sprintf("%s is of group %q, which is not Kubernetes' own", kind, manifest.Group(apiVersion))
	case in.release < from:
		return fmt.Sprintf("%s does not inject %s; releases from %s on do", in.release, kind, from)
	}
	return ""
}

func firstRelease(kind string) (release, bool) {
	for _, w := range workloads {
		if w.kind == kind {
			return w.from, true
		}
	}
	return end, false
}

// check gives everything in a pod that would not live with the proxy.
func (in *Injector) check(l *workload) error {
	var errs []error
	for _, e := range in.faults(l) {
		errs = append(errs, e)
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}
