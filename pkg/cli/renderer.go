package cli

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/net/http/httpproxy"

	"github.com/sluice-dev/sluice/pkg/hydrate"
	"github.com/sluice-dev/sluice/pkg/inject/program"
	"github.com/sluice-dev/sluice/pkg/render"
)

// maxDownload is how long one download of a program may take.
const maxDownload = 10 * time.Minute

// memoryGoal is where the collector begins to trade time for memory, in bytes:
// a thousand apps in four environments then fit into 300 MB with their workers.
const memoryGoal = 200 << 20

// renderer gives what rendering runs on. Its workers are this program again,
// with one argument.
func (c *command) renderer() (hydrate.Renderer, error) {
	if c.Env("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryGoal)
	}
	self, err := os.Executable()
	if err != nil {
		return hydrate.Renderer{}, fmt.Errorf("finding this program to start workers: %w", err)
	}
	worker := render.Command{Path: self, Name: c.Args[0], Args: []string{workerArg}}
	return hydrate.Renderer{
		Workers:  render.NewPool(worker, runtime.NumCPU(), render.Limits{}),
		Programs: c.programs(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}, nil
}

// programs gives the cache of pinned programs. It may be deleted at any time.
func (c *command) programs() *program.Cache {
	proxy := (&httpproxy.Config{
		HTTPProxy:  c.firstEnv("HTTP_PROXY", "http_proxy"),
		HTTPSProxy: c.firstEnv("HTTPS_PROXY", "https_proxy"),
		NoProxy:    c.firstEnv("NO_PROXY", "no_proxy"),
	}).ProxyFunc()
	return &program.Cache{
		Dir: c.cacheDir(),
		Client: &http.Client{
			Transport: &http.Transport{
				Proxy:               func(r *http.Request) (*url.URL, error) { return proxy(r.URL) },
				ForceAttemptHTTP2:   true,
				TLSHandshakeTimeout: time.Minute,
			},
			Timeout: maxDownload,
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

// firstEnv gives the first of the variables that is set.
func (c *command) firstEnv(names ...string) string {
	for _, name := range names {
		if v := c.Env(name); v != "" {
			return v
		}
	}
	return ""
}
