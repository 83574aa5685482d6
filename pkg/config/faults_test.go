package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-dev/sluice/pkg/finding"
)

// What cannot be read hides nothing but what may follow from it.
func TestFaultsTogether(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{
			"an option, and names", "kubectlApply: [/a, b]\nconduit: {verion: v0.3.1}\nenvironments:\n- name: a\n- name: a\n- {name: b, promotedFrom: gone}\nsecrets: maybe\n",
			[]string{
				`sluice.yaml:1: path "/a" is absolute`, `sluice.yaml:2: conduit unknown key "verion"`, `sluice.yaml:5: environment "a" is already there in line 4`,
				`sluice.yaml:6: promotedFrom names "gone", which is no environment`, `sluice.yaml:7: secrets is "maybe"`,
			},
		},
		{
			"environments, and what refers to them", "environments:\n- nmae: a\n- {name: b, promotedFrom: a}\napps:\n- {name: x, kubectlApply: [a], environments: [a]}\nsecrets: maybe\n",
			[]string{`sluice.yaml:2: environments[0] unknown key "nmae"`, `sluice.yaml:6: secrets is "maybe"`},
		},
		{
			"a top-level key", "enviroments: [{name: a}]\napps:\n- {name: x, kubectlApply: [a], environments: [a]}\nsecrets: maybe\n",
			[]string{`sluice.yaml:1: unknown key "enviroments"`, `sluice.yaml:4: secrets is "maybe"`},
		},
		{
			"a pin, and what it is for", "kubectlApply: [a]\nconduitInject: [a]\nconduit: v0.3.1\n",
			[]string{`sluice.yaml:3: conduit has to be a mapping, it is text`},
		},
		{
			"all in one line", "{kubectlApply: [/a], conduit: {verion: a}, secrets: maybe}\n",
			[]string{`sluice.yaml:1: conduit unknown key "verion"`},
		},
		{
			"an app file", "include: ['*/x.yaml']\nenvironments: [{name: A}]\n",
			[]string{`a/x.yaml:1: apps[0] unknown key "include"`, `a/x.yaml:2: apps[0] unknown key "environments[]"`, `sluice.yaml:2: environment name "A" is not a DNS label`},
		},
	} {
		app := "include: []\n\"environments[]\": 1\n"
		_, err := Load(files{"sluice.yaml": c.text, "a/x.yaml": app}, "sluice.yaml")
		var list finding.List
		if other := list.Take(err); other != nil {
			t.Fatal(other)
		}
		var got []string
		for _, f := range list {
			got = append(got, f.Error())
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, d)
		}
	}
}
