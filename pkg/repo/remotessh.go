package repo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// openSSH runs the service on the remote's host. ssh's own config says how; its
// program is not run. Host keys are always checked, whatever the config says.
func (m *Remote) openSSH(ctx context.Context, w *watch, at endpoint, what service) (wire, error) {
	if strings.HasPrefix(at.path, "-") {
		return nil, errors.New("the repository's path begins with a dash")
	}
	text := m.options.SSHCommand
	if text == "" {
		text, _ = m.repo.Config("core.sshcommand")
	}
	command, err := parseSSHCommand(text)
	if err != nil {
		return nil, err
	}
	target, err := sshTargetFor(at.host, m.repo.env.Home, command)
	if err != nil {
		return nil, err
	}
	if err := target.refused(); err != nil {
		return nil, err
	}
	client, err := m.dialSSH(ctx, w, at, target)
	if err != nil {
		return nil, err
	}
	p, err := startSSH(client, w, string(what)+" "+shellQuote(at.path))
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return p, nil
}

// shellQuote is how git quotes for the shell on the other side.
func shellQuote(s string) string {
	return "'" + strings.NewReplacer("'", `'\''`, "!", `'\!'`).Replace(s) + "'"
}

func startSSH(client *ssh.Client, w *watch, command string) (*pipe, error) {
	session, err := client.NewSession()
	if err != nil {
		return nil, err
	}
	p := &pipe{watch: w, words: &lockedSaid{}}
	session.Stderr = p.words
	if p.in, err = session.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := session.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = newPackets(w.reader(out))
	if err := session.Start(command); err != nil {
		return nil, err
	}
	p.end = sync.OnceValue(func() error {
		session.Close()
		client.Close()
		return nil
	})
	return p, nil
}

func (m *Remote) dialSSH(ctx context.Context, w *watch, at endpoint, target *sshTarget) (*ssh.Client, error) {
	user := or(at.user, or(target.values["user"], m.options.User))
	if user == "" {
		return nil, &hintedError{errors.New("the URL names no user"), "write it as ssh://git@" + at.host + "/…"}
	}
	address := net.JoinHostPort(target.host(), or(at.port, or(target.values["port"], "22")))
	keyName := address
	if alias := target.values["hostkeyalias"]; alias != "" {
		keyName = net.JoinHostPort(alias, "22")
	}
	check, algorithms, err := hostKeys(target, keyName)
	if err != nil {
		return nil, err
	}
	keys, closeKeys := m.sshKeys(ctx, target)
	defer closeKeys()
	dialer := net.Dialer{Timeout: m.options.Connect}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, w.cause(err)
	}
	context.AfterFunc(ctx, func() { conn.Close() })
	clientConn, channels, requests, err := ssh.NewClientConn(&watchedConn{conn, w}, keyName, &ssh.ClientConfig{
		User: user,
		Auth: []ssh.AuthMethod{ssh.PublicKeys(keys.signers...)},
		HostKeyCallback: func(_ string, remote net.Addr, key ssh.PublicKey) error {
			return check(keyName, remote, key)
		},
		HostKeyAlgorithms: algorithms,
	})
	if err != nil {
		conn.Close()
		return nil, sshFailure(w.cause(err), at, address, keys.tried, target.skipped)
	}
	return ssh.NewClient(clientConn, channels, requests), nil
}

// watchedConn tells the watch of every byte.
type watchedConn struct {
	net.Conn
	w *watch
}

func (c *watchedConn) Read(b []byte) (int, error)  { return (&watchedReader{c.Conn, c.w}).Read(b) }
func (c *watchedConn) Write(b []byte) (int, error) { return (&watchedWriter{c.Conn, c.w}).Write(b) }

// sshFailure sorts what the ssh library tells by text alone.
func sshFailure(err error, at endpoint, address string, tried, skipped []string) error {
	text := err.Error()
	if !strings.Contains(text, "unable to authenticate") && !strings.Contains(text, "Too many authentication failures") {
		return err
	}
	hint := authHint(at, 0, tried)
	if len(skipped) > 0 {
		hint += "; not read there: " + strings.Join(skipped, ", ")
	}
	host, _, _ := net.SplitHostPort(address)
	return &AuthError{Host: host, Tried: tried, Hint: hint}
}

// hostKeys gives the check of the host's key, and the algorithms of the keys
// that are known, so that the server shows one of those.
func hostKeys(target *sshTarget, name string) (ssh.HostKeyCallback, []string, error) {
	db, err := knownhosts.NewDB(target.knownHostsFiles()...)
	if err != nil {
		return nil, nil, fmt.Errorf("reading known hosts: %w", err)
	}
	check := db.HostKeyCallback()
	return func(host string, remote net.Addr, key ssh.PublicKey) error {
		err := check(host, remote, key)
		print := key.Type() + " " + ssh.FingerprintSHA256(key)
		switch {
		case knownhosts.IsHostKeyChanged(err):
			return &hintedError{
				fmt.Errorf("the key of host %q is not the one that is known: it shows %s", target.alias, print),
				"somebody may be in between; if the host has a new key, replace the old one in known_hosts",
			}
		case knownhosts.IsHostUnknown(err):
			return &hintedError{
				fmt.Errorf("the key of host %q is not known: it shows %s", target.alias, print),
				"compare it with what the host's operator publishes and add it to ~/.ssh/known_hosts",
			}
		}
		return err
	}, db.HostKeyAlgorithms(name), nil
}

// sshKeys are the keys to log in with and where they come from.
type sshKeys struct {
	signers []ssh.Signer
	tried   []string
}

// sshKeys collects the agent's keys and those in files. The agent has to stay
// connected until the login is done.
func (m *Remote) sshKeys(ctx context.Context, target *sshTarget) (keys sshKeys, done func()) {
	files, explicit := target.ids, true
	if len(files) == 0 {
		files, explicit = []string{"~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ed25519"}, false
	}
	only := strings.EqualFold(target.values["identitiesonly"], "yes")
	done = keys.addAgent(ctx, target, m.options.AgentSocket, files, only)
	if m.repo.env.Home == "" && !explicit {
		return keys, done
	}
	for _, f := range files {
		keys.addFile(target.expand(f), f, explicit)
	}
	return keys, done
}

// addAgent takes the agent's keys; with IdentitiesOnly those whose public half lies
// beside an identity file.
func (k *sshKeys) addAgent(ctx context.Context, target *sshTarget, socket string, files []string, only bool) (done func()) {
	done = func() {}
	switch v := target.values["identityagent"]; {
	case strings.EqualFold(v, "none"):
		return done
	case v != "" && v != "SSH_AUTH_SOCK":
		socket = target.expand(v)
	}
	if socket == "" {
		return done
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", socket)
	if err != nil {
		k.tried = append(k.tried, "the ssh agent (not reached)")
		return done
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	signers, err := agent.NewClient(conn).Signers()
	if err != nil {
		k.tried = append(k.tried, "the ssh agent (no answer)")
	}
	wanted := map[string]bool{}
	for _, f := range files {
		if text, err := os.ReadFile(target.expand(f) + ".pub"); err == nil {
			if key, _, _, _, err := ssh.ParseAuthorizedKey(text); err == nil {
				wanted[string(key.Marshal())] = true
			}
		}
	}
	n := 0
	for _, s := range signers {
		if !only || wanted[string(s.PublicKey().Marshal())] {
			k.signers = append(k.signers, s)
			n++
		}
	}
	if err == nil {
		k.tried = append(k.tried, fmt.Sprintf("the ssh agent (%d keys)", n))
	}
	return func() {
		stop()
		conn.Close()
	}
}

// addFile takes a private key. One with a passphrase is the agent's business.
func (k *sshKeys) addFile(file, name string, explicit bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		if explicit {
			k.tried = append(k.tried, name+" (cannot be read)")
		}
		return
	}
	signer, err := ssh.ParsePrivateKey(text)
	var locked *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &locked):
		k.tried = append(k.tried, name+" (has a passphrase: ssh-add it)")
	case err != nil:
		k.tried = append(k.tried, name+" (not understood)")
	default:
		k.tried = append(k.tried, name)
		for _, s := range k.signers {
			if string(s.PublicKey().Marshal()) == string(signer.PublicKey().Marshal()) {
				return
			}
		}
		k.signers = append(k.signers, signer)
	}
}
