package schema

import (
	"fmt"
	"regexp"
	"sync"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

// Any gives a validator for clusters of which nobody says what release they
// are: it reports what every known release that serves the object's kind would
// refuse to read. A kind that none of them serves is not checked, for an older
// or newer cluster may have it. Required fields may be missing: server-side
// apply merges objects that hold a part of the fields only.
func Any() (*Validator, error) {
	first, last, lines, err := embedded()
	if err != nil {
		return nil, err
	}
	return &Validator{
		release: newRelease(last, lines), older: &releases{first: first, last: last - 1, lines: lines},
		crds: map[groupKind]*customKind{},
	}, nil
}

// releases are the releases before the newest. They are read when the newest
// has refused something: most repositories never need them.
type releases struct {
	first, last int // minors
	lines       string
	once        sync.Once
	read        []*release
}

// all gives the releases, newest first.
func (r *releases) all() []*release {
	r.once.Do(func() {
		for minor := r.last; minor >= r.first; minor-- {
			r.read = append(r.read, newRelease(minor, r.lines))
		}
	})
	return r.read
}

// stable is the version of an API that keeps its kinds for good.
var stable = regexp.MustCompile(`^v[0-9]+$`)

// validateAny gives what the newest release that serves the kind has against
// the object, unless an older one takes it: fields of stages before the stable
// one come and go.
func (v *Validator) validateAny(o *manifest.Object) finding.List {
	t := typeMeta{o.APIVersion, o.ID.Kind}
	found, served := v.release.refusal(o, t)
	if served && len(found) == 0 {
		return nil
	}
	for _, r := range v.older.all() {
		list, known := r.refusal(o, t)
		switch {
		case known && len(list) == 0:
			return nil
		case known && !served:
			found, served = list, true
		}
	}
	if !served && v.neverServed(t) {
		c := &check{object: o, release: v.release, limit: maxFindings}
		c.notServed()
		return c.list
	}
	return found
}

// refusal gives what the release has against an object of a kind, if it
// serves that.
func (r *release) refusal(o *manifest.Object, t typeMeta) (list finding.List, served bool) {
	k := r.kinds[t]
	if k == nil || !k.object {
		return nil, false
	}
	c := &check{object: o, release: r, limit: maxFindings, partial: true}
	c.value(o.Node, &schema{def: k.def}, nil)
	return c.list, true
}

// neverServed tells of a kind that its apiVersion cannot have had: a stable
// one that the newest release serves never loses a kind.
func (v *Validator) neverServed(t typeMeta) bool {
	if _, removed := v.release.removed[t]; removed || !stable.MatchString(version(t)) {
		return false
	}
	for k, info := range v.release.kinds {
		if k.apiVersion == t.apiVersion && info.object {
			return true
		}
	}
	return false
}

// uncheckedAny says why an object of one of Kubernetes' own groups is not
// checked, or gives "".
func (v *Validator) uncheckedAny(o *manifest.Object) string {
	t := typeMeta{o.APIVersion, o.ID.Kind}
	if _, served := v.release.served[t]; served || v.neverServed(t) {
		return ""
	}
	return fmt.Sprintf("%s: no Kubernetes from 1.%d to %s serves %s %s", shown(o), v.older.first, v.release.version, o.APIVersion, o.ID.Kind)
}
