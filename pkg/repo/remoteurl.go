package repo

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
)

// endpoint is a remote's URL taken apart.
type endpoint struct {
	scheme         string // http, https, ssh or file
	user, password string
	host, port     string
	path           string
	clean          string // as it may be shown
}

// parseEndpoint reads a URL, host:path or a path, which dir resolves. It is done by
// hand: net/url refuses tokens with odd bytes, and its error text holds them.
func parseEndpoint(text, dir string) (endpoint, error) {
	e := endpoint{clean: SanitizeURL(text)}
	bad := func(why string) (endpoint, error) {
		return endpoint{}, fmt.Errorf("reading the remote's URL %q: %s", e.clean, why)
	}
	unsupported := func(what string) (endpoint, error) {
		return endpoint{}, &UnsupportedError{What: what + " (" + e.clean + ")", Hint: "use an https, ssh or file URL"}
	}
	// A line end would add lines to what credential helpers are told.
	if strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		return bad("it holds a control character")
	}
	scheme, rest, isURL := strings.Cut(text, "://")
	if !isURL {
		return parseSCP(e, text, dir)
	}
	switch e.scheme = strings.ToLower(scheme); {
	case e.scheme == "file":
		e.path = rest
		if !strings.HasPrefix(rest, "/") {
			return bad("a file URL begins with file:///")
		}
		return e, nil
	case isSSH(scheme):
		e.scheme = "ssh"
	case e.scheme != "http" && e.scheme != "https":
		return unsupported("a remote over " + e.scheme)
	}
	authority, path, _ := strings.Cut(rest, "/")
	e.path = "/" + path
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		user, password, _ := strings.Cut(authority[:at], ":")
		e.user, e.password, authority = unescape(user), unescape(password), authority[at+1:]
	}
	e.host, e.port = splitPort(authority)
	if strings.ContainsFunc(e.user+e.password, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		return bad("it holds a control character")
	}
	if why := badHost(e.host, e.port); why != "" {
		return bad(why)
	}
	if e.scheme == "ssh" {
		e.path = unescape(e.path)
		if strings.HasPrefix(e.path, "/~") {
			e.path = e.path[1:]
		}
	}
	return e, nil
}

// parseSCP reads what is no URL: user@host:path, or a path.
func parseSCP(e endpoint, text, dir string) (endpoint, error) {
	if strings.Contains(text, "::") && !strings.Contains(text, "[") {
		return endpoint{}, &UnsupportedError{What: "a remote helper (" + e.clean + ")", Hint: "use an https, ssh or file URL"}
	}
	host, path, colon := strings.Cut(text, ":")
	if i := strings.Index(text, "]:"); i >= 0 && strings.Contains(text[:i], "[") {
		host, path = text[:i+1], text[i+2:]
	}
	if !colon || strings.ContainsAny(host, `/\`) || filepath.VolumeName(text) != "" {
		e.scheme, e.path = "file", under(dir, text)
		return e, nil
	}
	e.scheme, e.path = "ssh", path
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		e.user, host = host[:at], host[at+1:]
	}
	e.host, e.port = splitPort(host)
	if why := badHost(e.host, e.port); why != "" {
		return endpoint{}, fmt.Errorf("reading the remote's URL %q: %s", e.clean, why)
	}
	return e, nil
}

func unescape(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

func splitPort(authority string) (host, port string) {
	if strings.HasPrefix(authority, "[") {
		host, rest, _ := strings.Cut(authority[1:], "]")
		if strings.Count(host, ":") == 1 {
			return splitPort(host) // git's [host:port]:path
		}
		return host, strings.TrimPrefix(rest, ":")
	}
	host, port, _ = strings.Cut(authority, ":")
	return host, port
}

func badHost(host, port string) string {
	switch {
	case host == "" || strings.HasPrefix(host, "-"):
		return "it names no host"
	case strings.ContainsAny(host, "/?#@ %\\\"'<>"):
		return "its host has a byte that no host has"
	case len(port) > 5 || strings.Trim(port, "0123456789") != "":
		return "its port is no number"
	}
	return ""
}

// address is host:port with the scheme's port where none is given.
func (e endpoint) address() string {
	return net.JoinHostPort(e.host, e.portOrDefault())
}

func (e endpoint) portOrDefault() string {
	return or(e.port, map[string]string{"http": "80", "https": "443", "ssh": "22"}[e.scheme])
}

// authority is the host, and the port where it is not the usual one.
func (e endpoint) authority() string {
	host := e.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if e.portOrDefault() != (endpoint{scheme: e.scheme}).portOrDefault() {
		host += ":" + e.port
	}
	return host
}

// remoteURLs gives where a remote is read from and, with insteadOf and
// pushInsteadOf applied, where it is pushed to. git pushes to every push URL;
// that cannot be one atomic push, so several are handed back as they are.
func (s *settings) remoteURLs(name string) (fetch string, push []string) {
	urls := s.all("remote." + name + ".url")
	if len(urls) == 0 {
		return "", nil
	}
	fetch, _ = s.instead(urls[0], ".insteadof")
	explicit := s.all("remote." + name + ".pushurl")
	for _, u := range explicit {
		u, _ = s.instead(u, ".insteadof")
		push = append(push, u)
	}
	if len(explicit) > 0 {
		return fetch, push
	}
	for _, u := range urls {
		p, ok := s.instead(u, ".pushinsteadof")
		if !ok {
			p, _ = s.instead(u, ".insteadof")
		}
		push = append(push, p)
	}
	return fetch, push
}

// all gives the values of a key; an empty one takes back those before it.
func (s *settings) all(key string) []string {
	var values []string
	for _, e := range s.entries {
		if e.key != key {
			continue
		}
		if e.value == "" {
			values = nil
			continue
		}
		values = append(values, e.value)
	}
	return values
}

// instead replaces the longest prefix that a url.<base> section stands in for.
func (s *settings) instead(remote, kind string) (string, bool) {
	longest, base := "", ""
	for _, e := range s.entries {
		b, ok := strings.CutPrefix(e.key, "url.")
		if b, ok2 := strings.CutSuffix(b, kind); ok && ok2 && len(e.value) > len(longest) && strings.HasPrefix(remote, e.value) {
			longest, base = e.value, b
		}
	}
	if longest == "" {
		return remote, false
	}
	return base + remote[len(longest):], true
}

// forURL gives the values of http.<name> and http.<url>.<name> that hold for an
// endpoint: once a closer match was seen, looser ones do not count.
func (s *settings) forURL(name string, at endpoint) []string {
	var values []string
	best := urlRank{}
	for _, e := range s.entries {
		section, ok := strings.CutPrefix(e.key, "http.")
		if !ok {
			continue
		}
		rank := urlRank{}
		if section != name {
			pattern, ok := strings.CutSuffix(section, "."+name)
			if !ok {
				continue
			}
			if rank, ok = matchURL(pattern, at); !ok {
				continue
			}
		}
		if rank.less(best) {
			continue
		}
		best = rank
		if e.value == "" {
			values = nil
			continue
		}
		values = append(values, e.value)
	}
	return values
}

// urlRank is how closely a pattern matches; git compares in this order.
type urlRank struct{ host, path, user int }

func (a urlRank) less(b urlRank) bool {
	if a.host != b.host {
		return a.host < b.host
	}
	if a.path != b.path {
		return a.path < b.path
	}
	return a.user < b.user
}

// matchURL applies the rules of http.<url>.* in git-config(1).
func matchURL(pattern string, at endpoint) (urlRank, bool) {
	p, err := parseEndpoint(pattern, "/")
	if err != nil || p.scheme != at.scheme || p.portOrDefault() != at.portOrDefault() {
		return urlRank{}, false
	}
	want, have := strings.Split(strings.ToLower(p.host), "."), strings.Split(strings.ToLower(at.host), ".")
	if len(want) != len(have) {
		return urlRank{}, false
	}
	for i := range want {
		if want[i] != have[i] && want[i] != "*" {
			return urlRank{}, false
		}
	}
	prefix := strings.TrimSuffix(p.path, "/")
	if at.path != prefix && !strings.HasPrefix(at.path, prefix+"/") {
		return urlRank{}, false
	}
	rank := urlRank{host: len(p.host), path: len(prefix) + 1}
	if p.user != "" {
		if p.user != at.user {
			return urlRank{}, false
		}
		rank.user = 1
	}
	return rank, true
}
