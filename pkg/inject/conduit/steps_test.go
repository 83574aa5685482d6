package conduit

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-dev/sluice/pkg/config"
)

// renamed is how the releases from v18.7.1 on call what Conduit had.
var renamed = strings.NewReplacer("gcr.io/linkerd-io/", "gcr.io/runconduit/", "LINKERD2_", "CONDUIT_",
	"linkerd2_proxy", "conduit_proxy", "linkerd", "conduit")

func TestSteps(t *testing.T) {
	daemonSet := strings.Replace(web, "Deployment", "DaemonSet", 1)
	was := ""
	for _, step := range []struct{ version, change string }{
		{"v0.1.1", `
- value: trace,h2=debug,mio=info,tokio_core=info
- - -p
- - -o
- - -i
- - -u
+ value: warn,conduit_proxy=info
+ - name: CONDUIT_PROXY_DESTINATIONS_AUTOCOMPLETE_FQDN
+ value: Kubernetes
+ - --incoming-proxy-port
+ - --outgoing-proxy-port
+ - --proxy-uid
+ - --inbound-ports-to-ignore`},
		{"v0.1.2", ""},
		{"v0.1.3", ""},
		{"v0.2.0", ""},
		{"v0.3.0", `
- conduit.io/controller: conduit
- conduit.io/plane: data
+ conduit.io/control-plane-ns: conduit`},
		{"v0.3.1", `
- - name: CONDUIT_PROXY_DESTINATIONS_AUTOCOMPLETE_FQDN
- value: Kubernetes`},
		{"v0.4.0", `
- - name: CONDUIT_PROXY_NODE_NAME
- fieldPath: spec.nodeName
- - name: CONDUIT_PROXY_POD_NAME
- valueFrom:
- fieldRef:
- fieldPath: metadata.name
- valueFrom:
- fieldRef:
- - "4190"
+ - containerPort: 4191
+ name: conduit-metrics
+ - name: CONDUIT_PROXY_METRICS_LISTENER
+ value: tcp://0.0.0.0:4191
+ - 4190,4191
+ conduit.io/proxy-daemon-set: web`},
		{"v0.4.1", ""},
		{"v0.4.2", `
+ - name: CONDUIT_PROXY_BIND_TIMEOUT
+ value: 10s`},
		{"v0.4.3", ""},
		{"v0.4.4", `
+ terminationMessagePolicy: FallbackToLogsOnError
+ terminationMessagePolicy: FallbackToLogsOnError`},
		{"v0.5.0", ""},
		{"v18.7.1", ""},
		{"v18.7.2", `
- conduit.io/proxy-daemon-set: web
+ conduit.io/proxy-daemonset: web`},
		{"v18.7.3", ""},
		{"v18.8.1", ""},
		{"v18.8.2", ""},
		{"v18.8.3", `
+ readinessProbe:
+ httpGet:
+ path: /metrics
+ port: 4191
+ initialDelaySeconds: 10
+ livenessProbe:
+ httpGet:
+ path: /metrics
+ port: 4191
+ initialDelaySeconds: 10`},
		{"v18.8.4", ""},
		{"v18.9.1", ""},
		{"stable-2.0.0", ""},
	} {
		if was == "" {
			was = anonymous(t, "v0.1.0", daemonSet)
		}
		is := anonymous(t, step.version, daemonSet)
		if diff := cmp.Diff(strings.TrimPrefix(step.change, "\n"), changes(was, is)); diff != "" {
			t.Errorf("%s: %s", step.version, diff)
		}
		was = is
	}
}

// anonymous is what a release makes of a text, without its own name.
func anonymous(t *testing.T, version, text string) string {
	out, _ := inject(t, injector(t, config.Conduit{Version: version}), text)
	return renamed.Replace(strings.ReplaceAll(out, version, "VERSION"))
}

// changes lists the lines that went and those that came, without indentation.
func changes(was, is string) string {
	count := func(text string) ([]string, map[string]int) {
		var lines []string
		n := map[string]int{}
		for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
			lines = append(lines, strings.TrimSpace(line))
			n[strings.TrimSpace(line)]++
		}
		return lines, n
	}
	old, oldCount := count(was)
	now, nowCount := count(is)
	var out []string
	for _, line := range old {
		if nowCount[line]--; nowCount[line] < 0 {
			out = append(out, "- "+line)
		}
	}
	for _, line := range now {
		if oldCount[line]--; oldCount[line] < 0 {
			out = append(out, "+ "+line)
		}
	}
	return strings.Join(out, "\n")
}

func TestOwnerLabels(t *testing.T) {
	kinds := []string{"Deployment", "ReplicaSet", "DaemonSet", "ReplicationController", "Job", "StatefulSet", "Pod"}
	for _, c := range []struct {
		version string
		want    []string // by kind; "-" has no label, "" is not injected
	}{
		{"v0.3.1", []string{"-", "-", "-", "-", "-", "", ""}},
		{"v0.4.0", []string{
			"conduit.io/proxy-deployment", "conduit.io/proxy-replica-set", "conduit.io/proxy-daemon-set",
			"conduit.io/proxy-replication-controller", "conduit.io/proxy-job", "", "",
		}},
		{"v0.4.2", []string{
			"conduit.io/proxy-deployment", "conduit.io/proxy-replica-set", "conduit.io/proxy-daemon-set",
			"conduit.io/proxy-replication-controller", "conduit.io/proxy-job", "conduit.io/proxy-stateful-set", "",
		}},
		{"v0.5.0", []string{
			"conduit.io/proxy-deployment", "conduit.io/proxy-replica-set", "conduit.io/proxy-daemon-set",
			"conduit.io/proxy-replication-controller", "conduit.io/proxy-job", "conduit.io/proxy-stateful-set", "-",
		}},
		{"v18.7.1", []string{
			"linkerd.io/proxy-deployment", "linkerd.io/proxy-replica-set", "linkerd.io/proxy-daemon-set",
			"linkerd.io/proxy-replication-controller", "linkerd.io/proxy-job", "linkerd.io/proxy-stateful-set", "-",
		}},
		{"v18.7.2", []string{
			"linkerd.io/proxy-deployment", "linkerd.io/proxy-replicaset", "linkerd.io/proxy-daemonset",
			"linkerd.io/proxy-replicationcontroller", "linkerd.io/proxy-job", "linkerd.io/proxy-statefulset", "-",
		}},
	} {
		in := injector(t, config.Conduit{Version: c.version})
		var injected []string
		for i, kind := range kinds {
			text := strings.Replace(web, "Deployment", kind, 1)
			if kind == "Pod" {
				text = "kind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web}]}\n"
			}
			out, ok := inject(t, in, text)
			got := ""
			if ok {
				injected = append(injected, kind)
				got = "-"
			}
			for line := range strings.SplitSeq(out, "\n") {
				if key, _, found := strings.Cut(strings.TrimSpace(line), ": web"); found && strings.Contains(key, ".io/proxy-") {
					got = key
				}
			}
			if got != c.want[i] {
				t.Errorf("%s, %s: label %q, want %q", c.version, kind, got, c.want[i])
			}
		}
		if !slices.Equal(injected, in.Kinds()) {
			t.Errorf("%s: injects %v, says %v", c.version, injected, in.Kinds())
		}
	}
}

func TestControlPlane(t *testing.T) {
	for _, c := range []struct{ version, kind, namespace, want string }{
		{"v0.3.0", "Deployment", "conduit", "proxy-api.conduit.svc.cluster.local"},
		{"v0.3.1", "Deployment", "conduit", "localhost"},
		{"v0.3.1", "Deployment", "other", "proxy-api.conduit.svc.cluster.local"},
		{"v0.3.1", "DaemonSet", "conduit", "proxy-api.conduit.svc.cluster.local"},
		{"v0.4.4", "Deployment", "conduit", "localhost"},
		{"v0.5.0", "Deployment", "conduit", "localhost."},
		{"v18.7.1", "Deployment", "conduit", "proxy-api.linkerd.svc.cluster.local"},
		{"v18.7.1", "Deployment", "linkerd", "localhost."},
	} {
		text := fmt.Sprintf("kind: %s\nmetadata: {name: controller, namespace: %s}\nspec: {template: {spec: {containers: [{name: a}]}}}\n", c.kind, c.namespace)
		out, _ := inject(t, injector(t, config.Conduit{Version: c.version}), text)
		if !strings.Contains(out, "tcp://"+c.want+":8086") {
			t.Errorf("%+v: got %s", c, out)
		}
	}
}
