package gitea

import (
	"net/http"
	"testing"

	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/forge/conformance"
	"github.com/sluice-dev/sluice/pkg/forge/gitea/fake"
	"github.com/sluice-dev/sluice/pkg/forge/host"
)

// faked is the suite's Gitea, in a directory of its host.
func faked(t *testing.T) (*conformance.Server, *host.Repo) {
	var server *fake.Server
	s, r := conformance.Faked(t, "/git/api/v1", host.Rule{Approvals: 1}, func(r *host.Repo) http.Handler {
		server = &fake.Server{Prefix: "/git/api/v1", Repo: r}
		return server
	})
	s.Make = func(tr *forge.Transport, missing bool) (forge.Forge, error) {
		project := "acme/shop"
		if missing {
			project = "acme/missing"
		}
		web := *s.API
		web.Path = "/git"
		return New(forge.Target{Type: forge.Gitea, API: s.API, Web: &web, Project: project}, tr), nil
	}
	s.Busy = func() { server.Checking = 4 }
	s.Detects = false
	return s, r
}

func TestConformance(t *testing.T) {
	conformance.Run(t, func(t *testing.T) *conformance.Server {
		s, _ := faked(t)
		return s
	})
}
