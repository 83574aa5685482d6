package fake

import (
	"net/http"
	"strconv"
	"strings"
)

// Setup is how the repository and its branches are set up. What is nil is not
// shown to whoever asks.
type Setup struct {
	Repository  M              `json:"repository"`  // instead of a new repository's settings
	Scopes      string         `json:"scopes"`      // of a classic token
	Rules       map[string][]M `json:"rules"`       // by branch; "*" holds for all
	Rulesets    map[string]M   `json:"rulesets"`    // by number
	Protections map[string]M   `json:"protections"` // classic ones, by branch
	Admin       bool           `json:"admin"`       // whoever asks sees those
}

// fresh is a repository as GitHub makes it, shown to who may write to it.
func fresh() M {
	return M{
		"private": false, "archived": false, "permissions": M{"admin": false, "push": true, "pull": true},
		"allow_merge_commit": true, "allow_squash_merge": true, "allow_rebase_merge": true, "delete_branch_on_merge": false,
	}
}

// settings answers what is asked of the repository's settings; nil for what is
// asked of something else.
func (s *Server) settings(w http.ResponseWriter, r *http.Request, rest string) any {
	if r.Method != http.MethodGet {
		return nil
	}
	if rest == "" {
		if s.Setup.Scopes != "" {
			w.Header().Set("X-OAuth-Scopes", s.Setup.Scopes)
		}
		if s.Setup.Repository != nil {
			return s.Setup.Repository
		}
		return fresh()
	}
	if branch, ok := strings.CutPrefix(rest, "rules/branches/"); ok {
		return page(w, r, append(append([]M{}, s.Setup.Rules["*"]...), s.Setup.Rules[branch]...))
	}
	if id, ok := strings.CutPrefix(rest, "rulesets/"); ok {
		n, _ := strconv.Atoi(id)
		if set := s.Setup.Rulesets[id]; set != nil {
			set["id"] = n
			return set
		}
		return nil
	}
	branch, ok := strings.CutPrefix(rest, "branches/")
	branch, whole := strings.CutSuffix(branch, "/protection")
	classic := s.Setup.Protections[branch]
	switch {
	case !ok || s.Git.Branch(branch) == "":
		return nil
	case whole && (classic == nil || !s.Setup.Admin):
		return nil
	case whole:
		return classic
	}
	return M{
		"name": branch, "protected": classic != nil || len(s.Setup.Rules[branch])+len(s.Setup.Rules["*"]) > 0,
		"protection": M{"enabled": classic != nil},
	}
}
