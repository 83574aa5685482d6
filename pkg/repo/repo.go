// Package repo takes a directory of a Git repository and gives commits, their
// files and how they descend from each other; it takes trees and commits and
// moves branches to them, here and in remote repositories. It never touches
// HEAD, the index or a working tree.
//
// Refs are read and written by git's own protocol and objects are read beside
// git processes that repack them, which go-git does not do: it truncates refs
// in place and never syncs, reports a branch in the middle of an update as absent,
// and does not open sparse checkouts. So go-git serves here for the formats only.
package repo

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ID is a Git object id of 40 lower-case hex digits; "" is none.
type ID string

// Short is the id as people read it.
func (id ID) Short() string {
	if len(id) < 10 {
		return string(id)
	}
	return string(id[:10])
}

// valid says whether id has the form of a SHA-1 id that can name an object.
func (id ID) valid() bool {
	return len(id) == 40 && isHex(string(id)) && id != zeroID
}

const zeroID ID = "0000000000000000000000000000000000000000"

func isHex(s string) bool {
	return strings.Trim(s, "0123456789abcdef") == ""
}

// Env is what git takes from its environment, as values. The zero value is
// an empty environment.
type Env struct {
	GitDir         string // GIT_DIR: no search for the repository
	WorkTree       string // GIT_WORK_TREE, with GitDir only
	CommonDir      string // GIT_COMMON_DIR, with GitDir only
	Home           string // HOME: ~/.gitconfig
	XDGConfigHome  string // XDG_CONFIG_HOME; default HOME/.config
	ConfigGlobal   string // GIT_CONFIG_GLOBAL, in place of the two above
	ConfigSystem   string // GIT_CONFIG_SYSTEM; default /etc/gitconfig
	ConfigNoSystem bool   // GIT_CONFIG_NOSYSTEM
	CommitterName  string // GIT_COMMITTER_NAME
	CommitterEmail string // GIT_COMMITTER_EMAIL
	AuthorName     string // GIT_AUTHOR_NAME
	AuthorEmail    string // GIT_AUTHOR_EMAIL
	// LockWait bounds the wait for another process's lock; 0 means what
	// core.filesRefLockTimeout says, or 3 seconds.
	LockWait time.Duration
}

// EnvFrom fills an Env from the variables of the same meaning. getenv is
// os.Getenv, or a table in tests.
func EnvFrom(getenv func(string) string) Env {
	return Env{
		GitDir:         getenv("GIT_DIR"),
		WorkTree:       getenv("GIT_WORK_TREE"),
		CommonDir:      getenv("GIT_COMMON_DIR"),
		Home:           getenv("HOME"),
		XDGConfigHome:  getenv("XDG_CONFIG_HOME"),
		ConfigGlobal:   getenv("GIT_CONFIG_GLOBAL"),
		ConfigSystem:   getenv("GIT_CONFIG_SYSTEM"),
		ConfigNoSystem: truth(getenv("GIT_CONFIG_NOSYSTEM")),
		CommitterName:  getenv("GIT_COMMITTER_NAME"),
		CommitterEmail: getenv("GIT_COMMITTER_EMAIL"),
		AuthorName:     getenv("GIT_AUTHOR_NAME"),
		AuthorEmail:    getenv("GIT_AUTHOR_EMAIL"),
	}
}

// Repo is an opened repository. Its methods may be called from several
// goroutines.
type Repo struct {
	gitDir    string // of this working tree: HEAD
	commonDir string // of all working trees: objects, refs, config
	workTree  string // "" in a bare repository
	config    *settings
	env       Env
	objects   *objects
	shared    sharedMode
}

// Open finds the repository that dir lies in: a working tree or a directory
// below one, a linked working tree, a bare repository. It is ErrNotRepository
// if there is none, and *UnsupportedError for a format that cannot be read.
func Open(dir string, env Env) (*Repo, error) {
	at, err := locate(dir, env)
	if err != nil {
		return nil, err
	}
	local, err := readConfigFile(filepath.Join(at.commonDir, "config"))
	if err != nil {
		return nil, err
	}
	if err := checkFormat(at.commonDir, local); err != nil {
		return nil, err
	}
	config, err := readSettings(at, env)
	if err != nil {
		return nil, err
	}
	shared, err := parseShared(config.get("core.sharedrepository"))
	if err != nil {
		return nil, err
	}
	store, err := openObjects(filepath.Join(at.commonDir, "objects"))
	if err != nil {
		return nil, err
	}
	store.partial = config.promisor()
	if env.LockWait == 0 {
		env.LockWait = lockWait(config.get("core.filesreflocktimeout"))
	}
	return &Repo{
		gitDir: at.gitDir, commonDir: at.commonDir, workTree: workTreeOf(at, config, env),
		config: config, env: env, objects: store, shared: shared,
	}, nil
}

// WorkTree is the top directory of the working tree, "" in a bare repository.
func (r *Repo) WorkTree() string { return r.workTree }

// GitDir is the .git directory of this working tree; a linked one has its own.
func (r *Repo) GitDir() string { return r.gitDir }

// Close releases the open packs. The Repo is of no use afterwards.
func (r *Repo) Close() error { return r.objects.close() }

// Replaced says whether refs/replace or grafts make git show other content
// than the objects hold. Nothing here follows them.
func (r *Repo) Replaced() (bool, error) {
	if b, err := os.ReadFile(filepath.Join(r.commonDir, "info", "grafts")); err == nil && len(strings.TrimSpace(string(b))) > 0 {
		return true, nil
	}
	packed, err := r.readPacked()
	if err != nil {
		return false, err
	}
	for name := range packed {
		if strings.HasPrefix(name, "refs/replace/") {
			return true, nil
		}
	}
	entries, err := os.ReadDir(filepath.Join(r.commonDir, "refs", "replace"))
	if err != nil && !os.IsNotExist(err) {
		return false, err
	}
	return len(entries) > 0, nil
}
