package render

import (
	"os"
	"path/filepath"
	"testing"

	sigsyaml "sigs.k8s.io/yaml"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

const examplesDir = "../../testdata/kustomize"

// Each example gives the objects that the kustomize command printed for it,
// in the same order. record.sh beside the examples records them anew.
func TestExamplesAsRecorded(t *testing.T) {
	p := newPool(t, Limits{})
	dirs, err := filepath.Glob(filepath.Join(examplesDir, "*", "want.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(dirs) < 20 {
		t.Fatalf("only %d examples", len(dirs))
	}
	for _, want := range dirs {
		dir := filepath.Dir(want)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			set, err := p.Render(t.Context(), open(t, dir), entries(tops(t, dir)...))
			if err != nil {
				t.Fatal(err)
			}
			same(t, recorded(t, want), values(t, set))
		})
	}
}

// tops gives the directories of an example that are built: those that
// record.sh builds, in its order.
func tops(t testing.TB, dir string) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"overlay", "overlays/*"} {
		found, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			rel, err := filepath.Rel(dir, f)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, filepath.ToSlash(rel))
		}
	}
	return all
}

// recorded gives the documents of what the kustomize command printed.
func recorded(t testing.TB, file string) []any {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	docs, err := manifest.Documents(file, data)
	if err != nil {
		t.Fatal(err)
	}
	var all []any
	for _, d := range docs {
		var v any
		if err := sigsyaml.Unmarshal(d.Raw, &v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}
