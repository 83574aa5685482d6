package cli

import (
	"context"
	"net/url"
	"os/exec"
	"os/user"
	"strings"
	"time"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// remote opens a remote of git's config with what this run's surroundings have
// for it: tokens, the git program and its credential helpers, the ssh agent,
// proxies. Nothing is asked of it yet.
func (c *command) remote(w *workspace, name string) (*repo.Remote, error) {
	if err := c.trusted(w); err != nil {
		return nil, err
	}
	return c.address(w, name)
}

// address gives a remote to be looked at, not asked: where it leads does not
// need the trust that sending a token there needs.
func (c *command) address(w *workspace, name string) (*repo.Remote, error) {
	who := w.repo.Committer()
	who.When = c.Now()
	o := repo.RemoteOptions{
		Token: c.token, Environ: c.Environ, Who: who,
		AgentSocket: c.Env("SSH_AUTH_SOCK"),
		SSHCommand:  c.first("GIT_SSH_COMMAND", "GIT_SSH"),
		HTTPProxy:   c.first("http_proxy", "HTTP_PROXY"),
		HTTPSProxy:  c.first("https_proxy", "HTTPS_PROXY"),
		NoProxy:     c.first("no_proxy", "NO_PROXY"),
		CAFile:      c.Env("GIT_SSL_CAINFO"),
		User:        c.first("USER", "LOGNAME"),
	}
	// Without git there are no credential helpers and no remotes on this machine;
	// the rest goes on.
	if git, err := exec.LookPath("git"); err == nil {
		o.Git = git
	}
	if me, err := user.Current(); err == nil && o.User == "" {
		o.User = me.Username
	}
	return w.repo.Remote(name, o)
}

// first gives the first of some variables that is set.
func (c *command) first(names ...string) string {
	for _, n := range names {
		if v := c.Env(n); v != "" {
			return v
		}
	}
	return ""
}

// tokens are the variables that credentials come in. One that was not made for
// sluice is shown to the forge that it belongs to and to nobody else.
var tokens = [...]struct {
	name   string
	host   string   // that everybody knows
	server []string // variables that name the forge of this run, as a URL or a host
}{
	{name: "SLUICE_TOKEN"},
	{name: "GITHUB_TOKEN", host: "github.com", server: []string{"GITHUB_SERVER_URL", "GH_HOST"}},
	{name: "GH_TOKEN", host: "github.com", server: []string{"GITHUB_SERVER_URL", "GH_HOST"}},
	{name: "GITLAB_TOKEN", host: "gitlab.com", server: []string{"CI_SERVER_URL", "GITLAB_HOST"}},
	{name: "GITEA_TOKEN", host: "gitea.com", server: []string{"GITEA_SERVER_URL"}},
}

// token gives the credential for a host, with its port where that is not the
// scheme's own.
func (c *command) token(scheme, host string) (repo.Credential, bool) {
	for _, t := range tokens {
		secret := strings.TrimSpace(c.Env(t.name))
		if secret == "" || t.host != "" && !c.serves(scheme, host, t.host, t.server) {
			continue
		}
		return repo.Credential{Secret: secret, From: t.name}, true
	}
	return repo.Credential{}, false
}

// serves tells whether a host is the forge that a token belongs to: one that
// everybody knows, or that this run's surroundings name. In the clear a token
// goes only where a variable says http.
func (c *command) serves(scheme, host, known string, servers []string) bool {
	if scheme == "https" && strings.EqualFold(host, known) {
		return true
	}
	for _, name := range servers {
		text := c.Env(name)
		if !strings.Contains(text, "://") {
			text = "https://" + text
		}
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || !strings.EqualFold(u.Scheme, scheme) {
			continue
		}
		at := u.Host
		if p := u.Port(); scheme == "https" && p == "443" || scheme == "http" && p == "80" {
			at = u.Hostname()
		}
		if strings.EqualFold(host, at) {
			return true
		}
	}
	return false
}

// fetchTips gets the environment branches of chains, and more, from a remote.
func (c *command) fetchTips(ctx context.Context, m *repo.Remote, chains []config.Chain, more ...string) (branch.Tips, error) {
	c.stage("fetching %s from %s", strings.Join(append(branch.Branches(chains), more...), ", "), m.URL())
	return branch.FetchTips(ctx, m, chains, more...)
}

// pause waits a while, which grows with the number of times and is never the same
// for two processes, so that those that collided once do not go on to.
func (c *command) pause(ctx context.Context, times int) error {
	limit := min(firstPause<<min(times, 16), longestPause)
	return sleep(ctx, time.Duration(c.Random()*float64(limit)))
}

const (
	firstPause   = 100 * time.Millisecond
	longestPause = 3 * time.Second
)
