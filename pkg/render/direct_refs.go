package render

import (
	"fmt"
	"sort"
	"strings"
	_ "unsafe" // for the link to the library's field specs

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/filters/nameref"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	ids "sigs.k8s.io/kustomize/kyaml/resid"
	"sigs.k8s.io/kustomize/kyaml/utils"
	sigsyaml "sigs.k8s.io/yaml"
)

// fieldSpecs say which fields of which kinds the transformers change: the
// library's defaults.
type fieldSpecs struct {
	NamePrefix                types.FsSlice  `json:"namePrefix"`
	NameSuffix                types.FsSlice  `json:"nameSuffix"`
	NameSpace                 types.FsSlice  `json:"namespace"`
	CommonLabels              types.FsSlice  `json:"commonLabels"`
	Labels                    types.FsSlice  `json:"labels"`
	TemplateLabels            types.FsSlice  `json:"templateLabels"`
	VolumeClaimTemplateLabels types.FsSlice  `json:"volumeClaimTemplateLabels"`
	CommonAnnotations         types.FsSlice  `json:"commonAnnotations"`
	Images                    types.FsSlice  `json:"images"`
	Replicas                  types.FsSlice  `json:"replicas"`
	NameReference             nameReferences `json:"nameReference"`

	fields map[ids.Gvk][]field // by the kind that refers
}

// backReferences are the fields that hold the name of one kind.
type backReferences struct {
	ids.Gvk   `json:",inline"`
	Referrers types.FsSlice `json:"fieldSpecs"`
}

// nameReferences sort as the library's do.
type nameReferences []backReferences

func (s nameReferences) Len() int           { return len(s) }
func (s nameReferences) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s nameReferences) Less(i, j int) bool { return s[i].Gvk.IsLessThan(s[j].Gvk) }

// field is one field that may hold a name.
type field struct {
	spec   types.FieldSpec
	path   []string
	target ids.Gvk
}

// libraryFieldSpecs is the text of the library's defaults. Nothing that it
// exports gives them.
//
//go:linkname libraryFieldSpecs sigs.k8s.io/kustomize/api/internal/konfig/builtinpluginconsts.GetDefaultFieldSpecs
func libraryFieldSpecs() []byte

func defaultSpecs() (*fieldSpecs, error) {
	s := &fieldSpecs{fields: map[ids.Gvk][]field{}}
	if err := sigsyaml.Unmarshal(libraryFieldSpecs(), s); err != nil {
		return nil, fmt.Errorf("reading the field specs: %w", err)
	}
	for _, list := range []types.FsSlice{
		s.NamePrefix, s.NameSuffix, s.NameSpace, s.CommonLabels, s.Labels, s.TemplateLabels,
		s.VolumeClaimTemplateLabels, s.CommonAnnotations, s.Images, s.Replicas,
	} {
		sort.Sort(list)
	}
	sort.Sort(s.NameReference)
	return s, nil
}

// of gives the fields that an entry of labels goes into.
func (s *fieldSpecs) of(l types.Label) (all types.FsSlice, err error) {
	lists := []types.FsSlice{s.Labels}
	switch {
	case l.IncludeSelectors:
		lists = append(lists, s.CommonLabels)
	default:
		if l.IncludeTemplates {
			lists = append(lists, s.TemplateLabels)
		}
		if l.IncludeVolumeClaimTemplates {
			lists = append(lists, s.VolumeClaimTemplateLabels)
		}
		lists = append(lists, types.FsSlice{{Path: "metadata/labels", CreateIfNotPresent: true}})
	}
	all = types.FsSlice(l.FieldSpecs)
	for _, list := range lists {
		if all, err = all.MergeAll(list); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// referring gives the fields of a kind that may hold names.
func (s *fieldSpecs) referring(id ids.ResId) []field {
	found, ok := s.fields[id.Gvk]
	if !ok {
		for _, back := range s.NameReference {
			for _, spec := range back.Referrers {
				if id.IsSelected(&spec.Gvk) {
					found = append(found, field{spec, utils.PathSplitter(spec.Path, "/"), back.Gvk})
				}
			}
		}
		s.fields[id.Gvk] = found
	}
	return found
}

// fixReferences has the library's filter put new names where old ones are
// referred to. The filter is given only the candidates that once had a name
// that the field holds: it drops the others first.
func (s *fieldSpecs) fixReferences(o *objects) error {
	index := newNames(o)
	for i, r := range o.all {
		fields := s.referring(index.first[i])
		if len(fields) == 0 {
			continue
		}
		if err := confirm(r); err != nil {
			return err
		}
		// As they are now: fixing the first field may change them.
		bound, err := boundNamespaces(r, index.now[i])
		if err != nil {
			return err
		}
		for _, f := range fields {
			names := map[string]bool{}
			if !f.spec.CreateIfNotPresent && !holds(r.YNode(), f.path, names) {
				continue
			}
			c := index.candidates(index.now[i], bound, names)
			filter := nameref.Filter{Referrer: r, NameFieldToUpdate: f.spec, ReferralTarget: f.target, ReferralCandidates: c}
			if err := r.ApplyFilter(filter); err != nil {
				return err
			}
		}
	}
	return nil
}

// confirm is an error where the library's filter refuses a resource, whatever
// it refers to.
func confirm(r *resource.Resource) error {
	meta, err := r.GetMeta()
	if err != nil {
		return err
	}
	gvk := r.GetGvk()
	if meta.APIVersion != gvk.ApiVersion() || meta.Kind != gvk.Kind || meta.Name != r.GetName() || meta.Namespace != r.GetNamespace() {
		return errIndirect
	}
	return nil
}

// holds tells whether a node has a field, or something in its way that the
// filter has to see, and collects the names that the field holds.
func holds(n *yaml.Node, path []string, names map[string]bool) bool {
	if n == nil {
		return false
	}
	if len(path) == 0 {
		namesIn(n, names)
		return true
	}
	found := false
	switch n.Kind {
	case yaml.SequenceNode:
		for _, c := range n.Content {
			found = holds(c, path, names) || found
		}
	case yaml.MappingNode:
		name := strings.TrimSuffix(path[0], "[]")
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				found = holds(n.Content[i+1], path[1:], names) || found
			}
		}
	case yaml.AliasNode:
		return holds(n.Alias, path, names)
	case yaml.DocumentNode:
		return len(n.Content) > 0 && holds(n.Content[0], path, names)
	default:
		return true
	}
	return found
}

// namesIn notes the names that a field holds: itself, its items, or their
// fields called name.
func namesIn(n *yaml.Node, names map[string]bool) {
	switch n.Kind {
	case yaml.ScalarNode:
		names[n.Value] = true
	case yaml.SequenceNode:
		for _, c := range n.Content {
			namesIn(c, names)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == "name" {
				names[n.Content[i+1].Value] = true
			}
		}
	case yaml.AliasNode:
		namesIn(n.Alias, names)
	}
}

// names finds resources by the names that they had.
type names struct {
	all        []*resource.Resource
	now, first []ids.ResId
	had        map[string][]int
	// For each current namespace, that of objects outside of namespaces
	// included: the original namespaces of the resources in it.
	spaces map[string]map[string]bool
}

func newNames(o *objects) *names {
	n := &names{all: o.all, had: map[string][]int{}, spaces: map[string]map[string]bool{}}
	for i, r := range o.all {
		now, before := r.CurId(), r.PrevIds()
		first := now
		if len(before) > 0 {
			first = before[0]
		}
		n.now, n.first = append(n.now, now), append(n.first, first)
		for j, id := range before {
			if list := n.had[id.Name]; j == 0 || len(list) == 0 || list[len(list)-1] != i {
				n.had[id.Name] = append(list, i)
			}
		}
		at := now.EffectiveNamespace()
		if n.spaces[at] == nil {
			n.spaces[at] = map[string]bool{}
		}
		n.spaces[at][first.EffectiveNamespace()] = true
	}
	return n
}

// candidates are what a resource may refer to by one of some names.
type candidates struct {
	resmap.ResMap // nil: see objects
	list          []int
	index         *names
	original, now map[string]bool // the namespaces of all candidates, of any name
}

// candidates gives what the resource of an id may refer to: what is in its
// namespace or in none, and in the namespaces that it binds.
func (n *names) candidates(id ids.ResId, bound, wanted map[string]bool) *candidates {
	reach := func(string) bool { return true }
	if !id.IsClusterScoped() {
		own := id.EffectiveNamespace()
		reach = func(at string) bool { return at == ids.TotallyNotANamespace || at == own || bound[at] }
	}
	c := &candidates{index: n, original: map[string]bool{}, now: map[string]bool{}}
	for at, firsts := range n.spaces {
		if !reach(at) {
			continue
		}
		c.now[at] = true
		for first := range firsts {
			c.original[first] = true
		}
	}
	for name := range wanted {
		for _, i := range n.had[name] {
			if reach(n.now[i].EffectiveNamespace()) {
				c.list = append(c.list, i)
			}
		}
	}
	sort.Ints(c.list)
	return c
}

func (c *candidates) Resources() []*resource.Resource {
	found := make([]*resource.Resource, 0, len(c.list))
	for k, i := range c.list {
		if k == 0 || c.list[k-1] != i {
			found = append(found, c.index.all[i])
		}
	}
	return found
}

func (c *candidates) GroupedByOriginalNamespace() map[string][]*resource.Resource {
	return c.grouped(c.original, c.index.first)
}

func (c *candidates) GroupedByCurrentNamespace() map[string][]*resource.Resource {
	return c.grouped(c.now, c.index.now)
}

// grouped has a group, maybe an empty one, for each namespace that there is:
// the filter tells apart a namespace without a match and one that is not there.
func (c *candidates) grouped(all map[string]bool, of []ids.ResId) map[string][]*resource.Resource {
	groups := map[string][]*resource.Resource{}
	for at := range all {
		groups[at] = []*resource.Resource{}
	}
	for k, i := range c.list {
		if k == 0 || c.list[k-1] != i {
			at := of[i].EffectiveNamespace()
			groups[at] = append(groups[at], c.index.all[i])
		}
	}
	delete(groups, ids.TotallyNotANamespace)
	return groups
}

// boundNamespaces are those of the ServiceAccounts that a RoleBinding binds.
// The library compares them with the namespace as it is written, so one that
// is not plain is left to the library.
func boundNamespaces(r *resource.Resource, id ids.ResId) (map[string]bool, error) {
	bound := map[string]bool{}
	if r.GetKind() != "RoleBinding" || id.IsClusterScoped() {
		return bound, nil
	}
	subjects, err := r.GetSlice("subjects")
	if err != nil {
		return bound, nil
	}
	for _, s := range subjects {
		subject, ok := s.(map[string]any)
		if !ok {
			return nil, errIndirect
		}
		at, named := subject["namespace"]
		kind, typed := subject["kind"]
		if !named || !typed {
			continue
		}
		if text, ok := kind.(string); !ok {
			return nil, errIndirect
		} else if text != "ServiceAccount" {
			continue
		}
		name, ok := at.(string)
		if !ok || name == "" || name == ids.DefaultNamespace {
			return nil, errIndirect
		}
		bound[name] = true
	}
	return bound, nil
}
