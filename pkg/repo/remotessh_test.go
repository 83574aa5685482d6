package repo

import (
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// sshHome is a home directory with a key in it, and the key.
func sshHome(t *testing.T, g *gitRepo) (home string, key ed25519.PrivateKey, public ssh.PublicKey) {
	t.Helper()
	home = g.home()
	must(t, os.MkdirAll(filepath.Join(home, ".ssh"), 0o700))
	key, public = newKey(t, filepath.Join(home, ".ssh/id_test"), "")
	return home, key, public
}

// newKey writes a key pair, with a passphrase if there is one.
func newKey(t *testing.T, path, passphrase string) (ed25519.PrivateKey, ssh.PublicKey) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	must(t, err)
	block, err := ssh.MarshalPrivateKey(key, "")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
	}
	must(t, err)
	must(t, os.WriteFile(path, pem.EncodeToMemory(block), 0o600))
	signer, err := ssh.NewSignerFromKey(key)
	must(t, err)
	must(t, os.WriteFile(path+".pub", ssh.MarshalAuthorizedKey(signer.PublicKey()), 0o600))
	return key, signer.PublicKey()
}

// sshServer runs commands for whoever has the key, in this process.
type sshServer struct {
	address string
	host    ssh.Signer
	key     ssh.PublicKey
	users   chan string
	env     []string
}

func newSSHServer(t *testing.T, key ssh.PublicKey, env []string) *sshServer {
	t.Helper()
	_, hostKey, err := ed25519.GenerateKey(nil)
	must(t, err)
	host, err := ssh.NewSignerFromKey(hostKey)
	must(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { listener.Close() })
	s := &sshServer{listener.Addr().String(), host, key, make(chan string, 100), env}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s
}

func (s *sshServer) serve(conn net.Conn) {
	config := &ssh.ServerConfig{PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if string(key.Marshal()) == string(s.key.Marshal()) {
			return nil, nil
		}
		return nil, errors.New("unknown key")
	}}
	config.AddHostKey(s.host)
	c, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	s.users <- c.User()
	go ssh.DiscardRequests(requests)
	for n := range channels {
		channel, requests, err := n.Accept()
		if err != nil {
			return
		}
		go func() {
			for req := range requests {
				if req.Type != "exec" {
					req.Reply(false, nil)
					continue
				}
				req.Reply(true, nil)
				go s.run(channel, string(req.Payload[4:]))
			}
		}()
	}
}

func (s *sshServer) run(channel ssh.Channel, line string) {
	cmd := exec.Command("/bin/sh", "-c", line)
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env, channel, channel.Stderr()
	in, err := cmd.StdinPipe()
	if err == nil && cmd.Start() == nil {
		go func() { io.Copy(in, channel); in.Close() }()
		cmd.Wait()
	}
	status := struct{ Code uint32 }{uint32(cmd.ProcessState.ExitCode())}
	channel.SendRequest("exit-status", false, ssh.Marshal(status))
	channel.Close()
}

func (s *sshServer) port() string {
	_, port, _ := net.SplitHostPort(s.address)
	return port
}

// known is the server's line in known_hosts.
func (s *sshServer) known() string {
	return fmt.Sprintf("[127.0.0.1]:%s %s", s.port(), ssh.MarshalAuthorizedKey(s.host.PublicKey()))
}

func sshFile(t *testing.T, home, name, text string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(home, ".ssh", name), []byte(text), 0o600))
}

// tryRoundTrip pushes, lists and fetches.
func tryRoundTrip(t *testing.T, a *gitRepo, o RemoteOptions) error {
	t.Helper()
	m, err := a.openEnv(Env{Home: a.home()}).Remote("origin", o)
	if err != nil {
		return err
	}
	refs, err := m.List(t.Context())
	if err != nil {
		return err
	}
	id := a.commit("x", fmt.Sprint(len(refs)))
	if _, err := a.push(m, fmt.Sprint("b", len(refs)), "", id); err != nil {
		return err
	}
	got, err := m.Fetch(t.Context(), allBranches, FetchOptions{})
	if err == nil && got[fmt.Sprint("refs/heads/b", len(refs))] != id {
		err = fmt.Errorf("fetched %v", got)
	}
	return err
}

func TestSSH(t *testing.T) {
	bare := newBare(t)
	a := local(t, "x")
	home, key, public := sshHome(t, a)
	s := newSSHServer(t, public, bare.env)
	url := "ssh://ann@127.0.0.1:" + s.port() + bare.dir
	sshFile(t, home, "known_hosts", s.known())
	identity := "IdentityFile ~/.ssh/id_test\n"
	tests := []struct {
		name, url, config string
		options           func(o *RemoteOptions)
		git               string // core.sshCommand
		user, fails       string
	}{
		{name: "identity file", url: url, config: identity, user: "ann"},
		{
			name: "alias, user and port", url: "forge:" + bare.dir, user: "bob",
			config: "Host other forge\n  HostName=127.0.0.1\n  Port " + s.port() + "\n  User bob\n  " + identity + "Host forge\n User later\n",
		},
		{
			name: "user of this machine", url: strings.Replace(url, "ann@", "", 1), config: identity, user: "me",
			options: func(o *RemoteOptions) { o.User = "me" },
		},
		{name: "no user", url: strings.Replace(url, "ann@", "", 1), config: identity, fails: "names no user"},
		{name: "agent", url: url, user: "ann", options: func(o *RemoteOptions) { o.AgentSocket = startAgent(t, key) }},
		{
			name: "agent, the key that is named only", url: url, user: "ann", config: "IdentitiesOnly yes\n" + identity,
			options: func(o *RemoteOptions) { o.AgentSocket = startAgent(t, key) },
		},
		{
			name: "agent, not the key that is named", url: url, config: "IdentitiesOnly yes\nIdentityFile ~/.ssh/none\n", fails: "refused access (tried the ssh agent (0 keys), ~/.ssh/none (cannot be read))",
			options: func(o *RemoteOptions) { o.AgentSocket = startAgent(t, key) },
		},
		{name: "no key", url: url, fails: "refused access (no credentials found)"},
		{name: "jump host", url: url, config: identity + "ProxyJump bastion\n", fails: "proxyjump"},
		{name: "proxy command", url: url, config: identity + "ProxyCommand nc %h %p\n", fails: "proxycommand"},
		{name: "proxy command none", url: url, config: identity + "ProxyCommand none\n", user: "ann"},
		{
			name: "key and hosts as actions/checkout sets them", url: url, user: "ann", config: "IdentityFile ~/.ssh/none\n",
			git: `"/usr/bin/ssh" -i "` + home + `/.ssh/id_test" -o StrictHostKeyChecking=yes -o CheckHostIP=no -o "UserKnownHostsFile=` + home + `/.ssh/known_hosts"`,
		},
		{name: "a command of one's own", url: url, git: "tunnel-ssh -v", fails: `it runs "tunnel-ssh"`},
		{name: "a command with an option that matters", url: url, git: "ssh -J bastion", fails: `"-J" is not understood`},
		{name: "a command for a shell", url: url, git: "ssh -i $KEY", fails: "needs a shell"},
		{
			name: "the environment's command wins", url: url, git: "tunnel-ssh", user: "ann",
			options: func(o *RemoteOptions) { o.SSHCommand = "ssh -i " + home + "/.ssh/id_test" },
		},
		{name: "no such repository", url: url + "x", config: identity, fails: "does not appear to be a git repository"},
		{name: "a path that is an option", url: "forge:-x", config: "HostName 127.0.0.1\n", fails: "begins with a dash"},
		{name: "nobody listens", url: "ssh://ann@127.0.0.1:1/x", config: identity, fails: "connection refused"},
		{name: "unknown host", url: url, config: identity + "UserKnownHostsFile /dev/null\nStrictHostKeyChecking no\n", fails: "is not known: it shows ssh-ed25519 SHA256:"},
		{name: "host known under another name", url: url, config: identity + "HostKeyAlias elsewhere\n", fails: "is not known"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := a.at(t.TempDir())
			a.git("init", "-q", "-b", "main")
			a.git("remote", "add", "origin", tt.url)
			if tt.git != "" {
				a.git("config", "core.sshCommand", tt.git)
			}
			sshFile(t, home, "config", tt.config)
			o := a.options()
			if tt.options != nil {
				tt.options(&o)
			}
			for len(s.users) > 0 {
				<-s.users
			}
			err := tryRoundTrip(t, a, o)
			switch {
			case tt.fails != "":
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("error is %v, want %q", err, tt.fails)
				}
			case err != nil:
				t.Error(err)
			case <-s.users != tt.user:
				t.Errorf("came as another user than %q", tt.user)
			}
		})
	}
	bare.fsck()
}

// TestSSHHostKey holds on to the key that is known whatever the config says.
func TestSSHHostKey(t *testing.T) {
	bare := newBare(t)
	a := local(t, "x")
	home, _, public := sshHome(t, a)
	s := newSSHServer(t, public, bare.env)
	a.git("remote", "set-url", "origin", "ssh://ann@127.0.0.1:"+s.port()+bare.dir)
	sshFile(t, home, "config", "StrictHostKeyChecking no\nIdentityFile ~/.ssh/id_test\n")
	other := newSSHServer(t, public, nil)
	sshFile(t, home, "known_hosts", strings.Replace(other.known(), other.port(), s.port(), 1))
	err := tryRoundTrip(t, a, a.options())
	var remote *RemoteError
	if !errors.As(err, &remote) || !strings.Contains(err.Error(), "is not the one that is known") || remote.Hint == "" {
		t.Errorf("another key: %v", err)
	}
	if len(s.users) > 0 {
		t.Error("logged in nevertheless")
	}
}

func TestSSHPassphrase(t *testing.T) {
	bare := newBare(t)
	a := local(t, "x")
	home, _, _ := sshHome(t, a)
	_, public := newKey(t, filepath.Join(home, ".ssh/id_ed25519"), "open sesame")
	s := newSSHServer(t, public, bare.env)
	a.git("remote", "set-url", "origin", "ssh://ann@127.0.0.1:"+s.port()+bare.dir)
	sshFile(t, home, "known_hosts", s.known())
	sshFile(t, home, "config", "Match user ann\n  IdentityFile ~/.ssh/other\n")
	err := tryRoundTrip(t, a, a.options())
	var auth *AuthError
	if !errors.As(err, &auth) || !strings.Contains(err.Error(), "ssh-add it") || !strings.Contains(auth.Hint, "Match user ann") {
		t.Errorf("a key with a passphrase: %v", err)
	}
}

// TestSSHSilence gives up on a server that accepts and says nothing.
func TestSSHSilence(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	a := local(t, "ssh://ann@"+listener.Addr().String()+"/x")
	o := a.options()
	o.Silence = 200 * time.Millisecond
	_, err = a.remote(o).List(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no answer for 200ms") {
		t.Errorf("List = %v", err)
	}
}

func startAgent(t *testing.T, key ed25519.PrivateKey) (socket string) {
	t.Helper()
	ring := agent.NewKeyring()
	must(t, ring.Add(agent.AddedKey{PrivateKey: key}))
	dir, err := os.MkdirTemp("", "a") // a socket's path has to be short
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	listener, err := net.Listen("unix", socket)
	must(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go agent.ServeAgent(ring, conn)
		}
	}()
	return socket
}

// TestSSHD speaks to OpenSSH's own server. CI installs it.
func TestSSHD(t *testing.T) {
	program := "/usr/sbin/sshd"
	if _, err := os.Stat(program); err != nil {
		t.Skipf("NOT TESTED against OpenSSH: %s is not installed", program)
	}
	me, err := user.Current()
	must(t, err)
	bare := newBare(t)
	a := local(t, "x")
	home, key, public := sshHome(t, a)
	dir := t.TempDir()
	newKey(t, filepath.Join(dir, "host"), "")
	must(t, os.WriteFile(filepath.Join(dir, "authorized"), ssh.MarshalAuthorizedKey(public), 0o600))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	config := fmt.Sprintf("ListenAddress 127.0.0.1\nPort %s\nHostKey %s/host\nAuthorizedKeysFile %s/authorized\nStrictModes no\nUsePAM no\n"+
		"PermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPidFile none\n", port, dir, dir)
	must(t, os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600))
	if me.Uid == "0" {
		must(t, os.MkdirAll("/run/sshd", 0o755)) // sshd insists
	}
	log := &lockedSaid{}
	cmd := exec.Command(program, "-D", "-e", "-f", filepath.Join(dir, "config"))
	cmd.Stderr = log
	must(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	hostKey, err := os.ReadFile(filepath.Join(dir, "host.pub"))
	must(t, err)
	sshFile(t, home, "known_hosts", "[127.0.0.1]:"+port+" "+string(hostKey))
	sshFile(t, home, "config", "Host box\n  HostName 127.0.0.1\n  Port "+port+"\n  User "+me.Username+"\n")
	a.git("remote", "set-url", "origin", "box:"+bare.dir)
	for range 100 {
		if conn, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			conn.Close()
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	o := a.options()
	o.AgentSocket = startAgent(t, key)
	if err := tryRoundTrip(t, a, o); err != nil {
		t.Fatalf("%v\nsshd: %s", err, log)
	}
	bare.hook("pre-receive", "echo 'not today' >&2; exit 1\n")
	var declined *DeclinedError
	if err := tryRoundTrip(t, a, o); !errors.As(err, &declined) || !strings.Contains(declined.Said, "not today") {
		t.Errorf("a hook that declines: %v", err)
	}
	bare.fsck()
}
