package diff

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/inject/conduit"
)

// object gives a manifest in flow style.
func object(apiVersion, kind, fields string) string {
	if fields != "" {
		fields = ", " + fields
	}
	return fmt.Sprintf("{apiVersion: %s, kind: %s, metadata: {name: o}%s}\n", apiVersion, kind, fields)
}

// warned gives the notes that warn, as kind and path or text.
func warned(t *testing.T, before, after string) string {
	t.Helper()
	var out []string
	for _, o := range compare(t, before, after).Environments[0].Objects {
		for _, n := range o.Notes {
			switch {
			case n.Kind == Immutable:
				out = append(out, "immutable "+n.Path)
			case n.Kind.Warns() || n.Kind == Replicas:
				out = append(out, string(n.Kind)+" "+n.Text)
			}
		}
	}
	return strings.Join(out, "\n")
}

func TestImmutable(t *testing.T) {
	const rbac = "rbac.authorization.k8s.io/v1"
	for _, c := range []struct{ apiVersion, kind, before, after, want string }{
		{"apps/v1", "Deployment", "spec: {selector: {matchLabels: {a: b}}}", "spec: {selector: {matchLabels: {a: c}}}", "immutable spec.selector.matchLabels.a"},
		{"apps/v1", "DaemonSet", "spec: {selector: {matchLabels: {a: b}}}", "spec: {selector: {matchLabels: {}}}", "immutable spec.selector.matchLabels.a"},
		{"apps/v1", "ReplicaSet", "spec: {selector: {matchLabels: {a: b}}}", "spec: {}", "immutable spec.selector"},
		{"apps/v1", "Deployment", "spec: {selectors: 1, paused: true}", "spec: {selectors: 2, paused: false}", ""},
		{"apps/v1", "StatefulSet", "spec: {volumeClaimTemplates: [{metadata: {name: a}, spec: {x: 1}}]}", "spec: {volumeClaimTemplates: [{metadata: {name: a}, spec: {x: 2}}]}", "immutable spec.volumeClaimTemplates[metadata.name=a].spec.x"},
		{"apps/v1", "StatefulSet", "spec: {serviceName: a, minReadySeconds: 1, template: {x: 1}}", "spec: {serviceName: b, minReadySeconds: 2, template: {x: 2}}", "immutable spec.serviceName"},
		{"v1", "Service", "spec: {clusterIP: 10.0.0.1}", "spec: {clusterIP: 10.0.0.2}", "immutable spec.clusterIP"},
		{"v1", "Service", "spec: {type: ClusterIP}", "spec: {type: ClusterIP, clusterIP: None}", "immutable spec.clusterIP"},
		{"v1", "Service", "spec: {type: ExternalName}", "spec: {type: ClusterIP, clusterIP: None}", ""},
		{"v1", "Service", "spec: {clusterIP: 10.0.0.1}", "spec: {ports: [{port: 1}]}", ""},
		{"v1", "PersistentVolumeClaim", "spec: {storageClassName: a, resources: {requests: {storage: 1Gi}}}", "spec: {storageClassName: b, resources: {requests: {storage: 2Gi}}}", "immutable spec.storageClassName"},
		{"batch/v1", "Job", "spec: {template: {a: 1}, parallelism: 1}", "spec: {template: {a: 2}, parallelism: 2}", "immutable spec.template.a"},
		{"batch/v1", "CronJob", "spec: {jobTemplate: {a: 1}}", "spec: {jobTemplate: {a: 2}}", ""},
		{"v1", "ConfigMap", "immutable: true, data: {a: x}", "immutable: true, data: {a: z}", "immutable data.a"},
		{"v1", "ConfigMap", "immutable: true, data: {a: x}", "data: {a: x}", "immutable immutable"},
		{"v1", "ConfigMap", "data: {a: x}", "immutable: true, data: {a: z}", ""},
		{"v1", "Secret", "immutable: true, data: {a: eA==}", "immutable: true, data: {a: eg==}", "immutable data.a"},
		{"v1", "Secret", "type: a", "type: b", "immutable type"},
		{"v1", "Pod", "spec: {containers: [{name: a, image: x, command: [x]}]}", "spec: {containers: [{name: a, image: z, command: [z]}]}", "immutable spec.containers[name=a].command[0]"},
		{rbac, "RoleBinding", "roleRef: {kind: Role, name: a}", "roleRef: {kind: Role, name: b}", "immutable roleRef.name"},
		{"storage.k8s.io/v1", "StorageClass", "provisioner: a", "provisioner: b", "immutable provisioner"},
		{"scheduling.k8s.io/v1", "PriorityClass", "value: 1", "value: 2", "immutable value"},
		{"networking.k8s.io/v1", "IngressClass", "spec: {controller: a}", "spec: {controller: b}", "immutable spec.controller"},
		{"node.k8s.io/v1", "RuntimeClass", "handler: a", "handler: b", "immutable handler"},
		{"apiextensions.k8s.io/v1", "CustomResourceDefinition", "spec: {scope: Cluster}", "spec: {scope: Namespaced}", "immutable spec.scope"},
		{"example.com/v1", "Deployment", "spec: {selector: {a: b}}", "spec: {selector: {a: c}}", ""},
	} {
		got := warned(t, object(c.apiVersion, c.kind, c.before), object(c.apiVersion, c.kind, c.after))
		if got != c.want {
			t.Errorf("%s %s -> %s: got %q, want %q", c.kind, c.before, c.after, got, c.want)
		}
	}
}

func TestAccess(t *testing.T) {
	const rbac = "rbac.authorization.k8s.io/v1"
	rules := func(r string) string { return object(rbac, "Role", "rules: ["+r+"]") }
	binding := func(role, subjects string) string {
		return object(rbac, "RoleBinding", "roleRef: {kind: Role, name: "+role+"}, subjects: ["+subjects+"]")
	}
	for name, c := range map[string]struct{ before, after, want string }{
		"a verb more":    {rules("{apiGroups: [''], resources: [pods], verbs: [get]}"), rules("{apiGroups: [''], resources: [pods], verbs: [get, delete]}"), "access newly allows delete on pods"},
		"a verb less":    {rules("{apiGroups: [''], resources: [pods], verbs: [get, delete]}"), rules("{apiGroups: [''], resources: [pods], verbs: [get]}"), ""},
		"other wording":  {rules("{apiGroups: [''], resources: [pods, services], verbs: [get]}"), rules("{apiGroups: [''], resources: [pods], verbs: [get]}, {apiGroups: [''], resources: [services], verbs: [get]}"), ""},
		"to all":         {rules("{apiGroups: [apps], resources: [deployments], verbs: [get]}"), rules("{apiGroups: [apps], resources: ['*'], verbs: ['*']}"), "access newly allows * on *.apps"},
		"from all":       {rules("{apiGroups: ['*'], resources: ['*'], verbs: ['*']}"), rules("{apiGroups: [apps], resources: [x], verbs: [get]}"), ""},
		"subresources":   {rules("{apiGroups: [apps], resources: ['*/scale'], verbs: [get]}"), rules("{apiGroups: [apps], resources: [deployments/scale, deployments], verbs: [get]}"), "access newly allows get on deployments.apps"},
		"names off":      {rules("{apiGroups: [''], resources: [secrets], resourceNames: [a], verbs: [get]}"), rules("{apiGroups: [''], resources: [secrets], verbs: [get]}"), "access newly allows get on secrets"},
		"a name more":    {rules("{apiGroups: [''], resources: [secrets], resourceNames: [a], verbs: [get]}"), rules("{apiGroups: [''], resources: [secrets], resourceNames: [a, b], verbs: [get]}"), "access newly allows get on secrets b"},
		"URLs":           {rules("{nonResourceURLs: [/x/*], verbs: [get]}"), rules("{nonResourceURLs: [/x/y, /z], verbs: [get]}"), "access newly allows get on URL /z"},
		"a new role":     {"", rules("{apiGroups: [''], resources: [pods], verbs: [get]}"), "access newly allows get on pods"},
		"aggregation":    {object(rbac, "ClusterRole", ""), object(rbac, "ClusterRole", "aggregationRule: {a: b}"), "access takes over the rules of other roles: what it allows cannot be told from here"},
		"a subject":      {binding("r", "{kind: User, name: a}"), binding("r", "{kind: User, name: a}, {kind: ServiceAccount, name: b, namespace: ns}"), "access ServiceAccount ns/b gets Role r"},
		"a subject less": {binding("r", "{kind: User, name: a}, {kind: User, name: b}"), binding("r", "{kind: User, name: b}"), ""},
		"another role":   {binding("r", "{kind: User, name: a}"), binding("s", "{kind: User, name: a}"), "immutable roleRef.name\naccess User a gets Role s"},
		"not RBAC's":     {"", object("example.com/v1", "Role", "rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]"), ""},
	} {
		if got := warned(t, c.before, c.after); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// A rule of a great many requests is named, not taken apart.
func TestLargeRule(t *testing.T) {
	var names strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&names, "a%d, ", i)
	}
	got := warned(t, "", object("rbac.authorization.k8s.io/v1", "Role", "rules: [{apiGroups: [''], resources: [pods], resourceNames: ["+names.String()+"], verbs: [get]}]"))
	if got != "access too large to tell what it allows beyond what was allowed before" {
		t.Errorf("%.200s", got)
	}
}

func TestRemovalAndReplicas(t *testing.T) {
	for name, c := range map[string]struct{ before, after, want string }{
		"a namespace":       {object("v1", "Namespace", ""), "", "removal everything in the namespace goes with it"},
		"a config map":      {object("v1", "ConfigMap", ""), "", ""},
		"a CRD":             {object("apiextensions.k8s.io/v1", "CustomResourceDefinition", ""), "", "removal every object of the kind goes with it"},
		"scaled":            {object("apps/v1", "Deployment", "spec: {replicas: 2}"), object("apps/v1", "Deployment", "spec: {replicas: 3}"), "replicas 2 -> 3"},
		"to none":           {object("apps/v1", "Deployment", "spec: {replicas: 2}"), object("apps/v1", "Deployment", "spec: {replicas: 0}"), "replicas 2 -> 0, no pod is left"},
		"left to a scaler":  {object("apps/v1", "Deployment", "spec: {replicas: 2}"), object("apps/v1", "Deployment", "spec: {}"), "replicas 2 -> not said"},
		"the scaler itself": {object("autoscaling/v2", "HorizontalPodAutoscaler", "spec: {maxReplicas: 2}"), object("autoscaling/v2", "HorizontalPodAutoscaler", "spec: {maxReplicas: 3}"), "replicas maxReplicas 2 -> 3"},
	} {
		if got := warned(t, c.before, c.after); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// injected gives a Deployment with the proxy of a release.
func injected(t *testing.T, release, image string) string {
	t.Helper()
	injector, err := conduit.New(config.Conduit{Version: release})
	if err != nil {
		t.Fatal(err)
	}
	n := node(t, object("apps/v1", "Deployment", "spec: {template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: "+image+"}]}}}"))
	if _, err := injector.Inject(n); err != nil {
		t.Fatal(err)
	}
	return Value{n}.YAML() + "\n"
}

func TestInjectorApart(t *testing.T) {
	r := compare(t, injected(t, "v0.3.0", "x"), injected(t, "v0.4.0", "z"))
	o := r.Environments[0].Objects[0]
	own, injector := o.parts()
	if got := say(own); got != "~ spec.template.spec.containers[name=c].image x z\n" {
		t.Errorf("the user's: %s", got)
	}
	if len(injector) < 5 || o.Own == nil || o.Own.Added != 1 || o.Text.Added <= 1 || !o.Injected {
		t.Errorf("%d fields by the injector, own text %+v", len(injector), o.Own)
	}
	want := []ImageChange{
		{"gcr.io/runconduit/proxy-init:v0.3.0", "gcr.io/runconduit/proxy-init:v0.4.0", 1},
		{"gcr.io/runconduit/proxy:v0.3.0", "gcr.io/runconduit/proxy:v0.4.0", 1},
		{"x", "z", 1},
	}
	if d := cmp.Diff(want, r.Environments[0].Images); d != "" {
		t.Error(d)
	}
	// The first injection is all of the injector's.
	plain := object("apps/v1", "Deployment", "spec: {template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: x}]}}}")
	o = compare(t, plain, injected(t, "v0.4.0", "x")).Environments[0].Objects[0]
	if own, injector = o.parts(); len(own) != 0 || len(injector) == 0 {
		t.Errorf("the user's: %s", say(own))
	}
}
