package gitlab

import (
	"net/http"
	"testing"

	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/forge/conformance"
	"github.com/sluice-dev/sluice/pkg/forge/gitlab/fake"
	"github.com/sluice-dev/sluice/pkg/forge/host"
)

// faked is the suite's GitLab.
func faked(t *testing.T) (*conformance.Server, *host.Repo) {
	var server *fake.Server
	s, r := conformance.Faked(t, "/api/v4", host.Rule{Approvals: 1}, func(r *host.Repo) http.Handler {
		server = &fake.Server{Prefix: "/api/v4", Repo: r}
		return server
	})
	s.Make = func(tr *forge.Transport, missing bool) (forge.Forge, error) {
		project := "acme/shop"
		if missing {
			project = "acme/missing"
		}
		return New(forge.Target{Type: forge.GitLab, API: s.API, Web: s.API, Project: project}, tr)
	}
	s.Busy = func() { server.Checking = 5 }
	return s, r
}

func TestConformance(t *testing.T) {
	conformance.Run(t, func(t *testing.T) *conformance.Server {
		s, _ := faked(t)
		return s
	})
}
