package render

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// ungated builds a directory without asking the gate first.
func ungated(t *testing.T, p *Pool, archive, dir string) outcome {
	t.Helper()
	v := newView(memory(archive))
	l := p.limits
	req := request{dir: dir, cpu: int(l.CPU.Seconds()), output: int(l.Output), objects: l.Objects, known: v.known, files: v.data}
	out, err := p.Lane().build(t.Context(), req, false, v.answer)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The second line: with the gate left out, a worker still reaches nothing.
func TestWorkerReachesNothing(t *testing.T) {
	var hits atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { hits.Add(1) }))
	defer server.Close()
	outsideDir := t.TempDir()
	secret := filepath.Join(outsideDir, "secret.yaml")
	if err := os.WriteFile(secret, []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: secret}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	pwned := filepath.Join(outsideDir, "PWNED")
	paths := []string{
		server.URL + "/base.yaml", strings.ToUpper(server.URL[:4]) + server.URL[4:] + "/x", "git::" + server.URL + "/o/r.git",
		"file://" + outsideDir + "?ref=--upload-pack=touch%20" + pwned + "%3Bgit-upload-pack", "ssh://git@127.0.0.1/o/r", "git@127.0.0.1:o/r.git",
		"github.com/o/r", secret, "../../../../../../.." + secret, "/src/../../" + secret,
	}
	p := newPool(t, Limits{})
	for _, field := range fields {
		for _, path := range paths {
			quoted := fmt.Sprintf("%q", path)
			kust := strings.Replace(field, "%s", quoted, 1)
			out := ungated(t, p, fmt.Sprintf(base, quoted, quoted, quoted)+"-- o/kustomization.yaml --\n"+kust+"\n", "o")
			if out.failed == nil {
				t.Errorf("%s: built", kust)
			}
		}
	}
	if n := hits.Load(); n > 0 {
		t.Errorf("%d requests over the network", n)
	}
	if _, err := os.Stat(pwned); err == nil {
		t.Error("a command ran")
	}
}

func TestWorkerSeesNoEnvironment(t *testing.T) {
	t.Setenv("GITHUB_TOKEN", "canary")
	p := newPool(t, Limits{})
	mustRender(t, p, "-- o/kustomization.yaml --\nnamespace: a\nresources: [a.yaml]\n-- o/a.yaml --\napiVersion: v1\nkind: Service\nmetadata: {name: a}\n", "o")
	proc := fmt.Sprintf("/proc/%d/", p.idle[0].cmd.Process.Pid)
	env, err := os.ReadFile(proc + "environ")
	if err != nil {
		t.Fatal(err)
	}
	if string(env) != "PATH=\x00" {
		t.Errorf("environment %q", env)
	}
	if dir, _ := os.Readlink(proc + "cwd"); dir != "/" {
		t.Errorf("working directory %q", dir)
	}
	open, err := os.ReadDir(proc + "fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range open {
		to, _ := os.Readlink(proc + "fd/" + fd.Name())
		if !strings.HasPrefix(to, "pipe:") && !strings.HasPrefix(to, "anon_inode:") && !strings.HasPrefix(to, "/sys/") && to != os.DevNull {
			t.Errorf("descriptor %s is %s", fd.Name(), to)
		}
	}
}

const victim = `
-- b/kustomization.yaml --
resources: [d.yaml]
patches: [{path: p.yaml}]
-- b/d.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec: {template: {spec: {containers: [{name: one, image: a}, {name: two, image: b}]}}}
-- b/p.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec: {template: {spec: {containers: [{name: one, image: c}]}}}
`

const poison = `
-- a/kustomization.yaml --
resources: [d.yaml]
openapi: {path: s.json}
patches: [{path: p.yaml}]
-- a/s.json --
{"definitions": {"io.k8s.api.apps.v1.Deployment": {"type": "object", "properties": {"spec": {"type": "object", "properties": {}}},
 "x-kubernetes-group-version-kind": [{"group": "apps", "kind": "Deployment", "version": "v1"}]}}}
-- a/d.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec: {template: {spec: {containers: [{name: one, image: a}, {name: two, image: b}]}}}
-- a/p.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec: {template: {spec: {containers: [{name: one, image: c}]}}}
`

// A build gives the same alone, after another one, and beside one, also if
// that one brings a schema of its own.
func TestBuildsDoNotTouchEachOther(t *testing.T) {
	alone := values(t, mustRender(t, newPool(t, Limits{}), victim, "b"))
	if n := strings.Count(show(alone), `"image"`); n != 2 {
		t.Fatalf("%d containers alone", n)
	}
	p := newPool(t, Limits{})
	poisoned := values(t, mustRender(t, p, poison, "a"))
	if n := strings.Count(show(poisoned), `"image"`); n != 1 {
		t.Fatalf("the poison does not work: %d containers", n)
	}
	same(t, alone, values(t, mustRender(t, p, victim, "b")))
	same(t, poisoned, values(t, mustRender(t, p, poison, "a")))
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			archive, dir, want := victim, "b", alone
			if i%3 == 0 {
				archive, dir, want = poison, "a", poisoned
			}
			set, err := p.Render(t.Context(), memory(archive), entries(dir))
			if err != nil {
				t.Error(err)
				return
			}
			if got := values(t, set); show(got) != show(want) {
				t.Errorf("%s beside others: %s", dir, show(got))
			}
		})
	}
	wg.Wait()
}

// Without the rule that such a build gets a process of its own, the law above
// would not hold: the same two builds in one worker.
func TestPoisonIsReal(t *testing.T) {
	p := newPool(t, Limits{})
	for _, b := range []struct{ archive, dir string }{{poison, "a"}, {victim, "b"}} {
		out := ungated(t, p, b.archive, b.dir)
		nodes, err := unpackResult(out.objects)
		if err != nil || len(nodes) != 1 {
			t.Fatal(out.failed, err)
		}
		if c := nodes[0]; len(choose(c, "spec.template.spec.containers[].image")) != 1 {
			t.Errorf("%s is not poisoned", b.dir)
		}
	}
}

// A build that costs too much is reported as such, and the next one is well.
func TestLimits(t *testing.T) {
	kust := func(k string) string { return "-- o/kustomization.yaml --\n" + k + "\n" }
	object := "-- o/a.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\nlist: [1, 2]\n"
	bomb := "-- o/a.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nx: {w: [1,2,3,4,5,6,7,8,9]}\n-- o/p.yaml --\n"
	for range 22 {
		bomb += "- {op: copy, from: /x, path: /x/z}\n- {op: move, from: /x/z, path: /x/w/-}\n"
	}
	bomb += kust("resources: [a.yaml]\npatches: [{path: p.yaml, target: {name: a}}]")
	overflow := kust("resources: [r.yaml]") + "-- o/r.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\na: &a [*a]\n"
	comma := kust("namePrefix: a-\nresources: [r.yaml]") + "-- o/r.yaml --\napiVersion: v1\nkind: \"Con,fig\"\nmetadata: {name: a}\n"
	diamond := kust("resources: [../l6]")
	for i := range 7 {
		below := fmt.Sprintf("../../l%d", i-1)
		if i == 0 {
			diamond += "-- l0/kustomization.yaml --\nresources: [a.yaml]\n" + cm("l0/a.yaml", "a")
			continue
		}
		diamond += fmt.Sprintf("-- l%d/kustomization.yaml --\nresources: [a, b]\n", i)
		for _, side := range []string{"a", "b"} {
			diamond += fmt.Sprintf("-- l%d/%s/kustomization.yaml --\nnamePrefix: %s-\nresources: [%s]\n", i, side, side, below)
		}
	}
	cases := []struct {
		name, archive, want string
		limits              Limits
		ungated             bool
	}{
		{"time", bomb, "exceeded the time limit of 1s", Limits{Wall: time.Second}, false},
		{"memory", bomb, "exceeded the memory limit of 256 MiB", Limits{Memory: 256 << 20}, false},
		{"cpu", bomb, "exceeded the limit of 1s of CPU time", Limits{CPU: time.Second, Memory: 8 << 30}, false},
		{"output", kust("resources: [a.yaml]") + object, "exceeded the limit of 0 MiB of output", Limits{Output: 20}, false},
		{"input", kust("resources: [a.yaml]") + object, "exceeded the limit of 0 MiB of files", Limits{Input: 20}, false},
		{"diamond", diamond, "exceeded the limit of 20 directories", Limits{Visits: 20}, false},
		{"diamond of objects", diamond, "exceeded the limit of 20 objects", Limits{Objects: 20}, false},
		{"generated objects", kust("resources: [a.yaml]\nconfigMapGenerator: [{name: x}]") + object, "exceeded the limit of 1 objects", Limits{Objects: 1}, false},
		{"recursion", overflow, "crashed kustomize: it recursed without end", Limits{}, true},
		{"panic", comma, "crashed kustomize: ", Limits{}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := newPool(t, c.limits)
			text := ""
			if c.ungated {
				b := &build{pool: p, gate: &gate{}}
				text = b.trouble(ungated(t, p, c.archive, "o"))
			} else {
				_, err := render(t, p, c.archive, "o")
				f := findings(t, err)[0]
				text = f.Text
				if f.File != "o/kustomization.yaml" {
					t.Errorf("reported at %q", f.File)
				}
			}
			if !strings.HasPrefix(text, c.want) || strings.Contains(text, "goroutine") || strings.Contains(text, ".go:") {
				t.Errorf("got %q, want %q", text, c.want)
			}
			p.limits = Limits{}.withDefaults()
			mustRender(t, p, kust("resources: [a.yaml]")+object, "o")
		})
	}
}
