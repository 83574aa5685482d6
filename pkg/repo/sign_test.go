package repo

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// signer is the Signer of a repository whose OpenPGP program is a shell script.
func signer(t *testing.T, script string) (*gitRepo, *Signer) {
	t.Helper()
	g := newGit(t)
	program := filepath.Join(t.TempDir(), "gpg.sh")
	must(t, os.WriteFile(program, []byte("#!/bin/sh\n"+script), 0o700))
	g.git("config", "gpg.program", program)
	s, err := g.open().Signer(SignOptions{Environ: g.env, Find: exec.LookPath, TempDir: t.TempDir()})
	must(t, err)
	return g, s
}

func signed(t *testing.T, ctx context.Context, s *Signer) (string, error) {
	t.Helper()
	w := s.repo.NewWriter()
	defer w.Close()
	who := Signature{Name: "Ann", Email: "ann@example.com", When: time.Unix(1700000000, 0).UTC()}
	id, err := w.SignedCommit(ctx, CommitSpec{Tree: EmptyTree, Author: who, Committer: who, Message: "one\n\ntwo\n"}, s)
	if err != nil {
		return "", err
	}
	return string(w.made[id].data), nil
}

// What a signing program prints becomes the last header, each of its lines
// indented, whatever its line endings; what it was given is the commit without.
func TestSignedCommit(t *testing.T) {
	given := filepath.Join(t.TempDir(), "given")
	_, s := signer(t, `echo "$*" >'`+given+`.args'; cat >'`+given+`'; echo "[GNUPG:] SIG_CREATED D" >&2
printf -- '-----BEGIN PGP SIGNATURE-----\r\n\r\nabc\r\n-----END PGP SIGNATURE-----\r\n'`)
	got, err := signed(t, t.Context(), s)
	must(t, err)
	header := "tree " + string(EmptyTree) + "\nauthor Ann <ann@example.com> 1700000000 +0000\ncommitter Ann <ann@example.com> 1700000000 +0000\n"
	want := header + "gpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----\n\none\n\ntwo\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	data, err := os.ReadFile(given)
	must(t, err)
	if string(data) != header+"\none\n\ntwo\n" {
		t.Errorf("signed\n%s", data)
	}
	args, err := os.ReadFile(given + ".args")
	must(t, err)
	if string(args) != "--status-fd=2 -bsau Ann <ann@example.com>\n" {
		t.Errorf("arguments %s", args)
	}
}

func TestSignedCommitFails(t *testing.T) {
	for name, tt := range map[string]struct{ script, want string }{
		"no status":    {"printf -- '-----BEGIN PGP SIGNATURE-----\\n'", "it made no signature"},
		"no signature": {`echo "[GNUPG:] SIG_CREATED D" >&2; echo hello`, "gave no signature"},
		"its words":    {`echo "gpg: no pinentry" >&2; echo "[GNUPG:] FAILURE sign 67108949" >&2; exit 2`, "gpg: no pinentry"},
		"no words":     {"exit 3", "exit status 3"},
	} {
		_, s := signer(t, tt.script)
		_, err := signed(t, t.Context(), s)
		var failed *SignError
		if !errors.As(err, &failed) || !strings.HasSuffix(err.Error(), tt.want) || failed.Hint == "" {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
}

// An interruption ends the program and is nothing but an interruption.
func TestSignedCommitInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, s := signer(t, "sleep 60")
	if _, err := signed(t, ctx, s); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
