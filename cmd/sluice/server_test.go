package main

import (
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"
)

// backend is git's own HTTP server for a bare repository.
func backend(dir string) (http.Handler, error) {
	git, err := exec.LookPath("git")
	if err != nil {
		return nil, err
	}
	return &cgi.Handler{
		Path: git, Args: []string{"http-backend"}, Dir: dir, Root: "/", Stderr: io.Discard,
		Env: []string{
			"GIT_PROJECT_ROOT=" + filepath.Dir(dir), "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "HOME=/nowhere", "PATH=" + os.Getenv("PATH"),
			"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=http.receivepack", "GIT_CONFIG_VALUE_0=true",
		},
	}, nil
}

// httpServe [-password SECRET] [-status CODE] DIR serves a bare repository over
// HTTP and puts its URL into $URL. With a password nobody gets in without it,
// with a status every request is answered by that.
func httpServe(ts *testscript.TestScript, neg bool, args []string) {
	password, status := "", 0
	for len(args) > 2 {
		switch args[0] {
		case "-password":
			password = args[1]
		case "-status":
			fmt.Sscan(args[1], &status)
		}
		args = args[2:]
	}
	if neg || len(args) != 1 {
		ts.Fatalf("usage: http-serve [-password SECRET] [-status CODE] DIR")
	}
	dir := ts.MkAbs(args[0])
	git, err := backend(dir)
	ts.Check(err)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if status != 0 {
			http.Error(w, "no", status)
			return
		}
		if _, got, _ := req.BasicAuth(); got != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			// What a server repeats must not be repeated to people.
			http.Error(w, "bad: "+got+" "+req.Header.Get("Authorization"), http.StatusUnauthorized)
			return
		}
		git.ServeHTTP(w, req)
	}))
	ts.Defer(s.Close)
	ts.Setenv("URL", s.URL+"/"+filepath.Base(dir))
	ts.Setenv("HOST", strings.TrimPrefix(s.URL, "http://"))
}

// sshServe runs OpenSSH's own server under the name "box", for the user of this
// machine with a new key in $HOME/.ssh.
func sshServe(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: ssh-serve")
	}
	stop, err := startSSH(ts.Getenv("HOME"), ts.MkAbs("sshd"))
	ts.Check(err)
	ts.Defer(stop)
}

// startSSH runs the server with its files in dir, and writes the client's below
// home.
func startSSH(home, dir string) (stop func(), err error) {
	check := func(e error) { err = errors.Join(err, e) }
	me, e := user.Current()
	check(e)
	check(os.MkdirAll(filepath.Join(home, ".ssh"), 0o700))
	check(os.MkdirAll(dir, 0o700))
	public, e := newKey(filepath.Join(home, ".ssh/id_ed25519"))
	check(e)
	host, e := newKey(filepath.Join(dir, "host"))
	check(e)
	listener, e := net.Listen("tcp", "127.0.0.1:0")
	if check(e); err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	check(listener.Close())
	if me.Uid == "0" {
		check(os.MkdirAll("/run/sshd", 0o755)) // sshd insists
	}
	write := func(path, text string) { check(os.WriteFile(path, []byte(text), 0o600)) }
	write(filepath.Join(dir, "authorized"), public)
	write(filepath.Join(dir, "config"), fmt.Sprintf("ListenAddress 127.0.0.1\nPort %s\nHostKey %s/host\nAuthorizedKeysFile %s/authorized\nStrictModes no\nUsePAM no\n"+
		"PermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPidFile none\nMaxStartups 500\n", port, dir, dir))
	write(filepath.Join(home, ".ssh/known_hosts"), "[127.0.0.1]:"+port+" "+host)
	write(filepath.Join(home, ".ssh/config"), "Host box\n  HostName 127.0.0.1\n  Port "+port+"\n  User "+me.Username+"\n")
	cmd := exec.Command("/usr/sbin/sshd", "-D", "-f", filepath.Join(dir, "config"))
	if check(cmd.Start()); err != nil {
		return nil, err
	}
	stop = func() { cmd.Process.Kill(); cmd.Wait() }
	for range 200 {
		if conn, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			conn.Close()
			return stop, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	stop()
	return nil, errors.New("sshd does not listen")
}

// newKey writes a private key and gives the public one as authorized_keys has it.
func newKey(path string) (string, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return "", err
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		return "", err
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return "", err
	}
	return string(ssh.MarshalAuthorizedKey(signer.PublicKey())), os.WriteFile(path, pem.EncodeToMemory(block), 0o600)
}
