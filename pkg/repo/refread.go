package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sluice-dev/sluice/pkg/refname"
)

// errNoRef is a ref that is neither loose nor packed.
var errNoRef = errors.New("no such ref")

// ref is what a ref holds: an id, or the name of another ref.
type ref struct {
	id     ID
	target string
}

// Branch gives the commit at the tip of a local branch. The error is ErrNoBranch
// only if there surely is none.
func (r *Repo) Branch(name string) (ID, error) {
	return r.tip("refs/heads/"+name, name)
}

// IsBranch tells whether a name is that of a branch at a commit. A ref that
// cannot be read is an error: it is not the same as one that does not exist.
func (r *Repo) IsBranch(name string, at ID) (bool, error) {
	full := "refs/heads/" + name
	if refname.Check(full) != nil {
		return false, nil
	}
	id, err := r.resolveRef(full)
	if errors.Is(err, errNoRef) {
		return false, nil
	}
	return id == at, err
}

// RemoteBranch gives the commit that a remote's branch was at when it was last fetched.
func (r *Repo) RemoteBranch(remote, name string) (ID, error) {
	return r.tip("refs/remotes/"+remote+"/"+name, remote+"/"+name)
}

func (r *Repo) tip(full, name string) (ID, error) {
	if err := refname.Check(full); err != nil {
		return "", err
	}
	got, err := r.readRef(full)
	switch {
	case errors.Is(err, errNoRef):
		return "", fmt.Errorf("branch %q: %w", name, ErrNoBranch)
	case err != nil:
		return "", err
	case got.target != "":
		return "", r.symbolic(full, got.target)
	}
	return got.id, nil
}

func (r *Repo) symbolic(full, target string) error {
	return &BrokenRefError{
		Ref: full, Path: r.refPath(full), Why: fmt.Sprintf("it is a symbolic ref to %q", target),
		Hint: "make it a branch of its own: git symbolic-ref --delete " + full,
	}
}

// refPath is the loose file of a ref. Some refs belong to one working tree.
func (r *Repo) refPath(full string) string {
	dir := r.commonDir
	if !strings.HasPrefix(full, "refs/") {
		dir = r.gitDir
	}
	for _, own := range []string{"refs/bisect/", "refs/worktree/", "refs/rewritten/"} {
		if strings.HasPrefix(full, own) {
			dir = r.gitDir
		}
	}
	return filepath.Join(dir, filepath.FromSlash(full))
}

// readRef looks at the loose file, at packed-refs and at the loose file again:
// between the first two looks git may have moved the ref from packed to loose,
// and what is absent in all three was absent at some moment.
func (r *Repo) readRef(full string) (ref, error) {
	for range 2 {
		got, err := r.readLooseRef(full)
		if !errors.Is(err, errNoRef) {
			return got, err
		}
		packed, err := r.readPacked()
		if err != nil {
			return ref{}, err
		}
		if id, ok := packed[full]; ok {
			return ref{id: id}, nil
		}
	}
	return ref{}, errNoRef
}

func (r *Repo) readLooseRef(full string) (ref, error) {
	path := r.refPath(full)
	if fi, err := os.Lstat(path); err == nil && fi.Mode()&fs.ModeSymlink != 0 {
		// git wrote links for symbolic refs long ago.
		target, err := os.Readlink(path)
		if err == nil && strings.HasPrefix(filepath.ToSlash(target), "refs/") {
			return ref{target: filepath.ToSlash(target)}, nil
		}
		return ref{}, r.broken(full, "it is a symbolic link")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) || isDirectory(err) {
			return ref{}, errNoRef
		}
		if fi, statErr := os.Stat(path); statErr == nil && fi.IsDir() {
			return ref{}, errNoRef
		}
		return ref{}, r.broken(full, err.Error())
	}
	return r.parseRef(full, string(b))
}

func (r *Repo) parseRef(full, text string) (ref, error) {
	if target, ok := strings.CutPrefix(text, "ref:"); ok {
		target = strings.TrimSpace(target)
		if target == "" {
			return ref{}, r.broken(full, "it names no other ref")
		}
		return ref{target: target}, nil
	}
	if strings.TrimSpace(text) == "" {
		return ref{}, r.broken(full, "it is empty")
	}
	// FETCH_HEAD goes on after the id.
	if len(text) >= 40 && ID(text[:40]).valid() && (len(text) == 40 || strings.ContainsRune(" \t\r\n", rune(text[40]))) {
		return ref{id: ID(text[:40])}, nil
	}
	return ref{}, r.broken(full, "it does not hold a commit id")
}

func (r *Repo) broken(full, why string) error {
	return &BrokenRefError{
		Ref: full, Path: r.refPath(full), Why: why,
		Hint: "look for the last good value with: git reflog show " + full + ", then: git update-ref " + full + " <commit>",
	}
}

// readPacked reads packed-refs, which git replaces as a whole.
func (r *Repo) readPacked() (map[string]ID, error) {
	path := filepath.Join(r.commonDir, "packed-refs")
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading refs: %w", err)
	}
	refs := map[string]ID{}
	line := 0
	for text := range strings.Lines(string(b)) {
		line++
		if text[0] == '#' || text[0] == '^' {
			continue
		}
		text, ended := strings.CutSuffix(text, "\n")
		id, name, ok := strings.Cut(text, " ")
		if !ended || !ok || !ID(id).valid() || name == "" {
			return nil, fmt.Errorf("reading %q: line %d is not a ref", path, line)
		}
		refs[name] = ID(id)
	}
	return refs, nil
}

// maxLinks is git's bound on symbolic refs that name each other.
const maxLinks = 5

// resolveRef follows symbolic refs to an id.
func (r *Repo) resolveRef(full string) (ID, error) {
	name := full
	for range maxLinks {
		got, err := r.readRef(name)
		if err != nil {
			return "", err
		}
		if got.target == "" {
			return got.id, nil
		}
		if name = got.target; refname.Check(name) != nil {
			return "", r.broken(full, fmt.Sprintf("it points to %q", name))
		}
	}
	return "", r.broken(full, "it points round in a circle")
}

// Head gives the branch that this working tree is on and its commit. The branch
// is "" if HEAD is detached. On a branch without commits the error is *UnbornError.
func (r *Repo) Head() (branch string, id ID, err error) {
	got, err := r.readLooseRef("HEAD")
	if err != nil {
		if errors.Is(err, errNoRef) {
			err = r.broken("HEAD", "it is gone")
		}
		return "", "", err
	}
	if got.target == "" {
		return "", got.id, nil
	}
	branch, _ = strings.CutPrefix(got.target, "refs/heads/")
	if err := refname.Check(got.target); err != nil {
		return "", "", r.broken("HEAD", err.Error())
	}
	id, err = r.resolveRef(got.target)
	if errors.Is(err, errNoRef) {
		return branch, "", &UnbornError{Branch: branch}
	}
	return branch, id, err
}
