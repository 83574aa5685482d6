package hydrate

import (
	"context"
	"sync"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/inject/program"
	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// rendered is one app of one environment, and what is at fault with it.
type rendered struct {
	tree.App
	unit config.Unit
	said []verdict // of its objects, where anything was said as they came
	late bool      // its objects were not looked at as they came
	err  error
}

// apps renders the apps of all environments: each app for one environment after
// the other, so that what they have in common is read once, and several apps at
// a time. Those that are taken over have a name and nothing else.
func (r Renderer) apps(ctx context.Context, src Source, environments []config.Environment, programs map[string]*program.Program, checks *validation, kept *reuse) [][]rendered {
	progress := r.count(src, environments, kept)
	defer progress.over()
	all := make([][]rendered, len(environments))
	type place struct{ environment, unit int }
	var names []string
	places := map[string][]place{}
	for i, e := range environments {
		units, taken := kept.units(src, e), kept.of(e)
		all[i] = make([]rendered, len(units))
		for j, u := range units {
			all[i][j].unit, all[i][j].Name = u, u.App
			if _, is := taken[u.App]; is || u.Engine != "" {
				continue // an engine's is made of the others, once they are there
			}
			if places[u.App] == nil {
				names = append(names, u.App)
			}
			places[u.App] = append(places[u.App], place{i, j})
		}
	}
	var running sync.WaitGroup
	// What waits for a worker has been read already: a few are enough.
	slots := make(chan struct{}, 2*r.Workers.Size())
	for _, name := range names {
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			lane := r.Workers.Lane()
			for _, p := range places[name] {
				a := &all[p.environment][p.unit]
				end := progress.begin(environments[p.environment].Name, name)
				c := &checked{by: checks, unit: a.unit}
				var set manifest.Set
				a.App, set, a.err = app(ctx, src, a.unit, lane, programs, c)
				a.said = c.of(set)
				end()
			}
		})
	}
	running.Wait()
	return all
}
