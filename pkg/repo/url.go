package repo

import "strings"

// SanitizeURL takes what could be a secret out of a remote's URL: the password
// always, the user name too unless the transport is ssh, where it is the
// account ("git"), and the query and fragment. Everything up to the last "@" may
// be a password with a slash in it and goes, even at the price of a path
// with an "@" in it.
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
	// By hand, not by net/url: a token with a stray "%" or "/" makes
	// a URL that it refuses, and the error text would hold the token.
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		if strings.Contains(rest[i:], "@") {
			return scheme + "://" // either side of the "@" may be the secret
		}
		rest = rest[:i]
	}
	user := ""
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		user, rest = rest[:at], rest[at+1:]
	}
	if isSSH(scheme) {
		if name, _, _ := strings.Cut(user, ":"); name != "" && plainUser(name) {
			return scheme + "://" + name + "@" + rest
		}
	}
	return scheme + "://" + rest
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
