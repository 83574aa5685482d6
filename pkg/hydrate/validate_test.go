package hydrate

import (
	"fmt"
	"testing"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/inject/conduit"
	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/schema"
)

// The proxies of old meshes are part of what is checked: no release of
// Kubernetes may find anything in them.
func TestInjectedIsValid(t *testing.T) {
	validators := []*schema.Validator{}
	for minor := 27; minor <= 37; minor++ {
		v, err := schema.Load(fmt.Sprintf("1.%d", minor))
		if err != nil {
			t.Fatal(err)
		}
		validators = append(validators, v)
	}
	tried := 0
	for _, kind := range []string{"apps/v1 Deployment", "apps/v1 StatefulSet", "apps/v1 DaemonSet", "apps/v1 ReplicaSet", "batch/v1 Job", "v1 ReplicationController", "v1 Pod"} {
		for _, release := range conduit.Releases() {
			for _, tls := range []string{"", "optional"} {
				injector, err := conduit.New(config.Conduit{Version: release, TLS: &tls})
				if err != nil {
					continue // the release has no such option
				}
				o := workload(t, kind)
				result, err := injector.Inject(o.Node)
				if err != nil {
					t.Fatal(err)
				}
				if result.Status == conduit.Skipped {
					continue
				}
				tried++
				for _, v := range validators {
					for _, f := range v.Validate(o) {
						t.Errorf("%s %s: %s", release, kind, f.Text)
					}
				}
			}
		}
	}
	if tried < 100 {
		t.Errorf("only %d tried", tried)
	}
}

func workload(t *testing.T, kind string) *manifest.Object {
	t.Helper()
	var version, name string
	if _, err := fmt.Sscan(kind, &version, &name); err != nil {
		t.Fatal(err)
	}
	pod := "{containers: [{name: web, image: web, ports: [{containerPort: 80}]}]"
	spec := "{serviceName: web, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: " + pod + "}}}"
	switch name {
	case "Deployment", "DaemonSet", "ReplicaSet":
		spec = "{selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: " + pod + "}}}"
	case "ReplicationController":
		spec = "{selector: {a: b}, template: {metadata: {labels: {a: b}}, spec: " + pod + "}}}"
	case "Job":
		spec = "{template: {spec: " + pod + ", restartPolicy: Never}}}"
	case "Pod":
		spec = pod + "}"
	}
	set, err := manifest.Parse("a.yaml", []byte(fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata: {name: web}\nspec: %s\n", version, name, spec)))
	if err != nil {
		t.Fatal(err)
	}
	return set[0]
}

// What an app's output may be put out for depends on what it was checked with.
func TestDigestOfValidate(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range []*config.Validate{nil, {Kubernetes: "1.33"}, {Kubernetes: "none"}, {CRDs: []string{"a"}}} {
		d, err := digest(&config.Config{Validate: v}, config.Unit{})
		if err != nil {
			t.Fatal(err)
		}
		seen[d] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d digests of 4 settings", len(seen))
	}
	empty, _ := digest(&config.Config{Validate: &config.Validate{}}, config.Unit{})
	if !seen[empty] {
		t.Error("an empty validate is another setting than none")
	}
}

// Of an app that is rendered in part, only what is said of its objects counts.
func TestOfObjects(t *testing.T) {
	u := config.Unit{Inject: []config.Path{{Text: "a", Place: config.Place{File: "sluice.yaml", Line: 3}}}}
	all := func() finding.List {
		return finding.List{{File: "sluice.yaml", Line: 3, Text: "selects nothing"}, {File: "a.yaml", Line: 3, Text: "no template"}}
	}
	if got := ofObjects(all(), u, true); len(got) != 2 {
		t.Errorf("of a whole app: %v", got)
	}
	if got := ofObjects(all(), u, false); len(got) != 1 || got[0].File != "a.yaml" {
		t.Errorf("of a part: %v", got)
	}
}

// A commit that is there already is compared: a newer program with newer
// schemas must not call it wrong.
func TestRecordedIsNotChecked(t *testing.T) {
	for _, recorded := range []bool{false, true} {
		v, err := newValidation(Source{Config: &config.Config{}, recorded: recorded})
		if err != nil {
			t.Fatal(err)
		}
		if (v.base == nil) != recorded {
			t.Errorf("recorded %v: checked %v", recorded, v.base != nil)
		}
	}
}
