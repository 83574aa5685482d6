package gitea

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/sluice-dev/sluice/pkg/forge/gitea/fake"
	"github.com/sluice-dev/sluice/pkg/forge/host"
)

// setUpFake answers what somebody asks who sets up a repository.
func setUpFake(w http.ResponseWriter, r *http.Request, api *fake.Server, gone *bool) bool {
	user, known := api.User(r)
	if !known {
		return false
	}
	api.Lock()
	defer api.Unlock()
	what := r.Method + " " + strings.TrimPrefix(strings.TrimPrefix(r.URL.EscapedPath(), api.Prefix), "/repos/"+api.Project)
	var in fake.M
	decode := func() { _ = json.NewDecoder(r.Body).Decode(&in) }
	switch {
	case what == "GET /user":
		host.Answer(w, 200, fake.M{"login": user})
	case what == "POST /user/repos":
		decode()
		api.Project = user + "/" + in["name"].(string)
		host.Answer(w, 201, fake.M{"name": in["name"], "clone_url": api.Git.Dir})
	case what == "PATCH ":
		host.Answer(w, 200, fake.M{})
	case what == "DELETE ":
		*gone = true
		host.Answer(w, 204, nil)
	case strings.HasPrefix(what, "PUT /collaborators/"):
		api.Writers[strings.TrimPrefix(what, "PUT /collaborators/")] = true
		host.Answer(w, 204, nil)
	case what == "POST /labels":
		decode()
		api.Labels = append(api.Labels, in["name"].(string))
		host.Answer(w, 201, fake.M{"id": len(api.Labels), "name": in["name"]})
	case what == "POST /branch_protections":
		decode()
		api.Rules = map[string]host.Rule{in["rule_name"].(string): {Approvals: 1}}
		host.Answer(w, 201, in)
	default:
		return false
	}
	return true
}
