package inject

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/inject/conduit"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

// FuzzStream holds the stream reader over any bytes: no panic; what comes out
// can be read again; twice is once; taking out what was put in means the same
// as before.
func FuzzStream(f *testing.F) {
	files, err := filepath.Glob("conduit/testdata/objects/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatal(err, "no corpus")
	}
	var all []byte
	for i, p := range files {
		text, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, uint8(i))
		all = append(append(all, "--- # next\n"...), text...)
	}
	f.Add(all, uint8(3))
	f.Add(bytes.ReplaceAll(all, []byte("\n"), []byte("\r\n")), uint8(4))
	f.Add([]byte(`{"kind":"List","apiVersion":"v1","items":[{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"},"spec":{"containers":[{"name":"a"}]}}]}`), uint8(12))
	f.Fuzz(func(t *testing.T, text []byte, release uint8) {
		if len(text) > 1<<16 {
			return
		}
		injector, err := conduit.New(config.Conduit{Version: conduit.Releases()[int(release)%len(conduit.Releases())]})
		if err != nil {
			t.Fatal(err)
		}
		once, _, err := Stream("f", text, injector)
		if err != nil {
			return
		}
		twice, _, err := Stream("f", once, injector)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("twice is not once: %v\n%q\n%q", err, once, twice)
		}
		before, err := manifest.Documents("f", text)
		if err != nil || !unmeshed(before) {
			return
		}
		back, _, err := Uninject("f", once)
		if err != nil {
			t.Fatalf("taking out: %v\n%q", err, once)
		}
		after, err := manifest.Documents("f", back)
		if err != nil || len(after) != len(before) {
			t.Fatalf("%d documents instead of %d: %v\n%q", len(after), len(before), err, back)
		}
		for i := range before {
			if !same(manifest.Plain(before[i].Node), manifest.Plain(after[i].Node)) {
				t.Fatalf("document %d means something else:\n%q\n%q", i, text, back)
			}
		}
	})
}

// unmeshed tells whether nothing in the documents could be taken for an
// injection's: no word of a mesh, nothing empty.
func unmeshed(docs []manifest.Document) bool {
	var plain func(n *yaml.Node) bool
	plain = func(n *yaml.Node) bool {
		if n.Kind == yaml.ScalarNode {
			return n.Tag != "!!null" && !strings.Contains(n.Value, "conduit") && !strings.Contains(n.Value, "linkerd")
		}
		for _, c := range n.Content {
			if !plain(c) {
				return false
			}
		}
		return len(n.Content) > 0
	}
	for _, d := range docs {
		if !plain(manifest.Plain(d.Node)) {
			return false
		}
	}
	return true
}
