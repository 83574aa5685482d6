package repo

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// login is one way to be let in over HTTP. The zero value is to ask without
// credentials.
type login struct {
	from   string // as errors name it
	header string // the value of Authorization
	helper *helperCredential
}

// headers gives the headers that git's config adds to requests, Authorization
// apart: actions/checkout keeps its token there.
func (m *Remote) headers(at endpoint) (extra http.Header, authorization string) {
	extra = http.Header{}
	for _, line := range m.repo.config.forURL("extraheader", at) {
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case !ok || !headerName(name) || strings.ContainsAny(value, "\r\n\x00"):
		case strings.EqualFold(name, "Authorization"):
			authorization = value
			m.hideHeader(value)
		default:
			extra.Add(name, value)
			if len(value) >= 16 { // as long as a key, and not a language or a flag
				m.hide(value)
			}
		}
	}
	return extra, authorization
}

func headerName(s string) bool {
	return s != "" && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// hideHeader hides an Authorization value, what stands encoded in it too.
func (m *Remote) hideHeader(value string) {
	_, secret, _ := strings.Cut(value, " ")
	m.hide(value, secret)
	if plain, err := base64.StdEncoding.DecodeString(secret); err == nil {
		_, password, _ := strings.Cut(string(plain), ":")
		m.hide(string(plain), password)
	}
}

// basic makes a login of a name and a secret.
func (m *Remote) basic(from, user, secret string) login {
	encoded := base64.StdEncoding.EncodeToString([]byte(user + ":" + secret))
	m.hide(secret, encoded)
	return login{from: from, header: "Basic " + encoded}
}

// loginsFor gives the ways in, one by one, in the order in which they are tried:
// what served before, what was given for this run, what git's config and the URL
// hold, nothing, and what may cost the user a question.
func (m *Remote) loginsFor(ctx context.Context, at endpoint, what service, yield func(login) bool) {
	here, other := m.known(at, what)
	if here != nil {
		// What is wrong with it now is no reason to come as somebody else.
		yield(*here)
		return
	}
	if other != nil && !yield(*other) {
		return
	}
	if m.options.Token != nil {
		if c, ok := m.options.Token(at.scheme, at.authority()); ok && c.Secret != "" {
			if !yield(m.basic(or(c.From, "the token given"), or(c.User, "x-access-token"), c.Secret)) {
				return
			}
		}
	}
	if _, value := m.headers(at); value != "" && !yield(login{from: "http.extraHeader", header: value}) {
		return
	}
	if at.password != "" || at.user != "" && tokenAlone(at.user) {
		if !yield(m.basic("the remote's URL", at.user, at.password)) {
			return
		}
	}
	if !yield(login{}) {
		return
	}
	if c := m.fillCredential(ctx, at); c != nil {
		l := m.basic("git's credential helper", c.user, c.password)
		l.helper = c
		if !yield(l) {
			return
		}
	}
	if user, password, ok := m.repo.netrc(at.host, at.user); ok {
		yield(m.basic("~/.netrc", user, password))
	}
}

// tokenAlone says whether the user part of a URL is a token, as in
// https://ghp_…@github.com.
func tokenAlone(user string) bool { return len(user) >= 20 }

// known gives the login that served for the service, or else one that served
// for the other: whoever may read may not have to say who he is, or may not write.
func (m *Remote) known(at endpoint, what service) (here, other *login) {
	m.mu.Lock()
	defer m.mu.Unlock()
	base := at.scheme + "://" + at.authority() + " "
	for _, s := range []service{uploadPack, receivePack} {
		l := m.logins[base+string(s)]
		if s == what {
			here = l
		} else if l != nil && l.from != "" {
			other = l
		}
	}
	return here, other
}

// remember keeps what was let in for the rest of this run, and tells the
// credential helper that it was right.
func (m *Remote) remember(ctx context.Context, at endpoint, what service, l login) {
	here, other := m.known(at, what)
	if here != nil {
		return
	}
	m.mu.Lock()
	m.logins[at.scheme+"://"+at.authority()+" "+string(what)] = &l
	m.mu.Unlock()
	if l.helper != nil && (other == nil || other.helper != l.helper) {
		m.tellHelper(ctx, "approve", l.helper)
	}
}

// authHint says what to do about a refusal.
func authHint(at endpoint, status int, tried []string) string {
	switch {
	case at.scheme == "ssh":
		return "add a key that the server knows to the ssh agent, or name it as IdentityFile in ~/.ssh/config"
	case status == http.StatusForbidden:
		return "the credentials are good but may not do this: a token needs write access to the repository's contents"
	case len(tried) == 0:
		return "set SLUICE_TOKEN, or let git remember a credential for " + (&url.URL{Scheme: at.scheme, Host: at.authority()}).String()
	}
	return "the token may have expired, or not cover this repository"
}
