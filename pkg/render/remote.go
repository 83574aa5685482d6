package render

import (
	"regexp"
	"strings"
)

var (
	scheme   = regexp.MustCompile(`^[a-z][a-z0-9+.-]*:(//|:)`)
	userHost = regexp.MustCompile(`^[a-z][a-z0-9_.-]*@[^/]*[/:]`)
	scpLike  = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}:`)
	hostLike = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}(:[0-9]+)?/`)
	query    = regexp.MustCompile(`\?(ref|version|timeout|submodules|depth)=`)
)

// isRemote tells whether kustomize would take s for something to fetch, in
// any of the fields that name a file or directory. It is wider than
// kustomize's own rule, which is long and has changed between releases:
// github.com/a/b is remote to kustomize even if a directory has that name.
func isRemote(s string) bool {
	s = strings.ToLower(strings.TrimSpace(s))
	s = strings.TrimPrefix(s, "git::")
	switch {
	case scheme.MatchString(s), userHost.MatchString(s), scpLike.MatchString(s), query.MatchString(s):
		return true
	case strings.HasPrefix(s, "http:"), strings.HasPrefix(s, "https:"):
		return true
	case strings.HasPrefix(s, "github.com/"), strings.HasPrefix(s, "github.com:"), strings.HasPrefix(s, "git@"):
		return true
	case hostLike.MatchString(s):
		return strings.Contains(s, ".git/") || strings.HasSuffix(s, ".git") || strings.Contains(s, "/_git/") || strings.Contains(s, "//")
	}
	return false
}
