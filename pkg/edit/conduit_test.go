package edit

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/inject/conduit"
)

func TestScratch(t *testing.T) {
	files, _ := filepath.Glob("../inject/conduit/testdata/objects/*.yaml")
	more, _ := filepath.Glob("/work/shared/conduit/dev/corpus/*.yaml")
	n := 0
	for _, f := range append(files, more...) {
		b, _ := os.ReadFile(f)
		for i, d := range bytes.SplitAfter(b, []byte("\n---")) {
			d = bytes.TrimSuffix(d, []byte("---"))
			if i > 0 {
				d = append([]byte("---"), d...)
			}
			for _, v := range []string{"v0.1.0", "v0.3.1", "v0.5.0", "v18.9.1"} {
				in, err := conduit.New(config.Conduit{Version: v})
				if err != nil {
					t.Fatal(err)
				}
				tree, err := parse(d)
				if err != nil || tree == nil {
					continue
				}
				r, err := in.Inject(tree)
				if err != nil || r.Status != conduit.Injected || r.Replaced != "" {
					continue
				}
				n++
				out, ext, err := Document(d, tree)
				if err != nil {
					t.Errorf("%s: %v", f, err)
					continue
				}
				if ext != Exact {
					t.Errorf("%s %d: %v", f, i, ext)
				}
				if os.Getenv("SHOW") != "" && strings.Contains(f, os.Getenv("SHOW")) && v == "v0.3.1" {
					t.Log(string(out))
				}
				back, _ := parse(out)
				conduit.Strip(back)
				got, ext, err := Document(out, back)
				if err != nil || ext != Exact {
					t.Errorf("back %s: %v %v", f, ext, err)
					continue
				}
				if diff := cmp.Diff(string(d), string(got)); diff != "" {
					t.Errorf("%s: %s", f, diff)
				}
			}
		}
	}
	t.Log(n)
}

var _ yaml.Node
