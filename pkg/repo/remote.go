package repo

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// RemoteOptions is what a conversation with a remote takes from its surroundings,
// as values. The zero value has no credentials but those in git's config and
// ~/.netrc, no ssh agent, and no git program.
type RemoteOptions struct {
	// Token gives the credential that the caller has for http or https and a host ("github.com",
	// "git.example.com:8443"); nil means none.
	Token func(scheme, host string) (Credential, bool)
	// Git is the path of the git program: its credential helpers are asked, and
	// it serves repositories on this machine. "" means that there is none.
	Git     string
	Environ []string // for the git program, as os.Environ gives it

	AgentSocket string // SSH_AUTH_SOCK
	SSHCommand  string // GIT_SSH_COMMAND, else GIT_SSH; overrides core.sshCommand
	User        string // the account here, for ssh URLs that name none
	HTTPProxy   string // HTTP_PROXY
	HTTPSProxy  string // HTTPS_PROXY
	NoProxy     string // NO_PROXY
	CAFile      string // GIT_SSL_CAINFO, overrides http.sslCAInfo

	Who Signature // who moves remote-tracking refs, and when, for the reflog

	Connect time.Duration // until a connection stands; 0 means 30 seconds
	Silence time.Duration // without a byte either way; 0 means 60 seconds
	MaxPack int64         // bytes of one fetched pack; 0 means 4 GiB
}

// Credential is a name and secret and where they come from ("GITHUB_TOKEN"),
// which errors name.
type Credential struct {
	User   string // "" stands for x-access-token, which every forge takes
	Secret string
	From   string
}

// Remote is another repository that this one fetches from and pushes to.
// Its methods may be called from several goroutines.
type Remote struct {
	repo    *Repo
	name    string
	fetchAt endpoint
	pushAt  []endpoint
	options RemoteOptions

	mu      sync.Mutex
	logins  map[string]*login // what a host let in, by scheme, host and service
	secrets []string          // never to be shown
}

// Remote finds a remote in git's config, insteadOf applied. Nothing is asked of
// it yet. It is ErrNoRemote if there is none of the name.
func (r *Repo) Remote(name string, options RemoteOptions) (*Remote, error) {
	fetch, push := r.config.remoteURLs(name)
	if fetch == "" {
		return nil, fmt.Errorf("remote %q: %w", name, ErrNoRemote)
	}
	if options.Connect == 0 {
		options.Connect = 30 * time.Second
	}
	if options.Silence == 0 {
		options.Silence = 60 * time.Second
	}
	if options.MaxPack == 0 {
		options.MaxPack = 4 << 30
	}
	m := &Remote{repo: r, name: name, options: options, logins: map[string]*login{}}
	dir := or(r.workTree, r.gitDir)
	var err error
	if m.fetchAt, err = parseEndpoint(fetch, dir); err != nil {
		return nil, err
	}
	m.hideURL(m.fetchAt)
	for _, u := range push {
		at, err := parseEndpoint(u, dir)
		if err != nil {
			return nil, err
		}
		m.hideURL(at)
		m.pushAt = append(m.pushAt, at)
	}
	return m, nil
}

// URL is where the remote is fetched from, without credentials.
func (m *Remote) URL() string { return m.fetchAt.clean }

// Name is what git's config calls the remote.
func (m *Remote) Name() string { return m.name }

// List gives the remote's refs by their full names, HEAD too if it has a commit.
func (m *Remote) List(ctx context.Context) (map[string]ID, error) {
	g, w, stop, err := m.greet(ctx, m.fetchAt, uploadPack)
	if err != nil {
		return nil, m.fail("listing", m.fetchAt, err, "")
	}
	defer stop()
	if err := w.close(); err != nil {
		return nil, m.fail("listing", m.fetchAt, err, "")
	}
	return g.refs, nil
}

// Default gives the branch that the remote calls its own, which a clone checks
// out: "main". It is "" if the remote does not say.
func (m *Remote) Default(ctx context.Context) (string, error) {
	g, w, stop, err := m.greet(ctx, m.fetchAt, uploadPack)
	if err != nil {
		return "", m.fail("listing", m.fetchAt, err, "")
	}
	defer stop()
	if err := w.close(); err != nil {
		return "", m.fail("listing", m.fetchAt, err, "")
	}
	full, _ := strings.CutPrefix(g.caps["symref"], "HEAD:")
	name, ok := strings.CutPrefix(full, "refs/heads/")
	if _, there := g.refs[full]; !ok || !there {
		return "", nil
	}
	return name, nil
}

// greet starts a conversation and reads the greeting. The caller ends it with
// w.close and releases its timer with stop, in that order.
func (m *Remote) greet(ctx context.Context, at endpoint, what service) (g *greeting, w wire, stop func(), err error) {
	ctx, guard := watchOver(ctx, m.options.Silence)
	open := map[string]func(context.Context, *watch, endpoint, service) (wire, error){
		"http": m.openHTTP, "https": m.openHTTP, "ssh": m.openSSH, "file": m.openFile,
	}[at.scheme]
	if w, err = open(ctx, guard, at, what); err != nil {
		err = guard.cause(err)
		guard.stop()
		return nil, nil, nil, err
	}
	if g, err = readGreeting(w.greeting()); err != nil {
		err = withSaid(guard.cause(err), w)
		guard.stop()
		w.close()
		return nil, nil, nil, err
	}
	return g, w, guard.stop, nil
}

// withSaid puts the server's own words in the place of a bare end of file.
func withSaid(err error, w wire) error {
	text := strings.TrimSpace(w.said())
	var server *serverError
	if text == "" || errors.As(err, &server) || errors.Is(err, context.Canceled) {
		return err
	}
	return &serverError{text}
}

// fail makes the error that a caller sees. Errors that say all themselves pass.
func (m *Remote) fail(op string, at endpoint, err error, hint string) error {
	var auth *AuthError
	var remote *RemoteError
	var unsupported *UnsupportedError
	switch {
	case errors.As(err, &auth), errors.As(err, &remote), errors.As(err, &unsupported):
		return err
	case errors.Is(err, context.Canceled):
		return err
	}
	var hinted *hintedError
	if errors.As(err, &hinted) && hint == "" {
		hint = hinted.hint
	}
	return &RemoteError{Op: op, URL: at.clean, Err: m.clean(err), Hint: hint}
}

// clean takes out of an error what must not be shown.
func (m *Remote) clean(err error) error {
	var withURL *url.Error
	if errors.As(err, &withURL) {
		err = withURL.Err // its text would repeat the URL, and more of it
	}
	if text := err.Error(); m.scrub(text) != text {
		return errors.New(m.scrub(text))
	}
	return err
}

// hintedError is an error that knows the way out.
type hintedError struct {
	err  error
	hint string
}

func (e *hintedError) Error() string { return e.err.Error() }
func (e *hintedError) Unwrap() error { return e.err }

// hide keeps a secret out of whatever the server sends back.
func (m *Remote) hide(secrets ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range secrets {
		if len(s) < 4 { // less would blot out words, and guards nothing
			continue
		}
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s)} {
			if !slices.Contains(m.secrets, form) {
				m.secrets = append(m.secrets, form)
			}
		}
	}
	sort.Slice(m.secrets, func(i, j int) bool { return len(m.secrets[i]) > len(m.secrets[j]) })
}

// hideURL hides what a URL has before its host.
func (m *Remote) hideURL(at endpoint) {
	m.hide(at.password)
	if at.scheme != "ssh" && tokenAlone(at.user) {
		m.hide(at.user)
	}
}

func (m *Remote) scrub(text string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.secrets {
		text = strings.ReplaceAll(text, s, "***")
	}
	return text
}
