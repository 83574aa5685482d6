package source

import (
	"slices"
	"strings"
	"sync"
)

// Input is one thing that a reading depended on: a file, a link passed
// through, a directory, or a path at which there was nothing. A directory has
// an ID only if it was listed; without one, only its being there counts.
type Input struct {
	Path string
	Kind Kind
	ID   string // Git object id; empty where the tree does not know it
}

// Inputs collects what the view of an FS asked for.
type Inputs struct {
	mu    sync.Mutex
	paths map[string]Input
}

// Record gives a view of the same files that writes down every path asked of
// it. It does not report to the view that it was made from.
func (f *FS) Record() (*FS, *Inputs) {
	in := &Inputs{paths: map[string]Input{}}
	return &FS{cache: f.cache, inputs: in}, in
}

func (in *Inputs) add(i Input) {
	if in == nil {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if old, ok := in.paths[i.Path]; ok && old.ID != "" {
		return
	}
	in.paths[i.Path] = i
}

// Sorted gives the inputs in order of their paths.
func (in *Inputs) Sorted() []Input {
	in.mu.Lock()
	defer in.mu.Unlock()
	out := make([]Input, 0, len(in.paths))
	for _, i := range in.paths {
		out = append(out, i)
	}
	slices.SortFunc(out, func(a, b Input) int { return strings.Compare(a.Path, b.Path) })
	return out
}
