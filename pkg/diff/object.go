package diff

import (
	"path"
	"regexp"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

// object compares the two states of one object.
func (c *comparison) object(e entry, renamed map[string]string) (Object, error) {
	at, status := e.after, Changed
	var before, after *yaml.Node
	if e.before != nil {
		before = e.before.node
	} else {
		status = Added
	}
	if e.after != nil {
		after = e.after.node
	} else {
		at, status = e.before, Removed
	}
	o := Object{
		Status: status, Object: at.id.String(), Group: at.id.Group, Kind: at.id.Kind, Namespace: at.id.Namespace, Name: at.id.Name,
		App: app(at), File: at.path, Notes: []Note{}, Fields: []Field{},
	}
	if e.before != nil && e.after != nil {
		if e.before.id.Name != e.after.id.Name {
			o.Status, o.RenamedFrom = Renamed, e.before.id.Name
		}
		if found := fields(before, after); found != nil {
			o.Fields = found
		}
		follow(o.Fields, renamed)
	}
	ownBefore, ownAfter, injected := c.strip(before, after)
	o.Injected = injected
	var err error
	if o.Text, err = objectText(before, after); err != nil {
		return o, err
	}
	if injected {
		markInjector(o.Fields, ownBefore, ownAfter)
		own, err := objectText(ownBefore, ownAfter)
		if err != nil {
			return o, err
		}
		if own.Added != o.Text.Added || own.Removed != o.Text.Removed {
			o.Own = &own
		}
	}
	o.Notes = append(o.Notes, notes(&o, before, after, at.masked, c.pair.Across)...)
	o.Images = objectImages(&o, before, after)
	return o, nil
}

// app tells the app from a file's place: <app>/[<namespace>/]<file>.
func app(s *state) string {
	dir := path.Dir(s.file)
	if s.id.Namespace != "" {
		dir = path.Dir(dir)
	}
	if dir == "." {
		return ""
	}
	return dir
}

// strip gives both states without proxies, and whether there was one.
func (c *comparison) strip(before, after *yaml.Node) (a, b *yaml.Node, injected bool) {
	if c.options.Strip == nil {
		return before, after, false
	}
	a, b = clone(before), clone(after)
	for _, n := range []*yaml.Node{a, b} {
		if n != nil && c.options.Strip(n) {
			injected = true
		}
	}
	return a, b, injected
}

// markInjector marks the fields that do not differ once the proxies are out.
func markInjector(all []Field, before, after *yaml.Node) {
	if before == nil || after == nil {
		return
	}
	type change struct {
		op            Op
		path          string
		before, after string
	}
	key := func(f Field) change {
		k := change{op: f.Op, path: f.Path}
		if f.Op == Reordered {
			return k // the proxies are in the list, too
		}
		if f.Before != nil {
			k.before = f.Before.Inline()
		}
		if f.After != nil {
			k.after = f.After.Inline()
		}
		return k
	}
	own := map[change]bool{}
	for _, f := range fields(before, after) {
		own[key(f)] = true
	}
	for i := range all {
		all[i].Injector = !own[key(all[i])]
	}
}

// hashed matches a name with the suffix that kustomize makes of an object's
// content: ten characters of those that it uses in place of hex digits.
var hashed = regexp.MustCompile(`^(.+)-[2456789bcdfghkmt]{10}$`)

// pairRenamed joins an object that went with the one that came in its place
// under another hash suffix, where there is one of each and no doubt. Across
// environments the namespace may be another one, too.
func (c *comparison) pairRenamed() {
	c.join(func(s *state) (string, bool) {
		m := hashed.FindStringSubmatch(s.id.Name)
		if m == nil {
			return "", false
		}
		return strings.Join([]string{app(s), s.id.Group, s.id.Kind, s.id.Namespace, m[1]}, "\n"), true
	})
	if !c.pair.Across {
		return
	}
	c.join(func(s *state) (string, bool) {
		name := s.id.Name
		if m := hashed.FindStringSubmatch(name); m != nil {
			name = m[1]
		}
		return strings.Join([]string{app(s), s.id.Group, s.id.Kind, name}, "\n"), true
	})
}

// join makes one entry of an object that went and one that came, where they
// are the only ones of one key.
func (c *comparison) join(key func(*state) (string, bool)) {
	gone, came := map[string][]int{}, map[string][]int{}
	for i, e := range c.entries {
		switch {
		case e.before == nil:
			if k, ok := key(e.after); ok {
				came[k] = append(came[k], i)
			}
		case e.after == nil:
			if k, ok := key(e.before); ok {
				gone[k] = append(gone[k], i)
			}
		}
	}
	drop := map[int]bool{}
	for k, i := range gone {
		if j := came[k]; len(i) == 1 && len(j) == 1 {
			c.entries[j[0]].before = c.entries[i[0]].before
			drop[i[0]] = true
		}
	}
	var kept []entry
	for i, e := range c.entries {
		if !drop[i] {
			kept = append(kept, e)
		}
	}
	c.entries = kept
}

// renamedNames gives old and new name of every renamed object, as one key.
func (c *comparison) renamedNames() map[string]string {
	names := map[string]string{}
	for _, e := range c.entries {
		if e.before != nil && e.after != nil && e.before.id.Name != e.after.id.Name {
			names[e.before.id.Name+" "+e.after.id.Name] = e.after.id.String()
		}
	}
	return names
}

// follow marks the fields that name a renamed object, and nothing else. Of
// the renamed object itself, its name is the news.
func follow(all []Field, renamed map[string]string) {
	for i, f := range all {
		if f.Op != FieldChanged || f.Path == "metadata.name" || f.Before.node.Kind != yaml.ScalarNode || f.After.node.Kind != yaml.ScalarNode {
			continue
		}
		all[i].Follows = renamed[f.Before.node.Value+" "+f.After.node.Value]
	}
}

// objectImages gives the images that an object's containers lose and get: by
// container where it stayed, else by the object's images as a whole.
func objectImages(o *Object, before, after *yaml.Node) []ImageChange {
	out := []ImageChange{}
	seen := map[ImageChange]bool{}
	add := func(c ImageChange) {
		if c.Before != c.After && !seen[c] {
			seen[c] = true
			out = append(out, c)
		}
	}
	told := map[string]bool{}
	for _, f := range o.Fields {
		if f.Op == FieldChanged && containerImage.MatchString(f.Path) {
			add(ImageChange{Before: f.Before.node.Value, After: f.After.node.Value})
			told["-"+f.Before.node.Value], told["+"+f.After.node.Value] = true, true
		}
	}
	had, has := map[string]bool{}, map[string]bool{}
	for _, i := range imagesOf(before) {
		had[i] = true
	}
	for _, i := range imagesOf(after) {
		has[i] = true
		if !had[i] && !told["+"+i] {
			add(ImageChange{After: i})
		}
	}
	for _, i := range imagesOf(before) {
		if !has[i] && !told["-"+i] {
			add(ImageChange{Before: i})
		}
	}
	return out
}

// imageChanges gives each change of an image once, with the number of objects.
func imageChanges(objects []Object) []ImageChange {
	number := map[ImageChange]int{}
	for _, o := range objects {
		for _, c := range o.Images {
			number[c]++
		}
	}
	all := make([]ImageChange, 0, len(number))
	for c, n := range number {
		c.Objects = n
		all = append(all, c)
	}
	sort.Slice(all, func(i, j int) bool {
		a, b := all[i], all[j]
		if a.Before != b.Before {
			return a.Before < b.Before
		}
		return a.After < b.After
	})
	return all
}
