package forge

import (
	"strings"
	"testing"
)

func TestDetect(t *testing.T) {
	const bad = "!"
	for _, c := range []struct{ remote, kind, address, want string }{
		{"https://github.com/acme/shop.git", "", "", "github https://api.github.com acme/shop https://github.com/acme/shop/commit/f00"},
		{"https://user:hunter2@GitHub.com/acme/shop", "", "", "github https://api.github.com acme/shop https://github.com/acme/shop/commit/f00"},
		{"git@github.com:acme/shop.git", "", "", "github https://api.github.com acme/shop https://github.com/acme/shop/commit/f00"},
		{"ssh://git@ssh.github.com:443/acme/shop.git", "", "", "github https://api.github.com acme/shop https://github.com/acme/shop/commit/f00"},
		{"https://acme.ghe.com/acme/shop", "", "", "github https://api.acme.ghe.com acme/shop https://acme.ghe.com/acme/shop/commit/f00"},
		{"https://git.example.com:8443/acme/shop", "github", "", "github https://git.example.com:8443/api/v3 acme/shop https://git.example.com:8443/acme/shop/commit/f00"},
		{"ssh://git@git.example.com:2222/acme/shop.git", "github", "https://git.example.com:8443/", "github https://git.example.com:8443/api/v3 acme/shop https://git.example.com:8443/acme/shop/commit/f00"},
		{"https://gitlab.com/acme/team/shop.git", "", "", "gitlab https://gitlab.com/api/v4 acme/team/shop https://gitlab.com/acme/team/shop/-/commit/f00"},
		{"https://codeberg.org/acme/shop", "", "", "gitea https://codeberg.org/api/v1 acme/shop https://codeberg.org/acme/shop/commit/f00"},
		{"https://example.com/git/acme/shop", "gitea", "https://example.com/git", "gitea https://example.com/git/api/v1 acme/shop https://example.com/git/acme/shop/commit/f00"},
		{"http://127.0.0.1:8080/acme/shop", "gitea", "", "gitea http://127.0.0.1:8080/api/v1 acme/shop http://127.0.0.1:8080/acme/shop/commit/f00"},
		{"", "", "", "none"},
		{"/srv/shop.git", "", "", "none"},
		{"../shop", "", "", "none"},
		{`C:\shop`, "", "", "none"},
		{"file:///srv/shop.git", "", "", "none"},
		{"https://git.example.com/acme/shop", "none", "", "none"},
		{"/srv/shop.git", "github", "", bad + "the remote is not on a host"},
		{"https://git.example.com/acme/shop", "", "", bad + `which forge is at "git.example.com" is not known`},
		{"https://bitbucket.org/acme/shop", "", "", bad + "not supported yet"},
		{"git@ssh.dev.azure.com:v3/acme/a/shop", "", "", bad + "not supported yet"},
		{"https://github.com/acme/team/shop", "", "", bad + "is not owner/name"},
		{"https://github.com/shop", "", "", bad + "is not owner/name"},
		{"https://gitlab.com/shop", "", "", bad + "is not owner/name"},
		{"http://git.example.com/acme/shop", "github", "", bad + "not sent in the clear"},
		{"https://git.example.com/acme/shop", "github", "https://evil.example.org", bad + `forge.url is on "evil.example.org"`},
		{"https://git.example.com/acme/shop", "github", "https://git.example.com.evil.example.org", bad + "forge.url is on"},
	} {
		got, err := Detect("sluice.yaml", c.remote, c.kind, c.address)
		if reason, refused := strings.CutPrefix(c.want, bad); refused {
			if err == nil || !strings.Contains(err.Error(), reason) {
				t.Errorf("Detect(%q, %q, %q): %v, want an error with %q", c.remote, c.kind, c.address, err, reason)
			}
			continue
		}
		if err != nil {
			t.Errorf("Detect(%q, %q, %q): %v", c.remote, c.kind, c.address, err)
			continue
		}
		have := string(got.Type)
		if got.Type != None {
			have += " " + got.API.String() + " " + got.Project + " " + got.CommitURL("f00")
		}
		if have != c.want {
			t.Errorf("Detect(%q, %q, %q) is %s, want %s", c.remote, c.kind, c.address, have, c.want)
		}
	}
}
