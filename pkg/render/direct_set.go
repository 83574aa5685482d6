package render

import (
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/kio"
	ids "sigs.k8s.io/kustomize/kyaml/resid"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// objects is the list of resources as the library's transformers see it: what
// they call is here. Whatever else the interface has is not there, and calling
// it ends the direct build.
type objects struct {
	resmap.ResMap // nil
	all           []*resource.Resource
}

// key is what makes two resources one and the same to the library.
type key struct {
	gvk             ids.Gvk
	name, namespace string
}

func keyOfID(id ids.ResId) key { return key{id.Gvk, id.Name, id.EffectiveNamespace()} }

// unique is an error if two resources are the same.
func (o *objects) unique() error {
	seen := make(map[key]bool, len(o.all))
	for _, r := range o.all {
		k := keyOfID(r.CurId())
		if seen[k] {
			return errIndirect
		}
		seen[k] = true
	}
	return nil
}

func (o *objects) Size() int { return len(o.all) }

func (o *objects) Resources() []*resource.Resource { return slices.Clone(o.all) }

func (o *objects) DropEmpties() {
	o.all = slices.DeleteFunc(o.all, func(r *resource.Resource) bool { return r.IsNilOrEmpty() })
}

func (o *objects) GetMatchingResourcesByCurrentId(matches resmap.IdMatcher) []*resource.Resource {
	var found []*resource.Resource
	for _, r := range o.all {
		if matches(r.CurId()) {
			found = append(found, r)
		}
	}
	return found
}

func (o *objects) GetMatchingResourcesByAnyId(matches resmap.IdMatcher) []*resource.Resource {
	var found []*resource.Resource
	for _, r := range o.all {
		if !r.IsNilOrEmpty() && (slices.ContainsFunc(r.PrevIds(), matches) || matches(r.CurId())) {
			found = append(found, r)
		}
	}
	return found
}

// absorb adds what a generator made, or puts it, with what it is to keep, in the
// place of the object that it is to merge with or replace.
func (o *objects) absorb(r *resource.Resource) error {
	id, behavior := r.CurId(), r.Behavior()
	merges := behavior == types.BehaviorMerge
	found := o.GetMatchingResourcesByAnyId(id.Equals)
	switch {
	case len(found) == 0 && !merges && behavior != types.BehaviorReplace:
		o.all = append(o.all, r)
		return nil
	case len(found) != 1 || !merges && behavior != types.BehaviorReplace:
		return errIndirect
	}
	old := found[0]
	origin, err := old.GetOrigin()
	if err != nil || merges && r.GetKind() == "Secret" && old.Field("stringData") != nil {
		return errIndirect // the library encodes stringData first
	}
	if err := r.CopyMergeMetaDataFieldsFrom(old); err != nil {
		return errIndirect
	}
	if merges {
		r.MergeDataMapFrom(old)
		r.MergeBinaryDataMapFrom(old)
		if origin != nil {
			r.SetOrigin(origin)
		}
	}
	now := r.CurId()
	if same := o.GetMatchingResourcesByCurrentId(now.Equals); len(same) != 1 || same[0] != old {
		return errIndirect
	}
	o.all[slices.Index(o.all, old)] = r
	return nil
}

func (o *objects) GetById(id ids.ResId) (*resource.Resource, error) {
	found := o.GetMatchingResourcesByAnyId(id.Equals)
	if len(found) != 1 {
		return nil, errIndirect
	}
	return found[0], nil
}

// Select gives what a target selects. Kind and version are compared first,
// which is cheap; names and namespaces may be original or current ones.
func (o *objects) Select(s types.Selector) ([]*resource.Resource, error) {
	patterns, err := types.NewSelectorRegex(&s)
	if err != nil {
		return nil, err
	}
	var found []*resource.Resource
	for _, r := range o.all {
		if !patterns.MatchGvk(r.GetGvk()) {
			continue
		}
		now, first := r.CurId(), r.OrgId()
		if !patterns.MatchNamespace(first.EffectiveNamespace()) && !patterns.MatchNamespace(now.EffectiveNamespace()) ||
			!patterns.MatchName(first.Name) && !patterns.MatchName(now.Name) {
			continue
		}
		if s.LabelSelector != "" {
			if ok, err := r.MatchesLabelSelector(s.LabelSelector); err != nil {
				return nil, err
			} else if !ok {
				continue
			}
		}
		if s.AnnotationSelector != "" {
			if ok, err := r.MatchesAnnotationSelector(s.AnnotationSelector); err != nil {
				return nil, err
			} else if !ok {
				continue
			}
		}
		found = append(found, r)
	}
	return found, nil
}

// ApplySmPatch merges a patch into each selected resource, as one of its own
// version and kind.
func (o *objects) ApplySmPatch(selected *resource.IdSet, patch *resource.Resource) error {
	for _, r := range o.all {
		if !selected.Contains(r.CurId()) {
			continue
		}
		p := patch.DeepCopy()
		if err := p.CopyMergeMetaDataFieldsFrom(patch); err != nil {
			return err
		}
		p.SetGvk(r.GetGvk())
		p.SetKind(patch.GetKind())
		if err := r.ApplySmPatch(p); err != nil {
			return err
		}
	}
	o.DropEmpties()
	return o.unique()
}

// ApplyFilter runs a filter that changes nodes where they are.
func (o *objects) ApplyFilter(f kio.Filter) error {
	nodes := make([]*kyaml.RNode, len(o.all))
	for i, r := range o.all {
		nodes[i] = &r.RNode
	}
	got, err := f.Filter(nodes)
	if err != nil {
		return err
	}
	if !slices.Equal(got, nodes) {
		return errIndirect
	}
	o.DropEmpties()
	return nil
}

// finished puts the resources into the order in which the library prints them,
// and takes its notes off them.
func finished(o *objects) ([]*resource.Resource, error) {
	type placed struct {
		id    ids.ResId
		place string // among those of its kind
		r     *resource.Resource
	}
	all := make([]placed, len(o.all))
	namespaces := map[ids.Gvk]bool{}
	for i, r := range o.all {
		meta, err := r.GetValidatedMetadata()
		if err != nil {
			return nil, err
		}
		if local, ok := meta.Annotations[konfig.IgnoredByKustomizeAnnotation]; ok && local != "false" {
			return nil, errIndirect
		}
		id := r.CurId()
		if id.Kind == types.NamespaceKind {
			namespaces[id.Gvk] = true
		}
		all[i] = placed{id, orElse(id.Namespace, "~X") + "|" + orElse(id.Name, "~N"), r}
	}
	if err := o.unique(); err != nil || len(namespaces) > 1 {
		return nil, errIndirect
	}
	slices.SortFunc(all, func(a, b placed) int {
		switch {
		case a.id.Gvk.Equals(b.id.Gvk):
			return strings.Compare(a.place, b.place)
		case a.id.Gvk.IsLessThan(b.id.Gvk):
			return -1
		}
		return 1
	})
	out := make([]*resource.Resource, len(all))
	for i, p := range all {
		out[i] = p.r
		notes := p.r.GetAnnotations()
		for _, a := range resource.BuildAnnotations {
			delete(notes, a)
		}
		delete(notes, originAnnotation)
		delete(notes, transformationsAnnotation)
		if err := p.r.SetAnnotations(notes); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// transformationsAnnotation is where the library notes transformers.
const transformationsAnnotation = "alpha.config.kubernetes.io/transformations"

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
