package pins

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-dev/sluice/pkg/inject/program"
)

// A pin is changed where it stands; everything else keeps its bytes.
func TestConduit(t *testing.T) {
	for _, c := range []struct{ name, app, before, after string }{
		{
			"comments and quotes stay", "",
			"# ours\nconduit:   # the mesh\n    version: \"v0.3.0\"  # since May\n    proxyUid: 2102\n\nkubectlApply: [a.yaml]\n",
			"# ours\nconduit:   # the mesh\n    version: \"v0.3.1\"  # since May\n    proxyUid: 2102\n\nkubectlApply: [a.yaml]\n",
		},
		{"added", "", "kubectlApply:\n- a.yaml\n", "kubectlApply:\n- a.yaml\nconduit:\n  version: v0.3.1\n"},
		{"windows lines", "", "conduit: {version: v0.3.0}\r\nkubectlApply: [a]\r\n", "conduit: {version: v0.3.1}\r\nkubectlApply: [a]\r\n"},
		{
			"an app's", "web",
			"apps:\n- name: api\n  conduit: {version: v0.3.0}\n- name: web # the shop\n  conduit: {version: v0.3.0}\n",
			"apps:\n- name: api\n  conduit: {version: v0.3.0}\n- name: web # the shop\n  conduit: {version: v0.3.1}\n",
		},
		{
			"an app without", "web",
			"apps:\n- name: web\n  kubectlApply:\n  - a.yaml\nsecrets: allow\n",
			"apps:\n- name: web\n  kubectlApply:\n  - a.yaml\n  conduit:\n    version: v0.3.1\nsecrets: allow\n",
		},
	} {
		got, err := Conduit([]byte(c.before), c.app, "v0.3.1")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if d := cmp.Diff(c.after, string(got)); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
	if got, err := Conduit([]byte("apps: [{name: api}]\n"), "web", "v0.3.1"); err == nil {
		t.Errorf("an app that is not there: %s", got)
	}
}

func TestTool(t *testing.T) {
	tool := program.Tool{Name: "linkerd", Version: "stable-2.14.10", Platforms: map[string]program.Artifact{
		"linux/amd64":  {URL: "https://x/stable-2.14.10/linux", SHA256: "aa"},
		"darwin/arm64": {URL: "https://x/stable-2.14.10/darwin", SHA256: "bb", Member: "linkerd"},
	}}
	for _, c := range []struct{ name, before, after string }{
		{
			"changed in place",
			"tools:\n- name: istio\n  version: 1.20.0\n# the mesh of the shop\n- name: linkerd\n  version: stable-2.14.9 # see the wiki\n  platforms:\n    linux/amd64: {url: \"https://x/stable-2.14.9/linux\", sha256: \"00\"}\nkubectlApply: [a]\n",
			"tools:\n- name: istio\n  version: 1.20.0\n# the mesh of the shop\n- name: linkerd\n  version: stable-2.14.10 # see the wiki\n  platforms:\n    linux/amd64: {url: \"https://x/stable-2.14.10/linux\", sha256: \"aa\"}\n    darwin/arm64:\n      url: https://x/stable-2.14.10/darwin\n      sha256: bb\n      member: linkerd\nkubectlApply: [a]\n",
		},
		{
			"added",
			"kubectlApply: [a]\n",
			"kubectlApply: [a]\ntools:\n- name: linkerd\n  version: stable-2.14.10\n  platforms:\n    darwin/arm64:\n      url: https://x/stable-2.14.10/darwin\n      sha256: bb\n      member: linkerd\n    linux/amd64:\n      url: https://x/stable-2.14.10/linux\n      sha256: aa\n",
		},
	} {
		got, err := Tool([]byte(c.before), tool)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if d := cmp.Diff(c.after, string(got)); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

func TestMoved(t *testing.T) {
	for _, c := range []struct {
		text, older, newer, want string
		ok                       bool
	}{
		{"https://x/stable-2.14.9/l-stable-2.14.9", "stable-2.14.9", "stable-2.14.10", "https://x/stable-2.14.10/l-stable-2.14.10", true},
		{"https://x/v1.2.3/l", "v1.2.3", "v1.3.0", "https://x/v1.3.0/l", true},
		{"https://x/1.2.3/l", "v1.2.3", "v1.3.0", "https://x/1.3.0/l", true},
		{"https://x/latest/l", "v1.2.3", "v1.3.0", "https://x/latest/l", false},
		{"https://x/l", "", "v1.3.0", "https://x/l", false},
	} {
		got, ok := Moved(c.text, c.older, c.newer)
		if got != c.want || ok != c.ok {
			t.Errorf("%q from %q to %q: %q, %v", c.text, c.older, c.newer, got, ok)
		}
	}
}
