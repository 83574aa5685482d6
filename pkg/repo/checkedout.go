package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// CheckedOut says whether a working tree is on the branch, and which: moving the
// branch under it would leave its files behind. A branch that a rebase or
// bisect there will go back to counts. The HEAD of a bare repository does not.
func (r *Repo) CheckedOut(branch string) (path string, ok bool, err error) {
	type tree struct{ gitDir, path string }
	var trees []tree
	if main, err := r.mainWorkTree(); err != nil {
		return "", false, err
	} else if main != "" {
		trees = append(trees, tree{r.commonDir, main})
	}
	linked := filepath.Join(r.commonDir, "worktrees")
	entries, err := os.ReadDir(linked)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", false, fmt.Errorf("listing working trees: %w", err)
	}
	for _, e := range entries {
		dir := filepath.Join(linked, e.Name())
		trees = append(trees, tree{dir, linkedTop(location{gitDir: dir})})
	}
	for _, t := range trees {
		on, err := onBranch(t.gitDir, "refs/heads/"+branch)
		if errors.Is(err, fs.ErrNotExist) && t.gitDir != r.commonDir {
			continue // removed since it was listed
		}
		if err != nil {
			return "", false, fmt.Errorf("reading the branch of working tree %q: %w", t.path, err)
		}
		if on {
			return t.path, true, nil
		}
	}
	return "", false, nil
}

// mainWorkTree is the working tree beside the common directory, "" if that is bare.
func (r *Repo) mainWorkTree() (string, error) {
	if r.gitDir == r.commonDir {
		return r.workTree, nil
	}
	at := location{gitDir: r.commonDir, commonDir: r.commonDir}
	config, err := readSettings(at, Env{ConfigNoSystem: true})
	if err != nil {
		return "", err
	}
	return workTreeOf(at, config, Env{}), nil
}

func onBranch(gitDir, full string) (bool, error) {
	head, err := readHead(gitDir)
	if err != nil {
		return false, err
	}
	if target, ok := strings.CutPrefix(head, "ref:"); ok && strings.TrimSpace(target) == full {
		return true, nil
	}
	for _, file := range []string{"rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START"} {
		b, err := os.ReadFile(filepath.Join(gitDir, filepath.FromSlash(file)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		name := strings.TrimSpace(string(b))
		if name == full || file == "BISECT_START" && "refs/heads/"+name == full {
			return true, nil
		}
	}
	return false, nil
}

// readHead gives the content of a HEAD, which git once made as a symbolic link.
func readHead(dir string) (string, error) {
	p := filepath.Join(dir, "HEAD")
	if target, err := os.Readlink(p); err == nil && strings.HasPrefix(target, "refs/") {
		return "ref: " + filepath.ToSlash(target), nil
	}
	b, err := os.ReadFile(p)
	return strings.TrimSpace(string(b)), err
}
