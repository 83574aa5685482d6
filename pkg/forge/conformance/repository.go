// Package conformance holds a forge to what pkg/forge promises of all of them:
// one suite for a real server and for the fakes, and a random walk for the
// fakes. Only tests import it.
package conformance

import (
	"path/filepath"
	"testing"

	"github.com/sluice-dev/sluice/pkg/forge/host"
)

// The commits of Repository, each on the one before.
const (
	First  = "014a6c0f57d7c06b9969311faad413de388d4923"
	Second = "099b7ba3b7c50a12167e380f5c21e78b346cf48c"
	Third  = "ead00d36ada1482c05ef4b08c39710e6fefb25a0"
	Fourth = "af978bb2fab1ca2b5d81988ee48baf318aa41a78"
)

// Repository is a bare repository with the four commits and no branches.
func Repository(t *testing.T) host.Git {
	t.Helper()
	g := host.Git{Dir: filepath.Join(t.TempDir(), "shop.git")}
	if err := g.Init(); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Line(4); err != nil {
		t.Fatal(err)
	}
	return g
}
