package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// location is where a repository lies on disk. top is the directory that holds
// .git, "" if the repository was found by other means.
type location struct{ gitDir, commonDir, top string }

func locate(dir string, env Env) (location, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return location{}, fmt.Errorf("opening %q: %w", dir, err)
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return location{}, fmt.Errorf("opening %q: %w", dir, err)
	}
	if env.GitDir != "" {
		return locateGiven(abs, env)
	}
	for d := abs; ; d = filepath.Dir(d) {
		at, err := locateAt(d)
		if err != nil || at.gitDir != "" {
			return at, err
		}
		if filepath.Dir(d) == d {
			return location{}, fmt.Errorf("opening %q: %w", dir, ErrNotRepository)
		}
	}
}

// locateGiven takes GIT_DIR, relative to the directory that sluice works in.
func locateGiven(dir string, env Env) (location, error) {
	gitDir := under(dir, env.GitDir)
	if target, err := readGitFile(gitDir); err == nil {
		gitDir = target
	}
	common := under(dir, env.CommonDir)
	if env.CommonDir == "" {
		var err error
		if common, err = commonDirOf(gitDir); err != nil {
			return location{}, err
		}
	}
	if !isGitDir(gitDir, common) {
		return location{}, fmt.Errorf("opening GIT_DIR %q: %w", env.GitDir, ErrNotRepository)
	}
	return location{gitDir: gitDir, commonDir: common, top: dir}, nil
}

// locateAt looks at one directory on the way up; an empty answer means go on.
func locateAt(dir string) (location, error) {
	dot := filepath.Join(dir, ".git")
	for _, c := range []struct{ gitDir, top string }{{dot, dir}, {dir, ""}} {
		gitDir := c.gitDir
		if fi, err := os.Stat(gitDir); errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) {
			continue
		} else if err != nil {
			return location{}, fmt.Errorf("opening the repository: %w", err)
		} else if !fi.IsDir() {
			if gitDir, err = readGitFile(gitDir); err != nil {
				return location{}, err
			}
		}
		common, err := commonDirOf(gitDir)
		if err != nil {
			return location{}, err
		}
		if isGitDir(gitDir, common) {
			return location{gitDir: gitDir, commonDir: common, top: c.top}, nil
		}
		if gitDir != c.gitDir {
			return location{}, fmt.Errorf("opening %q: it names %q: %w", c.gitDir, gitDir, ErrNotRepository)
		}
	}
	return location{}, nil
}

// readGitFile reads the file .git of a linked working tree or a submodule.
func readGitFile(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("opening the repository: %w", err)
	}
	target, ok := strings.CutPrefix(string(b), "gitdir: ")
	target = strings.TrimRight(target, "\r\n")
	if !ok || target == "" {
		return "", fmt.Errorf("opening %q: it does not say gitdir: %w", path, ErrNotRepository)
	}
	return under(filepath.Dir(path), target), nil
}

func commonDirOf(gitDir string) (string, error) {
	b, err := os.ReadFile(filepath.Join(gitDir, "commondir"))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errNotDir):
		return gitDir, nil
	case err != nil:
		return "", fmt.Errorf("opening the repository: %w", err)
	}
	return under(gitDir, strings.TrimRight(string(b), "\r\n")), nil
}

func isGitDir(gitDir, common string) bool {
	if fi, err := os.Lstat(filepath.Join(gitDir, "HEAD")); err != nil || fi.IsDir() {
		return false
	}
	for _, name := range []string{"objects", "refs"} {
		if fi, err := os.Stat(filepath.Join(common, name)); err != nil || !fi.IsDir() {
			return false
		}
	}
	return true
}

// under is path as seen from dir.
func under(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, filepath.FromSlash(path))
}

// workTreeOf follows git: a linked working tree is never bare whatever the shared
// config says; core.worktree wins over the place where .git was found.
func workTreeOf(at location, config *settings, env Env) string {
	linked := at.gitDir != at.commonDir
	switch {
	case env.GitDir != "" && env.WorkTree != "":
		return under(at.top, env.WorkTree)
	case linked:
		return linkedTop(at)
	case config.get("core.worktree") != "":
		return under(at.gitDir, config.get("core.worktree"))
	case truth(config.get("core.bare")):
		return ""
	case at.top == "" && filepath.Base(at.gitDir) == ".git":
		return filepath.Dir(at.gitDir)
	}
	return at.top
}

// linkedTop reads where a linked working tree says that it lies.
func linkedTop(at location) string {
	if at.top != "" {
		return at.top
	}
	b, err := os.ReadFile(filepath.Join(at.gitDir, "gitdir"))
	if err != nil {
		return ""
	}
	return filepath.Dir(under(at.gitDir, strings.TrimRight(string(b), "\r\n")))
}

// knownExtensions change nothing in what is read and written here.
const knownExtensions = " noop noop-v1 preciousobjects partialclone worktreeconfig relativeworktrees "

func checkFormat(commonDir string, local configFile) error {
	version := local.get("core.repositoryformatversion")
	if version != "" && version != "0" && version != "1" {
		return &UnsupportedError{
			What: fmt.Sprintf("core.repositoryformatversion is %q in %s", version, filepath.Join(commonDir, "config")),
			Hint: "use a clone in format 0 or 1",
		}
	}
	for _, e := range local.entries {
		name, ok := strings.CutPrefix(e.key, "extensions.")
		if !ok {
			continue
		}
		switch {
		case name == "objectformat":
			if strings.EqualFold(e.value, "sha1") {
				continue
			}
			return &UnsupportedError{What: "it stores objects under " + e.value + " ids", Hint: "sluice reads SHA-1 repositories only: clone from one"}
		case name == "refstorage":
			if strings.EqualFold(e.value, "files") {
				continue
			}
			return &UnsupportedError{What: "it stores refs as " + e.value, Hint: "convert it: git refs migrate --ref-format=files"}
		case strings.Contains(knownExtensions, " "+name+" "), version != "1":
			// In format 0 git ignores what it does not know.
		default:
			return &UnsupportedError{What: "it uses the extension " + name, Hint: "use a fresh clone without the extension"}
		}
	}
	return nil
}
