// Package schema takes Kubernetes objects and says what an API server of a
// given release would refuse in them: fields that it does not know, values of
// the wrong type, required fields that are missing, kinds that it does not
// serve. It works offline, from schemas that are part of the program.
//
// Kubernetes' own kinds are checked as the API server decodes them, strictly;
// custom resources as it validates them: defaults filled in, unknown fields
// found by the structural schema, the rest by the same library.
package schema

import (
	"fmt"
	"sync"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

//go:generate go run ./gen

// Validator checks objects against one Kubernetes release and the custom
// resource definitions that were added. It is safe for concurrent use.
type Validator struct {
	release *release
	older   *releases // of a validator for any release; nil for one of a certain one

	mu   sync.RWMutex
	crds map[groupKind]*customKind
}

type groupKind struct{ group, kind string }

// Load gives a validator for a Kubernetes release, written as "1.33". The
// error for another one names those that are known. Loading takes a few
// milliseconds: do it once and Clone the result.
func Load(version string) (*Validator, error) {
	r, err := readRelease(version)
	if err != nil {
		return nil, err
	}
	return &Validator{release: r, crds: map[groupKind]*customKind{}}, nil
}

// Clone gives a validator with the same definitions, to which others can be
// added: environments may hold different versions of a custom resource
// definition. What was read of the release is shared.
func (v *Validator) Clone() *Validator {
	v.mu.RLock()
	defer v.mu.RUnlock()
	c := &Validator{release: v.release, older: v.older, crds: make(map[groupKind]*customKind, len(v.crds))}
	for k, crd := range v.crds {
		c.crds[k] = crd
	}
	return c
}

// Validate gives everything that the API server would refuse in an object, at
// the line where it stands. Texts hold field names, never values. An object
// that cannot be checked has no findings: see Unchecked.
func (v *Validator) Validate(o *manifest.Object) finding.List {
	if encrypted(o) {
		return nil
	}
	c := &check{object: o, release: v.release, limit: maxFindings, partial: v.older != nil}
	if crd, known := v.custom(o); known {
		crd.validate(c)
		return c.list
	}
	k := v.release.kinds[typeMeta{o.APIVersion, o.ID.Kind}]
	switch {
	case v.older != nil && v.release.groups[o.ID.Group]:
		return v.validateAny(o)
	case k != nil && k.object:
		c.value(o.Node, &schema{def: k.def}, nil)
	case v.release.groups[o.ID.Group]:
		c.notServed()
	}
	return c.list
}

// Unchecked says why Validate cannot tell anything about an object, or gives
// "" if it can: nothing is known of its kind.
func (v *Validator) Unchecked(o *manifest.Object) string {
	crd, known := v.custom(o)
	switch {
	case encrypted(o):
		return shown(o) + ": its values are encrypted"
	case known:
		return crd.unchecked(o.APIVersion)
	case v.release.groups[o.ID.Group]:
		if v.older != nil {
			return v.uncheckedAny(o)
		}
		return ""
	}
	return fmt.Sprintf("%s: no CustomResourceDefinition of %s %s is at hand", shown(o), o.APIVersion, o.ID.Kind)
}

// Own tells whether an object is of one of Kubernetes' own groups: what
// Validate and Unchecked say of it does not depend on definitions, unless
// Overrides.
func (v *Validator) Own(o *manifest.Object) bool { return v.release.groups[o.ID.Group] }

// Overrides tells whether a definition that was added is of one of Kubernetes'
// own groups.
func (v *Validator) Overrides() bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	for k := range v.crds {
		if v.release.groups[k.group] {
			return true
		}
	}
	return false
}

// encrypted tells whether SOPS wrote the object: what the API server gets is
// decrypted before, and has other types and no field sops.
func encrypted(o *manifest.Object) bool { return manifest.Field(o.Node, "sops", "mac") != nil }

func (v *Validator) custom(o *manifest.Object) (*customKind, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	crd, known := v.crds[groupKind{o.ID.Group, o.ID.Kind}]
	return crd, known
}
