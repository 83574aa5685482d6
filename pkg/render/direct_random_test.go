package render

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// grower makes trees of kustomizations that use as much of kustomize, and as
// oddly, as people do: what it makes is mostly valid, and its names meet often.
type grower struct {
	r     *rand.Rand
	files map[string]string
	made  int
	names []string
	used  map[string]bool
	ids   [][3]string // kind, name, namespace of what is there
	from  int         // those before are not below this directory
	dirs  []string    // kustomizations that are done
	odd   int         // one in so many choices is a strange one
}

func (g *grower) one(all ...string) string { return all[g.r.IntN(len(all))] }
func (g *grower) in(n int) bool            { return g.r.IntN(n) == 0 }
func (g *grower) opt(n int, text string) string {
	if g.in(n) {
		return g.fill(text)
	}
	return ""
}

func (g *grower) strange(plain string, odd ...string) string {
	if g.in(g.odd) {
		return g.one(odd...)
	}
	return plain
}

var placeholder = regexp.MustCompile(`@[A-Z]`)

// fill puts names for the placeholders of a text, each chosen on its own.
func (g *grower) fill(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(p string) string {
		switch p {
		case "@R":
			return g.one(append(slices.Clone(g.names), "gen", "gens", "none")...)
		case "@S":
			return g.one("one", "two", "default", "three")
		case "@I":
			return g.one("nginx", "nginx:1", "registry.example/app", "registry.example:5000/app:v1", "app@sha256:0000", "nginx:1@sha256:00", "'nginx'", "nginx:")
		case "@V":
			return g.strange("value", "1", "'1'", "true", `"yes"`, "1.0", "0x10", "null", "~", `"a\nb"`, `" x"`, `"a\u0085b"`, `"tab\t\n "`, "1e3", "'#'", "2020-01-01", `"\u2028"`, "<a&b>", `"\uFEFFx"`, "'$(X)'", `""`, `"é😀"`, `"\n  a\n b"`)
		}
		return p
	})
}

// pod is the spec of a pod, indented by n.
func (g *grower) pod(n int) string {
	var b strings.Builder
	line := func(odds int, text string) {
		if g.in(odds) {
			b.WriteString(g.fill(text))
		}
	}
	line(2, "serviceAccountName: @R\n")
	line(4, "serviceAccount: @R\n")
	line(4, "priorityClassName: @R\n")
	line(4, "imagePullSecrets:\n- name: @R\n- {name: @R}\n")
	b.WriteString(g.fill("containers:\n- name: c\n  image: @I\n"))
	line(2, "  env:\n  - {name: A, valueFrom: {configMapKeyRef: {name: @R, key: k}}}\n  - {name: B, valueFrom: {secretKeyRef: {name: @R, key: k}}}\n  - {name: C, value: @R}\n")
	line(2, "  envFrom:\n  - configMapRef: {name: @R}\n  - secretRef: {name: @R, optional: true}\n")
	line(3, "initContainers:\n- {name: i, image: @I, envFrom: [{configMapRef: {name: @R}}], env: [{name: A, valueFrom: {secretKeyRef: {name: @R}}}]}\n")
	line(2, "volumes:\n- {name: a, configMap: {name: @R}}\n- {name: b, secret: {secretName: @R}}\n- {name: c, persistentVolumeClaim: {claimName: @R}}\n- {name: d, projected: {sources: [{configMap: {name: @R}}, {secret: {name: @R}}]}}\n- {name: e, csi: {driver: x, nodePublishSecretRef: {name: @R}}}\n- {name: f, azureFile: {secretName: @R}}\n")
	return indented(n, b.String())
}

func indented(n int, text string) string {
	pad := strings.Repeat(" ", n)
	return pad + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+pad) + "\n"
}

// kinds are what objects are made of: version, kind, whether namespaced, and
// the text after the metadata.
func (g *grower) body(kind string) (version, text string) {
	meta := "metadata: {labels: {app: x}}\n"
	switch kind {
	case "ConfigMap":
		return "v1", "data: {k: @V, l: @V}\n"
	case "Secret":
		return "v1", g.one("stringData: {k: @V}\n", "data: {k: dg==}\ntype: Opaque\n")
	case "ServiceAccount":
		return "v1", g.one("", "secrets: [{name: @R}, {name: @R, namespace: @S}]\nimagePullSecrets: [{name: @R}]\n")
	case "Service":
		return "v1", "spec: {selector: {app: @R}, ports: [{port: 80}]}\n" + g.opt(3, "status: null\n")
	case "Namespace", "Widget", "Gadget", "Endpoints", "LimitRange", "ResourceQuota":
		version := "v1"
		if kind == "Widget" || kind == "Gadget" {
			version = g.one("example.com/v1", "example.com/v1", "example.com/v1beta1")
		}
		return version, g.one("", "spec: {replicas: 2, image: @I, secretName: @R, configMap: {name: @R}}\n", "spec: {template: {spec: {containers: [{name: c, image: @I}]}}}\nsubjects: [{kind: ServiceAccount, name: @R, namespace: @S}]\n")
	case "PersistentVolumeClaim":
		return "v1", "spec: {storageClassName: @R, volumeName: @R}\n"
	case "PersistentVolume":
		return "v1", "spec: {storageClassName: @R, claimRef: {name: @R, namespace: @S}, rbd: {secretRef: {name: @R}}, cephfs: {secretRef: {name: @R}}, csi: {nodePublishSecretRef: {name: @R, namespace: @S}}}\n"
	case "Pod":
		return "v1", "spec:\n" + g.pod(2)
	case "Deployment", "DaemonSet", "ReplicaSet":
		return g.strange("apps/v1", "apps/v1beta1", "extensions/v1beta1"), g.opt(2, "") + "spec:\n  selector: {matchLabels: {app: x}}\n" + g.opt(3, "  replicas: 1\n") + "  template:\n" + indented(4, meta) + "    spec:\n" + g.pod(6)
	case "StatefulSet":
		return "apps/v1", "spec:\n  serviceName: @R\n  selector: {matchLabels: {app: x}}\n  template:\n    spec:\n" + g.pod(6) + g.opt(2, "  volumeClaimTemplates:\n  - metadata: {name: v}\n    spec: {storageClassName: @R}\n")
	case "Job":
		return "batch/v1", "spec:\n  template:\n    spec:\n" + g.pod(6)
	case "CronJob":
		return g.one("batch/v1", "batch/v1beta1"), "spec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n" + g.pod(10)
	case "Role", "ClusterRole":
		return "rbac.authorization.k8s.io/v1", "rules:\n- {apiGroups: [''], resources: [secrets, configmaps], resourceNames: [@R, @R], verbs: [get]}\n- {apiGroups: [policy], resources: [podsecuritypolicies], resourceNames: [@R]}\n" + g.opt(4, "- {nonResourceURLs: [/x], verbs: [get]}\n") + g.opt(5, "aggregationRule: null\n")
	case "RoleBinding", "ClusterRoleBinding":
		subjects := ""
		for range g.r.IntN(4) {
			subjects += g.strange(g.one("- {kind: ServiceAccount, name: @R, namespace: @S}\n", "- {kind: ServiceAccount, name: @R, namespace: @S}\n", "- {kind: ServiceAccount, name: @R}\n", "- {kind: ServiceAccount, name: default, namespace: @S}\n", "- {kind: User, name: @R}\n", "- {kind: Group, name: @R, apiGroup: rbac.authorization.k8s.io}\n"),
				"- {kind: ServiceAccount, name: @R, namespace: null}\n", "- {kind: 5, name: @R, namespace: x}\n", "- {kind: User, name: @R, namespace: 5}\n", "- @R\n", "- {kind: null, name: @R, namespace: one}\n", "- {kind: ServiceAccount, namespace: one}\n", "- {kind: ServiceAccount, name: 5, namespace: ''}\n")
		}
		if subjects != "" {
			subjects = "subjects:\n" + subjects
		}
		return "rbac.authorization.k8s.io/v1", subjects + "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: " + g.one("Role", "ClusterRole") + ", name: @R}\n"
	case "Ingress":
		return g.one("networking.k8s.io/v1", "networking.k8s.io/v1", "networking.k8s.io/v1beta1", "extensions/v1beta1"), "spec:\n  defaultBackend: {service: {name: @R, port: {number: 80}}}\n  tls: [{secretName: @R}, {hosts: [x]}]\n  rules:\n  - http: {paths: [{path: /, backend: {service: {name: @R}}}, {path: /b, backend: {serviceName: @R, resource: {name: @R}}}]}\n" + g.opt(3, "  ingressClassName: @R\n  backend: {serviceName: @R}\n")
	case "IngressClass", "PriorityClass", "StorageClass":
		return map[string]string{"IngressClass": "networking.k8s.io/v1", "PriorityClass": "scheduling.k8s.io/v1", "StorageClass": "storage.k8s.io/v1"}[kind], "value: 1\nparameters: {csi.storage.k8s.io/node-stage-secret-name: @R}\n"
	case "APIService":
		return "apiregistration.k8s.io/v1", "spec: {service: {name: @R, namespace: @S}}\n"
	case "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration":
		return "admissionregistration.k8s.io/v1", "webhooks:\n- {name: w, clientConfig: {service: {name: @R, namespace: @S, path: /}}}\n- {name: v, clientConfig: {service: {name: @R}}}\n"
	case "HorizontalPodAutoscaler":
		return g.one("autoscaling/v2", "autoscaling/v1"), "spec: {scaleTargetRef: {apiVersion: apps/v1, kind: " + g.one("Deployment", "StatefulSet", "ReplicaSet") + ", name: @R}}\n"
	case "NetworkPolicy":
		return "networking.k8s.io/v1", "spec: {podSelector: {matchLabels: {app: x}}, ingress: [{from: [{podSelector: {matchLabels: {app: x}}}, {namespaceSelector: {}}]}]}\n"
	case "PodDisruptionBudget":
		return "policy/v1", "spec: {selector: {matchLabels: {app: x}}, minAvailable: 1}\n"
	case "CustomResourceDefinition":
		return "apiextensions.k8s.io/v1", "spec: {group: example.com, names: {kind: Widget}, conversion: {webhook: {clientConfig: {service: {name: @R, namespace: @S}}}}}\n"
	}
	return "policy/v1beta1", "spec: {}\n" // PodSecurityPolicy
}

var objectKinds = strings.Fields(`ConfigMap ConfigMap ConfigMap Secret Secret ServiceAccount ServiceAccount ServiceAccount Service Service Service
Namespace Widget Gadget Endpoints ResourceQuota PersistentVolumeClaim PersistentVolumeClaim PersistentVolume Pod Deployment Deployment Deployment DaemonSet
ReplicaSet StatefulSet Job CronJob Role Role ClusterRole ClusterRole RoleBinding RoleBinding RoleBinding ClusterRoleBinding Ingress Ingress IngressClass
PriorityClass StorageClass APIService ValidatingWebhookConfiguration MutatingWebhookConfiguration HorizontalPodAutoscaler NetworkPolicy
PodDisruptionBudget CustomResourceDefinition PodSecurityPolicy`)

func (g *grower) object() string {
	for range 8 {
		kind, name, space := g.one(objectKinds...), g.one(g.names...), ""
		if g.in(3) {
			space = g.fill("@S")
		}
		if id := kind + " " + name + " " + space; !g.used[id] || g.in(g.odd*4) {
			g.used[id] = true
			g.ids = append(g.ids, [3]string{kind, name, space})
			return g.text(kind, name, space)
		}
	}
	return "# nothing\n"
}

func (g *grower) text(kind, name, space string) string {
	version, body := g.body(kind)
	version = g.strange(version, version, "'"+version+"'", "/v1", "a/b/c")
	b := g.strange("", "# a comment\n", "# one\n\n# two\n") + "apiVersion: " + version + "\nkind: " + kind + "\n"
	b += g.strange("metadata:\n", "metadata: # why\n", "metadata: &m\n", "metadata:\n  generateName: x\n") + "  name: " + name + g.strange("", " # name") + "\n"
	if space != "" {
		b += "  namespace: " + space + "\n"
	} else {
		b += g.strange("", "  namespace: ''\n", "  namespace: null\n", "  namespace:\n", "  namespace: 5\n")
	}
	b += g.strange(g.opt(3, "  labels: {app: @R, tier: @V}\n"), "  labels: null\n", "  labels: {}\n", "  labels: {a: 1}\n", "  labels: &l {a: b}\n  x: *l\n")
	if g.in(3) {
		b += "  annotations:\n    a: " + g.fill(g.one("@V", "@R")) + "\n" + g.strange("",
			"    config.kubernetes.io/local-config: 'true'\n", "    config.kubernetes.io/local-config: 'false'\n", "    config.kubernetes.io/origin: 'path: x'\n",
			"    internal.config.kubernetes.io/previousNames: a\n    internal.config.kubernetes.io/previousNamespaces: default\n    internal.config.kubernetes.io/previousKinds: "+kind+"\n",
			"    internal.config.kubernetes.io/previousNames: a,b\n", "    internal.config.kubernetes.io/prefixes: p-\n", "    internal.config.kubernetes.io/needsHashSuffix: enabled\n",
			"    internal.config.kubernetes.io/generatorBehavior: merge\n", "    internal.config.kubernetes.io/path: x\n    internal.config.kubernetes.io/index: '0'\n", "    config.k8s.io/id: '1'\n",
			"    alpha.config.kubernetes.io/transformations: '[]'\n", "    kustomize.config.k8s.io/needs-hash: 'true'\n", "    kustomize.config.k8s.io/behavior: merge\n",
			"    internal.config.kubernetes.io/allowNameChange: enabled\n", "    internal.config.kubernetes.io/refBy: x\n", "    config.kubernetes.io/function: x\n", "    internal.config.kubernetes.io/seqindent: wide\n",
			"    internal.config.kubernetes.io/helm-generated: 'true'\n", "    b: [c]\n", "    b: null\n", "    5: 6\n", "    nginx.ingress.kubernetes.io/auth-secret: @R\n")
	} else {
		b += g.strange("", "  annotations: null\n", "  annotations: {}\n", "  annotations: []\n")
	}
	return g.fill(b + g.strange(body, "", "spec: null\n", "spec: {}\n", "spec: [a]\n", "data: {a: &x 1, b: *x}\n", "data: {<<: {a: b}, c: d}\n"))
}

// file makes a file of objects.
func (g *grower) file(n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(g.strange("---\n", "---\n---\n", "--- # x\n", "---\n# only this\n---\n"))
		if g.in(g.odd * 2) {
			o := g.object() + "---\n"
			b.WriteString("apiVersion: v1\nkind: " + g.one("List", "ConfigMapList") + "\nitems:\n")
			for i, item := range strings.Split(o, "---\n") {
				if i == 0 && !strings.HasPrefix(item, "#") {
					b.WriteString("-" + indented(2, item)[1:])
				}
			}
			continue
		}
		b.WriteString(g.object())
	}
	return b.String()
}

// target is a patch's target: mostly one that there is.
func (g *grower) target() (id [3]string, selector string) {
	id = [3]string{"ConfigMap", "a", ""}
	if from := g.from; len(g.ids) > from {
		id = g.ids[from+g.r.IntN(len(g.ids)-from)]
	}
	return id, g.strange(g.one("kind: "+id[0]+", name: "+id[1], "kind: "+id[0], "name: "+id[1], "kind: "+id[0]+", name: "+id[1], "name: .*"+id[1], "namespace: one, kind: "+id[0]),
		"labelSelector: app="+id[1], "annotationSelector: 'a'", "kind: '.*'", "name: '.*'", "name: p-"+id[1], "kind: '"+id[0]+"|Secret'", "version: v1", "group: apps", "labelSelector: '!app'", "name: '(', kind: x", "labelSelector: '=='", "annotationSelector: a=value, kind: "+id[0])
}

func (g *grower) patch(dir string) string {
	id, target := g.target()
	version, _ := g.body(id[0])
	space := ""
	if id[2] != "" {
		space = ", namespace: " + id[2]
	}
	me := fmt.Sprintf("apiVersion: %s, kind: %s, metadata: {name: %s%s", version, id[0], id[1], space)
	text, options := "", ""
	switch g.r.IntN(14) {
	case 0:
		return "- patch: |-\n    {$patch: delete, " + me + "}}\n"
	case 1:
		return "- patch: |-\n    {" + me + ", labels: {more: l}}, spec: {replicas: 3}}\n"
	case 2:
		return "- patch: |-\n    {$patch: replace, " + me + "}, spec: {x: y}}\n"
	case 3:
		return "- patch: |-\n    {" + me + "}, spec: {template: {spec: {containers: [{name: c, env: [{name: Z, valueFrom: {secretKeyRef: {name: " + g.fill("@R") + "}}}]}, {name: side, image: side}]}}}}\n"
	case 4:
		options, text = "allowNameChange: true", "{"+strings.Replace(me, "name: "+id[1], "name: "+g.one(append(slices.Clone(g.names), "renamed")...), 1)+"}}"
	case 5:
		options, text = "allowKindChange: true"+g.one("", ", allowNameChange: true"), "{apiVersion: v1, kind: "+g.one(objectKinds...)+", metadata: {name: "+g.one(g.names...)+"}}"
	case 6:
		text = "{apiVersion: v1, kind: X, metadata: {name: x, namespace: other, labels: {app: patched, tier: null}}}"
	case 7:
		text = `[{"op": "add", "path": "/metadata/labels", "value": {"app": "json"}}]`
	case 8:
		text = g.one("- {op: replace, path: /metadata/name, value: json}", "- {op: add, path: /metadata/namespace, value: two}", "- {op: replace, path: /kind, value: Gadget}", "- {op: remove, path: /metadata/annotations}", `[{"op": "replace", "path": "/metadata/name", "value": "b"}]`)
	case 9:
		text = g.fill("- op: add\n  path: /spec/template/spec/containers/-\n  value: {name: d, image: @I, envFrom: [{configMapRef: {name: @R}}]}\n")
		target = "kind: Deployment"
	case 10:
		text = "{apiVersion: v1, kind: X, metadata: {name: x, annotations: {" + g.strange("p: q, a: null", "internal.config.kubernetes.io/prefixes: p-", "config.kubernetes.io/local-config: 'true'", "'internal.config.kubernetes.io/needsHashSuffix': enabled", "a: 1") + "}}}"
	case 11:
		text = g.fill("apiVersion: v1\nkind: X\nmetadata:\n  name: x\ndata:\n  k: @V\n  added: @V\n")
	case 12:
		g.made++
		file := fmt.Sprintf("p%d.yaml", g.made)
		g.files[dir+"/"+file] = "{" + me + "}, data: {patched: '1'}}\n" + g.strange("", "---\n{"+me+"}, data: {second: '1'}}\n", "---\n")
		return "- path: " + file + "\n" + g.opt(3, "  target: {"+target+"}\n")
	case 13:
		text = g.strange("{$patch: delete, apiVersion: v1, kind: X, metadata: {name: x}}", "{$patch: replace, apiVersion: v1, kind: X, metadata: {name: x}}", "{}", "", "[]", "a: b", "null")
	}
	if options != "" {
		options = "  options: {" + options + "}\n"
	}
	return "- target: {" + target + "}\n" + options + "  patch: |-\n" + indented(4, text)
}

// generators makes generators and what they read.
func (g *grower) generators(dir string) string {
	var b strings.Builder
	options := func(pad string) string {
		return pad + "options: {" + g.one("disableNameSuffixHash: true", "labels: {g: l}", "annotations: {g: @V}", "immutable: true", "disableNameSuffixHash: false, labels: {g: '1'}", "annotations: {note: @R}, immutable: true") + "}\n"
	}
	for _, kind := range []string{"configMapGenerator", "secretGenerator"} {
		if !g.in(3) {
			continue
		}
		b.WriteString(kind + ":\n")
		for i := range 1 + g.r.IntN(2) {
			g.made++
			name := g.one("gen", "gens", fmt.Sprintf("gen%d", g.made))
			behavior := ""
			if i == 0 && g.used[kind+name] && !g.in(3) {
				behavior = "  behavior: " + g.one("merge", "merge", "replace") + "\n"
			} else if i > 0 || g.used[kind+name] && !g.in(g.odd) {
				name = fmt.Sprintf("gen%d", g.made)
			}
			g.used[kind+name] = true
			g.ids = append(g.ids, [3]string{map[string]string{"configMapGenerator": "ConfigMap", "secretGenerator": "Secret"}[kind], name, ""})
			file := fmt.Sprintf("data%d", g.made)
			g.files[dir+"/"+file] = g.one("a=b\nc=d # e\n", "A=1\n", g.strange("A=1", "\x00\xffbinary", "\ufeffa=b"), "k=v\n\n# c\n")
			b.WriteString("- name: " + name + "\n" + g.opt(4, "  namespace: @S\n"))
			b.WriteString(g.one("  literals: [a=b, 'c=<@R>']\n", "  files: ["+file+", x="+file+"]\n", "  envs: ["+file+"]\n", "  literals: ['a=\"q\"', b=]\n", "  literals: [a=b]\n") + g.opt(3, options("  ")))
			if behavior != "" {
				b.WriteString(behavior)
				continue
			}
			b.WriteString(g.strange("", "  behavior: create\n", "  behavior: merge\n", "  behavior: replace\n", "  type: kubernetes.io/tls\n", "  env: "+file+"\n"))
		}
	}
	if g.in(4) {
		b.WriteString("generatorOptions: {" + g.one("disableNameSuffixHash: true", "labels: {all: gens}", "annotations: {all: gens}", "immutable: true") + "}\n")
	}
	return g.fill(b.String())
}

func (g *grower) transformers() string {
	pick := func(n int, text string) string { return g.opt(n, text+"\n") }
	return pick(4, "namespace: "+g.strange("@S", "'5'", "'a b'")) + pick(4, "namePrefix: "+g.one("p-", "p-", "q-", "'1'", "a")) + pick(5, "nameSuffix: "+g.one("-s", "-t", "-s", "'1'", "'true'")) +
		pick(7, "commonLabels: {common: @V, app: z}") + pick(6, "commonAnnotations: {common: @V, other: @V}") +
		pick(5, "labels:\n- pairs: {l: @V}\n  includeSelectors: "+g.one("true", "false")+"\n  includeTemplates: "+g.one("true", "false")+g.opt(3, "\n  includeVolumeClaimTemplates: true")+
			g.opt(3, "\n  fields: [{path: spec/x, create: true, kind: Widget}, {path: metadata/labels, create: "+g.strange("true", "false")+"}]")+g.opt(2, "\n- pairs: {l2: m}")) +
		pick(5, "images:\n- {name: nginx, "+g.one("newTag: '2'", "newName: x/nginx", "digest: 'sha256:22'", "newName: z, newTag: '1.0'", "tagSuffix: -x")+"}\n- {name: registry.example/app, newTag: v@V}") +
		g.replicas()
}

func (g *grower) replicas() string {
	for _, id := range g.ids[g.from:] {
		if slices.Contains([]string{"Deployment", "StatefulSet", "ReplicaSet"}, id[0]) && g.in(8) {
			return "replicas:\n- {name: " + id[1] + ", count: 4}\n"
		}
	}
	return ""
}

// indirect is a field that the short way leaves to the library.
func (g *grower) indirect(dir string) string {
	g.files[dir+"/c.yaml"] = "nameReference: []\n"
	return g.one("sortOptions: {order: fifo}\n", "buildMetadata: [originAnnotations, transformerAnnotations]\n", "configurations: [c.yaml]\n",
		"vars: [{name: X, objref: {apiVersion: v1, kind: ConfigMap, name: a}}]\n", "replacements: [{source: {kind: ConfigMap, name: a}, targets: [{select: {kind: Secret}, fieldPaths: [metadata.name]}]}]\n",
		"bases: []\n", "crds: []\n", "metadata: {name: x}\n", "resources: []\n", "openapi: {version: v1.21.2}\n", "unknown: 1\n", "imageTags: [{name: nginx, newTag: '9'}]\n")
}

// dir makes a kustomization and all that it includes.
func (g *grower) dir(depth int, component bool) string {
	g.made++
	from, dir := len(g.ids), fmt.Sprintf("d%d", g.made)
	var k strings.Builder
	if component {
		k.WriteString("apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n")
	} else {
		k.WriteString(g.strange("", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n", "metadata: {name: x}\n"))
	}
	var resources, components []string
	for range g.r.IntN(3) {
		g.made++
		file := fmt.Sprintf("r%d.yaml", g.made)
		g.files[dir+"/"+file] = g.file(1 + g.r.IntN(4))
		resources = append(resources, file)
	}
	if depth > 0 {
		for range 1 + g.r.IntN(3) {
			switch {
			case len(g.dirs) > 0 && g.in(3):
				resources = append(resources, "../"+g.dirs[g.r.IntN(len(g.dirs))])
			case component && !g.in(4):
			default:
				resources = append(resources, "../"+g.dir(g.r.IntN(depth), false))
			}
		}
		for g.in(3) {
			components = append(components, "../"+g.dir(g.r.IntN(depth), true))
		}
	}
	g.r.Shuffle(len(resources), func(i, j int) { resources[i], resources[j] = resources[j], resources[i] })
	if len(resources) > 0 {
		k.WriteString("resources: [" + strings.Join(resources, ", ") + "]\n")
	}
	if len(components) > 0 {
		k.WriteString("components: [" + strings.Join(components, ", ") + "]\n")
	}
	g.from = from
	k.WriteString(g.generators(dir) + g.transformers())
	here := len(g.ids) > from
	if here && g.in(3) {
		k.WriteString("patches:\n" + g.patch(dir))
		for g.in(3) {
			k.WriteString(g.patch(dir))
		}
	}
	if id, _ := g.target(); here && g.in(8) {
		version, _ := g.body(id[0])
		k.WriteString("patchesStrategicMerge:\n- |-\n  {" + g.strange("", "$patch: delete, ") + "apiVersion: " + version + ", kind: " + id[0] + ", metadata: {name: " + id[1] + "}, spec: {psm: x}}\n")
	}
	if id, _ := g.target(); here && g.in(8) {
		k.WriteString("patchesJson6902:\n- target: {kind: " + id[0] + ", name: " + id[1] + "}\n  patch: '[{\"op\": \"add\", \"path\": \"/metadata/" + g.one("labels\", \"value\": {\"j\": \"6902\"}", "name\", \"value\": \"jsn\"") + "}]'\n")
	}
	if g.in(g.odd * 2) {
		k.WriteString(g.indirect(dir))
	}
	g.files[dir+"/kustomization.yaml"] = k.String()
	if !component {
		g.dirs = append(g.dirs, dir)
	}
	return dir
}

func grow(seed uint64) (map[string]string, string) {
	g := &grower{r: rand.New(rand.NewPCG(seed, 7)), files: map[string]string{}, used: map[string]bool{}}
	g.odd = []int{10, 60, 300, 1000}[g.r.IntN(4)]
	// Names that prefixes and suffixes make of each other.
	for _, stem := range []string{"a", g.one("web", "default", "x.y", "aa")}[:1+g.r.IntN(2)] {
		g.names = append(g.names, stem)
		for _, form := range []string{"p-%s", "%s-s", "q-p-%s", "p-%s-s"} {
			if g.in(3) {
				g.names = append(g.names, fmt.Sprintf(form, stem))
			}
		}
	}
	if g.in(20) {
		g.names = append(g.names, g.one("5", "'5'", "true", "1e3", "null"))
	}
	top := g.dir(min(g.r.IntN(6), 4), false)
	return g.files, top
}

// Whatever is grown, the short way gives the library's bytes or leaves it to
// the library. SLUICE_TEST_TREES=FROM:TO sets other seeds, for long runs.
func TestShortWayOnTrees(t *testing.T) {
	quiet(t)
	d, err := newDirect()
	if err != nil {
		t.Fatal(err)
	}
	from, to := uint64(0), uint64(400)
	if a, b, ok := strings.Cut(os.Getenv("SLUICE_TEST_TREES"), ":"); ok {
		from, _ = strconv.ParseUint(a, 10, 64)
		to, _ = strconv.ParseUint(b, 10, 64)
	}
	short := uint64(0)
	for seed := from; seed < to; seed++ {
		files, top := grow(seed)
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			if bothWays(t, d, files, top) {
				short++
			}
		})
	}
	t.Logf("%d of %d", short, to-from)
	if short < (to-from)/6 {
		t.Errorf("only %d of %d builds took the short way", short, to-from)
	}
}
