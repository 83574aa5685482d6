package gitea

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"code.gitea.io/sdk/gitea"

	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/forge/conformance"
	"github.com/sluice-dev/sluice/pkg/forge/gitea/fake"
	"github.com/sluice-dev/sluice/pkg/forge/host"
)

// TestAccept runs the suite in a new repository of a Gitea or Forgejo that the
// environment names, as somebody who uses its API would set it up. Without one
// it runs against the fake: then it says that the setting up works, and no more.
func TestAccept(t *testing.T) {
	a := &acceptance{url: strings.TrimSuffix(os.Getenv("SLUICE_GITEA_URL"), "/"), token: os.Getenv("SLUICE_GITEA_TOKEN"), second: os.Getenv("SLUICE_GITEA_REVIEWER_TOKEN")}
	real := a.url != ""
	if !real {
		t.Log("SLUICE_GITEA_URL is not set: this is the fake")
		a.url, a.token, a.second = serveFake(t), "owner-token", "reviewer-token"
	}
	if a.token == "" {
		t.Fatal("SLUICE_GITEA_TOKEN is not set: a token with the scopes write:repository, write:issue and write:user")
	}
	if a.second == "" {
		t.Log("NOT TRIED: approvals. SLUICE_GITEA_REVIEWER_TOKEN is not set, and nobody approves of their own request")
	}
	s := a.setUp(t, os.Getenv("SLUICE_GITEA_OWNER"))
	if real {
		s.Patience, s.Sleep = 30*time.Second, time.Sleep
	}
	conformance.Run(t, func(*testing.T) *conformance.Server { return s })
}

// acceptance is a repository at a server, and the people there.
type acceptance struct {
	url, token, second string
	owner, name        string
	me, reviewer       *gitea.Client
}

func (a *acceptance) client(t *testing.T, token string) (*gitea.Client, string) {
	t.Helper()
	c, err := gitea.NewClient(a.url, gitea.SetToken(token), gitea.SetGiteaVersion(""))
	if err != nil {
		t.Fatal(err)
	}
	user, _, err := c.GetMyUserInfo()
	if err != nil {
		t.Fatalf("asking %s who has the token: %v", a.url, err)
	}
	return c, user.UserName
}

// setUp makes a repository with a new name, which goes when the test ends.
func (a *acceptance) setUp(t *testing.T, owner string) *conformance.Server {
	t.Helper()
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	me, login := a.client(t, a.token)
	a.me, a.owner, a.name = me, login, "sluice-accept-"+strings.ToLower(rand.Text()[:10])
	o := gitea.CreateRepoOption{Name: a.name, Private: true, DefaultBranch: "main", AutoInit: true}
	var made *gitea.Repository
	var err error
	if owner == "" || owner == login {
		made, _, err = me.CreateRepo(o)
	} else {
		a.owner = owner
		made, _, err = me.CreateOrgRepo(owner, o)
	}
	check("making a repository", err)
	t.Cleanup(func() {
		if _, err := me.DeleteRepo(a.owner, a.name); err != nil {
			t.Errorf("%s/%s is left behind: %v", a.owner, a.name, err)
		}
	})
	yes, pulls := true, true
	_, _, err = me.EditRepo(a.owner, a.name, gitea.EditRepoOption{HasPullRequests: &pulls, AllowFastForwardOnlyMerge: &yes})
	check("allowing fast-forward merges", err)
	if a.second != "" {
		reviewer, name := a.client(t, a.second)
		write := gitea.AccessModeWrite
		_, err := me.AddCollaborator(a.owner, a.name, name, gitea.AddCollaboratorOption{Permission: &write})
		check("letting the reviewer write", err)
		a.reviewer = reviewer
	}
	web, err := url.Parse(a.url)
	check("SLUICE_GITEA_URL", err)
	basic := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(login+":"+a.token))
	return &conformance.Server{
		API: web.JoinPath("api", "v1"), Token: a.token, Remote: made.CloneURL, People: a,
		Git:   []string{"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=http.extraHeader", "GIT_CONFIG_VALUE_0=" + basic},
		Sleep: func(time.Duration) {}, Via: http.DefaultTransport,
		Make: func(tr *forge.Transport, missing bool) (forge.Forge, error) {
			project := a.owner + "/" + a.name
			if missing {
				project += "-missing"
			}
			return New(forge.Target{Type: forge.Gitea, API: web.JoinPath("api", "v1"), Web: web, Project: project}, tr), nil
		},
	}
}

func (a *acceptance) Review(r forge.Request, v forge.Verdict) error {
	if a.reviewer == nil {
		return conformance.NotTried("a review: SLUICE_GITEA_REVIEWER_TOKEN is not set")
	}
	state := map[forge.Verdict]gitea.ReviewStateType{forge.Approved: gitea.ReviewStateApproved, forge.Rejected: gitea.ReviewStateRequestChanges}[v]
	_, _, err := a.reviewer.CreatePullReview(a.owner, a.name, r.Number, gitea.CreatePullReviewOptions{State: state, Body: "said by the suite"})
	return err
}

func (a *acceptance) Close(r forge.Request) error {
	state := gitea.StateClosed
	_, _, err := a.me.EditPullRequest(a.owner, a.name, r.Number, gitea.EditPullRequestOption{State: &state})
	return err
}

func (a *acceptance) State(r forge.Request) (string, error) {
	p, _, err := a.me.GetPullRequest(a.owner, a.name, r.Number)
	switch {
	case err != nil:
		return "", err
	case p.HasMerged:
		return "merged", nil
	}
	return string(p.State), nil
}

func (a *acceptance) Label(name string) error {
	_, _, err := a.me.CreateLabel(a.owner, a.name, gitea.CreateLabelOption{Name: name, Color: "#00aabb"})
	return err
}

func (a *acceptance) Protect(branch string) error {
	_, _, err := a.me.CreateBranchProtection(a.owner, a.name, gitea.CreateBranchProtectionOption{
		BranchName: branch, RuleName: branch, EnablePush: true, RequiredApprovals: 1, BlockOnRejectedReviews: true, DismissStaleApprovals: true,
	})
	return err
}

// serveFake serves the fake with what setting up needs besides, and gives its URL.
func serveFake(t *testing.T) string {
	r := &host.Repo{Git: conformance.Repository(t), Tokens: map[string]string{"owner-token": host.Owner, "reviewer-token": "ada"}, Writers: map[string]bool{}}
	api := &fake.Server{Prefix: "/git/api/v1", Repo: r}
	gone := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !setUpFake(w, req, api, &gone) {
			api.ServeHTTP(w, req)
		}
	}))
	t.Cleanup(func() {
		server.Close()
		if !gone {
			t.Error("the repository has not been deleted")
		}
	})
	return server.URL + "/git"
}
