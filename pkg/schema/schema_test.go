package schema

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

func load(t testing.TB, version string) *Validator {
	t.Helper()
	v, err := Load(version)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func parse(t testing.TB, text string) manifest.Set {
	t.Helper()
	set, err := manifest.Parse("a.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// findings gives "line: text | hint" of every object in a file.
func findings(t testing.TB, v *Validator, text string) []string {
	t.Helper()
	var out []string
	for _, o := range parse(t, text) {
		out = append(out, lines(v.Validate(o))...)
	}
	return out
}

func lines(list finding.List) []string {
	var out []string
	for _, f := range list {
		line := strings.TrimPrefix(f.Error(), "a.yaml:")
		if f.Hint != "" {
			line += " | " + f.Hint
		}
		out = append(out, line)
	}
	return out
}

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: web
        image: web:1
        imagePullPolicy: Always
        env:
        - name: LEVEL
          value: info
        ports:
        - containerPort: 8080
        resources:
          limits: {cpu: 500m, memory: 1Gi}
        readinessProbe:
          httpGet: {path: /, port: http}
`

func TestFindings(t *testing.T) {
	v := load(t, "1.33")
	tests := []struct {
		name, old, new string
		want           []string
	}{
		{"as it should be", "", "", nil},
		{"unknown field", "imagePullPolicy:", "imagePullPolcy:", []string{
			"17: Deployment shop/web: spec.template.spec.containers[0].imagePullPolcy: no such field in apps/v1 Deployment | did you mean imagePullPolicy?",
		}},
		{"letter case counts", "replicas: 2", "Replicas: 2", []string{
			"7: Deployment shop/web: spec.Replicas: no such field in apps/v1 Deployment | did you mean replicas?",
		}},
		{"unknown field of metadata", "namespace: shop", "namespace: shop\n  labls: {}", []string{
			"6: Deployment shop/web: metadata.labls: no such field in apps/v1 Deployment | did you mean labels?",
		}},
		{"text where an integer belongs", "replicas: 2", `replicas: "2"`, []string{
			"7: Deployment shop/web: spec.replicas has to be an integer, it is text | write it without quotes",
		}},
		{"fraction where an integer belongs", "replicas: 2", `replicas: 2.5`, []string{
			"7: Deployment shop/web: spec.replicas has to be an integer, it is a number",
		}},
		{"more than 32 bits", "replicas: 2", `replicas: 3000000000`, []string{
			"7: Deployment shop/web: spec.replicas does not fit into 32 bits",
		}},
		{"more than 64 bits", "containers:", "terminationGracePeriodSeconds: 10000000000000000000\n      containers:", []string{
			"14: Deployment shop/web: spec.template.spec.terminationGracePeriodSeconds does not fit into 64 bits",
		}},
		{"port of more than 32 bits", "port: http", "port: 3000000000", []string{
			"26: Deployment shop/web: spec.template.spec.containers[0].readinessProbe.httpGet.port does not fit into 32 bits",
		}},
		{"integer where text belongs", "value: info", "value: 8080", []string{
			"20: Deployment shop/web: spec.template.spec.containers[0].env[0].value has to be text, it is an integer | put it between quotes",
		}},
		{"boolean where text belongs", "value: info", "value: true", []string{
			"20: Deployment shop/web: spec.template.spec.containers[0].env[0].value has to be text, it is a boolean | put it between quotes",
		}},
		{"mapping where a list belongs", "- containerPort: 8080", "  containerPort: 8080", []string{
			"22: Deployment shop/web: spec.template.spec.containers[0].ports has to be a list, it is a mapping | begin each item with a dash",
		}},
		{"list where a mapping belongs", "{app: web}\n  template", "[app]\n  template", []string{
			"9: Deployment shop/web: spec.selector.matchLabels has to be a mapping, it is a list",
		}},
		{"fraction as port", "port: http", "port: 80.5", []string{
			"26: Deployment shop/web: spec.template.spec.containers[0].readinessProbe.httpGet.port has to be an integer or text, it is a number",
		}},
		{"quantity with a wrong unit", "1Gi", "1GiB", []string{
			"24: Deployment shop/web: spec.template.spec.containers[0].resources.limits.memory is not a quantity such as 500m, 1.5 or 2Gi",
		}},
		{"boolean as quantity", "1Gi", "true", []string{
			"24: Deployment shop/web: spec.template.spec.containers[0].resources.limits.memory has to be a quantity, it is a boolean",
		}},
		{"value out of a closed list", "imagePullPolicy: Always", "imagePullPolicy: always", []string{
			"17: Deployment shop/web: spec.template.spec.containers[0].imagePullPolicy has to be one of Always, IfNotPresent, Never | did you mean Always?",
		}},
		{"required field", "name: web\n        image", "image", []string{
			"15: Deployment shop/web: spec.template.spec.containers[0] has no name | the field is required",
		}},
		{"null counts as missing", "- containerPort: 8080", "- containerPort: null", []string{
			"22: Deployment shop/web: spec.template.spec.containers[0].ports[0] has no containerPort | the field is required",
		}},
		{"null as an item", "- containerPort: 8080", "- null", []string{
			"22: Deployment shop/web: spec.template.spec.containers[0].ports[0] has no containerPort | the field is required",
		}},
		{"wrong time", "namespace: shop", "namespace: shop\n  creationTimestamp: today", []string{
			"6: Deployment shop/web: metadata.creationTimestamp is not a time such as 2006-01-02T15:04:05Z",
		}},
		{"unknown field of status", "spec:\n  replicas", "status: {reddy: 1}\nspec:\n  replicas", []string{
			"6: Deployment shop/web: status.reddy: no such field in apps/v1 Deployment",
		}},
		{"key that would act on a terminal", "replicas: 2", `"a\eb": 2`, []string{
			`7: Deployment shop/web: spec["a\x1bb"]: no such field in apps/v1 Deployment`,
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(deployment, test.old, test.new, 1)
			if test.old != "" && text == deployment {
				t.Fatal("nothing replaced")
			}
			if diff := cmp.Diff(test.want, findings(t, v, text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAccepted holds what a strict reader of the OpenAPI document would
// refuse and the API server takes.
func TestAccepted(t *testing.T) {
	for _, text := range []string{
		"replicas: null", "selector: {matchLabels: {app: web}, matchExpressions: null}", "strategy: {}",
		"strategy: {type: ''}", "strategy: {rollingUpdate: {maxSurge: 1}}", "strategy: {rollingUpdate: {maxSurge: 25%}}",
	} {
		key, _, _ := strings.Cut(text, ":")
		base := map[string]string{"replicas": "  replicas: 2\n", "selector": "  selector:\n    matchLabels: {app: web}\n", "strategy": "  replicas: 2\n"}
		object := strings.Replace(deployment, base[key], "  "+text+"\n", 1)
		if got := findings(t, load(t, "1.27"), object); got != nil {
			t.Errorf("%s: %q", text, got)
		}
	}
	for name, text := range map[string]string{
		"service name is not needed": `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: a}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, creationTimestamp: null}
    spec: {containers: [{name: a, image: a, resources: {limits: {cpu: 1, memory: 1e9}}}]}
`,
		"a role reference without group": `
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: a}
roleRef: {kind: Role, name: a}
`,
		"no pod selector": `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a}
spec: {policyTypes: [Ingress]}
`,
		"a status that is not complete": `
apiVersion: v1
kind: Node
metadata: {name: a}
status: {conditions: [{type: Ready}], nodeInfo: {}, phase: Whatever}
`,
		"anything in a raw extension": `
apiVersion: apps/v1
kind: ControllerRevision
metadata: {name: a}
data: {spec: {any: [thing, 1]}}
`,
		"bytes in lines": "\napiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: \"aGVs\\nbG8=\\n\"}\n",
		"bytes as a list of numbers, as Go reads them": `
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: a}
spec: {request: [1, 2], signerName: a}
`,
		"encrypted with SOPS": `
apiVersion: v1
kind: Secret
metadata: {name: a}
data: {a: "ENC[AES256_GCM,data:x,type:str]"}
sops: {mac: "ENC[AES256_GCM,data:x,type:str]"}
`,
	} {
		if got := findings(t, load(t, "1.27"), text); got != nil {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestNotServed(t *testing.T) {
	tests := []struct{ version, apiVersion, kind, want string }{
		{"1.33", "extensions/v1beta1", "Deployment", "1: Deployment a: extensions/v1beta1 Deployment is not served since Kubernetes 1.16 | use apps/v1"},
		{"1.33", "extensions/v1beta1", "Ingress", "1: Ingress a: extensions/v1beta1 Ingress is not served since Kubernetes 1.22 | use networking.k8s.io/v1"},
		{"1.33", "extensions/v1beta1", "ThirdPartyResource", "1: ThirdPartyResource a: extensions/v1beta1 ThirdPartyResource is not served since Kubernetes 1.8 | use apiextensions.k8s.io/v1 CustomResourceDefinition"},
		{"1.33", "policy/v1beta1", "PodSecurityPolicy", "1: PodSecurityPolicy a: policy/v1beta1 PodSecurityPolicy is not served since Kubernetes 1.25"},
		{"1.33", "batch/v2alpha1", "CronJob", "1: CronJob a: batch/v2alpha1 CronJob is not served since Kubernetes 1.21 | use batch/v1"},
		{"1.33", "apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", "1: CustomResourceDefinition a: apiextensions.k8s.io/v1beta1 CustomResourceDefinition is not served since Kubernetes 1.22 | use apiextensions.k8s.io/v1"},
		// Planned for 1.31, done in 1.29.
		{"1.33", "networking.k8s.io/v1alpha1", "ClusterCIDR", "1: ClusterCIDR a: networking.k8s.io/v1alpha1 ClusterCIDR is not served since Kubernetes 1.29"},
		// Kubernetes names v1beta3 as the successor, which 1.33 does not serve either.
		{"1.33", "flowcontrol.apiserver.k8s.io/v1beta2", "FlowSchema", "1: FlowSchema a: flowcontrol.apiserver.k8s.io/v1beta2 FlowSchema is not served since Kubernetes 1.29 | use flowcontrol.apiserver.k8s.io/v1"},
		{"1.33", "resource.k8s.io/v1", "DeviceClass", "1: DeviceClass a: resource.k8s.io/v1 DeviceClass is served from Kubernetes 1.34 on, not yet by 1.33 | use resource.k8s.io/v1beta2"},
		{"1.33", "apps/v1", "Deploiment", "1: Deploiment a: Kubernetes 1.33 does not serve apps/v1 Deploiment | did you mean Deployment?"},
		{"1.33", "v1", "Deployment", "1: Deployment a: Kubernetes 1.33 does not serve v1 Deployment | use apps/v1"},
		{"1.33", "apps/v2", "Deployment", "1: Deployment a: Kubernetes 1.33 does not serve apps/v2 Deployment | use apps/v1"},
		{"1.33", "policy/v1", "Eviction", "1: Eviction a: policy/v1 Eviction is part of a request, it is not an object of its own"},
	}
	for _, test := range tests {
		got := findings(t, load(t, test.version), "apiVersion: "+test.apiVersion+"\nkind: "+test.kind+"\nmetadata: {name: a}\n")
		if diff := cmp.Diff([]string{test.want}, got); diff != "" {
			t.Errorf("%s %s: %s", test.apiVersion, test.kind, diff)
		}
	}
}

// TestReleases holds that each release has its own schemas.
func TestReleases(t *testing.T) {
	pod := "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {resources: {}, containers: [{name: a, image: a}]}\n"
	want := []string{"4: Pod a: spec.resources: no such field in v1 Pod"}
	if diff := cmp.Diff(want, findings(t, load(t, "1.31"), pod)); diff != "" {
		t.Error(diff)
	}
	if got := findings(t, load(t, "1.32"), pod); got != nil {
		t.Errorf("pod resources in 1.32: %q", got)
	}
}

func TestLoadRefusesOthers(t *testing.T) {
	for _, version := range []string{"", "1", "1.26", "1.38", "1.033", "1.33.1", "v1.33", "2.33", "1.-1", "1.+33"} {
		_, err := Load(version)
		if err == nil || !strings.HasSuffix(err.Error(), ": known are 1.27 to 1.37") {
			t.Errorf("Load(%q): %v", version, err)
		}
	}
}

func TestUnchecked(t *testing.T) {
	v := load(t, "1.33")
	for text, want := range map[string]string{
		deployment: "",
		"apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: a}":               "",
		"apiVersion: shop.example/v1\nkind: Widget\nmetadata: {name: a}":                      "Widget.shop.example a: no CustomResourceDefinition of shop.example/v1 Widget is at hand",
		"apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: ENC}\nsops: {mac: ENC}": "Secret a: its values are encrypted",
	} {
		if got := v.Unchecked(parse(t, text)[0]); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := findings(t, v, "apiVersion: shop.example/v1\nkind: Widget\nmetadata: {name: a}\nspec: 1\n"); got != nil {
		t.Errorf("an unknown kind has findings: %q", got)
	}
}

// TestNoLine: what a kustomization made has no line in its file.
func TestNoLine(t *testing.T) {
	o := parse(t, strings.Replace(deployment, "replicas", "replica", 1))[0]
	o.Origin.Line = 0
	list := load(t, "1.33").Validate(o)
	if len(list) != 1 || list[0].Line != 0 || list[0].File != "a.yaml" {
		t.Errorf("%+v", list)
	}
}

// TestNoValues: no text shows what an object holds.
func TestNoValues(t *testing.T) {
	list := load(t, "1.33").Validate(parse(t, `
apiVersion: v1
kind: Secret
metadata: {name: a, annotations: {a: hunter2}, creationTimestamp: hunter2}
type: Opaque
immutable: hunter2
data: {a: "hunter2!"}
`)[0])
	if len(list) != 3 {
		t.Errorf("%d findings: %v", len(list), list)
	}
	for _, f := range list {
		if strings.Contains(f.Text+f.Hint, "hunter2") {
			t.Errorf("shows a value: %s", f.Text)
		}
	}
}

func TestBounded(t *testing.T) {
	var text strings.Builder
	text.WriteString("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n")
	for range 1000 {
		text.WriteString("  - {}\n")
	}
	list := load(t, "1.33").Validate(parse(t, text.String())[0])
	if len(list) != maxFindings+1 || !strings.Contains(list[maxFindings].Text, "more is wrong") {
		t.Errorf("%d findings", len(list))
	}
}

func TestConcurrent(t *testing.T) {
	v := load(t, "1.33")
	set := parse(t, deployment+"---\n"+widgets+"---\n"+widget)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for _, o := range set {
				if o.ID.Kind == "CustomResourceDefinition" {
					if err := v.AddCRD(o); err != nil {
						t.Error(err)
					}
				}
				if list := v.Clone().Validate(o); list != nil {
					t.Error(list)
				}
				v.Unchecked(o)
			}
		})
	}
	wait.Wait()
}

func TestNearest(t *testing.T) {
	known := []string{"replicas", "selector", "template", "strategy"}
	for name, want := range map[string]string{
		"replica": "replicas", "Replicas": "replicas", "tempalte": "template", "x": "", "": "", "minReadySeconds": "",
		strings.Repeat("a", 1000): "",
	} {
		if got := nearest(name, known); got != want {
			t.Errorf("nearest(%q) = %q, want %q", name, got, want)
		}
	}
	if got := nearest(strings.Repeat("a", 101), []string{strings.Repeat("a", 100)}); got != "" {
		t.Error("searches for names that nobody typed")
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		load(b, "1.33")
	}
}

func BenchmarkValidate(b *testing.B) {
	v, set := load(b, "1.33"), parse(b, deployment+"---\n"+widgets+"---\n"+widget)
	if err := v.AddCRD(set[1]); err != nil {
		b.Fatal(err)
	}
	for _, i := range []int{0, 2} {
		b.Run(set[i].ID.Kind, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if list := v.Validate(set[i]); list != nil {
					b.Fatal(list)
				}
			}
		})
	}
}
