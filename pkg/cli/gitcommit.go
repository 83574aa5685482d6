package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// handCommit commits files of the working tree as the user would by hand: by
// the git program, so that hooks, signing, line ends and the index are git's
// own affair. See docs/decisions/054-a-request-goes-forward.md.
type handCommit struct {
	c      *command
	w      *workspace
	git    string
	branch string
	at     repo.ID  // where it is
	files  []string // slash paths from the repository's root
}

// newHandCommit refuses, before anything is written, what git commit -- FILES
// could not do without taking other changes along.
func (c *command) newHandCommit(ctx context.Context, w *workspace, files []string) (*handCommit, error) {
	if err := w.needRepo(); err != nil {
		return nil, err
	}
	if err := c.trusted(w); err != nil {
		return nil, err
	}
	h := &handCommit{c: c, w: w, files: files}
	var err error
	if h.git, err = exec.LookPath("git"); err != nil {
		return nil, &finding.Refusal{Text: "git is not here, and --commit runs it", Hint: "install git, or leave --commit out and commit the files yourself"}
	}
	if h.branch, h.at, err = w.repo.Head(); err != nil {
		return nil, err
	}
	if h.branch == "" {
		return nil, &finding.Refusal{Text: "no branch is checked out: a commit on a detached HEAD is soon lost", Hint: "check out the branch of the source first: git switch main"}
	}
	if _, err := h.run(ctx, append([]string{"ls-files", "--error-unmatch", "--"}, files...)...); err != nil {
		return nil, &finding.Refusal{Text: "not all of these files are known to git: " + strings.Join(files, ", "), Hint: "commit them first: git add, git commit"}
	}
	dirty, err := h.run(ctx, append([]string{"status", "--porcelain", "--"}, files...)...)
	if err != nil {
		return nil, err
	}
	if len(dirty) > 0 {
		return nil, &finding.Refusal{
			Text: "other changes are not committed yet, and would come along: " + strings.Join(strings.Fields(string(dirty)), " "),
			Hint: "commit or stash them first, or leave --commit out",
		}
	}
	return h, nil
}

// write changes the files and commits exactly that. If git does not, because of
// a hook perhaps, the files are put back.
func (h *handCommit) write(ctx context.Context, changed map[string][]byte, message string) (repo.ID, error) {
	before := map[string][]byte{}
	for _, file := range h.files {
		at := filepath.Join(h.w.root, filepath.FromSlash(file))
		data, err := os.ReadFile(at)
		if err == nil {
			err = replace(at, changed[file])
		}
		if err != nil {
			return "", errors.Join(err, h.restore(before, changed))
		}
		before[file] = data
	}
	h.c.stage("committing %s", strings.Join(h.files, ", "))
	if _, err := h.run(ctx, append([]string{"commit", "--quiet", "--only", "-m", message, "--"}, h.files...)...); err != nil {
		if _, now, headErr := h.w.repo.Head(); headErr != nil || now != h.at {
			return "", err // it was interrupted, or somebody else is at work: what is committed is not taken back
		}
		return "", errors.Join(err, h.restore(before, changed))
	}
	_, id, err := h.w.repo.Head()
	return id, err
}

// restore takes back what write wrote, unless somebody has gone on from there.
func (h *handCommit) restore(before, changed map[string][]byte) error {
	var errs []error
	for file, data := range before {
		at := filepath.Join(h.w.root, filepath.FromSlash(file))
		if now, err := os.ReadFile(at); err == nil && bytes.Equal(now, changed[file]) {
			errs = append(errs, replace(at, data))
		}
	}
	return errors.Join(errs...)
}

// gitError is a git program that did not do what it was asked. What it said has
// been shown.
type gitError struct {
	verb string
	err  error
}

func (e *gitError) Error() string { return fmt.Sprintf("running git %s: %v", e.verb, e.err) }

func (e *gitError) Unwrap() error { return e.err }

func (h *handCommit) run(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, h.git, append([]string{"--literal-pathspecs"}, args...)...)
	cmd.Dir, cmd.Env = h.w.root, h.c.Environ
	// An interrupt lets git take its locks away.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if args[0] != "ls-files" { // which is asked a question, and its complaint is the answer
		h.c.told("git", said.String())
	}
	if err != nil {
		err = &gitError{args[0], err}
	}
	return out.Bytes(), err
}
