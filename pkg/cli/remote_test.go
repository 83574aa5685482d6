package cli

import "testing"

func TestToken(t *testing.T) {
	for _, tt := range []struct {
		name, scheme, host string
		env                map[string]string
		from               string
	}{
		{"none", "https", "github.com", nil, ""},
		{"the tool's own, anywhere", "https", "git.example.com:8443", map[string]string{"SLUICE_TOKEN": "x"}, "SLUICE_TOKEN"},
		{"the tool's own before the forge's", "https", "github.com", map[string]string{"SLUICE_TOKEN": "x", "GITHUB_TOKEN": "y"}, "SLUICE_TOKEN"},
		{"an empty one is none", "https", "github.com", map[string]string{"SLUICE_TOKEN": " \n", "GITHUB_TOKEN": "y"}, "GITHUB_TOKEN"},
		{"GitHub's", "https", "GitHub.com", map[string]string{"GH_TOKEN": "x", "GITLAB_TOKEN": "y"}, "GH_TOKEN"},
		{"GitLab's", "https", "gitlab.com", map[string]string{"GH_TOKEN": "x", "GITLAB_TOKEN": "y"}, "GITLAB_TOKEN"},
		{"not in the clear", "http", "github.com", map[string]string{"GITHUB_TOKEN": "x"}, ""},
		{"not elsewhere", "https", "github.com.example.com", map[string]string{"GITHUB_TOKEN": "x", "GITLAB_TOKEN": "y"}, ""},
		{"not on another port", "https", "github.com:8443", map[string]string{"GITHUB_TOKEN": "x"}, ""},
		{"a server of one's own", "https", "ghe.example.com", map[string]string{"GITHUB_TOKEN": "x", "GITHUB_SERVER_URL": "https://ghe.example.com:443"}, "GITHUB_TOKEN"},
		{"a server of one's own, by host", "https", "ghe.example.com", map[string]string{"GH_TOKEN": "x", "GH_HOST": "ghe.example.com"}, "GH_TOKEN"},
		{"a host is not http", "http", "ghe.example.com", map[string]string{"GH_TOKEN": "x", "GH_HOST": "ghe.example.com"}, ""},
		{"http where that is said", "http", "git.local:3000", map[string]string{"GITLAB_TOKEN": "x", "CI_SERVER_URL": "http://git.local:3000"}, "GITLAB_TOKEN"},
		{"Gitea's", "https", "gitea.com", map[string]string{"GITEA_TOKEN": "x"}, "GITEA_TOKEN"},
		{"Gitea's on a server of one's own", "https", "git.local", map[string]string{"GITEA_TOKEN": "x", "GITEA_SERVER_URL": "https://git.local"}, "GITEA_TOKEN"},
		{"Gitea's not to what GitHub's variables name", "https", "github.com", map[string]string{"GITEA_TOKEN": "x", "GITHUB_SERVER_URL": "https://github.com"}, ""},
		{"an empty variable names no host", "https", "", map[string]string{"GITLAB_TOKEN": "x", "CI_SERVER_URL": ""}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &command{Program: Program{Env: func(name string) string { return tt.env[name] }}}
			got, ok := c.token(tt.scheme, tt.host)
			if got.From != tt.from || ok != (tt.from != "") || ok && got.Secret == "" {
				t.Errorf("got a credential from %q, %v; want %q", got.From, ok, tt.from)
			}
		})
	}
}
