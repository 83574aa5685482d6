package gitlab

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/forge/conformance"
)

func TestWalk(t *testing.T) {
	s, r := faked(t)
	w := conformance.Walk{Server: s, Repo: r, Kept: true, Make: func(tr *forge.Transport, _ func(context.Context, forge.Move) error) (forge.Forge, error) {
		return s.Make(tr, false)
	}}
	w.Seed, _ = strconv.ParseUint(os.Getenv("SLUICE_WALK_SEED"), 10, 64)
	w.Rand = rand.New(rand.NewPCG(w.Seed, 7))
	steps, _ := strconv.Atoi(os.Getenv("SLUICE_WALK"))
	w.Run(t, max(steps, 300))
}
