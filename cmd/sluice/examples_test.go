package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/sluice-dev/sluice/pkg/cli"
)

// prepared makes the repository that the examples run in, with a history, a
// remote and what the programs beside sluice print.
const prepared = `
set -e
mkdir -p ../bin ../served tools
cp "$PROGRAMS/injector" tools/linkerd-stable-2.14.9
cp "$PROGRAMS/injector" tools/linkerd-stable-2.14.10
cp "$PROGRAMS/injector" istioctl
for platform in linux-amd64 darwin-arm64; do tar czf ../served/istioctl-1.20.3-$platform.tar.gz istioctl; done
rm istioctl
git init -q
sluice pin tool linkerd stable-2.14.9 --url 'tools/linkerd-{version}' --platform $PLATFORM
git add .
git commit -qm 'Serve the shop'
git tag v1.2
sluice commit
sluice promote production --merge
for n in 2 3 4; do
	sed -i.bak "s/replicas: .*/replicas: $n/" api/base/api.yaml
	git commit -qam "Run $n"
	sluice commit
	sluice promote production --merge
done
git tag v1.4.0
sed -i.bak "s/replicas: .*/replicas: 9/" api/base/api.yaml
git commit -qam 'Run 9'
sluice commit
git init -q --bare ../acme/shop.git
git push -q ../acme/shop.git 'refs/heads/*' 'refs/tags/*'
cp legacy.yaml deployment.yaml
mkdir build
cp legacy.yaml build/
cat >../bin/kubectl <<'END'
#!/bin/sh
case $1 in
get | gs) cat deployment.yaml ;;
*) cat >/dev/null ;;
esac
END
printf '#!/bin/sh\ncat\n' >../bin/dot
chmod +x ../bin/*
`

// source is what the prepared repository begins with.
const source = `
-- sluice.yaml --
forge: {type: github}
conduit: {version: v0.3.0}
environments:
- name: staging
- {name: production, promotedFrom: staging}
apps:
- {name: api, kubectlApply: ["api/{env}"], conduitInject: ["api/{env}"]}
- {name: legacy, kubectlApply: [legacy.yaml], conduitInject: [legacy.yaml], conduit: {version: v0.3.1}}
export:
  flux: {interval: 10m}
clusters:
- {name: gauss/peu01, provider: aws, release: v21.0.0}
-- releases/aws/v21.0.0/base/machinepool.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: machinepool-21-0-0}
data: {spec: {template: {spec: {version: v1.20.1}}}}
-- releases/aws/v22.0.0/base/machinepool.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: machinepool-22-0-0}
data: {spec: {template: {spec: {version: v1.21.4}}}}
-- gauss/peu01/machinepool.yaml --
apiVersion: exp.cluster.x-k8s.io/v1alpha3
kind: MachinePool
metadata: {name: peu01-mp-0, namespace: my-org}
spec: {replicas: 2, template: {spec: {version: v1.20.1}}}
-- templates/aws/machinepool.yaml --
apiVersion: exp.cluster.x-k8s.io/v1alpha3
kind: MachinePool
metadata: {name: "${name}-mp-0", namespace: my-org, labels: {region: "${region}"}}
spec: {replicas: 2, template: {spec: {version: v1.20.1}}}
-- api/base/kustomization.yaml --
resources: [api.yaml, worker.yaml]
-- api/base/api.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: 1
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: "registry.example/api:v1.4.1"}]}
-- api/base/worker.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: worker, namespace: shop}
spec:
  selector: {matchLabels: {app: worker}}
  template:
    metadata: {labels: {app: worker}}
    spec: {containers: [{name: worker, image: registry.example/worker}]}
-- api/staging/kustomization.yaml --
resources: [../base]
images: [{name: registry.example/worker, newTag: v1.4.1}]
-- api/production/kustomization.yaml --
resources: [../base]
images: [{name: registry.example/worker, newTag: v1.4.0}]
-- legacy.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: legacy, namespace: shop}
spec:
  selector: {matchLabels: {app: legacy}}
  template:
    metadata: {labels: {app: legacy}}
    spec: {containers: [{name: legacy, image: "registry.example/legacy:v1"}]}
`

// TestExamples runs every example that a command shows: those of one command
// after each other, in a repository of their own, with the remote on a fake
// GitHub. example.com in an address is a server here.
func TestExamples(t *testing.T) {
	programs := buildPrograms(t)
	p := params(programs)
	dir := t.TempDir()
	write := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, page := range cli.Manual() {
		name := strings.Join(page.Name, "-")
		switch {
		case !page.Runs || page.Name[len(page.Name)-1] == "help" || len(page.Name) > 1 && page.Name[1] == "completion":
			continue // cobra says more about completion than an example would
		case page.Example == "":
			t.Errorf("%s has no example", name)
			continue
		}
		var b strings.Builder
		b.WriteString("forge-serve\nserve FILES served\nenv SLUICE_TOKEN=secret\nenv PATH=$WORK/bin:$PATH\ncd repo\n" +
			"exec git remote add origin https://forge.test/acme/shop.git\nexec git config url.$SERVER/.insteadOf https://forge.test/\n")
		lines := strings.Split(strings.ReplaceAll(page.Example, "\\\n", ""), "\n")
		for i := range lines {
			if name == "sluice-init" {
				b.WriteString("rm sluice.yaml deployment.yaml build\n") // it begins where nothing is yet
			}
			fmt.Fprintf(&b, "example %d%s\n", i, map[bool]string{true: " found"}[page.Name[1] == "diff"])
		}
		for i, line := range lines {
			fmt.Fprintf(&b, "-- repo/example-%d.sh --\n%s\n", i, strings.TrimSpace(line))
		}
		write(filepath.Join(dir, name+".txtar"), b.String())
	}
	template := prepare(t, programs)
	p.Dir = dir
	setup := p.Setup
	p.Setup = func(env *testscript.Env) error {
		if err := setup(env); err != nil {
			return err
		}
		return exec.Command("cp", "-R", template+"/.", env.WorkDir).Run()
	}
	p.Cmds["example"] = example
	testscript.Run(t, p)
}

// prepare runs what makes the repository once, and gives the directory above it.
func prepare(t *testing.T, programs string) string {
	t.Helper()
	template := t.TempDir()
	repo := filepath.Join(template, "repo")
	for _, f := range txtar.Parse([]byte(source)).Files {
		at := filepath.Join(repo, f.Name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o777), os.WriteFile(at, f.Data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	env := &testscript.Env{WorkDir: template, Values: map[any]any{}}
	if err := surround(env, programs); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "-c", prepared)
	cmd.Dir, cmd.Env = repo, append(os.Environ(), env.Vars...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("preparing the repository: %v\n%s", err, out)
	}
	return template
}

// example N [found] runs an example, which has to work. One that compares may
// find something.
func example(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: example N [found]")
	}
	file := ts.MkAbs("example-" + args[0] + ".sh")
	line := strings.ReplaceAll(ts.ReadFile(file), "https://example.com", ts.Getenv("FILES"))
	ts.Check(os.WriteFile(file, []byte(line), 0o600))
	err := ts.Exec("bash", "-eo", "pipefail", file)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 && len(args) > 1 {
		return
	}
	if err != nil {
		ts.Fatalf("%s: %v", line, err)
	}
}
