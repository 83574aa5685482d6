package repo

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// look is how a file or link looks. Whoever changes one and sets its time back
// cannot set back when that was done.
type look struct {
	modified time.Time
	changed  time.Time // anything of it; zero where the system does not tell
	size     uint32
}

// unsure adds the files that were touched since git saw them to others.
func (x *Index) unsure(ctx context.Context, seen []indexEntry, others []string) []string {
	slices.Sort(others)
	if len(seen) == 0 {
		return others
	}
	slices.SortFunc(seen, func(a, b indexEntry) int { return strings.Compare(a.path, b.path) })
	untouched := make([]bool, len(seen))
	if top, err := openTop(x.repo.workTree); err == nil {
		defer top.close()
		var running sync.WaitGroup
		n := runtime.GOMAXPROCS(0)
		for part := range n {
			running.Go(func() {
				dirs := map[string]bool{"": true}
				for i := part * len(seen) / n; i < (part+1)*len(seen)/n && ctx.Err() == nil; i++ {
					e := seen[i]
					untouched[i] = real(top, e.path[:strings.LastIndexByte(e.path, '/')+1], dirs) && x.untouched(top, e)
				}
			})
		}
		running.Wait()
	}
	for i, e := range seen {
		if !untouched[i] {
			others = append(others, e.path)
		}
	}
	slices.Sort(others)
	return others
}

// real tells whether a directory, its path with a slash at the end, is one and
// no link is on the way: what lies behind one is not what git saw. known is
// what has been asked already.
func real(top topDir, dir string, known map[string]bool) bool {
	is, ok := known[dir]
	if !ok {
		name := dir[:len(dir)-1]
		is = real(top, name[:strings.LastIndexByte(name, '/')+1], known) && top.isDir(name)
		known[dir] = is
	}
	return is
}

// untouched tells whether a file looks as it did when git saw what is in it.
func (x *Index) untouched(top topDir, e indexEntry) bool {
	is, ok := top.look(e.path)
	if is.changed.IsZero() {
		is.changed = e.look.changed
	}
	return ok && is.size == e.look.size && is.modified.Equal(e.look.modified) && is.changed.Equal(e.look.changed) && x.after(e.look.modified)
}

// after tells whether the index was surely written after a time. What was
// written after git looked, within what clocks tell apart, may have been written
// after git had read it. Some file systems count in seconds, or in two.
func (x *Index) after(t time.Time) bool {
	if t.Nanosecond() == 0 {
		return t.Add(2 * time.Second).Before(x.written)
	}
	return t.Before(x.written)
}
