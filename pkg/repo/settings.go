package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
)

// settings is git's config of all levels in one, later entries winning.
type settings struct {
	configFile
	own int // entries from here on are the repository's own
}

// maxIncludes bounds includes that name each other.
const maxIncludes = 10

// readSettings reads system, global, repository and working tree config in git's order.
func readSettings(at location, env Env) (*settings, error) {
	var files []string
	if !env.ConfigNoSystem {
		files = append(files, or(env.ConfigSystem, "/etc/gitconfig"))
	}
	switch {
	case env.ConfigGlobal != "":
		files = append(files, env.ConfigGlobal)
	case env.Home != "" || env.XDGConfigHome != "":
		files = append(files, filepath.Join(or(env.XDGConfigHome, filepath.Join(env.Home, ".config")), "git", "config"))
		if env.Home != "" {
			files = append(files, filepath.Join(env.Home, ".gitconfig"))
		}
	}
	s := &settings{}
	for _, f := range files {
		// git goes on without a personal config that it may not read.
		if err := s.add(f, at, env, 0); err != nil && !errors.Is(err, fs.ErrPermission) {
			return nil, err
		}
	}
	s.own = len(s.entries)
	if err := s.add(filepath.Join(at.commonDir, "config"), at, env, 0); err != nil {
		return nil, err
	}
	if truth(s.get("extensions.worktreeconfig")) {
		if err := s.add(filepath.Join(at.gitDir, "config.worktree"), at, env, 0); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// add appends a file's entries, and where it includes another one, that file's.
func (s *settings) add(file string, at location, env Env, depth int) error {
	if depth > maxIncludes {
		return fmt.Errorf("reading git config %q: more than %d includes inside each other", file, maxIncludes)
	}
	c, err := readConfigFile(file)
	if err != nil {
		return err
	}
	for _, e := range c.entries {
		s.entries = append(s.entries, e)
		if !included(e.key, file, at, env) {
			continue
		}
		if err := s.add(under(filepath.Dir(file), tilde(e.value, env)), at, env, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func tilde(path string, env Env) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		return env.Home + "/" + rest // a slash at the end has a meaning in conditions
	}
	return path
}

// included says whether the entry is an include that holds here. Of the conditions
// only gitdir is known; the others do not serve identities or remotes.
func included(key, file string, at location, env Env) bool {
	if key == "include.path" {
		return true
	}
	cond, isCondition := strings.CutPrefix(key, "includeif.")
	cond, isPath := strings.CutSuffix(cond, ".path")
	if !isCondition || !isPath {
		return false
	}
	dir := filepath.ToSlash(at.gitDir)
	if c, ok := strings.CutPrefix(cond, "gitdir:"); ok {
		return matchDir(c, file, dir, env)
	}
	if c, ok := strings.CutPrefix(cond, "gitdir/i:"); ok {
		return matchDir(strings.ToLower(c), file, strings.ToLower(dir), env)
	}
	return false
}

// matchDir applies the pattern rules of includeIf.gitdir.
func matchDir(pattern, file, dir string, env Env) bool {
	pattern = filepath.ToSlash(tilde(pattern, env))
	if rest, ok := strings.CutPrefix(pattern, "./"); ok {
		pattern = path.Join(filepath.ToSlash(filepath.Dir(file)), rest) + strings.Repeat("/", strings.Count(rest[max(0, len(rest)-1):], "/"))
	} else if !strings.HasPrefix(pattern, "/") && !filepath.IsAbs(pattern) {
		pattern = "**/" + pattern
	}
	if strings.HasSuffix(pattern, "/") {
		pattern += "**"
	}
	return matchParts(strings.Split(pattern, "/"), strings.Split(dir, "/"))
}

// matchParts matches a path part by part; ** stands for any number of parts.
func matchParts(pattern, parts []string) bool {
	if len(pattern) == 0 {
		return len(parts) == 0
	}
	if pattern[0] == "**" {
		for i := range len(parts) + 1 {
			if matchParts(pattern[1:], parts[i:]) {
				return true
			}
		}
		return false
	}
	if len(parts) == 0 {
		return false
	}
	ok, err := path.Match(pattern[0], parts[0])
	return err == nil && ok && matchParts(pattern[1:], parts[1:])
}

// Committer is who commits: GIT_COMMITTER_*, then git's config, then sluice
// itself. Its time is zero.
func (r *Repo) Committer() Signature {
	return r.person("committer", r.env.CommitterName, r.env.CommitterEmail)
}

// Author is who makes a change: GIT_AUTHOR_*, then git's config, then sluice
// itself. Its time is zero.
func (r *Repo) Author() Signature {
	return r.person("author", r.env.AuthorName, r.env.AuthorEmail)
}

func (r *Repo) person(role, name, email string) Signature {
	pick := func(values ...string) string {
		for _, v := range values {
			if v = cleanIdent(v); v != "" {
				return v
			}
		}
		return ""
	}
	return Signature{
		Name:  pick(name, r.config.get(role+".name"), r.config.get("user.name"), "sluice"),
		Email: pick(email, r.config.get(role+".email"), r.config.get("user.email"), "sluice@localhost"),
	}
}

// promisor says whether some remote is to hand objects on when they are needed,
// as in a partial clone.
func (s *settings) promisor() bool {
	for _, e := range s.entries {
		if strings.HasPrefix(e.key, "remote.") && strings.HasSuffix(e.key, ".promisor") && truth(e.value) {
			return true
		}
	}
	return s.get("extensions.partialclone") != ""
}

// RemoteURL is where a remote fetches from, as the config says it: insteadOf
// is not applied and credentials are still in it.
func (r *Repo) RemoteURL(name string) (string, bool) {
	url := ""
	for _, e := range r.config.entries {
		// The first URL is the one to fetch from.
		if e.key == "remote."+name+".url" && url == "" {
			url = e.value
		}
	}
	return url, url != ""
}

// Config gives the last value of a git config key ("user.name",
// "remote.origin.url"), as git config --get does.
func (r *Repo) Config(key string) (string, bool) {
	for i := len(r.config.entries) - 1; i >= 0; i-- {
		if r.config.entries[i].key == key {
			return r.config.entries[i].value, true
		}
	}
	return "", false
}
