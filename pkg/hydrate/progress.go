package hydrate

import (
	"path"
	"slices"
	"sync"

	"github.com/sluice-dev/sluice/pkg/config"
)

// Progress is told how far rendering is: how many apps are done, of how many
// that have to be rendered, and one that is being worked on, as ENV/APP. It is
// called by one goroutine at a time. The last call of a rendering names no app,
// whatever came of it.
type Progress func(done, total int, app string)

// counter counts the apps of one rendering.
type counter struct {
	tell Progress // nil: nobody asked

	mu          sync.Mutex
	done, total int
	running     []string
}

// count gives the counter of what is to be rendered for environments.
func (r Renderer) count(src Source, environments []config.Environment, kept *reuse) *counter {
	c := &counter{tell: r.Progress}
	for _, e := range environments {
		for _, u := range kept.units(src, e) {
			if _, taken := kept.of(e)[u.App]; !taken && u.Engine == "" {
				c.total++
			}
		}
	}
	return c
}

// begin says that an app is being worked on, and gives what says that it is no
// more.
func (c *counter) begin(environment, app string) (end func()) {
	name := path.Join(environment, app)
	c.change(func() { c.running = append(c.running, name) })
	return func() {
		c.change(func() {
			c.done++
			i := slices.Index(c.running, name)
			c.running = slices.Delete(c.running, i, i+1)
		})
	}
}

func (c *counter) change(what func()) {
	if c.tell == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	what()
	if n := len(c.running); n > 0 {
		c.tell(c.done, c.total, c.running[n-1])
	}
}

// over says that nothing is rendered any more.
func (c *counter) over() {
	if c.tell != nil {
		c.tell(c.done, c.total, "")
	}
}
