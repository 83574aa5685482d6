package render

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
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
	if os.Args[0] == oracleName {
		if err := serveOracle(os.Stdin, os.Stdout); err != nil {
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

// memTree is a source.Tree of a txtar archive, for tests that need no disk.
type memTree map[string]string

func memory(archive string) *source.FS {
	t := memTree{}
	for _, f := range txtar.Parse([]byte(archive)).Files {
		t[f.Name] = string(f.Data)
		if name, target, isLink := strings.Cut(f.Name, " -> "); isLink {
			delete(t, f.Name)
			t[name] = " -> " + target
		}
	}
	return source.New(t)
}

func (m memTree) Lookup(name string) (source.Entry, error) {
	e := source.Entry{Name: path.Base(name), Kind: source.File}
	data, ok := m[name]
	switch {
	case ok && strings.HasPrefix(data, " -> "):
		e.Kind = source.Link
	case ok:
	case name == ".":
		e.Kind = source.Dir
	default:
		for other := range m {
			if strings.HasPrefix(other, name+"/") {
				e.Kind = source.Dir
				return e, nil
			}
		}
		return source.Entry{}, fs.ErrNotExist
	}
	return e, nil
}

func (m memTree) ReadDir(name string) ([]source.Entry, error) {
	found := map[string]bool{}
	for other := range m {
		rest, below := other, true
		if name != "." {
			rest, below = strings.CutPrefix(other, name+"/")
		}
		if first, _, _ := strings.Cut(rest, "/"); below {
			found[first] = true
		}
	}
	var all []source.Entry
	for _, n := range slices.Sorted(maps.Keys(found)) {
		e, err := m.Lookup(path.Join(name, n))
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

func (m memTree) ReadFile(name string, limit int64) ([]byte, error) {
	data := strings.TrimPrefix(m[name], " -> ")
	if int64(len(data)) > limit {
		return nil, source.ErrTooLarge
	}
	return []byte(data), nil
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
	return p.Render(ctx, memory(archive), entries(paths...))
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
