package github

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/forge/conformance"
	"github.com/sluice-dev/sluice/pkg/forge/github/described"
)

func TestWalk(t *testing.T) {
	all, err := described.All()
	if err != nil {
		t.Fatal(err)
	}
	s, r := faked(t, all)
	w := conformance.Walk{Server: s, Repo: r, Make: func(tr *forge.Transport, push func(context.Context, forge.Move) error) (forge.Forge, error) {
		return New(Options{Target: forge.Target{Type: forge.GitHub, API: s.API, Web: s.API, Project: "acme/shop"}, Transport: tr, Push: push})
	}}
	w.Seed, _ = strconv.ParseUint(os.Getenv("SLUICE_WALK_SEED"), 10, 64)
	w.Rand = rand.New(rand.NewPCG(w.Seed, 7))
	steps, _ := strconv.Atoi(os.Getenv("SLUICE_WALK"))
	w.Run(t, max(steps, 300))
}
