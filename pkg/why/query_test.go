package why

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-dev/sluice/pkg/tree"
)

func TestParseQuery(t *testing.T) {
	for _, tt := range []struct {
		text, namespace string
		want            Query
		err             string
	}{
		{text: "deploy/api", want: Query{Kind: "deploy", Name: "api"}},
		{text: "deployment.apps/api", namespace: "shop", want: Query{Kind: "deployment", Group: "apps", Namespace: "shop", Name: "api"}},
		{text: "shop/Widget.v1.example.com/a", want: Query{Kind: "Widget", Group: "v1.example.com", Namespace: "shop", Name: "a"}},
		{text: "shop/cm/a", namespace: "shop", want: Query{Kind: "cm", Namespace: "shop", Name: "a"}},
		{text: "shop/cm/a", namespace: "web", err: `is in namespace "shop", not in "web"`},
		{text: "api", err: "is not of the form"},
		{text: "a/b/c/d", err: "is not of the form"},
		{text: "cm/", err: "is not of the form"},
		{text: "/cm/a", err: "is not of the form"},
		{text: "/a", err: "is not of the form"},
	} {
		got, err := ParseQuery(tt.text, tt.namespace)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: error %v, want %s", tt.text, err, tt.err)
			}
			continue
		}
		if d := cmp.Diff(tt.want, got); d != "" || err != nil {
			t.Errorf("%s: %v %s", tt.text, err, d)
		}
	}
}

func TestFinds(t *testing.T) {
	deployment := tree.ObjectRecord{File: "shop/deployment-api.yaml", APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: "api"}
	policy := tree.ObjectRecord{File: "networkpolicy-all.yaml", APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy", Name: "all"}
	ingress := tree.ObjectRecord{File: "ingress-web.yaml", APIVersion: "networking.k8s.io/v1", Kind: "Ingress", Name: "web"}
	service := tree.ObjectRecord{File: "service-api.yaml", APIVersion: "v1", Kind: "Service", Name: "api"}
	for _, tt := range []struct {
		query  string
		object tree.ObjectRecord
		want   bool
	}{
		{"Deployment/api", deployment, true},
		{"deployments/api", deployment, true},
		{"deploy/api", deployment, true},
		{"deployment.apps/api", deployment, true},
		{"deployment.v1.apps/api", deployment, true},
		{"deployment.v1beta1.apps/api", deployment, false},
		{"deployment.batch/api", deployment, false},
		{"deployment.v1/api", deployment, false},
		{"web/deployment/api", deployment, false},
		{"deploy/web", deployment, false},
		{"svc/api", deployment, false},
		{"networkpolicies/all", policy, true},
		{"netpol.networking.k8s.io/all", policy, true},
		{"ingresses/web", ingress, true},
		{"service.v1/api", service, true},
		{"shop/svc/api", service, false},
	} {
		q, err := ParseQuery(tt.query, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := q.finds(tt.object, "staging", "app"); got != tt.want {
			t.Errorf("%s for %s: %v, want %v", tt.query, tt.object.File, got, tt.want)
		}
	}
	for file, want := range map[string]bool{
		"staging/app/shop/deployment-api.yaml": true, "app/shop/deployment-api.yaml": true,
		"shop/deployment-api.yaml": false, "staging/shop/deployment-api.yaml": false,
	} {
		if got := (Query{File: file}).finds(deployment, "staging", "app"); got != want {
			t.Errorf("%s: %v, want %v", file, got, want)
		}
	}
}
