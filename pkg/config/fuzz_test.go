package config

import (
	"errors"
	"testing"

	"github.com/sluice-dev/sluice/pkg/finding"
)

// Whatever the bytes, a config loads or its faults are findings with a place.
func FuzzLoad(f *testing.F) {
	for _, s := range []string{
		"kubectlApply: [a.yaml]\n",
		"environments: [{name: a}, {name: b, promotedFrom: a}]\napps: [{name: x, dependsOn: [x], kubectlApply: ['{env}']}]\n",
		"validate: {kubernetes: \"1.33\", crds: [a, {}]}\nenviroments: []\ninclude: ['*/x.yaml']\nsecrets: x\n",
		"conduit: {version: v0.3.1, skipInboundPorts: [1]}\ninclude: ['*/x.yaml']\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Load(files{"sluice.yaml": text, "a/x.yaml": text}, "sluice.yaml")
		if err == nil {
			for _, chain := range c.Chains() {
				for _, e := range chain {
					c.Units(e)
				}
			}
			return
		}
		var list finding.List
		if !errors.As(err, &list) || len(list) == 0 {
			t.Fatalf("not a list of findings: %v", err)
		}
		for _, x := range list {
			if x.File == "" || x.Text == "" {
				t.Fatalf("a finding without place or text: %+v", x)
			}
		}
	})
}
