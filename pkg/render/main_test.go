package render

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/source"
)

// workerName is the name under which the test binary is a worker.
const workerName = "render-test-worker"

func TestMain(m *testing.M) {
	if os.Args[0] == workerName {
		if err := Worker(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func newPool(t testing.TB, limits Limits) *Pool {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := NewPool(Command{Path: self, Name: workerName}, 2, limits)
	t.Cleanup(p.Close)
	return p
}

// write lays out a txtar archive; a name that ends in " -> target" is a link.
func write(t testing.TB, archive string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		name, target, isLink := strings.Cut(f.Name, " -> ")
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if isLink {
			err = os.Symlink(target, full)
		} else {
			err = os.WriteFile(full, f.Data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t testing.TB, dir string) *source.FS {
	t.Helper()
	tree, err := source.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return source.New(tree)
}

func entries(paths ...string) []Entry {
	var all []Entry
	for i, p := range paths {
		all = append(all, Entry{Path: p, File: "sluice.yaml", Line: i + 1})
	}
	return all
}

func render(t testing.TB, p *Pool, archive string, paths ...string) (manifest.Set, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return p.Render(ctx, open(t, write(t, archive)), entries(paths...))
}

func mustRender(t testing.TB, p *Pool, archive string, paths ...string) manifest.Set {
	t.Helper()
	set, err := render(t, p, archive, paths...)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// values gives objects as plain values, for comparing.
func values(t testing.TB, set manifest.Set) []any {
	t.Helper()
	var all []any
	for _, o := range set {
		text, err := manifest.Encode(o)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := sigsyaml.Unmarshal(text, &v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

// kustomizeBuild is the oracle: the library as the kustomize command uses it,
// on the disk, in this process.
func kustomizeBuild(t testing.TB, dir string) []any {
	t.Helper()
	opts := krusty.MakeDefaultOptions()
	opts.Reorder = krusty.ReorderOptionUnspecified
	m, err := krusty.MakeKustomizer(opts).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatalf("kustomize itself: %v", err)
	}
	var all []any
	for _, r := range m.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := sigsyaml.Unmarshal(text, &v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

func findings(t testing.TB, err error) finding.List {
	t.Helper()
	var list finding.List
	if !errors.As(err, &list) {
		t.Fatalf("want findings, got %v", err)
	}
	return list
}

func show(v any) string {
	b, _ := json.MarshalIndent(v, "", " ")
	return string(b)
}

func same(t testing.TB, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("(-want +got)\n%s", d)
	}
}
