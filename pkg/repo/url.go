package repo

import (
	"net/url"
	"strings"
)

// SanitizeURL takes what could be a secret out of a remote's URL: the password
// always, the user name too unless the transport is ssh, where it is the
// account ("git"), and the query and fragment. What cannot be read as
// a URL comes back without everything up to the last "@".
func SanitizeURL(remote string) string {
	remote = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return -1
		}
		return r
	}, remote)
	scheme, rest, ok := strings.Cut(remote, "://")
	if !ok {
		return sanitizeSCP(remote)
	}
	if strings.EqualFold(scheme, "file") {
		return remote
	}
	// By hand, not by net/url alone: a token with a stray "%" or "/" makes
	// a URL that it refuses, and the error text would hold the token.
	rest, _, _ = strings.Cut(rest, "?")
	rest, _, _ = strings.Cut(rest, "#")
	user := ""
	if at := strings.LastIndex(rest, "@"); at >= 0 && credentialsEnd(rest, at) {
		user, rest = rest[:at], rest[at+1:]
	}
	if isSSH(scheme) {
		if name, _, _ := strings.Cut(user, ":"); name != "" && plainUser(name) {
			return scheme + "://" + name + "@" + rest
		}
	}
	return scheme + "://" + rest
}

// credentialsEnd says whether the last "@" ends the credentials. In a path
// ("host/group/@scope") it does not, if what stands before it is a host.
func credentialsEnd(rest string, at int) bool {
	host, _, slash := strings.Cut(rest[:at], "/")
	if !slash {
		return true
	}
	if strings.ContainsAny(host, "@") {
		return true
	}
	u, err := url.Parse("x://" + host)
	// "user:to/ken@host": what looks like a port is no number.
	return err != nil || u.Host == ""
}

func isSSH(scheme string) bool {
	switch strings.ToLower(scheme) {
	case "ssh", "git+ssh", "ssh+git":
		return true
	}
	return false
}

// plainUser says whether an ssh user name is short and simple enough to be
// an account and no token.
func plainUser(name string) bool {
	return len(name) <= 32 && strings.IndexFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	}) < 0
}

// sanitizeSCP handles host:path, user@host:path and local paths.
func sanitizeSCP(remote string) string {
	if helper, _, ok := strings.Cut(remote, "::"); ok {
		return helper + "::" // "ext::" takes a whole command line
	}
	colon := strings.IndexByte(remote, ':')
	at := strings.IndexByte(remote, '@')
	if colon < 0 || strings.ContainsAny(remote[:colon], `/\`) || at < 0 {
		return remote
	}
	last := strings.LastIndexByte(remote, '@')
	if at < colon && last == at && plainUser(remote[:at]) {
		return remote
	}
	return remote[last+1:]
}
