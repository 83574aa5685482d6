package github

import (
	"net/http"
	"testing"

	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/forge/conformance"
	"github.com/sluice-dev/sluice/pkg/forge/github/described"
	"github.com/sluice-dev/sluice/pkg/forge/github/fake"
	"github.com/sluice-dev/sluice/pkg/forge/host"
)

// faked is the suite's GitHub.
func faked(t *testing.T, all []*described.Description) (*conformance.Server, *host.Repo) {
	s, r := conformance.Faked(t, "/api/v3", host.Rule{Nobody: true}, func(r *host.Repo) http.Handler {
		return described.Hold(all, "/api/v3", &fake.Server{Prefix: "/api/v3", Repo: r}, func(what string) { t.Error(what) })
	})
	s.Make = func(tr *forge.Transport, missing bool) (forge.Forge, error) {
		project := "acme/shop"
		if missing {
			project = "acme/missing"
		}
		return New(Options{Target: forge.Target{Type: forge.GitHub, API: s.API, Web: s.API, Project: project}, Transport: tr})
	}
	return s, r
}

func TestConformance(t *testing.T) {
	all, err := described.All()
	if err != nil {
		t.Fatal(err)
	}
	conformance.Run(t, func(t *testing.T) *conformance.Server {
		s, _ := faked(t, all)
		return s
	})
}
