package conformance

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/forge/host"
)

// crowd is what people do at a fake.
type crowd struct {
	repo *host.Repo
	rule host.Rule
}

func (c crowd) on(r forge.Request, do func(*host.Pull)) error {
	c.repo.Lock()
	defer c.repo.Unlock()
	c.repo.Settle()
	do(c.repo.Pull(int(r.Number)))
	return nil
}

func (c crowd) Review(r forge.Request, v forge.Verdict) error {
	state := map[forge.Verdict]string{forge.Approved: "APPROVED", forge.Rejected: "CHANGES_REQUESTED", forge.Dismissed: "DISMISSED", forge.Commented: "COMMENTED"}[v]
	return c.on(r, func(p *host.Pull) { c.repo.Review(p, "ada", state, "") })
}

func (c crowd) Close(r forge.Request) error {
	return c.on(r, func(p *host.Pull) { p.Closed = true })
}

func (c crowd) State(r forge.Request) (state string, err error) {
	return state, c.on(r, func(p *host.Pull) {
		switch {
		case p.Merged:
			state = "merged"
		case p.Closed:
			state = "closed"
		default:
			state = "open"
		}
	})
}

func (c crowd) Label(name string) error {
	c.repo.Lock()
	defer c.repo.Unlock()
	c.repo.Labels = append(c.repo.Labels, name)
	return nil
}

func (c crowd) Protect(branch string) error {
	c.repo.Lock()
	defer c.repo.Unlock()
	c.repo.Rules = map[string]host.Rule{branch: c.rule}
	return nil
}

// Faked is a fake of a forge, before a repository with no branches. serve puts
// an API before the repository, at a path; rule is what the forge can be told
// of a branch that takes nothing without an approval.
func Faked(t *testing.T, path string, rule host.Rule, serve func(*host.Repo) http.Handler) (*Server, *host.Repo) {
	t.Helper()
	r := &host.Repo{Git: Repository(t), Project: "acme/shop", Writers: map[string]bool{"ada": true, "bob": true}, Tokens: map[string]string{"canary-token": host.Owner}}
	server := httptest.NewServer(serve(r))
	t.Cleanup(server.Close)
	api, err := url.Parse(server.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	// Connections of its own, so that all are closed with the server.
	via := &http.Transport{MaxIdleConnsPerHost: 8}
	t.Cleanup(via.CloseIdleConnections)
	return &Server{
		API: api, Token: "canary-token", Remote: r.Git.Dir, People: crowd{r, rule}, Atomic: true, Detects: true,
		Sleep: func(time.Duration) {}, Via: via,
	}, r
}
