package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// size is the shape of a config repository.
type size struct {
	name         string
	apps         int
	objects      int // of each app
	environments int
}

var sizes = []size{{"S", 10, 6, 2}, {"M", 200, 10, 3}, {"L", 1000, 10, 4}}

var environmentNames = []string{"dev", "staging", "qa", "production"}

func (s size) envs() []string { return environmentNames[:s.environments] }

// generate writes a config repository: a base of each app and an overlay for
// each environment, with patches, images and a generated ConfigMap, and a
// Deployment that is injected. The same seed gives the same bytes.
func generate(dir string, s size, seed uint64) error {
	g := &generator{dir: dir, rand: rand.New(rand.NewPCG(seed, 0))}
	var config strings.Builder
	config.WriteString("conduit: {version: v0.3.1}\nenvironments:\n")
	for i, e := range s.envs() {
		fmt.Fprintf(&config, "- name: %s\n", e)
		if i > 0 {
			fmt.Fprintf(&config, "  promotedFrom: %s\n", s.envs()[i-1])
		}
	}
	config.WriteString("apps:\n")
	for i := range s.apps {
		name := fmt.Sprintf("app-%04d", i)
		fmt.Fprintf(&config, "- name: %s\n  kubectlApply: [\"apps/%[1]s/overlays/{env}\"]\n  conduitInject: [apps/%[1]s/base/deployment.yaml]\n", name)
		g.app(name, s)
	}
	g.write("sluice.yaml", config.String())
	return g.err
}

// plain writes a repository of objects in plain files, n of them, in files of
// ten documents.
func plain(dir string, n int, seed uint64) error {
	g := &generator{dir: dir, rand: rand.New(rand.NewPCG(seed, 0))}
	for i := 0; i < n; i += 10 {
		var b strings.Builder
		for j := i; j < min(i+10, n); j++ {
			b.WriteString("---\n" + g.configMap(fmt.Sprintf("object-%06d", j)))
		}
		g.write(fmt.Sprintf("manifests/%03d/%06d.yaml", i/1000, i), b.String())
	}
	g.write("sluice.yaml", "kubectlApply: [manifests]\n")
	return g.err
}

// single writes a repository with one kustomization of n objects.
func single(dir string, n int, seed uint64) error {
	g := &generator{dir: dir, rand: rand.New(rand.NewPCG(seed, 0))}
	resources := "resources:\n"
	for i := 0; i < n; i += 10 {
		var b strings.Builder
		for j := i; j < min(i+10, n); j++ {
			b.WriteString("---\n" + g.configMap(fmt.Sprintf("object-%06d", j)))
		}
		file := fmt.Sprintf("%06d.yaml", i)
		g.write("all/"+file, b.String())
		resources += "- " + file + "\n"
	}
	g.write("all/kustomization.yaml", "namespace: shop\n"+resources)
	g.write("sluice.yaml", "kubectlApply: [all]\n")
	return g.err
}

// generator writes files; its first error stays.
type generator struct {
	dir  string
	rand *rand.Rand
	err  error
}

func (g *generator) write(name, text string) {
	at := filepath.Join(g.dir, filepath.FromSlash(name))
	if g.err == nil {
		g.err = os.MkdirAll(filepath.Dir(at), 0o777)
	}
	if g.err == nil {
		g.err = os.WriteFile(at, []byte(text), 0o666)
	}
}

func (g *generator) word() string {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	b := make([]byte, 4+g.rand.IntN(8))
	for i := range b {
		b[i] = letters[g.rand.IntN(len(letters))]
	}
	return string(b)
}

// kinds are what an app holds beside its Deployment and its generated
// ConfigMap, in this order, over and over.
var kinds = []func(g *generator, app, name string) string{service, settings, account, role, ingress}

func (g *generator) app(name string, s size) {
	base := "apps/" + name + "/base/"
	g.write(base+"deployment.yaml", deployment(g, name))
	resources := "resources:\n- deployment.yaml\n"
	for i := range s.objects - 2 {
		file := fmt.Sprintf("object-%d.yaml", i)
		g.write(base+file, kinds[i%len(kinds)](g, name, fmt.Sprintf("%s-%d", name, i)))
		resources += "- " + file + "\n"
	}
	g.write(base+"kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"+resources)
	for i, env := range s.envs() {
		overlay := "apps/" + name + "/overlays/" + env + "/"
		g.write(overlay+"kustomization.yaml", fmt.Sprintf(`apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: %[1]s
resources: [../../base]
labels:
- pairs: {environment: %[1]s}
images:
- {name: registry.example/%[2]s, newTag: v1.%[3]d.%[4]d}
patches:
- path: replicas.yaml
- target: {kind: Service}
  patch: |-
    - {op: add, path: /metadata/annotations, value: {team: %[5]s}}
configMapGenerator:
- name: %[2]s-env
  literals: [LOG=%[5]s, ENVIRONMENT=%[1]s]
`, env, name, i, g.rand.IntN(100), g.word()))
		g.write(overlay+"replicas.yaml", fmt.Sprintf("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %s}\nspec: {replicas: %d}\n", name, 1+i))
	}
}

func deployment(g *generator, name string) string {
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata:
  name: %[1]s
  labels: {app: %[1]s}
spec:
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      containers:
      - name: main
        image: registry.example/%[1]s:dev
        envFrom:
        - configMapRef: {name: %[1]s-env}
        env:
        - {name: %[2]s, value: %[3]q}
        ports:
        - {name: http, containerPort: 8080}
        resources:
          requests: {cpu: 100m, memory: 128Mi}
          limits: {memory: 256Mi}
        readinessProbe:
          httpGet: {path: /ready, port: http}
`, name, strings.ToUpper(g.word()), g.word())
}

func service(_ *generator, app, name string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata:\n  name: %s\nspec:\n  selector: {app: %s}\n  ports:\n  - {name: http, port: 80, targetPort: http}\n", name, app)
}

func settings(g *generator, _, name string) string { return g.configMap(name) }

func (g *generator) configMap(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\ndata:\n", name)
	for i := range 8 {
		fmt.Fprintf(&b, "  key-%d: %q\n", i, g.word()+" "+g.word()+" "+g.word())
	}
	return b.String()
}

func account(_ *generator, _, name string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: %s\nautomountServiceAccountToken: false\n", name)
}

func role(_ *generator, _, name string) string {
	return fmt.Sprintf("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: %s\nrules:\n- apiGroups: [\"\"]\n  resources: [configmaps]\n  verbs: [get, list, watch]\n", name)
}

func ingress(_ *generator, app, name string) string {
	return fmt.Sprintf(`apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: %[2]s
spec:
  rules:
  - host: %[1]s.example.com
    http:
      paths:
      - path: /
        pathType: Prefix
        backend:
          service: {name: %[1]s-0, port: {name: http}}
`, app, name)
}
