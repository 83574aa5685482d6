package conduit

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-dev/sluice/pkg/config"
)

const head = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"

func TestWorkloadErrors(t *testing.T) {
	long := strings.Repeat("a", 64)
	for _, c := range []struct {
		name, version, text string
		path                string
		line                int
		want                string
	}{
		{"no spec", "v0.3.0", head, "spec", 1, "is missing"},
		{"spec null", "v0.3.0", head + "spec:\n", "spec", 4, "is null"},
		{"spec a list", "v0.3.0", head + "spec: []\n", "spec", 4, "is not a map"},
		{"no template", "v0.3.0", head + "spec: {replicas: 1}\n", "spec.template", 4, "is missing"},
		{"template null", "v0.3.0", head + "spec:\n  template: null\n", "spec.template", 5, "is null"},
		{"template text", "v0.3.0", head + "spec:\n  template: web\n", "spec.template", 5, "is not a map"},
		{"no pod spec", "v0.3.0", head + "spec:\n  template: {}\n", "spec.template.spec", 5, "is missing"},
		{"pod without spec", "v0.5.0", "kind: Pod\nmetadata: {name: a}\n", "spec", 1, "is missing"},
		{"no containers", "v0.3.0", head + "spec:\n  template:\n    spec: {nodeName: a}\n", "spec.template.spec.containers", 6, "is empty: a pod needs a container"},
		{"containers null", "v0.3.0", head + "spec:\n  template:\n    spec:\n      containers:\n", "spec.template.spec.containers", 7, "is empty: a pod needs a container"},
		{"containers empty", "v0.3.0", head + "spec:\n  template:\n    spec:\n      containers: []\n", "spec.template.spec.containers", 7, "is empty: a pod needs a container"},
		{"containers a map", "v0.3.0", head + "spec:\n  template:\n    spec:\n      containers:\n        web: {image: a}\n", "spec.template.spec.containers", 7, "is not a list"},
		{"container text", "v0.3.0", head + "spec:\n  template:\n    spec:\n      containers:\n      - web\n", "spec.template.spec.containers[0]", 8, "is not a map"},
		{"container null", "v0.3.0", head + "spec:\n  template:\n    spec:\n      containers:\n      - {name: a}\n      -\n", "spec.template.spec.containers[1]", 9, "is not a map"},
		{"container name a list", "v0.3.0", pod("containers: [{name: [a]}]"), "spec.template.spec.containers[0].name", 7, "is not a plain value"},
		{"image a map", "v0.3.0", pod("containers: [{name: a, image: {}}]"), "spec.template.spec.containers[0].image", 7, "is not a plain value"},
		{"init containers a map", "v0.3.0", pod("containers: [{name: a}]\n      initContainers: {}"), "spec.template.spec.initContainers", 8, "is not a list"},
		{"init container text", "v0.3.0", pod("containers: [{name: a}]\n      initContainers: [b]"), "spec.template.spec.initContainers[0]", 8, "is not a map"},
		{"volumes a map", "v0.3.0", pod("containers: [{name: a}]\n      volumes: {}"), "spec.template.spec.volumes", 8, "is not a list"},
		{"metadata a list", "v0.3.0", "kind: Deployment\nmetadata: []\nspec: {template: {spec: {containers: [{name: a}]}}}\n", "metadata", 2, "is not a map"},
		{"name a map", "v0.3.0", "kind: Deployment\nmetadata: {name: {}}\nspec: {template: {spec: {containers: [{name: a}]}}}\n", "metadata.name", 2, "is not a plain value"},
		{"pod metadata text", "v0.3.0", head + "spec:\n  template:\n    metadata: a\n    spec: {containers: [{name: a}]}\n", "spec.template.metadata", 6, "is not a map"},
		{"labels a list", "v0.3.0", head + "spec:\n  template:\n    metadata: {labels: [a]}\n    spec: {containers: [{name: a}]}\n", "spec.template.metadata.labels", 6, "is not a map"},
		{"annotations text", "v0.3.0", head + "spec:\n  template:\n    metadata:\n      annotations: a\n    spec: {containers: [{name: a}]}\n", "spec.template.metadata.annotations", 7, "is not a map"},
		{"alias", "v0.3.0", head + "x: &x [{name: a}]\nspec:\n  template:\n    spec:\n      containers: *x\n", "spec.template.spec.containers", 8, "is an alias, which has to be expanded first"},
		{"alias item", "v0.3.0", head + "x: &x {name: a}\nspec:\n  template:\n    spec:\n      containers: [*x]\n", "spec.template.spec.containers[0]", 8, "is an alias, which has to be expanded first"},
		{"merge key", "v0.3.0", head + "x: &x {hostNetwork: true}\nspec:\n  template:\n    spec:\n      <<: *x\n      containers: [{name: a}]\n", "spec.template.spec", 7, "has a merge key, which has to be expanded first"},
		{"merge key in item", "v0.3.0", head + "x: &x {name: a}\nspec:\n  template:\n    spec:\n      containers: [{<<: *x}]\n", "spec.template.spec.containers[0]", 8, "has a merge key, which has to be expanded first"},
		{"hostNetwork text", "v0.3.0", pod("hostNetwork: 'true'\n      containers: [{name: a}]"), "spec.template.spec.hostNetwork", 7, "is neither true nor false"},
		{"one name twice", "v0.3.0", pod("containers:\n      - name: a\n      - name: a"), "spec.template.spec.containers[1].name", 9, `"a" names two containers of the pod`},
		{"one name, init too", "v0.3.0", pod("containers:\n      - name: a\n      initContainers:\n      - image: b\n        name: a"), "spec.template.spec.initContainers[0].name", 11, `"a" names two containers of the pod`},
		{"proxy's name", "v0.3.0", pod("containers:\n      - image: a\n        name: conduit-proxy"), "spec.template.spec.containers[0].name", 9, `"conduit-proxy" is the name of Conduit's own container`},
		{"init's name", "v18.9.1", pod("containers: [{name: a}]\n      initContainers: [{name: linkerd-init}]"), "spec.template.spec.initContainers[0].name", 8, `"linkerd-init" is the name of Linkerd's own container`},
		{"inbound port", "v0.3.0", pod("containers: [{name: a, ports: [{containerPort: 80}, {containerPort: 4143}]}]"), "spec.template.spec.containers[0].ports[1].containerPort", 7, "4143 is the proxy's inbound port"},
		{"outbound port", "v0.3.0", pod("containers: [{name: a, ports: [{containerPort: 4140, protocol: TCP}]}]"), "spec.template.spec.containers[0].ports[0].containerPort", 7, "4140 is the proxy's outbound port"},
		{"control port", "v0.3.0", pod("containers: [{name: a, ports: [{containerPort: 4190}]}]"), "spec.template.spec.containers[0].ports[0].containerPort", 7, "4190 is the proxy's control port"},
		{"metrics port", "v0.4.0", pod("containers: [{name: a, ports: [{containerPort: 4191}]}]"), "spec.template.spec.containers[0].ports[0].containerPort", 7, "4191 is the proxy's metrics port"},
		{
			"long name", "v0.4.0", "kind: Job\nmetadata:\n  name: " + long + "\nspec: {template: {spec: {containers: [{name: a}]}}}\n", "metadata.name", 3,
			fmt.Sprintf("%q has 64 characters; v0.4.0 copies it into the label conduit.io/proxy-job, which holds 63", long),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := parse(t, c.text)
			before := clone(n)
			_, err := injector(t, config.Conduit{Version: c.version}).Inject(n)
			var we *WorkloadError
			if !errors.As(err, &we) {
				t.Fatalf("got %v", err)
			}
			if we.Path != c.path || we.Line != c.line || we.Text != c.want {
				t.Errorf("got %s, line %d: %s", we.Path, we.Line, we.Text)
			}
			if err.Error() != c.path+": "+c.want {
				t.Errorf("error reads %q", err)
			}
			if diff := cmp.Diff(before, n); diff != "" {
				t.Errorf("a refused object is changed: %s", diff)
			}
		})
	}
}

// pod is a Deployment with the lines as its pod's spec.
func pod(spec string) string {
	return head + "spec:\n  template:\n    spec:\n      " + spec + "\n"
}

func TestVolumeClash(t *testing.T) {
	text := pod("containers: [{name: a}]\n      volumes: [{name: tmp}, {name: linkerd-secrets}]")
	in := injector(t, config.Conduit{Version: "v18.9.1", TLS: ptr("optional")})
	_, err := in.Inject(parse(t, text))
	want := `spec.template.spec.volumes[1].name: "linkerd-secrets" is the name of a volume that tls adds`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	doc := document(t, text)
	if _, err := injector(t, config.Conduit{Version: "v18.9.1"}).Inject(doc.Content[0]); err != nil {
		t.Fatal("without tls the name is free: ", err)
	}
	if Strip(doc.Content[0]); normal(t, text) != encode(t, doc) {
		t.Errorf("the user's volume is gone:\n%s", encode(t, doc))
	}
}

func TestEveryFaultAtOnce(t *testing.T) {
	_, err := injector(t, config.Conduit{Version: "v0.3.0"}).Inject(
		parse(t, pod("containers: [{name: a}, {name: a, ports: [{containerPort: 4143}]}]")))
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != 2 {
		t.Errorf("got %v", err)
	}
}

func TestNotAnObject(t *testing.T) {
	in := injector(t, config.Conduit{Version: "v0.3.0"})
	for _, text := range []string{"a", "[]", "null"} {
		var we *WorkloadError
		if _, err := in.Inject(parse(t, text)); !errors.As(err, &we) {
			t.Errorf("%s: got %v", text, err)
		}
		if Strip(parse(t, text)) {
			t.Errorf("%s: stripped", text)
		}
	}
	if _, err := in.Inject(nil); err == nil || Strip(nil) {
		t.Error("nil is an object")
	}
}

func TestSkipped(t *testing.T) {
	short := "metadata: {name: a}\nspec: {template: {spec: {containers: [{name: a}]}}}\n"
	for _, c := range []struct{ version, text, reason string }{
		{"v0.3.1", "apiVersion: v1\nkind: Service\n", "no release injects Service"},
		{"stable-2.0.0", "apiVersion: batch/v1\nkind: CronJob\n", "no release injects CronJob"},
		{"stable-2.0.0", "kind: deployment\n" + short, "no release injects deployment"},
		{"v0.3.1", "a: b\n", "the object has no kind"},
		{"v0.3.1", "kind: [Deployment]\n" + short, "the object has no kind"},
		{"v0.4.2", "apiVersion: v1\nkind: List\nitems: []\n", "a List is injected item by item"},
		{"v0.4.1", "apiVersion: apps/v1\nkind: StatefulSet\n" + short, "v0.4.1 does not inject StatefulSet; releases from v0.4.2 on do"},
		{"v0.4.4", "apiVersion: v1\nkind: Pod\n", "v0.4.4 does not inject Pod; releases from v0.5.0 on do"},
		{"v0.3.1", "apiVersion: example.org/v1\nkind: Deployment\n" + short, `Deployment is of group "example.org", which is not Kubernetes' own`},
		{"v0.3.1", "apiVersion: apps.example.org/v1\nkind: Deployment\n" + short, `Deployment is of group "apps.example.org", which is not Kubernetes' own`},
		{"v0.1.0", pod("hostNetwork: true\n      containers: [{name: a}]"), "spec.template.spec.hostNetwork is true: the proxy would take the whole node's traffic"},
		{"v0.5.0", "kind: Pod\nspec: {hostNetwork: yes, containers: [{name: a}]}\n", "spec.hostNetwork is true: the proxy would take the whole node's traffic"},
		{
			"v0.1.0", pod("containers: [{name: a}, {name: istio-proxy, image: x}]"),
			`spec.template.spec.containers[1] ("istio-proxy") is Istio's, of no release known here: a pod works with one proxy only`,
		},
		{
			"v0.1.0", pod("containers: [{name: a}, {name: b, image: 'gcr.io/istio-release/proxyv2:1.0'}]"),
			`spec.template.spec.containers[1] ("b") is Istio's, of no release known here: a pod works with one proxy only`,
		},
		{
			"v0.1.0", pod("containers: [{name: a}]\n      initContainers: [{name: istio-init}]"),
			`spec.template.spec.initContainers[0] ("istio-init") is Istio's, of no release known here: a pod works with one proxy only`,
		},
		{
			"v0.3.1", pod("containers: [{name: contour}]"),
			`spec.template.spec.containers[0] ("contour") is Contour's, of no release known here: a pod works with one proxy only`,
		},
		{
			"v18.9.1", pod("containers: [{name: a}, {name: envoy}]"),
			`spec.template.spec.containers[1] ("envoy") is Envoy's, of no release known here: a pod works with one proxy only`,
		},
		{
			"v0.3.1", pod("containers: [{name: a}, {name: linkerd-proxy, image: x}]"),
			`spec.template.spec.containers[1] ("linkerd-proxy") is Linkerd's, of no release known here: a pod works with one proxy only`,
		},
		{
			"v18.9.1", pod("containers: [{name: a}, {name: conduit-proxy, image: x}]"),
			`spec.template.spec.containers[1] ("conduit-proxy") is Conduit's, of no release known here: a pod works with one proxy only`,
		},
		{
			"v18.9.1", pod("containers: [{name: a}, {name: linkerd-proxy, image: 'gcr.io/linkerd-io/proxy:stable-2.4.0'}]"),
			`spec.template.spec.containers[1] ("linkerd-proxy") is Linkerd's, of no release known here: a pod works with one proxy only`,
		},
		{
			"v18.9.1", annotated("linkerd.io/created-by: linkerd/cli stable-2.14.10", "{name: a}, {name: linkerd-proxy, image: 'cr.l5d.io/linkerd/proxy:stable-2.14.10'}"),
			`spec.template.spec.containers[1] ("linkerd-proxy") is Linkerd's, of no release known here: a pod works with one proxy only`,
		},
		{
			"v18.9.1", annotated("linkerd.io/created-by: linkerd/proxy-injector stable-2.14.10", "{name: a}, {name: linkerd-proxy, image: 'cr.l5d.io/linkerd/proxy:stable-2.14.10'}"),
			`spec.template.spec.containers[1] ("linkerd-proxy") is Linkerd's, of no release known here: a pod works with one proxy only`,
		},
	} {
		n := parse(t, c.text)
		before := clone(n)
		r, err := injector(t, config.Conduit{Version: c.version}).Inject(n)
		if err != nil || r.Status != Skipped || r.Reason != c.reason {
			t.Errorf("%s: got %+v, %v; want %s", c.version, r, err, c.reason)
		}
		if diff := cmp.Diff(before, n); diff != "" {
			t.Errorf("%s: a skipped object is changed: %s", c.reason, diff)
		}
		if version, ok := Detect(n); ok || Strip(n) {
			t.Errorf("%s: found %s", c.reason, version)
		}
	}
}

// annotated is a Deployment with an annotation of its pod, and containers.
func annotated(annotation, containers string) string {
	return head + "spec:\n  template:\n    metadata:\n      annotations:\n        " + annotation +
		"\n    spec:\n      containers: [" + containers + "]\n"
}

// TestNotSkipped holds what only looks like a reason to skip or refuse.
func TestNotSkipped(t *testing.T) {
	for _, c := range []struct{ version, text string }{
		{"v0.3.1", "kind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {containers: [{name: a}]}}}\n"},
		{"v0.3.1", "apiVersion: apps/v1beta2\nkind: ReplicaSet\nmetadata: {name: a}\nspec: {template: {spec: {containers: [{name: a}]}}}\n"},
		{"v0.3.1", pod("hostNetwork: false\n      containers: [{name: a}]")},
		{"v0.3.1", pod("hostNetwork: null\n      containers: [{name: a}]")},
		{"v0.3.1", pod("containers: [{name: a}]\n      initContainers: [{name: envoy}]")},
		{"v0.3.1", pod("containers: [{name: a, ports: [{containerPort: 4191}]}]")},
		{"v0.3.1", pod("containers: [{name: a, ports: [{containerPort: 4143, protocol: UDP}]}]")},
		{"v0.3.1", pod("containers: [{name: a, ports: [null, {containerPort: http}, {}]}]")},
		{"v0.3.1", pod("containers: [{image: a}, {image: b}]")},
		{"v0.3.1", strings.Replace(web, "name: web", "name: "+strings.Repeat("a", 64), 1)},
		{"v0.4.0", strings.Replace(web, "name: web", "name: "+strings.Repeat("a", 63), 1)},
	} {
		r, err := injector(t, config.Conduit{Version: c.version}).Inject(parse(t, c.text))
		if err != nil || r.Status != Injected {
			t.Errorf("%s: got %+v, %v", c.text, r, err)
		}
	}
}
