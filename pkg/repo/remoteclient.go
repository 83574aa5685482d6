package repo

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"
)

// client makes the HTTP client for one conversation.
func (m *Remote) client(at endpoint) (*http.Client, error) {
	proxy, err := m.proxy(at)
	if err != nil {
		return nil, err
	}
	roots, err := m.roots(at)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: m.options.Connect}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                 proxy,
			DialContext:           dialer.DialContext,
			TLSHandshakeTimeout:   m.options.Connect,
			ExpectContinueTimeout: time.Second,
			ForceAttemptHTTP2:     true,
			TLSClientConfig:       &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		},
	}, nil
}

// proxy follows remote.<name>.proxy, http.proxy and then the environment's.
func (m *Remote) proxy(at endpoint) (func(*http.Request) (*url.URL, error), error) {
	text, set := m.repo.Config("remote." + m.name + ".proxy")
	if !set {
		if values := m.repo.config.forURL("proxy", at); len(values) > 0 {
			text, set = values[len(values)-1], true
		}
	}
	config := httpproxy.Config{HTTPProxy: m.options.HTTPProxy, HTTPSProxy: m.options.HTTPSProxy, NoProxy: m.options.NoProxy}
	if set {
		config.HTTPProxy, config.HTTPSProxy = text, text
	}
	for _, p := range []string{config.HTTPProxy, config.HTTPSProxy} {
		if strings.Contains(p, "://") {
			if _, err := url.Parse(p); err != nil {
				return nil, errors.New("the proxy's URL is malformed") // with a secret in it, perhaps
			}
		}
		if _, rest, ok := strings.Cut(p, "://"); ok {
			if at := strings.LastIndexByte(rest, '@'); at >= 0 {
				_, password, _ := strings.Cut(rest[:at], ":")
				m.hide(password, unescape(password))
			}
		}
	}
	choose := config.ProxyFunc()
	return func(req *http.Request) (*url.URL, error) { return choose(req.URL) }, nil
}

// roots adds the CAs that git is told of to the system's. Verification itself
// cannot be turned off.
func (m *Remote) roots(at endpoint) (*x509.CertPool, error) {
	file := m.options.CAFile
	if values := m.repo.config.forURL("sslcainfo", at); file == "" && len(values) > 0 {
		file = tilde(values[len(values)-1], m.repo.env)
	}
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the CA file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("reading the CA file %q: it holds no certificate", file)
	}
	return pool, nil
}
