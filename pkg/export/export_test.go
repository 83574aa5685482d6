package export

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/schema"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// files is a source that holds one config.
type files string

func (f files) ReadFile(string) ([]byte, error) { return []byte(f), nil }
func (f files) Glob(string) ([]string, error)   { return nil, nil }

const configText = `
environments:
- name: staging
- {name: production, promotedFrom: staging, branch: live/production, path: clusters/production}
apps:
- {name: crds, kubectlApply: [a]}
- {name: empty, dependsOn: [crds], kubectlApply: [a]}
- {name: mesh, kubectlApply: [a], dependsOn: [crds]}
- {name: api, dependsOn: [mesh, empty], kubectlApply: [a], allow: {namespaces: [shop]}}
- {name: jobs, dependsOn: [empty], kubectlApply: [a], allow: {namespaces: [shop, batch]}, environments: [staging]}
export:
  suspend: [staging/jobs, production]
  flux: {interval: 15m, sourceInterval: 30s, timeout: 3m, secret: git, serviceAccount: "{app}-{namespace}", namespace: gitops}
  argocd: {project: shop, namespace: argo, servers: {production: "https://production.example"}}
  kluctl: {interval: 5m, namespace: k}
`

func gather(t *testing.T, text, remote string, rendered ...*tree.Environment) (*Project, *config.Config, error) {
	t.Helper()
	cfg, err := config.Load(files(text), "sluice.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Gather(cfg, remote, rendered)
	return p, cfg, err
}

// environment lays objects out; what apps hold is given as manifests.
func environment(t *testing.T, name, dir string, apps ...string) *tree.Environment {
	t.Helper()
	var all []tree.App
	for i := 0; i < len(apps); i += 2 {
		app := tree.App{Name: apps[i]}
		if apps[i+1] != "" {
			set, err := manifest.Parse("a.yaml", []byte(apps[i+1]))
			if err != nil {
				t.Fatal(err)
			}
			app.Set = set
		}
		all = append(all, app)
	}
	e, err := tree.Lay(name, dir, all)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const (
	settings  = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}}"
	workloads = `
{apiVersion: apps/v1, kind: Deployment, metadata: {name: api, namespace: shop}}
---
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}}
---
{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent, namespace: shop}}
---
{apiVersion: batch/v1, kind: Job, metadata: {name: once, namespace: shop}}
---
{apiVersion: batch/v1, kind: Job, metadata: {name: gone, namespace: shop}, spec: {ttlSecondsAfterFinished: 60}}
---
{apiVersion: batch/v1, kind: CronJob, metadata: {name: night, namespace: shop}}
---
{apiVersion: serving.knative.dev/v1, kind: Deployment, metadata: {name: other, namespace: shop}}
`
)

func example(t *testing.T) (*Project, *config.Config) {
	t.Helper()
	p, cfg, err := gather(
		t, configText, "git@git.example:shop/Config_Repo.git",
		environment(t, "staging", "staging", "crds", settings, "empty", "", "mesh", settings, "api", workloads, "jobs", settings),
		environment(t, "production", "clusters/production", "crds", settings, "empty", "", "mesh", settings, "api", workloads),
	)
	if err != nil {
		t.Fatal(err)
	}
	return p, cfg
}

// held gives the objects of documents, after the engine's definition of them
// has found nothing wrong.
func held(t *testing.T, docs [][]byte) string {
	t.Helper()
	for _, fault := range faults(t, docs) {
		t.Error(fault)
	}
	return string(bytes.Join(docs, []byte("---\n")))
}

func faults(t *testing.T, docs [][]byte) (found []string) {
	t.Helper()
	validator, err := schema.Load("1.33")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"testdata/crds.yaml", "testdata/kluctl.crd.yaml"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		definitions, err := manifest.Parse(file, data)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range definitions {
			if err := validator.AddCRD(d); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, d := range docs {
		set, err := manifest.Parse("", d)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range set {
			if why := validator.Unchecked(o); why != "" {
				found = append(found, o.ID.String()+" is not checked: "+why)
			}
			for _, f := range validator.Validate(o) {
				found = append(found, f.Error())
			}
		}
	}
	return found
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	file = "testdata/" + file
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (UPDATE_GOLDEN=1 writes it): %s", file, d)
	}
}

func TestFlux(t *testing.T) {
	p, cfg := example(t)
	docs, err := p.Flux(cfg.Export.Flux)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "flux.yaml", held(t, docs))
	defaults, err := p.Flux(nil)
	if err != nil {
		t.Fatal(err)
	}
	held(t, defaults)
}

func TestArgoCD(t *testing.T) {
	p, cfg := example(t)
	docs, err := p.ArgoCD(cfg.Export.ArgoCD)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "argocd.yaml", held(t, docs))
	defaults, err := p.ArgoCD(nil)
	if err != nil {
		t.Fatal(err)
	}
	held(t, defaults)
}

func TestKluctl(t *testing.T) {
	p, cfg := example(t)
	if _, err := p.Kluctl(cfg.Export.Kluctl); err == nil || !strings.Contains(err.Error(), `app "jobs" of "staging" cannot be suspended alone`) {
		t.Errorf("one app suspended: %v", err)
	}
	p.Environments[0].Apps[3].Suspended = false
	docs, err := p.Kluctl(cfg.Export.Kluctl)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "kluctl.yaml", held(t, docs))
	defaults, err := p.Kluctl(nil)
	if err != nil {
		t.Fatal(err)
	}
	held(t, defaults)
	p.Environments[0].Files["api/x.yaml"] = []byte("a: '{{ b }}'\n")
	if _, err := p.Kluctl(nil); err == nil || err.Error() != "staging/api/x.yaml: holds {{ on the branch, which kluctl would take for a template" {
		t.Errorf("a template: %v", err)
	}
}

// The schemas that the tests hold objects to do refuse what the engines refuse.
func TestDefinitionsRefuse(t *testing.T) {
	p, _ := example(t)
	docs, err := p.Flux(&config.Flux{Interval: "often"})
	if err != nil {
		t.Fatal(err)
	}
	if len(faults(t, docs)) == 0 {
		t.Error("an interval that is none passed")
	}
	p.Environments[0].Apps[3].Suspended = false // kluctl has no such thing
	for engine, changes := range map[string][][2]string{
		"flux": {
			{"branch: env/staging", "branche: env/staging"},
			{"url: ssh://", "url: git://"},
			{"prune: true", "prune: maybe"},
			{"prune: true\n", "\n"},
			{"kind: GitRepository\n    name", "kind: HelmRepository\n    name"},
			{"targetNamespace: shop", "targetNamespace: ''"},
		},
		"argocd": {{"project: default", "projekt: default"}, {"repoURL: ssh", "url: ssh"}, {"selfHeal: true", "selfHeal: 1"}, {"path: ", "chart: "}},
		"kluctl": {{"interval: 10m", "interval: soon"}, {"url: ssh", "repoURL: ssh"}, {"ref:\n", "reference:\n"}},
	} {
		docs, err := p.Objects(engine, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, change := range changes {
			bad, changed := make([][]byte, len(docs)), false
			for i, d := range docs {
				bad[i] = bytes.ReplaceAll(d, []byte(change[0]), []byte(change[1]))
				changed = changed || !bytes.Equal(bad[i], d)
			}
			if !changed || len(faults(t, bad)) == 0 {
				t.Errorf("%s: %q for %q passed (something is changed: %v)", engine, change[1], change[0], changed)
			}
		}
	}
}

func TestReachable(t *testing.T) {
	cfg, err := config.Load(files("kubectlApply: [a]\n"), "sluice.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"https://git.example/shop/config.git":    "https://git.example/shop/config.git",
		"git@git.example:shop/config.git":        "ssh://git@git.example/shop/config.git",
		"git.example:config":                     "ssh://git.example/config",
		"ssh://git@git.example:2222/shop/config": "ssh://git@git.example:2222/shop/config",
		"":                                       "",
		"../elsewhere":                           "",
		"/srv/config.git":                        "",
		"file:///srv/config.git":                 "",
		"git://git.example/config":               "",
	} {
		got, err := reachable(url, cfg)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", url, got, err)
		}
	}
}

// Two objects of one name would be one in the cluster.
func TestNamesMeet(t *testing.T) {
	text := "environments: [{name: a}, {name: a-b}]\napps: [{name: b-c, kubectlApply: [x]}, {name: c, kubectlApply: [x]}]\n"
	p, _, err := gather(t, text, "https://git.example/shop", environment(t, "a", "a", "b-c", settings), environment(t, "a-b", "a-b", "c", settings))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Flux(nil); err == nil || err.Error() != "two apps would be followed by one Kustomization shop-a-b-c" {
		t.Errorf("%v", err)
	}
}

// On the branch, an engine follows its own directory too, which is never
// suspended: the end of it could not be told.
func TestInto(t *testing.T) {
	text := strings.Replace(configText, "export:", "export:\n  into: env\n  repository: https://git.example/shop/config", 1)
	text = strings.Replace(text, "suspend: [staging/jobs, production]", "suspend: [staging/jobs]", 1)
	p, cfg, err := gather(t, text, "", environment(t, "staging", "staging", "crds", settings, "jobs", settings), environment(t, "production", "clusters/production"))
	if err != nil {
		t.Fatal(err)
	}
	p.Environments[0].Apps[1].Suspended = false // kluctl has no such thing
	var all [][]byte
	for _, engine := range []string{"flux", "argocd", "kluctl"} {
		docs, err := p.Objects(engine, cfg.Export)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, docs...)
	}
	golden(t, "into.yaml", held(t, all))
	if _, err := p.Objects("fleet", nil); err == nil {
		t.Error("an engine that is none passed")
	}
	p.Environments[0].Suspended = true
	docs, err := p.Flux(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range docs {
		if strings.Contains(string(d), "suspend") {
			t.Errorf("suspended:\n%s", d)
		}
	}
}
