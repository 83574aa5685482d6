package repo

import (
	"path/filepath"
	"strconv"
	"strings"
)

// ForeignOwner gives the directory of the repository that belongs to another
// user than uid, "" if none does or git has been told to trust it: by
// safe.directory in the system's or the user's config, or by GIT_DIR. Its config
// names programs and addresses, and may be a trap: git does nothing there at all.
// sudo is SUDO_UID, whom root stands in for; it may be empty.
func (r *Repo) ForeignOwner(uid int, sudo string) string {
	if r.env.GitDir != "" {
		return ""
	}
	top := or(r.workTree, r.gitDir)
	for _, dir := range []string{r.gitDir, r.commonDir, top} {
		owner, known := ownerOf(dir)
		if !known || owner == uid || uid == 0 && strconv.Itoa(owner) == sudo {
			continue
		}
		if r.safe(top) {
			return ""
		}
		return dir
	}
	return ""
}

// safe reads safe.directory as git does: not from the repository's own config,
// and an empty value takes back those before it.
func (r *Repo) safe(dir string) bool {
	safe := false
	for _, e := range r.config.entries[:r.config.own] {
		if e.key != "safe.directory" {
			continue
		}
		value := tilde(e.value, r.env)
		below, all := strings.CutSuffix(value, "/*")
		switch {
		case value == "":
			safe = false
		case value == "*", filepath.Clean(value) == dir, all && strings.HasPrefix(dir, below+"/"):
			safe = true
		}
	}
	return safe
}
