package hydrate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/render"
	"github.com/sluice-dev/sluice/pkg/schema"
	"github.com/sluice-dev/sluice/pkg/source"
)

// validation checks the objects of the environments of one run.
type validation struct {
	src   Source
	base  *schema.Validator // nil if nothing is to be checked
	whole bool              // all objects are checked once all apps are there

	// What validate.crds gave for the paths of the environment before.
	paths   []config.Path
	defined *schema.Validator
	faults  finding.List
}

// newValidation reads the schemas that the config asks for. A release that is
// not known is a finding, and nothing is checked then.
func newValidation(src Source) (*validation, error) {
	v := &validation{src: src}
	version := ""
	if src.Config.Validate != nil {
		version = src.Config.Validate.Kubernetes
	}
	if src.recorded || version == "none" {
		return v, nil
	}
	if version == "" {
		any, err := schema.Any()
		v.base = any
		return v, err
	}
	one, err := schema.Load(version)
	if err != nil {
		var list finding.List
		place := src.Config.Place("validate.kubernetes")
		list.Add(place.File, place.Line, fmt.Sprintf("validate.kubernetes: %v", err),
			"name the clusters' release, write none to check nothing, or take the key out")
		return v, list
	}
	v.base = one
	return v, nil
}

// errWhole is that objects that were checked as they came have to be checked
// again, beside a definition of one of Kubernetes' own groups.
var errWhole = errors.New("objects are needed whole")

// early tells whether an object can be checked before the definitions of all
// apps are there.
func (v *validation) early(o *manifest.Object) bool {
	return v.base != nil && !v.whole && v.base.Own(o)
}

// verdict is what a validator says of an object.
type verdict struct {
	unchecked string
	faults    finding.List
}

func (v *validation) judge(by *schema.Validator, o *manifest.Object, u config.Unit) verdict {
	found := verdict{unchecked: by.Unchecked(o)}
	if faults := by.Validate(o); len(faults) > 0 {
		found.faults = v.placed(by, o, u, faults)
	}
	return found
}

// checked is what is said of an app's objects as soon as each is there, so that
// it need not stay in memory.
type checked struct {
	by   *validation
	unit config.Unit

	mu   sync.Mutex
	said map[*manifest.Object]verdict // nothing of those that are fine
}

// look checks an object if that can be done by now. It may be called for
// several at a time.
func (c *checked) look(o *manifest.Object) {
	if o.Node == nil || !c.by.early(o) {
		return
	}
	found := c.by.judge(c.by.base, o, c.unit)
	if found.unchecked == "" && len(found.faults) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.said == nil {
		c.said = map[*manifest.Object]verdict{}
	}
	c.said[o] = found
}

// needs tells whether an object has to stay whole.
func (c *checked) needs(o *manifest.Object) bool {
	return c.by.base != nil && (!c.by.early(o) || isDefinition(o))
}

// of gives what was said of each object of a set; nil if that is nothing.
func (c *checked) of(set manifest.Set) []verdict {
	if len(c.said) == 0 {
		return nil
	}
	all := make([]verdict, len(set))
	for i, o := range set {
		all[i] = c.said[o]
	}
	return all
}

// environment checks the objects of an environment's apps as the clusters get
// them. Definitions of custom resources count whichever app brings them, and
// before those of validate.crds. It says of which objects nothing is known.
func (v *validation) environment(ctx context.Context, e config.Environment, apps []rendered, pool *render.Pool) ([]string, error) {
	if v.base == nil {
		return nil, nil
	}
	if err := v.definitions(ctx, e, pool); err != nil {
		return nil, err
	}
	list := slices.Clone(v.faults)
	validator := v.defined.Clone()
	for _, a := range apps {
		for _, o := range a.Set {
			if !isDefinition(o) {
				continue
			}
			if err := list.Take(validator.AddCRD(o)); err != nil {
				return nil, err
			}
		}
	}
	if !v.whole && validator.Overrides() {
		return nil, errWhole
	}
	all := make([][]verdict, len(apps))
	var running sync.WaitGroup
	for i, a := range apps {
		running.Go(func() { all[i] = v.rest(validator, a) })
	}
	running.Wait()
	var unchecked []string
	for _, said := range slices.Concat(all...) {
		if said.unchecked != "" {
			unchecked = append(unchecked, said.unchecked)
		}
		list = append(list, said.faults...)
	}
	return unchecked, list.Err()
}

// rest checks what of an app could not be checked as it came, and gives what is
// said of all that is not fine, in the order of the objects.
func (v *validation) rest(by *schema.Validator, a rendered) []verdict {
	var all []verdict
	for i, o := range a.Set {
		var found verdict
		switch {
		case a.late || !v.early(o):
			found = v.judge(by, o, a.unit)
		case a.said != nil:
			found = a.said[i]
		}
		if found.unchecked != "" || len(found.faults) > 0 {
			all = append(all, found)
		}
	}
	return all
}

// definitions takes in what validate.crds names, once for the environments
// that name the same.
func (v *validation) definitions(ctx context.Context, e config.Environment, pool *render.Pool) error {
	paths := v.src.Config.Definitions(e)
	if v.defined != nil && slices.Equal(paths, v.paths) {
		return nil
	}
	v.paths, v.defined, v.faults = paths, v.base.Clone(), nil
	for _, p := range paths {
		set, err := pool.Render(ctx, v.src.Files, []render.Entry{{Path: p.Text, File: p.File, Line: p.Line}})
		before := len(v.faults)
		if err := v.faults.Take(err); err != nil {
			return err
		}
		any := false
		for _, o := range set {
			if !isDefinition(o) {
				continue
			}
			any = true
			if err := v.faults.Take(v.defined.AddCRD(o)); err != nil {
				return err
			}
		}
		if !any && len(v.faults) == before {
			v.faults.Add(p.File, p.Line, fmt.Sprintf("%q holds no CustomResourceDefinition", p.Text), "name the files that define custom resources, or take the entry out")
		}
	}
	return nil
}

func isDefinition(o *manifest.Object) bool {
	return o.ID.Kind == "CustomResourceDefinition" && o.ID.Group == "apiextensions.k8s.io"
}

// placed gives the faults of an object with the lines of the source. What
// kustomize builds has none: its fields are found again by their names in the
// resource file. One that is not there comes from elsewhere in the build.
func (v *validation) placed(validator *schema.Validator, o *manifest.Object, u config.Unit, faults finding.List) finding.List {
	if o.Origin.Line == 0 || o.Node.Line > 0 {
		return faults
	}
	files := v.src.Files
	if u.Revision != "" {
		var err error
		if files, err = v.src.Open(u.Revision); err != nil {
			return faults
		}
	}
	from := written(files, o.Origin)
	if from == nil {
		return faults
	}
	copied := *o
	copied.Node = withLines(o.Node, from)
	copied.Origin.Line = math.MaxInt // of what is not found again
	faults = validator.Validate(&copied)
	for i := range faults {
		if f := &faults[i]; f.Line == math.MaxInt {
			f.Line = o.Origin.Line
			f.Hint = strings.TrimPrefix(f.Hint+fmt.Sprintf("; it is not in this file, something in %s sets it", o.Origin.Entry), "; ")
		}
	}
	return faults
}

// written gives the node of the source that an object begins at, or nil.
func written(files *source.FS, at manifest.Origin) *yaml.Node {
	data, err := files.ReadFile(at.File)
	if err != nil {
		return nil
	}
	docs, err := manifest.Documents(at.File, data)
	if err != nil {
		return nil
	}
	for _, d := range docs {
		if d.Index == at.Doc {
			return begins(d.Node, at.Line)
		}
	}
	return nil
}

// begins gives the object of a document, or of the lists in it, that stands at
// a line.
func begins(n *yaml.Node, line int) *yaml.Node {
	if n.Line == line {
		return n
	}
	items := manifest.Field(n, "items")
	if items == nil {
		return nil
	}
	for _, item := range items.Content {
		if found := begins(item, line); found != nil {
			return found
		}
	}
	return nil
}

// withLines gives a copy of n with the lines of what has the same place in
// from: the same key, the same name in a list of named items, or the same index.
func withLines(n, from *yaml.Node) *yaml.Node {
	out := *n
	if from == nil || from.Kind != n.Kind {
		return &out
	}
	out.Line = from.Line
	out.Content = make([]*yaml.Node, len(n.Content))
	for i := range n.Content {
		switch {
		case n.Kind == yaml.SequenceNode:
			out.Content[i] = withLines(n.Content[i], sameItem(n.Content[i], i, from))
		case i%2 == 1:
			key, value := pair(from, n.Content[i-1].Value)
			out.Content[i-1], out.Content[i] = withLines(n.Content[i-1], key), withLines(n.Content[i], value)
		}
	}
	return &out
}

func pair(n *yaml.Node, key string) (k, v *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

func sameItem(item *yaml.Node, i int, from *yaml.Node) *yaml.Node {
	name := manifest.Field(item, "name")
	if name == nil {
		if i < len(from.Content) {
			return from.Content[i]
		}
		return nil
	}
	for _, other := range from.Content {
		if f := manifest.Field(other, "name"); f != nil && f.Value == name.Value {
			return other
		}
	}
	return nil
}
