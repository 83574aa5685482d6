package tree

import (
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

func TestObjectPath(t *testing.T) {
	long := strings.Repeat("a", 253)
	for id, want := range map[manifest.ID]string{
		{Kind: "Service", Name: "web"}:                                                     "service-web.yaml",
		{Kind: "Service", Namespace: "shop", Name: "web"}:                                  "shop/service-web.yaml",
		{Group: "apps", Kind: "Deployment", Name: "web"}:                                   "deployment-web.yaml",
		{Group: "example.com", Kind: "Widget", Name: "w"}:                                  "widget.example.com-w.yaml",
		{Group: "gateway.networking.k8s.io", Kind: "Gateway", Name: "g"}:                   "gateway.gateway.networking.k8s.io-g.yaml",
		{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole", Name: "system:app"}:      "clusterrole-system%3Aapp.yaml",
		{Group: "rbac.authorization.k8s.io", Kind: "Role", Namespace: "n", Name: "Reader"}: "n/role-%52eader.yaml",
		{Kind: "ConfigMap", Namespace: "con", Name: "a"}:                                   "%63on/configmap-a.yaml",
		{Kind: "ConfigMap", Name: long}:                                                    "configmap-" + strings.Repeat("a", 168) + "-a6618fb10135976d.yaml",
	} {
		if got := ObjectPath(id); got != want {
			t.Errorf("%s: got %s, want %s", id, got, want)
		}
	}
}

// Objects that differ lie in files that differ, also where the file system
// folds case, and every name is one that Windows and Git can hold.
func TestObjectPathsAreDistinct(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	pick := func(list ...string) string { return list[rng.Intn(len(list))] }
	word := func() string {
		var b strings.Builder
		for range 1 + rng.Intn(3) {
			b.WriteString(pick("a", "A", "-", ".", ":", "%41", "é", "con", "con.x", "yaml", strings.Repeat("x", 120)))
		}
		return b.String()
	}
	seen := map[string]manifest.ID{}
	for range 100000 {
		id := manifest.ID{Group: pick("", "example.com", "e.com"), Kind: pick("A", "B", "Con"), Namespace: pick("", "n", "aux", "con"), Name: word()}
		p := ObjectPath(id)
		folded := strings.ToLower(p)
		if other, taken := seen[folded]; taken && other != id {
			t.Fatalf("%v and %v share %s", id, other, p)
		}
		seen[folded] = id
		for _, part := range strings.Split(p, "/") {
			stem, _, _ := strings.Cut(part, ".")
			if len(part) > maxComponent || devices[stem] || strings.ContainsAny(part, `<>:"\|?*`) || part == ".git" {
				t.Fatalf("%v gives %q", id, p)
			}
		}
	}
}

// The id of a directory is git's own.
func TestFilesIDIsGits(t *testing.T) {
	files := Files{"a.yaml": []byte("a"), "a/b.yaml": []byte("b"), "a-b": nil, "a0/x/y": []byte("y"), "b%3A": []byte("c\n"), "a.b/z": []byte("z")}
	dir := t.TempDir()
	git := func(args ...string) string {
		cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	for p, data := range files {
		at := filepath.Join(dir, p)
		if err := os.MkdirAll(filepath.Dir(at), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	git("init", "-q")
	git("add", "-A")
	if got, want := files.ID(), git("write-tree"); got != want {
		t.Errorf("got %s, git says %s", got, want)
	}
	if got, want := (Files{}).ID(), git("hash-object", "-t", "tree", "/dev/null"); got != want {
		t.Errorf("empty: got %s, git says %s", got, want)
	}
}

func parse(t *testing.T, file, text string) manifest.Set {
	t.Helper()
	set, err := manifest.Parse(file, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

const objects = `
{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: ns}}
---
{apiVersion: v1, kind: Service, metadata: {name: a}}
`

func TestLay(t *testing.T) {
	env, err := Lay("staging", "live/staging", []App{
		{Name: "web", Set: parse(t, "web.yaml", objects)},
		{Name: "none"},
		{Name: "mesh", Set: parse(t, "mesh.yaml", "{apiVersion: v1, kind: Namespace, metadata: {name: mesh}}")},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"kustomization.yaml", "mesh/kustomization.yaml", "mesh/namespace-mesh.yaml", "web/configmap-a.yaml", "web/kustomization.yaml", "web/ns/configmap-b.yaml", "web/service-a.yaml"}
	if d := cmp.Diff(want, env.Files.Paths()); d != "" {
		t.Error(d)
	}
	if got := string(env.Files["kustomization.yaml"]); got != "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- web\n- mesh\n" {
		t.Errorf("apps in order:\n%s", got)
	}
	if got := string(env.Files["web/kustomization.yaml"]); !strings.HasSuffix(got, "- configmap-a.yaml\n- ns/configmap-b.yaml\n- service-a.yaml\n") {
		t.Errorf("objects in order:\n%s", got)
	}
}

// In whatever order objects come, each lies in the same file with the same
// bytes; the order itself is in kustomization.yaml alone.
func TestAnyOrderOneTree(t *testing.T) {
	set := parse(t, "f.yaml", objects)
	lay := func(set manifest.Set) Files {
		env, err := Lay("e", "e", []App{{Set: set}})
		if err != nil {
			t.Fatal(err)
		}
		delete(env.Files, "kustomization.yaml")
		return env.Files
	}
	want := lay(set).ID()
	for range 20 {
		shuffled := append(manifest.Set(nil), set...)
		rand.Shuffle(len(shuffled), reflect.Swapper(shuffled))
		if got := lay(shuffled).ID(); got != want {
			t.Fatalf("got tree %s, want %s", got, want)
		}
	}
}

func TestLayRefusesTwoObjectsInOneFile(t *testing.T) {
	_, err := Lay("e", "e", []App{{Set: append(
		parse(t, "a.yaml", "{apiVersion: extensions/v1beta1, kind: Ingress, metadata: {name: web}}"),
		parse(t, "b.yaml", "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web}}")...,
	)}})
	want := "b.yaml:1: Ingress web would share its file ingress-web.yaml with Ingress web of a.yaml:1"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestKeep(t *testing.T) {
	older := Record{Commit: "1", Config: "c", Inputs: []Input{{"a", "1"}}, Tree: "t", Objects: []ObjectRecord{{File: "f"}}}
	newer := older
	newer.Commit = "2"
	if got := newer.Keep(&older); got.Commit != "1" {
		t.Error("a newer source commit alone made a new record")
	}
	none, read := Record{Commit: "2"}, Record{Commit: "1", Inputs: []Input{}, Objects: []ObjectRecord{}}
	if got := none.Keep(&read); got.Commit != "1" {
		t.Error("no inputs are not the same as the empty list of them that was read")
	}
	newer.Inputs = []Input{{"a", "2"}}
	if got := newer.Keep(&older); got.Commit != "2" {
		t.Error("another input kept the old record")
	}
	if got := newer.Keep(nil); got.Commit != "2" {
		t.Error("no record before")
	}
}

// A record is printed in parts, as it would be in one go; no field is left out.
func TestRecordIsPrintedWhole(t *testing.T) {
	var many []ObjectRecord
	for i := range 200 {
		many = append(many, ObjectRecord{File: "f", Kind: strings.Repeat("y", i%7), Name: "on", Images: []string{"i:1"}[:i%2]})
	}
	inputs := []Input{{Path: "a", ID: "1"}, {Path: "b: c", ID: "1e3"}}
	for _, r := range []Record{
		{},
		{Commit: "12", Config: "sha256:1", Pins: []Pin{{"conduit", "v1"}}, Inputs: inputs, Absent: []string{"no", "x"}, Tree: "1234", Objects: many},
		{Commit: "c", Programs: []Program{{Name: "p", SHA256: map[string]string{"linux/amd64": "00"}}}, Absent: []string{"- a"}, Objects: many[:64]},
	} {
		want, err := encode(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.encode()
		if d := cmp.Diff(string(want), string(got)); err != nil || d != "" {
			t.Errorf("%v\n%s", err, d)
		}
	}
	if n := reflect.TypeFor[Record]().NumField(); n != 8 {
		t.Errorf("Record has %d fields: Record.encode prints 8", n)
	}
}
