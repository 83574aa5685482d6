package cli

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/forge/gitea"
	"github.com/sluice-dev/sluice/pkg/forge/github"
	"github.com/sluice-dev/sluice/pkg/forge/gitlab"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// appKey is the variable with the private key of the GitHub App that the
// config names.
const appKey = "SLUICE_GITHUB_APP_KEY"

// wants names the variables that a token for a forge can come in.
var wants = map[forge.Type]string{
	forge.GitHub: "SLUICE_TOKEN, GITHUB_TOKEN or GH_TOKEN (the last two go to github.com, or to what GITHUB_SERVER_URL or GH_HOST names)",
	forge.GitLab: "SLUICE_TOKEN or GITLAB_TOKEN (the last goes to gitlab.com, or to what CI_SERVER_URL or GITLAB_HOST names)",
	forge.Gitea:  "SLUICE_TOKEN or GITEA_TOKEN (the last goes to gitea.com, or to what GITEA_SERVER_URL names)",
}

// target finds the forge that promotions are opened at; its type is None
// where the branches are promoted without pull requests.
func (c *command) target(w *workspace, cfg *config.Config, remote string) (forge.Target, error) {
	var f config.Forge
	if cfg.Forge != nil {
		f = *cfg.Forge
	}
	if _, ok := w.repo.RemoteURL(remote); !ok || f.Type == string(forge.None) {
		return forge.Target{Type: forge.None}, nil
	}
	m, err := c.address(w, remote)
	if err != nil {
		return forge.Target{}, err
	}
	return forge.Detect(cfg.File(), m.URL(), f.Type, f.URL)
}

// forge opens a repository on a forge. push moves a branch there by git.
// Nothing is asked of it yet, but without credentials nothing would come of it.
func (c *command) forge(t forge.Target, cfg *config.Config, push func(context.Context, forge.Move) error) (forge.Forge, error) {
	transport := &forge.Transport{Base: t.API, Via: c.web(), Wants: wants[t.Type], Now: c.Now, Sleep: sleep}
	var app *github.App
	missing := func(hint string) error {
		return &forge.Error{Op: "speaking to the forge", Host: t.Web.Host, Kind: forge.Unauthorized, Said: "there are no credentials for it", Hint: hint}
	}
	if cfg.Forge != nil && cfg.Forge.App != nil {
		key := c.Env(appKey)
		if strings.TrimSpace(key) == "" {
			return nil, missing("forge.app in the config names a GitHub App: set " + appKey + " to its private key, in PEM")
		}
		app = &github.App{ID: cfg.Forge.App.ID, Installation: cfg.Forge.App.Installation, Key: []byte(key)}
		transport.From = "the GitHub App"
	} else {
		token, ok := c.token(t.Web.Scheme, t.Web.Host)
		if !ok {
			return nil, missing("set " + transport.Wants + "; with forge: {type: none} in the config the branches are promoted without pull requests")
		}
		transport.Token, transport.From = token.Secret, token.From
	}
	switch t.Type {
	case forge.GitLab:
		return gitlab.New(t, transport)
	case forge.Gitea:
		return gitea.New(t, transport), nil
	default:
		return github.New(github.Options{Target: t, Transport: transport, App: app, Push: push})
	}
}

// web carries HTTP requests, through the proxy that the surroundings name.
func (c *command) web() *http.Transport {
	proxy := (&httpproxy.Config{
		HTTPProxy:  c.first("HTTP_PROXY", "http_proxy"),
		HTTPSProxy: c.first("HTTPS_PROXY", "https_proxy"),
		NoProxy:    c.first("NO_PROXY", "no_proxy"),
	}).ProxyFunc()
	return &http.Transport{
		Proxy:               func(r *http.Request) (*url.URL, error) { return proxy(r.URL) },
		ForceAttemptHTTP2:   true,
		TLSHandshakeTimeout: time.Minute,
	}
}

// sleep waits, but no longer than the context allows.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// page gives the page of a commit of the source.
func page(t forge.Target) func(repo.ID) string {
	return func(id repo.ID) string { return t.CommitURL(string(id)) }
}
