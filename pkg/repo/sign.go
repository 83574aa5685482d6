package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// SignOptions are what signing takes from the process's surroundings: the
// programs that hold the keys ask for passphrases and find their agents there.
type SignOptions struct {
	Environ []string                     // for the programs, "NAME=value"
	Find    func(string) (string, error) // path of a program, as exec.LookPath gives it
	TempDir string                       // for what ssh-keygen is to sign; it is taken away at once
}

// SignError is a commit that could not be signed. Nothing was written.
type SignError struct {
	Text string
	Hint string
	Err  error // may be nil
}

func (e *SignError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("signing the commit: %s: %v", e.Text, e.Err)
	}
	return "signing the commit: " + e.Text
}

func (e *SignError) Unwrap() error { return e.Err }

// Signer makes the signatures that git would make here: with the program, the
// key and the format that git's config says.
type Signer struct {
	repo    *Repo
	options SignOptions
	format  string // openpgp, x509 or ssh
	program string // its path
}

// signFormats are git's formats with the program of each.
var signFormats = map[string]string{"openpgp": "gpg", "x509": "gpgsm", "ssh": "ssh-keygen"}

// Signer reads gpg.format, gpg.program and gpg.<format>.program. The key is
// looked for when there is something to sign.
func (r *Repo) Signer(o SignOptions) (*Signer, error) {
	s := &Signer{repo: r, options: o, format: or(r.config.get("gpg.format"), "openpgp")}
	program, known := signFormats[s.format]
	if !known {
		return nil, &SignError{Text: fmt.Sprintf("gpg.format is %q", s.format), Hint: "set one that git knows: git config gpg.format openpgp, or ssh, or x509"}
	}
	if s.format == "openpgp" {
		program = or(r.config.get("gpg.program"), program)
	}
	program = tilde(or(r.config.get("gpg."+s.format+".program"), program), r.env)
	var err error
	if s.program, err = o.Find(program); err != nil {
		return nil, &SignError{Text: fmt.Sprintf("finding %q", program), Err: reason(err), Hint: "install it, or name it in git's config: git config gpg." + s.format + ".program PATH"}
	}
	return s, nil
}

// reason takes the name, which the caller says, out of the error of a search.
func reason(err error) error {
	var search *exec.Error
	if errors.As(err, &search) {
		return search.Err
	}
	return err
}

// SignedCommit adds a commit with a signature over everything else in it. A
// nil signer adds it without one.
func (w *Writer) SignedCommit(ctx context.Context, spec CommitSpec, s *Signer) (ID, error) {
	if s == nil {
		return w.Commit(spec)
	}
	data, err := spec.encode()
	if err != nil {
		return "", err
	}
	signature, err := s.sign(ctx, data, spec.Committer)
	if err != nil {
		return "", err
	}
	return w.add(plumbing.CommitObject, withSignature(data, signature)), nil
}

// withSignature puts a signature where git looks for it: the last header, the
// lines after its first begun with a space.
func withSignature(commit []byte, signature string) []byte {
	header, message, _ := bytes.Cut(commit, []byte("\n\n"))
	text := strings.ReplaceAll(strings.TrimRight(signature, "\n"), "\n", "\n ")
	return fmt.Appendf(nil, "%s\ngpgsig %s\n\n%s", header, text, message)
}

// sign gives the armored signature over data.
func (s *Signer) sign(ctx context.Context, data []byte, committer Signature) (string, error) {
	key := s.repo.config.get("user.signingkey")
	var signature []byte
	var err error
	if s.format == "ssh" {
		signature, err = s.ssh(ctx, data, key)
	} else {
		// Without a key git lets gpg choose one by the committer.
		signature, err = s.gpg(ctx, data, or(key, cleanIdent(committer.Name)+" <"+cleanIdent(committer.Email)+">"))
	}
	if err != nil {
		return "", err
	}
	text := strings.ReplaceAll(string(signature), "\r\n", "\n")
	if !strings.HasPrefix(text, "-----BEGIN ") {
		return "", &SignError{Text: fmt.Sprintf("%q gave no signature", s.program), Hint: "try it with git: git commit --allow-empty -S"}
	}
	return text, nil
}

// gpg has gpg or gpgsm sign. That it did is told by the status line alone:
// wrappers end with 0 in cases where there is no signature.
func (s *Signer) gpg(ctx context.Context, data []byte, key string) ([]byte, error) {
	out, said, err := s.run(ctx, s.program, []string{"--status-fd=2", "-bsau", key}, bytes.NewReader(data))
	if err == nil && !strings.Contains("\n"+said, "\n[GNUPG:] SIG_CREATED ") {
		err = errors.New("it made no signature")
	}
	if err != nil {
		return nil, s.failed(err, fmt.Sprintf("%q with key %q", s.program, key), said)
	}
	return out, nil
}

// ssh has ssh-keygen sign, by the file that git would have it sign: not every
// program that stands in for it reads its input.
func (s *Signer) ssh(ctx context.Context, data []byte, key string) (signature []byte, err error) {
	if key == "" {
		if key, err = s.defaultKey(ctx); err != nil {
			return nil, err
		}
	}
	dir, err := os.MkdirTemp(s.options.TempDir, "sluice-sign-")
	if err != nil {
		return nil, &SignError{Text: "making a temporary directory", Err: err}
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	args := []string{"-Y", "sign", "-n", "git", "-f"}
	literal, isLiteral := literalKey(key)
	file := tilde(key, s.repo.env)
	if isLiteral {
		file = filepath.Join(dir, "key")
		if err := os.WriteFile(file, []byte(literal+"\n"), 0o600); err != nil {
			return nil, &SignError{Text: "writing the public key", Err: err}
		}
	}
	args = append(args, file)
	if isLiteral {
		args = append(args, "-U") // the private half is the agent's
	}
	payload := filepath.Join(dir, "commit")
	if err := os.WriteFile(payload, data, 0o600); err != nil {
		return nil, &SignError{Text: "writing what is to be signed", Err: err}
	}
	if _, said, err := s.run(ctx, s.program, append(args, payload), nil); err != nil {
		return nil, s.failed(err, fmt.Sprintf("%q with key %q", s.program, key), said)
	}
	if signature, err = os.ReadFile(payload + ".sig"); err != nil {
		return nil, &SignError{Text: fmt.Sprintf("%q gave no signature", s.program), Hint: "try it with git: git commit --allow-empty -S"}
	}
	return signature, nil
}

// defaultKey asks the command of gpg.ssh.defaultKeyCommand for a public key.
func (s *Signer) defaultKey(ctx context.Context) (string, error) {
	command := s.repo.config.get("gpg.ssh.defaultkeycommand")
	if command == "" {
		return "", &SignError{Text: "no key is configured", Hint: "name one: git config user.signingKey ~/.ssh/id_ed25519.pub (or gpg.ssh.defaultKeyCommand)"}
	}
	words, ok := shellWords(command)
	if !ok || len(words) == 0 {
		return "", &SignError{Text: fmt.Sprintf("gpg.ssh.defaultKeyCommand %q is no command", command), Hint: "a program and its arguments, such as: ssh-add -L"}
	}
	program, err := s.options.Find(tilde(words[0], s.repo.env))
	if err != nil {
		return "", &SignError{Text: fmt.Sprintf("finding %q of gpg.ssh.defaultKeyCommand", words[0]), Err: reason(err)}
	}
	out, said, err := s.run(ctx, program, words[1:], nil)
	if err != nil {
		return "", s.failed(err, fmt.Sprintf("gpg.ssh.defaultKeyCommand %q", command), said)
	}
	first, _, _ := strings.Cut(string(out), "\n")
	if _, ok := literalKey(first); !ok {
		return "", &SignError{Text: fmt.Sprintf("gpg.ssh.defaultKeyCommand %q printed no public key", command), Hint: "its first line has to begin with ssh- or key::, as what ssh-add -L prints does"}
	}
	return strings.TrimSpace(first), nil
}

// literalKey tells a public key itself from the name of a file with one.
func literalKey(key string) (string, bool) {
	if literal, ok := strings.CutPrefix(key, "key::"); ok {
		return literal, true
	}
	return key, strings.HasPrefix(key, "ssh-")
}

// run runs a program where git would, and gives both of its streams.
func (s *Signer) run(ctx context.Context, program string, args []string, in io.Reader) (out []byte, said string, err error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = or(s.repo.workTree, s.repo.gitDir)
	cmd.Env = append([]string{}, s.options.Environ...) // never nil: that would be this process's own
	cmd.Stdin = in
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return stdout.Bytes(), stderr.String(), err
}

// failed makes an error of what a program said last for people.
func (s *Signer) failed(err error, what, said string) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	for line := range strings.Lines(said) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "[GNUPG:]") {
			err = errors.New(line)
		}
	}
	return &SignError{Text: what, Err: err, Hint: "see that git can sign with it: git commit --allow-empty -S; the key is user.signingKey, the program gpg." + s.format + ".program"}
}
