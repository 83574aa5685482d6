package repo

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// helperCredential is what git's credential helpers gave, with every line of
// their answer, which approve and reject hand back.
type helperCredential struct {
	user, password string
	answer         []byte
}

// helperTime bounds a helper, which may show a window and wait for its user.
const helperTime = 60 * time.Second

// fillCredential asks git's credential helpers, nil if they have nothing.
func (m *Remote) fillCredential(ctx context.Context, at endpoint) *helperCredential {
	if m.options.Git == "" {
		return nil
	}
	var ask bytes.Buffer
	ask.WriteString("protocol=" + at.scheme + "\nhost=" + at.authority() + "\n")
	// git leaves the path out itself unless credential.useHttpPath is set.
	if path := strings.TrimPrefix(unescape(at.path), "/"); path != "" && !strings.ContainsAny(path, "\n\r\x00") {
		ask.WriteString("path=" + path + "\n")
	}
	if at.user != "" {
		ask.WriteString("username=" + at.user + "\n")
	}
	answer, err := m.credential(ctx, "fill", ask.Bytes())
	if err != nil {
		return nil
	}
	c := &helperCredential{answer: answer}
	for line := range strings.Lines(string(answer)) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\n"), "=")
		switch key {
		case "username":
			c.user = value
		case "password":
			c.password = value
		case "quit":
			if truth(value) {
				return nil
			}
		}
	}
	if c.password == "" {
		return nil
	}
	m.hide(c.password)
	return c
}

// tellHelper says how the credential served ("approve", "reject"). What becomes of
// that is the helper's affair.
func (m *Remote) tellHelper(ctx context.Context, verb string, c *helperCredential) {
	m.credential(ctx, verb, c.answer)
}

// credential runs git credential. The secret goes over stdin and stdout only.
func (m *Remote) credential(ctx context.Context, verb string, in []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, helperTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, m.options.Git, "credential", verb)
	cmd.Dir = or(m.repo.workTree, m.repo.gitDir)
	cmd.Env = gitEnviron(m.options.Environ)
	if m.repo.env.GitDir != "" {
		cmd.Env = append(cmd.Env, "GIT_DIR="+m.repo.gitDir)
	}
	cmd.WaitDelay = time.Second
	cmd.Stdin = bytes.NewReader(append(in, '\n'))
	return cmd.Output()
}

// netrc looks a host up in ~/.netrc.
func (r *Repo) netrc(host, wantUser string) (user, password string, ok bool) {
	if r.env.Home == "" {
		return "", "", false
	}
	text, err := os.ReadFile(filepath.Join(r.env.Home, ".netrc"))
	if err != nil {
		return "", "", false
	}
	return parseNetrc(string(text), host, wantUser)
}

// parseNetrc gives the first entry for the host, or the default one.
func parseNetrc(text, host, wantUser string) (user, password string, ok bool) {
	var words []string
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) > 0 && strings.HasPrefix(fields[0], "#") {
			continue
		}
		// A macro goes on to an empty line; nothing in it is an entry.
		fields := strings.Fields(line)
		if len(words) > 0 && words[len(words)-1] == "macdef" {
			if len(fields) == 0 {
				words = words[:len(words)-1]
			}
			continue
		}
		for i, f := range fields {
			if f == "macdef" {
				fields = append(fields[:i:i], f)
				break
			}
		}
		words = append(words, fields...)
	}
	matches := false
	done := func() bool { return matches && password != "" && (wantUser == "" || user == wantUser) }
	for i := 0; i < len(words); i++ {
		value := ""
		if i+1 < len(words) {
			value = words[i+1]
		}
		switch words[i] {
		case "machine", "default":
			if done() {
				return user, password, true
			}
			user, password = "", ""
			if matches = words[i] == "default"; !matches {
				matches = strings.EqualFold(value, host)
				i++
			}
		case "login":
			user = value
			i++
		case "password":
			password = value
			i++
		case "account":
			i++
		}
	}
	if done() {
		return user, password, true
	}
	return "", "", false
}
