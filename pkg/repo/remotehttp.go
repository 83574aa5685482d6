package repo

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
)

// web is a wire over HTTP: the greeting is one request, asking another.
type web struct {
	remote *Remote
	ctx    context.Context // of the conversation
	watch  *watch
	client *http.Client
	at     endpoint // where redirects led
	what   service
	login  login
	first  io.ReadCloser
	answer io.ReadCloser
}

// maxGreeting bounds a greeting's bytes, maxRedirects how often it may move.
const (
	maxGreeting  = 128 << 20
	maxRedirects = 5
)

func (m *Remote) openHTTP(ctx context.Context, watch *watch, at endpoint, what service) (wire, error) {
	client, err := m.client(at)
	if err != nil {
		return nil, err
	}
	w := &web{remote: m, ctx: ctx, watch: watch, client: client, at: at, what: what}
	if err := w.enter(); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// enter asks for the greeting with one login after the other.
func (w *web) enter() error {
	var tried []string
	var refused *statusError
	var failure error
	entered := false
	w.remote.loginsFor(w.ctx, w.at, w.what, func(l login) bool {
		w.login = l
		failure = w.greet()
		var status *statusError
		if failure == nil {
			entered = true
			return false
		}
		if !errors.As(failure, &status) {
			return false
		}
		switch status.code {
		case http.StatusUnauthorized:
			if l.helper != nil {
				w.remote.tellHelper(w.ctx, "reject", l.helper)
			}
		case http.StatusForbidden, http.StatusNotFound:
			// A forge hides what the credential does not cover. Another one may.
		default:
			return false
		}
		if l.from != "" {
			tried = append(tried, l.from)
		}
		if refused == nil || status.code == http.StatusForbidden {
			refused = status
		}
		return true
	})
	if entered {
		w.remote.remember(w.ctx, w.at, w.what, w.login)
		return nil
	}
	var status *statusError
	if !errors.As(failure, &status) || refused == nil || status.code != refused.code && refused.code != 401 && refused.code != 403 && refused.code != 404 {
		return failure
	}
	if refused.code == http.StatusNotFound && status.code == http.StatusNotFound {
		return &hintedError{ErrNoRepository, "check the remote's URL, and that the credentials cover the repository"}
	}
	return w.refusal(refused.code, tried)
}

func (w *web) refusal(code int, tried []string) error {
	return &AuthError{Host: w.at.authority(), Tried: tried, Hint: authHint(w.at, code, tried)}
}

// greet is one attempt. Redirects are followed here and only here, as git does,
// and on the same host: elsewhere the credentials would be shown to
// strangers, and a push would land where nobody asked for it.
func (w *web) greet() error {
	at := w.at
	for range maxRedirects {
		resp, err := w.do(http.MethodGet, at, "/info/refs?service="+string(w.what), nil, 0)
		if err != nil {
			return err
		}
		if resp.StatusCode >= 300 && resp.StatusCode < 400 {
			resp.Body.Close()
			if at, err = w.follow(at, resp.Header.Get("Location")); err != nil {
				return err
			}
			continue
		}
		if err := w.check(resp, "-advertisement"); err != nil {
			resp.Body.Close()
			return err
		}
		w.first, w.at = resp.Body, at
		return nil
	}
	return fmt.Errorf("the server redirects more than %d times", maxRedirects)
}

// follow gives the base URL that a redirect means.
func (w *web) follow(at endpoint, location string) (endpoint, error) {
	base := &url.URL{Scheme: at.scheme, Host: at.address()}
	next, err := base.Parse(location)
	if err != nil || location == "" {
		return at, errors.New("the server redirects to no URL")
	}
	path, ok := strings.CutSuffix(next.EscapedPath(), "/info/refs")
	if !ok {
		return at, fmt.Errorf("the server redirects to %q, which is no git repository", SanitizeURL(next.Scheme+"://"+next.Host))
	}
	to := endpoint{scheme: strings.ToLower(next.Scheme), host: next.Hostname(), port: next.Port(), path: path, user: at.user, password: at.password}
	to.clean = SanitizeURL(to.scheme + "://" + to.authority() + path)
	upgrade := at.scheme == "http" && to.scheme == "https" && at.portOrDefault() == "80" && to.portOrDefault() == "443"
	if !strings.EqualFold(to.host, at.host) || !upgrade && (to.scheme != at.scheme || to.portOrDefault() != at.portOrDefault()) {
		return at, &hintedError{
			fmt.Errorf("the server redirects to another one, %q", to.clean),
			"if it has moved there, set the remote's URL to that",
		}
	}
	return to, nil
}

func (w *web) do(method string, at endpoint, path string, body io.Reader, length int64) (*http.Response, error) {
	base, query, _ := strings.Cut(path, "?")
	target := &url.URL{Scheme: at.scheme, Host: at.address(), RawQuery: query}
	raw := strings.TrimSuffix(at.path, "/") + base
	target.Path, target.RawPath = unescape(raw), raw
	// Host without a default port, as servers compare it.
	req, err := http.NewRequestWithContext(w.ctx, method, target.String(), body)
	if err != nil {
		return nil, errors.New("the remote's URL cannot be asked for")
	}
	req.Host = at.authority()
	req.ContentLength = length
	extra, _ := w.remote.headers(at)
	for name, values := range extra {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", "git/2.0 (sluice)") // some servers look for git
	if w.login.header != "" {
		req.Header.Set("Authorization", w.login.header)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-"+string(w.what)+"-request")
		req.Header.Set("Accept", "application/x-"+string(w.what)+"-result")
	}
	resp, err := w.client.Do(req)
	var untrusted *tls.CertificateVerificationError
	switch {
	case err == nil:
	case errors.As(err, &untrusted):
		return nil, &hintedError{untrusted, "name the CA's file in http.sslCAInfo; http.sslVerify=false is not followed"}
	default:
		return nil, w.watch.cause(err)
	}
	w.watch.moved()
	return resp, nil
}

// maxErrorText is how much of an error page is shown.
const maxErrorText = 300

// check holds an answer to what git's HTTP protocol promises.
func (w *web) check(resp *http.Response, kind string) error {
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if resp.StatusCode != http.StatusOK {
		status := &statusError{code: resp.StatusCode, text: resp.Status}
		if media == "text/plain" {
			text, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorText))
			status.body = strings.TrimSpace(strings.ToValidUTF8(string(text), ""))
		}
		return status
	}
	if want := "application/x-" + string(w.what) + kind; media != want {
		return &hintedError{fmt.Errorf("the answer is %q and not git's", media), "check the remote's URL; a proxy or login page may answer in the server's place"}
	}
	return nil
}

func (w *web) greeting() *packets {
	p := newPackets(io.LimitReader(w.watch.reader(w.first), maxGreeting))
	// The service's name stands before the refs.
	if b, err := p.r.Peek(14); err == nil && string(b[4:]) == "# service=" {
		p.next()
		if b, err := p.r.Peek(4); err == nil && string(b) == "0000" {
			p.next()
		}
	}
	return p
}

// wholeBelow is the size up to which a request is sent with its length; some
// servers take no other.
const wholeBelow = 1 << 20

func (w *web) ask(write func(io.Writer) error) (*packets, func() bool, error) {
	io.Copy(io.Discard, io.LimitReader(w.first, 1<<16)) // so that the connection serves again
	var sent atomic.Bool
	var head bytes.Buffer
	from, to := io.Pipe()
	go func() { to.CloseWithError(write(to)) }()
	_, err := io.CopyN(&head, from, wholeBelow)
	var body io.Reader
	length := int64(-1)
	switch {
	case errors.Is(err, io.EOF):
		length = int64(head.Len())
		body = bytes.NewReader(head.Bytes())
	case err != nil:
		return nil, sent.Load, err
	default:
		body = io.MultiReader(&head, from)
	}
	// The transport reads to the end once all before it is on its way.
	body = &notifyEnd{w.watch.reader(body), func() { sent.Store(true) }}
	resp, err := w.do(http.MethodPost, w.at, "/"+string(w.what), body, length)
	from.Close()
	if err != nil {
		return nil, sent.Load, err
	}
	w.answer = resp.Body
	if err := w.check(resp, "-result"); err != nil {
		var status *statusError
		if errors.As(err, &status) && (status.code == 401 || status.code == 403) {
			err = w.refusal(status.code, []string{or(w.login.from, "no credentials")})
		}
		return nil, sent.Load, err
	}
	return newPackets(w.watch.reader(resp.Body)), sent.Load, nil
}

// notifyEnd tells when a reader has given everything.
type notifyEnd struct {
	r   io.Reader
	end func()
}

func (n *notifyEnd) Read(b []byte) (int, error) {
	c, err := n.r.Read(b)
	if errors.Is(err, io.EOF) {
		n.end()
	}
	return c, err
}

func (w *web) said() string { return "" }

func (w *web) close() error {
	for _, body := range []io.ReadCloser{w.first, w.answer} {
		if body != nil {
			body.Close()
		}
	}
	w.client.CloseIdleConnections()
	return nil
}
