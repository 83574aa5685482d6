package forge

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/sluice-dev/sluice/pkg/finding"
)

// Type is a kind of forge.
type Type string

// The forges that are spoken to. None is a repository without one.
const (
	GitHub Type = "github"
	GitLab Type = "gitlab"
	Gitea  Type = "gitea"
	None   Type = "none"
)

// Target is a repository on a forge.
type Target struct {
	Type    Type
	API     *url.URL // where the API is, without a slash at the end
	Web     *url.URL // where its pages are
	Project string   // owner/name; on GitLab perhaps with groups before it
}

// CommitURL gives the page of a commit.
func (t Target) CommitURL(id string) string {
	web := t.Web.JoinPath(t.Project)
	if t.Type == GitLab {
		return web.JoinPath("-", "commit", id).String()
	}
	return web.JoinPath("commit", id).String()
}

// known are forges by their hosts.
func known(host string) Type {
	switch {
	case host == "github.com", strings.HasSuffix(host, ".ghe.com"):
		return GitHub
	case host == "gitlab.com":
		return GitLab
	case host == "gitea.com", host == "codeberg.org":
		return Gitea
	case host == "bitbucket.org", host == "dev.azure.com", strings.HasSuffix(host, ".visualstudio.com"):
		return "unsupported"
	}
	return ""
}

// Detect finds the repository's forge from the URL of its remote, "" for none,
// and from what the config says: a type and the address of the pages, both
// perhaps empty. file is the config's, for findings.
func Detect(file, remote, kind, address string) (Target, error) {
	host, project := split(remote)
	wrong := func(text, hint string) (Target, error) {
		return Target{}, finding.Finding{File: file, Text: text, Hint: hint}
	}
	if kind == string(None) || host == "" && kind == "" {
		return Target{Type: None}, nil
	}
	if host == "" {
		return wrong(fmt.Sprintf("forge.type is %s, and the remote is not on a host", kind), "git remote set-url origin, with the address of the repository there")
	}
	t := Target{Type: Type(kind)}
	if t.Type == "" {
		t.Type = known(name(host))
	}
	switch t.Type {
	case GitHub, GitLab, Gitea:
	case "unsupported":
		return wrong(fmt.Sprintf("the forge at %q is not supported yet", host), "with forge: {type: none} the branches are promoted without pull requests")
	default:
		return wrong(fmt.Sprintf("which forge is at %q is not known", host), "say so in the config: forge: {type: github}, gitlab, gitea or none")
	}
	var err error
	if t.Web, err = pages(remote, host, address); err != nil {
		return wrong(err.Error(), "forge.url has to be on the remote's host: a token for one is not sent to another")
	}
	t.Project = strings.TrimPrefix(project, strings.TrimPrefix(t.Web.Path+"/", "/"))
	if t.Type != GitLab && strings.Count(t.Project, "/") != 1 || !strings.Contains(t.Project, "/") {
		return wrong(fmt.Sprintf("the remote's path %q is not owner/name", project), "git remote set-url origin, with the address of the repository")
	}
	t.API = t.api()
	return t, nil
}

// api gives where a forge's API is, by where its pages are.
func (t Target) api() *url.URL {
	switch {
	case t.Type == GitHub && (t.Web.Host == "github.com" || strings.HasSuffix(t.Web.Host, ".ghe.com")):
		return &url.URL{Scheme: "https", Host: "api." + t.Web.Host}
	case t.Type == GitHub:
		return t.Web.JoinPath("api", "v3")
	case t.Type == GitLab:
		return t.Web.JoinPath("api", "v4")
	}
	return t.Web.JoinPath("api", "v1")
}

// pages gives where the forge's pages are.
func pages(remote, host, address string) (*url.URL, error) {
	if address == "" {
		web := &url.URL{Scheme: "https", Host: host}
		if strings.HasPrefix(strings.ToLower(remote), "http://") {
			web.Scheme = "http"
		} else if !strings.HasPrefix(strings.ToLower(remote), "https://") {
			web.Host = name(host) // the port is that of ssh
		}
		if web.Scheme == "http" && !loopback(web.Hostname()) {
			return nil, fmt.Errorf("the remote is at %q without TLS, and a token is not sent in the clear", host)
		}
		return web, nil
	}
	web, err := url.Parse(strings.TrimSuffix(address, "/"))
	if err != nil {
		return nil, fmt.Errorf("forge.url is not a URL")
	}
	if name(web.Host) != name(host) {
		return nil, fmt.Errorf("forge.url is on %q and the remote on %q", web.Host, host)
	}
	return web, nil
}

// name is a host without its port and without what some forges put before it
// for ssh.
func name(host string) string {
	host = strings.ToLower((&url.URL{Host: host}).Hostname())
	for _, prefix := range []string{"altssh.", "ssh."} {
		if rest, ok := strings.CutPrefix(host, prefix); ok && strings.Contains(rest, ".") {
			return rest
		}
	}
	return host
}

// loopback tells whether a host can only be this machine.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// split takes a remote's URL apart into host, perhaps with a port, and the
// repository's path without .git. Both are empty for a directory. Credentials
// in it are dropped.
func split(remote string) (host, project string) {
	scheme, rest, isURL := strings.Cut(remote, "://")
	switch {
	case isURL && strings.EqualFold(scheme, "file"):
		return "", ""
	case isURL:
		host, project, _ = strings.Cut(rest, "/")
	default: // host:path, or a directory
		var colon bool
		host, project, colon = strings.Cut(remote, ":")
		if !colon || strings.ContainsAny(host, `/\`) || len(host) == 1 {
			return "", ""
		}
	}
	host = strings.ToLower(host[strings.LastIndexByte(host, '@')+1:])
	project, _, _ = strings.Cut(project, "?")
	project = strings.TrimSuffix(strings.Trim(project, "/"), "/")
	return host, strings.TrimSuffix(project, ".git")
}
