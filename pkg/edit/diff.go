package edit

import (
	"errors"
	"slices"

	"go.yaml.in/yaml/v3"
)

// change replaces a range of the text; of an empty range it is an insertion.
type change struct {
	from, to int
	text     string
}

// editor turns the differences of two trees into changes.
type editor struct {
	*layout
	comparer
	form    form
	forms   map[*yaml.Node]form
	flows   map[*yaml.Node]flowForm
	anew    *yaml.Node                // to be written as a whole
	kept    map[*yaml.Node]*yaml.Node // nodes with an anchor in the text, and what they are to mean
	changes []change
	rewrote bool
	err     error
}

// place is where a node stands.
type place struct {
	kind  int
	col   int        // column of the block collection round it; -1 without one
	owner *yaml.Node // the collection that it is in
}

const (
	atRoot = iota
	inMapping
	inSequence
	inFlow
)

func (e *editor) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

func (e *editor) change(from, to int, text string) {
	if from != to || text != "" {
		e.changes = append(e.changes, change{from, to, text})
	}
}

// apply makes the changes. At one offset insertions come first, in the order
// in which they were found.
func (e *editor) apply() ([]byte, error) {
	slices.SortStableFunc(e.changes, func(a, b change) int {
		if a.from != b.from {
			return a.from - b.from
		}
		if (a.from == a.to) != (b.from == b.to) {
			if a.from == a.to {
				return -1
			}
			return 1
		}
		return 0
	})
	var out []byte
	at := 0
	for _, c := range e.changes {
		if c.from < at {
			return nil, errors.New("changes overlap")
		}
		out = append(append(out, e.text[at:c.from]...), c.text...)
		at = c.to
	}
	return append(out, e.text[at:]...), nil
}

// diff makes the text of o mean c.
func (e *editor) diff(o, c *yaml.Node, p place) {
	s := e.spans[o]
	if o.Kind == yaml.AliasNode {
		if target := e.kept[o.Alias]; target == nil || !e.same(target, c) {
			e.replace(o, c, p)
		}
		return
	}
	c = follow(c)
	if o.Anchor != "" {
		e.kept[o] = c
	}
	switch {
	case o == e.anew:
		e.rewrote = true
		e.replace(o, c, p)
	case o.Kind != c.Kind || o.ShortTag() != c.ShortTag():
		e.replace(o, c, p)
	case o.Kind == yaml.ScalarNode:
		if !e.same(o, c) {
			e.replace(o, c, p)
		}
	case s.opaque:
		if e.same(o, c) {
			e.keep(o)
			return
		}
		e.rewrote = true
		e.replace(o, c, p)
	case o.Kind == yaml.MappingNode && merges(o) && !merges(c):
		if u := e.unmerged(o, c); u != nil {
			e.collection(o, u, p)
			return
		}
		e.rewrote = true
		e.replace(o, c, p)
	default:
		e.collection(o, c, p)
	}
}

// keep records the anchors in a part of the text that stays as it is.
func (e *editor) keep(o *yaml.Node) {
	if o.Anchor != "" {
		e.kept[o] = o
	}
	for _, child := range o.Content {
		e.keep(child)
	}
}

// unmerged gives what a mapping without merge key is to be in a text that has
// one: the entries that come through the merge key are left out and the merge
// key stays. nil if that cannot be.
func (e *editor) unmerged(o, c *yaml.Node) *yaml.Node {
	var own, through []*yaml.Node
	for i := 0; i < len(o.Content); i += 2 {
		if !isMerge(o.Content[i]) {
			own = append(own, o.Content[i], o.Content[i+1])
		} else if e.stays(o.Content[i+1]) {
			through = append(through, o.Content[i], o.Content[i+1])
		} else {
			return nil
		}
	}
	merged := flat(&yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: through})
	for i := 0; i < len(merged); i += 2 {
		if e.value(c.Content, merged[i]) == nil {
			return nil
		}
	}
	out := *c
	out.Content = nil
	for i := 0; i < len(c.Content); i += 2 {
		v := e.value(merged, c.Content[i])
		if v == nil || !e.same(v, c.Content[i+1]) || e.value(own, c.Content[i]) != nil {
			out.Content = append(out.Content, c.Content[i], c.Content[i+1])
		}
	}
	for i := 0; i < len(o.Content); i += 2 {
		if isMerge(o.Content[i]) {
			at := 0
			if i > 0 {
				at = e.behind(out.Content, o.Content[i-2])
			}
			out.Content = slices.Insert(out.Content, at, o.Content[i], o.Content[i+1])
		}
	}
	return &out
}

// behind is where the entry after a key begins; the start if there is no such
// key.
func (e *editor) behind(content []*yaml.Node, key *yaml.Node) int {
	for i := 0; i < len(content); i += 2 {
		if e.same(content[i], key) {
			return i + 2
		}
	}
	return 0
}

// stays tells whether the aliases in a node mean in the new text what they
// meant in the old.
func (e *editor) stays(o *yaml.Node) bool {
	if o.Kind == yaml.AliasNode {
		target := e.kept[o.Alias]
		return target != nil && e.same(target, o.Alias)
	}
	for _, c := range o.Content {
		if !e.stays(c) {
			return false
		}
	}
	return true
}

// member is an entry of a mapping or an item of a sequence.
type member struct {
	key, value *yaml.Node
	start, end int // in the text
}

func (e *editor) members(n *yaml.Node, located bool) []member {
	var out []member
	if n.Kind == yaml.SequenceNode {
		for i, item := range n.Content {
			m := member{value: item}
			if located {
				s := e.spans[item]
				if m.start, m.end = s.start, s.end; !e.spans[n].flow {
					m.start = e.spans[n].dashes[i]
				}
			}
			out = append(out, m)
		}
		return out
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		m := member{key: n.Content[i], value: n.Content[i+1]}
		if located {
			m.start, m.end = e.spans[m.key].start, e.spans[m.value].end
		}
		out = append(out, m)
	}
	return out
}

// cost tells how well two members go together.
func (e *editor) cost(a, b member) int {
	switch {
	case a.key != nil && e.same(a.key, b.key):
		return 0
	case a.key != nil:
		return never
	case e.same(a.value, b.value):
		return 0
	}
	x, y := follow(a.value), follow(b.value)
	if x.Kind != y.Kind {
		return gap + 1
	}
	if x.Kind != yaml.MappingNode {
		return gap + 1
	}
	n, m := Find(x, "name"), Find(y, "name")
	switch {
	case n == nil || m == nil:
		return gap + 1
	case e.same(n, m):
		return 1
	case e.renamed(x, y):
		return gap + 1
	}
	return never
}

// renamed tells whether two mappings differ in their name alone.
func (e *editor) renamed(a, b *yaml.Node) bool {
	if len(a.Content) != len(b.Content) {
		return false
	}
	for i := 0; i < len(a.Content); i += 2 {
		if !e.same(a.Content[i], b.Content[i]) || a.Content[i].Value != "name" && !e.same(a.Content[i+1], b.Content[i+1]) {
			return false
		}
	}
	return true
}

// collection makes the members of one collection those of the other.
func (e *editor) collection(o, c *yaml.Node, p place) {
	olds, news := e.members(o, true), e.members(c, false)
	steps := align(len(olds), len(news), func(i, j int) int { return e.cost(olds[i], news[j]) })
	stay := slices.ContainsFunc(steps, func(s step) bool { return s.old >= 0 && s.new >= 0 })
	switch {
	case len(steps) == 0:
	case !stay:
		e.replace(o, c, p)
	case e.spans[o].flow:
		e.flowMembers(o, olds, news, steps)
	default:
		e.blockMembers(o, olds, news, steps)
	}
}

// matched edits what two members that go together differ in.
func (e *editor) matched(o *yaml.Node, a, b member) {
	p := place{kind: inSequence, col: e.spans[o].column, owner: o}
	switch {
	case e.spans[o].flow:
		p.kind, p.col = inFlow, -1
	case a.key != nil:
		p.kind = inMapping
	}
	if a.key != nil && a.key.Anchor != "" {
		e.kept[a.key] = b.key
	}
	e.diff(a.value, b.value, p)
}
