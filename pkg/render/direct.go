//lint:file-ignore SA1019 what kustomizations still use has to be built

package render

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/builtins"
	"sigs.k8s.io/kustomize/api/filters/namespace"
	"sigs.k8s.io/kustomize/api/ifc"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	sigsyaml "sigs.k8s.io/yaml"
)

// direct builds most kustomizations with the library's own transformers, in
// the library's order, without what the library does between them: it writes
// out and reads back the configuration of each transformer on each level,
// looks through the whole list for each object's identity, and through all
// candidates for each reference by name. What direct does not know, and
// whatever fails, is built by the library as a whole, so its errors are the
// library's too. Tests build each input of theirs both ways.
type direct struct {
	maps    *resmap.Factory
	valid   ifc.Validator
	specs   *fieldSpecs
	schemas *schemas

	// What files of bases held, by their text: several overlays use them.
	parsed map[string][]*resource.Resource
	bytes  int // of text
}

// maxParsed is how many bytes of bases' files a worker remembers, parsed, before
// it starts again. Parsed they take ten times as much.
const maxParsed = 64 << 10

// errIndirect says that the library has to build.
var errIndirect = errors.New("not a build for the short way")

func newDirect() (*direct, error) {
	specs, err := defaultSpecs()
	if err != nil {
		return nil, err
	}
	p := provider.NewDefaultDepProvider()
	return &direct{maps: resmap.NewFactory(p.GetResourceFactory()), valid: p.GetFieldValidator(), specs: specs, schemas: &schemas{}}, nil
}

// build gives the objects of a directory as the library gives them.
func (d *direct) build(fs *files, dir string) (all []*resource.Resource, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errIndirect, r)
		}
		if err != nil {
			d.schemas.whole()
		}
	}()
	d.schemas.prepare(fs.data)
	set := &objects{}
	ldr := &loader{fs: fs, root: path.Join(mount, dir)}
	if err := d.level(set, ldr, types.KustomizationKind); err != nil {
		return nil, err
	}
	hash := builtins.NewHashTransformerPlugin()
	if err := hash.Config(d.helpers(ldr), nil); err != nil {
		return nil, err
	}
	if err := hash.Transform(set); err != nil {
		return nil, err
	}
	if err := d.specs.fixReferences(set); err != nil {
		return nil, err
	}
	if fs.late && d.schemas.state == schemasPart {
		return nil, errIndirect // that file's kinds were not prepared for
	}
	return finished(set)
}

func (d *direct) helpers(ldr ifc.Loader) *resmap.PluginHelpers {
	return resmap.NewPluginHelpers(ldr, d.valid, d.maps, types.DisabledPluginConfig())
}

// level adds the objects of one kustomization to a set and transforms the
// whole set. A component goes on with the set of the kustomization that lists
// it; any other one begins with an empty set.
func (d *direct) level(set *objects, ldr *loader, kind string) error {
	k, err := ldr.kustomization()
	if err != nil {
		return err
	}
	if k.Kind != kind || !simple(*k) {
		return errIndirect
	}
	for _, p := range k.Resources {
		if err := d.resource(set, ldr, p); err != nil {
			return err
		}
	}
	if err := d.generate(set, ldr, k); err != nil {
		return err
	}
	if err := set.unique(); err != nil {
		return err
	}
	for _, p := range k.Components {
		sub, err := ldr.below(p)
		if err != nil {
			return err
		}
		if err := d.level(set, sub, types.ComponentKind); err != nil {
			return err
		}
		if err := set.unique(); err != nil {
			return err
		}
	}
	return d.transform(set, ldr, k)
}

func (d *direct) resource(set *objects, ldr *loader, p string) error {
	if sub, err := ldr.below(p); err == nil {
		base := &objects{}
		if err := d.level(base, sub, types.KustomizationKind); err != nil {
			return err
		}
		set.all = append(set.all, base.all...)
		return nil
	}
	data, err := ldr.Load(p)
	if err != nil {
		return err
	}
	found, err := d.parse(data, len(ldr.open) > 0)
	set.all = append(set.all, found...)
	return err
}

// parse gives the resources of a file; those of a base's file are remembered.
// Where there is an anchor, nodes may lead to each other.
func (d *direct) parse(data []byte, base bool) ([]*resource.Resource, error) {
	if !base || bytes.IndexByte(data, '&') >= 0 {
		return d.maps.RF().SliceFromBytes(data)
	}
	known, ok := d.parsed[string(data)]
	if !ok {
		var err error
		if known, err = d.maps.RF().SliceFromBytes(data); err != nil {
			return known, err
		}
		if d.bytes += len(data); d.bytes > maxParsed || d.parsed == nil {
			d.parsed, d.bytes = map[string][]*resource.Resource{}, len(data)
		}
		d.parsed[string(data)] = known
	}
	own := make([]*resource.Resource, len(known))
	for i, r := range known {
		own[i] = r.DeepCopy()
	}
	return own, nil
}

// simple tells whether a kustomization has no field but those that this way
// knows.
func simple(k types.Kustomization) bool {
	k.TypeMeta, k.MetaData = types.TypeMeta{}, nil
	k.Resources, k.Components = nil, nil
	k.NamePrefix, k.NameSuffix, k.Namespace = "", "", ""
	k.Labels, k.CommonLabels, k.CommonAnnotations = nil, nil, nil
	k.Patches, k.PatchesStrategicMerge, k.PatchesJson6902 = nil, nil, nil
	k.Images, k.Replicas = nil, nil
	k.ConfigMapGenerator, k.SecretGenerator, k.GeneratorOptions = nil, nil, nil
	if len(k.HelmCharts) == 0 {
		k.HelmCharts = nil
	}
	return reflect.DeepEqual(k, types.Kustomization{})
}

// generate adds what generators make.
func (d *direct) generate(set *objects, ldr *loader, k *types.Kustomization) error {
	add := func(g resmap.GeneratorPlugin, config any) error {
		if err := d.configure(g, ldr, config); err != nil {
			return err
		}
		made, err := g.Generate()
		if err != nil {
			return err
		}
		for _, r := range made.Resources() {
			if err := set.absorb(r); err != nil {
				return err
			}
		}
		return nil
	}
	for _, args := range k.ConfigMapGenerator {
		args.Options = types.MergeGlobalOptionsIntoLocal(args.Options, k.GeneratorOptions)
		if err := add(builtins.NewConfigMapGeneratorPlugin(), struct{ types.ConfigMapArgs }{args}); err != nil {
			return err
		}
	}
	for _, args := range k.SecretGenerator {
		args.Options = types.MergeGlobalOptionsIntoLocal(args.Options, k.GeneratorOptions)
		if err := add(builtins.NewSecretGeneratorPlugin(), struct{ types.SecretArgs }{args}); err != nil {
			return err
		}
	}
	return nil
}

// configure hands a plugin its configuration as the library does, as text that
// the same encoder writes: not every string comes back as it was.
func (d *direct) configure(p resmap.Configurable, ldr *loader, config any) error {
	text, err := sigsyaml.Marshal(config)
	if err != nil {
		return err
	}
	return p.Config(d.helpers(ldr), text)
}

// reread gives a value as it comes out of the text in which the library hands
// it to a transformer.
func reread[T any](v T) (out T, err error) {
	text, err := sigsyaml.Marshal(v)
	if err != nil {
		return out, err
	}
	return out, sigsyaml.Unmarshal(text, &out)
}

// transform runs the transformers of one kustomization in the library's order.
func (d *direct) transform(set *objects, ldr *loader, k *types.Kustomization) error {
	run := func(t resmap.Transformer) error {
		if err := t.Transform(set); err != nil {
			return err
		}
		set.DropEmpties()
		return nil
	}
	if err := d.patch(ldr, k, run); err != nil {
		return err
	}
	v := settings{
		Prefix: k.NamePrefix, Suffix: k.NameSuffix, Namespace: k.Namespace, Labels: k.Labels,
		CommonLabels: k.CommonLabels, CommonAnnotations: k.CommonAnnotations, Replicas: k.Replicas, Images: k.Images,
	}
	if !v.survive() {
		var err error
		if v, err = reread(v); err != nil {
			return err
		}
	}
	if v.Namespace != "" {
		if err := d.namespace(set, v.Namespace); err != nil {
			return err
		}
		set.DropEmpties()
	}
	all, err := d.plain(v)
	if err != nil {
		return err
	}
	for _, t := range all {
		if err := run(t); err != nil {
			return err
		}
	}
	for _, p := range k.PatchesJson6902 {
		t := builtins.NewPatchJson6902TransformerPlugin()
		if err := d.configure(t, ldr, patchConfig{Target: p.Target, Path: p.Path, JSONOp: p.Patch}); err != nil {
			return err
		}
		if err := run(t); err != nil {
			return err
		}
	}
	for _, r := range v.Replicas {
		if err := run(&builtins.ReplicaCountTransformerPlugin{Replica: r, FieldSpecs: d.specs.Replicas}); err != nil {
			return err
		}
	}
	for _, i := range v.Images {
		if err := run(&builtins.ImageTagTransformerPlugin{ImageTag: i, FieldSpecs: d.specs.Images}); err != nil {
			return err
		}
	}
	return nil
}

// settings are what a kustomization says to transformers that are not patches.
type settings struct {
	Prefix, Suffix, Namespace string
	Labels                    []types.Label
	CommonLabels              map[string]string
	CommonAnnotations         map[string]string
	Replicas                  []types.Replica
	Images                    []types.Image
}

// survive tells whether the settings surely come out of their text as they are.
func (v settings) survive() bool {
	all := []string{v.Prefix, v.Suffix, v.Namespace}
	for _, l := range v.Labels {
		if len(l.FieldSpecs) > 0 {
			return false
		}
		for name, value := range l.Pairs {
			all = append(all, name, value)
		}
	}
	for _, m := range []map[string]string{v.CommonLabels, v.CommonAnnotations} {
		for name, value := range m {
			all = append(all, name, value)
		}
	}
	for _, r := range v.Replicas {
		all = append(all, r.Name)
	}
	for _, i := range v.Images {
		all = append(all, i.Name, i.NewName, i.NewTag, i.TagSuffix, i.Digest)
	}
	return !slices.ContainsFunc(all, func(s string) bool { return strings.Trim(s, ordinary) != "" || len(s) > 100 })
}

// ordinary are characters that mean nothing to YAML, wherever they stand in a
// text that is quoted if it would be taken for something else.
const ordinary = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./-"

// patchConfig is what the patch transformers are configured with.
type patchConfig struct {
	Paths   []types.PatchStrategicMerge `json:"paths,omitempty"`
	Path    string                      `json:"path,omitempty"`
	Patch   string                      `json:"patch,omitempty"`
	JSONOp  string                      `json:"jsonOp,omitempty"`
	Target  *types.Selector             `json:"target,omitempty"`
	Options *types.PatchArgs            `json:"options,omitempty"`
}

func (d *direct) patch(ldr *loader, k *types.Kustomization, run func(resmap.Transformer) error) error {
	var all []resmap.TransformerPlugin
	add := func(t resmap.TransformerPlugin, config patchConfig) error {
		all = append(all, t)
		return d.configure(t, ldr, config)
	}
	if len(k.PatchesStrategicMerge) > 0 {
		if err := add(builtins.NewPatchStrategicMergeTransformerPlugin(), patchConfig{Paths: k.PatchesStrategicMerge}); err != nil {
			return err
		}
	}
	for _, p := range k.Patches {
		if err := add(builtins.NewPatchTransformerPlugin(), patchConfig{Path: p.Path, Patch: p.Patch, Target: p.Target, Options: p.Options}); err != nil {
			return err
		}
	}
	for _, t := range all {
		if err := run(t); err != nil {
			return err
		}
	}
	return nil
}

// namespace does what the library's transformer does, with one look for
// identities that have become equal instead of one an object.
func (d *direct) namespace(set *objects, name string) error {
	for _, r := range set.all {
		if r.IsNilOrEmpty() {
			continue
		}
		if len(r.GetAnnotations(konfig.HelmGeneratedAnnotation)) > 0 {
			return errIndirect
		}
		r.StorePreviousId()
		err := r.ApplyFilter(namespace.Filter{
			Namespace: name, FsSlice: d.specs.NameSpace, SetRoleBindingSubjects: namespace.DefaultSubjectsOnly,
		})
		if err != nil {
			return err
		}
	}
	return set.unique()
}

// plain gives the transformers between the namespace's and the JSON patches.
func (d *direct) plain(v settings) ([]resmap.Transformer, error) {
	var all []resmap.Transformer
	if v.Prefix != "" {
		all = append(all, &builtins.PrefixTransformerPlugin{Prefix: v.Prefix, FieldSpecs: d.specs.NamePrefix})
	}
	if v.Suffix != "" {
		all = append(all, &builtins.SuffixTransformerPlugin{Suffix: v.Suffix, FieldSpecs: d.specs.NameSuffix})
	}
	for _, l := range v.Labels {
		specs, err := d.specs.of(l)
		if err != nil {
			return nil, err
		}
		all = append(all, &builtins.LabelTransformerPlugin{Labels: l.Pairs, FieldSpecs: specs})
	}
	if len(v.CommonLabels) > 0 {
		all = append(all, &builtins.LabelTransformerPlugin{Labels: v.CommonLabels, FieldSpecs: d.specs.CommonLabels})
	}
	if len(v.CommonAnnotations) > 0 {
		all = append(all, &builtins.AnnotationsTransformerPlugin{Annotations: v.CommonAnnotations, FieldSpecs: d.specs.CommonAnnotations})
	}
	return all, nil
}

// loader reads what one directory's kustomization names.
type loader struct {
	fs   *files
	root string
	open []string // the directories whose kustomizations include this one
}

func (l *loader) Repo() string                   { return "" }
func (l *loader) Root() string                   { return l.root }
func (l *loader) Cleanup() error                 { return nil }
func (l *loader) New(string) (ifc.Loader, error) { return nil, errIndirect }

// Load reads a file that lies in the directory, links followed.
func (l *loader) Load(name string) ([]byte, error) {
	if filepath.IsAbs(name) || isRemote(name) {
		return nil, errIndirect
	}
	full := path.Join(l.root, name)
	dir, file, err := l.fs.CleanedAbs(full)
	if err != nil || file == "" || !below(string(dir), l.root) {
		return nil, errIndirect
	}
	return l.fs.ReadFile(full)
}

// below gives the loader of another directory. The library takes none that
// contains one that leads here, and no path with dots inside of a name.
func (l *loader) below(name string) (*loader, error) {
	if name == "" || filepath.IsAbs(name) || isRemote(name) {
		return nil, errIndirect
	}
	for part := range strings.SplitSeq(name, "/") {
		if part != ".." && strings.Contains(part, "..") {
			return nil, errIndirect
		}
	}
	dir, file, err := l.fs.CleanedAbs(path.Join(l.root, name))
	if err != nil || file != "" {
		return nil, errIndirect
	}
	open := append(slices.Clone(l.open), l.root)
	if slices.ContainsFunc(open, func(o string) bool { return below(o, string(dir)) }) {
		return nil, errIndirect
	}
	return &loader{fs: l.fs, root: string(dir), open: open}, nil
}

func (l *loader) kustomization() (*types.Kustomization, error) {
	var text []byte
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if data, err := l.Load(name); err == nil && text == nil {
			text = data
		} else if err == nil {
			return nil, errIndirect
		}
	}
	var k types.Kustomization
	if err := k.Unmarshal(text); err != nil {
		return nil, err
	}
	k.FixKustomization()
	if err := k.CheckEmpty(); err != nil {
		return nil, err
	}
	if len(k.EnforceFields()) > 0 {
		return nil, errIndirect
	}
	return &k, nil
}
