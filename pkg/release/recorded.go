package release

import (
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/finding"
)

// given gives the trees that the recorded release put over the documents of a
// file, nil if that is not known.
func (p *plan) given(name string, f *file) ([]*yaml.Node, error) {
	from := p.recorded(name)
	if from == "" {
		return nil, nil
	}
	if !slices.Contains(p.catalog.Versions[p.up.Provider], from) {
		if p.request.Discard {
			return nil, nil
		}
		return nil, &finding.Refusal{
			Text: fmt.Sprintf("%s/%s holds no release %s, which cluster %s is at: edits by hand cannot be told from what it gave", p.catalog.Dir, p.up.Provider, from, p.request.Cluster),
			Hint: "keep the releases that clusters are at; to upgrade all the same, and lose edits: --discard-edits",
		}
	}
	c, err := p.release(from)
	if err != nil {
		return nil, err
	}
	trees, err := c[name].meant(f)
	if err != nil && p.request.Discard {
		return nil, nil
	}
	return trees, err
}

// note writes down the changes of a document, and which of them lose an edit.
func (p *plan) note(name, at string, d *doc, deltas []delta, before []*yaml.Node, i int) {
	for _, c := range deltas {
		place := Place{File: at, Line: d.line(c.at), Object: object(d.means), Field: show(c.path)}
		p.up.Changes = append(p.up.Changes, Change{place, d.shown(c.was), d.shown(c.will)})
		if before == nil {
			continue
		}
		var gave *yaml.Node
		if before[i] != nil {
			gave, _ = given(before[i], c.path)
		}
		if !equal(gave, c.was) {
			p.up.Edits = append(p.up.Edits, Edit{place, p.recorded(name), p.request.To, d.shown(gave), d.shown(c.was), d.shown(c.will)})
		}
	}
}

// leave writes down what the recorded release set and the new one does not.
func (p *plan) leave(at string, d *doc, before []*yaml.Node, i int, tree *yaml.Node) {
	if before == nil || before[i] == nil {
		return
	}
	for _, leaf := range leaves(before[i], nil) {
		is := find(d.means, leaf)
		if is == nil || isNull(is) || touches(tree, leaf) {
			continue
		}
		p.up.Left = append(p.up.Left, Left{Place{at, is.Line, object(d.means), show(leaf)}, d.shown(is)})
	}
}

// dropped writes down what the recorded release set in files that the new one
// does not have at all.
func (p *plan) dropped() error {
	if len(p.request.Only) > 0 {
		return nil
	}
	nothing := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, name := range slices.Sorted(maps.Keys(p.own)) {
		from := p.recorded(name)
		if p.releases[p.request.To][name] != nil || !slices.Contains(p.catalog.Versions[p.up.Provider], from) {
			continue
		}
		was, err := p.release(from)
		if err != nil {
			return err
		}
		if was[name] == nil {
			continue
		}
		f, err := read(p.files, p.own[name])
		if err != nil {
			return err
		}
		trees, err := was[name].meant(f)
		if err != nil {
			continue // it is not touched: whatever it is now stays
		}
		for i, d := range f.docs {
			p.leave(f.path, d, trees, i, nothing)
		}
	}
	return nil
}

// touches tells whether a tree says anything of a path, of what it lies in, or
// of what lies in it.
func touches(tree *yaml.Node, at []string) bool {
	for n := len(at); n > 0; n-- {
		if value := find(tree, at[:n]); value != nil {
			return n == len(at) || value.Kind != yaml.MappingNode
		}
	}
	return false
}
