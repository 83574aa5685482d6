package diff

import (
	"context"
	"fmt"
	"path"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/source"
)

// Pair is two states of one environment, or of two environments.
type Pair struct {
	Name          string
	Before, After Side
	// Across says that the sides are two environments: an object of the same
	// kind and name in another namespace is the same one.
	Across bool
}

// Options say how to compare.
type Options struct {
	// Strip takes an injector's proxy out of an object, in place, and tells
	// whether there was one. Nil where no injector is known.
	Strip func(*yaml.Node) bool
}

// Compare gives everything that differs between the two sides of each pair.
func Compare(ctx context.Context, pairs []Pair, o Options) (*Report, error) {
	r := &Report{Environments: []Environment{}}
	m := &masks{numbers: map[string]int{}}
	for _, p := range pairs {
		c := comparison{pair: p, options: o, masks: m}
		if err := c.run(ctx); err != nil {
			return nil, err
		}
		r.Environments = append(r.Environments, c.env)
		r.Counts.add(c.env.Counts)
	}
	return r, nil
}

func (c *Counts) add(more Counts) {
	c.Added += more.Added
	c.Removed += more.Removed
	c.Changed += more.Changed
	c.Renamed += more.Renamed
	c.Files += more.Files
	c.Unchanged += more.Unchanged
}

// comparison is the work on one pair.
type comparison struct {
	pair    Pair
	options Options
	masks   *masks
	env     Environment
	entries []entry
}

// entry is one file that differs and holds an object on each side that has it.
type entry struct {
	before, after *state
}

// state is an object on one side.
type state struct {
	file   string // relative to the environment
	path   string // on the branch
	id     manifest.ID
	node   *yaml.Node // masked
	masked bool
}

func (c *comparison) run(ctx context.Context) error {
	c.env = Environment{Name: c.pair.Name, Before: c.pair.Before.Label, After: c.pair.After.Label, Images: []ImageChange{}, Objects: []Object{}, Files: []File{}, Lists: []string{}}
	before, after := c.pair.Before.Files, c.pair.After.Files
	if before == nil {
		before = Rendered(nil)
	}
	if after == nil {
		after = Rendered(nil)
	}
	err := Files(before, after, ".", func(status Status, file string) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return c.file(before, after, status, file)
	})
	if err != nil {
		return err
	}
	c.pairRenamed()
	renamed := c.renamedNames()
	for _, e := range c.entries {
		o, err := c.object(e, renamed)
		if err != nil {
			return err
		}
		c.env.Objects = append(c.env.Objects, o)
	}
	all, err := countFiles(after, ".")
	if err != nil {
		return err
	}
	c.count(all)
	return nil
}

// file sorts a file that differs under objects, lists and others.
func (c *comparison) file(before, after source.Tree, status Status, file string) error {
	var a, b *content
	var err error
	if status != Added {
		if a, err = c.read(before, c.pair.Before.Path, file); err != nil {
			return err
		}
	}
	if status != Removed {
		if b, err = c.read(after, c.pair.After.Path, file); err != nil {
			return err
		}
	}
	switch {
	case path.Base(file) == listFile:
		return c.list(status, a, b)
	case a.state() != nil && b.state() != nil && a.object.masked != b.object.masked:
		// What was a Secret is no less secret in the object that it was made into.
		c.env.Files = append(c.env.Files, File{Status: status, File: shown(a, b), Text: describeOther(a, b)})
	case (a == nil || a.object != nil) && (b == nil || b.object != nil):
		c.entries = append(c.entries, split(a.state(), b.state())...)
	default:
		c.env.Files = append(c.env.Files, File{Status: status, File: shown(a, b), Text: describeOther(a, b)})
	}
	return nil
}

// split makes two entries of a file that holds another object than before.
func split(a, b *state) []entry {
	if a == nil || b == nil || a.id == b.id {
		return []entry{{a, b}}
	}
	return []entry{{a, nil}, {nil, b}}
}

// content is a file on one side.
type content struct {
	path   string // on the branch
	kind   source.Kind
	data   []byte
	object *state // nil if the file does not hold exactly one
}

func (c *content) state() *state {
	if c == nil {
		return nil
	}
	return c.object
}

func (c *comparison) read(files source.Tree, dir, file string) (*content, error) {
	e, err := files.Lookup(file)
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", path.Join(dir, file), err)
	}
	out := &content{path: path.Join(dir, file), kind: e.Kind}
	if e.Kind != source.File {
		return out, nil
	}
	if out.data, err = files.ReadFile(file, maxFile); err != nil {
		return nil, fmt.Errorf("reading %q: %w", out.path, err)
	}
	set, err := manifest.Parse(out.path, out.data)
	if err != nil || len(set) != 1 {
		return out, nil // edited by hand, perhaps; still a difference
	}
	out.object = &state{file: file, path: out.path, id: set[0].ID}
	out.object.node, out.object.masked = c.masks.object(set[0])
	return out, nil
}

func shown(a, b *content) string {
	if b != nil {
		return b.path
	}
	return a.path
}

// describeOther says of a file that is no object what can be said without
// showing it: nobody knows what in it is secret.
func describeOther(a, b *content) string {
	var parts []string
	for _, c := range []*content{a, b} {
		switch {
		case c == nil:
			parts = append(parts, "nothing")
		case c.kind != source.File:
			parts = append(parts, c.kind.String())
		case c.object != nil:
			parts = append(parts, c.object.id.String())
		case isBinary(c.data):
			parts = append(parts, fmt.Sprintf("binary, %d bytes", len(c.data)))
		default:
			parts = append(parts, count(strings.Count(string(c.data), "\n"), "line")+", not one Kubernetes object")
		}
	}
	return parts[0] + " -> " + parts[1]
}

// isBinary is git's own test: a zero byte near the beginning.
func isBinary(data []byte) bool {
	return strings.IndexByte(string(data[:min(len(data), 8000)]), 0) >= 0
}

// count fills in the numbers and the order.
func (c *comparison) count(all int) {
	env := &c.env
	sort.SliceStable(env.Objects, func(i, j int) bool { return env.Objects[i].File < env.Objects[j].File })
	env.Counts.Files = len(env.Files)
	gone := 0
	for _, o := range env.Objects {
		switch o.Status {
		case Added:
			env.Counts.Added++
		case Removed:
			env.Counts.Removed++
			gone++
		case Renamed:
			env.Counts.Renamed++
		default:
			env.Counts.Changed++
		}
	}
	others := 0
	for _, f := range env.Files {
		if f.Status != Removed && path.Base(f.File) != listFile && strings.HasSuffix(f.File, ".yaml") {
			others++
		}
	}
	env.Counts.Unchanged = max(0, all-(len(env.Objects)-gone)-others)
	env.Images = imageChanges(env.Objects)
}
