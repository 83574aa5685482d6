package cli

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/sluice-dev/sluice/pkg/hydrate"
	"github.com/sluice-dev/sluice/pkg/inject/program"
	"github.com/sluice-dev/sluice/pkg/render"
)

// maxDownload is how long one download of a program may take.
const maxDownload = 10 * time.Minute

// memoryGoal is where the collector begins to trade time for memory, in bytes:
// a thousand apps in four environments then fit into 300 MB with their workers.
const memoryGoal = 170 << 20

// aloneGoal is the same where no worker is needed: a hundred thousand objects
// of plain files then fit into 400 MB.
const aloneGoal = 300 << 20

// garbage is how much of it, in percent of what is in use, is let lie below
// memoryGoal: a run that finds little to do is over before collecting pays.
const garbage = 400

// collect sets the garbage collector up, unless the environment does: late
// for a run that may be short, and as ever for one that renders everything.
func (c *command) collect(late bool) {
	if c.Env("GOMEMLIMIT") != "" || c.Env("GOGC") != "" {
		return
	}
	debug.SetMemoryLimit(aloneGoal)
	percent := 100
	if late {
		percent = garbage
	}
	debug.SetGCPercent(percent)
}

// renderer gives what rendering runs on. Its workers are this program again,
// with one argument.
func (c *command) renderer() (hydrate.Renderer, error) {
	var started func()
	if c.Env("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(aloneGoal)
		started = func() { debug.SetMemoryLimit(memoryGoal) }
	}
	self, err := os.Executable()
	if err != nil {
		return hydrate.Renderer{}, fmt.Errorf("finding this program to start workers: %w", err)
	}
	worker := render.Command{Path: self, Name: c.Args[0], Args: []string{workerArg}, Started: started}
	jobs := c.jobs
	if jobs == 0 {
		jobs = runtime.NumCPU()
	}
	return hydrate.Renderer{
		Workers:  render.NewPool(worker, jobs, render.Limits{}),
		Programs: c.programs(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Progress: c.progress(),
	}, nil
}

// programs gives the cache of pinned programs. It may be deleted at any time.
func (c *command) programs() *program.Cache {
	return &program.Cache{
		Dir: c.cacheDir(),
		Client: &http.Client{
			Transport: c.web(),
			Timeout:   maxDownload,
		},
	}
}

// cacheDir is where the platform keeps what can be had again; empty if that
// cannot be told.
func (c *command) cacheDir() string {
	base := c.Env("XDG_CACHE_HOME")
	home := c.Env("HOME")
	switch {
	case filepath.IsAbs(base):
	case runtime.GOOS == "windows":
		base = c.Env("LocalAppData")
	case runtime.GOOS == "darwin" && home != "":
		base = filepath.Join(home, "Library", "Caches")
	case home != "":
		base = filepath.Join(home, ".cache")
	}
	if !filepath.IsAbs(base) {
		return ""
	}
	return filepath.Join(base, "sluice", "programs")
}
