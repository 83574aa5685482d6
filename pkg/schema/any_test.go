package schema

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAny(t *testing.T) {
	v, err := Any()
	if err != nil {
		t.Fatal(err)
	}
	widgets := parse(t, widgets)
	if err := v.AddCRD(widgets[0]); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text string
		want       []string
		unchecked  string
	}{
		{"in order", deployment, nil, ""},
		{"misspelt", strings.Replace(deployment, "replicas", "replica", 1), []string{"7: Deployment shop/web: spec.replica: no such field in apps/v1 Deployment | did you mean replicas?"}, ""},
		{"only a part, for server-side apply", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: 1}\n", nil, ""},
		{
			"served by older ones only", "apiVersion: flowcontrol.apiserver.k8s.io/v1beta3\nkind: FlowSchema\nmetadata: {name: a}\nspec: {x: 1}\n",
			[]string{"4: FlowSchema a: spec.x: no such field in flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema"},
			"",
		},
		{
			"a field that was taken out again", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {resourceClaims: [{name: a, source: {resourceClaimName: b}}], containers: []}\n",
			nil, "",
		},
		{
			"served by none any more", "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: a}\nspec: {x: 1}\n",
			nil, "Deployment a: no Kubernetes from 1.27 to 1.37 serves extensions/v1beta1 Deployment",
		},
		{
			"of a version that may have had it", "apiVersion: batch/v2alpha1\nkind: CronJob\nmetadata: {name: a}\n",
			nil, "CronJob a: no Kubernetes from 1.27 to 1.37 serves batch/v2alpha1 CronJob",
		},
		{
			"of a version that never had it", "apiVersion: apps/v1\nkind: Deploymnet\nmetadata: {name: a}\n",
			[]string{"1: Deploymnet a: Kubernetes 1.37 does not serve apps/v1 Deploymnet | did you mean Deployment?"},
			"",
		},
		{"custom, a part", "apiVersion: shop.example/v1\nkind: Widget\nmetadata: {name: a}\nspec: {}\n", nil, ""},
	} {
		if d := cmp.Diff(c.want, findings(t, v, c.text)); d != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, d)
		}
		if got := v.Clone().Unchecked(parse(t, c.text)[0]); got != c.unchecked {
			t.Errorf("%s: unchecked: %q, want %q", c.name, got, c.unchecked)
		}
	}
}

// Whatever some release takes, one of no certain release takes as well.
func TestAnyTakesWhatOneTakes(t *testing.T) {
	any, err := Any()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range samples(t) {
		v := load(t, "1."+itoa(min(s.to, 37)))
		if s.to < 27 || len(v.Validate(s.object)) > 0 {
			continue
		}
		for _, f := range any.Validate(s.object) {
			t.Errorf("1.%d takes it: %s", s.to, f.Text)
		}
	}
}

func BenchmarkAny(b *testing.B) {
	for b.Loop() {
		if _, err := Any(); err != nil {
			b.Fatal(err)
		}
	}
}
