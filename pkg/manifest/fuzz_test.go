package manifest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v3"
)

// Whatever the bytes, reading ends in objects or in findings; what was read
// means the same after it was written, and writing it again changes nothing.
func FuzzParse(f *testing.F) {
	seeds, err := filepath.Glob("../inject/conduit/testdata/objects/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range seeds {
		data, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, s := range []string{
		configMap, configMap + "data: &a {<<: *a}\n", "a: &a [*a]\n", "? [a]\n: 1\n", "--- # c\n...\n--- |\n x\n", "{\"a\": 1e400}",
		"a: !!binary aGk=\n", "<<: [{a: 1}, {b: 2}]\n", "k: |2-\n   x\n", "\xef\xbb\xbfa: \"\\u202e\"\r\n", "kind: List\nitems: [{}, null]\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		docs, err := Documents("f", data)
		if err != nil {
			return
		}
		for _, d := range docs {
			if d.Node.Kind == yaml.MappingNode {
				sameForm(t, d.Node)
			}
			out, err := EncodeNode(d.Node)
			if err != nil {
				t.Fatalf("encoding: %v", err)
			}
			again, err := Documents("f", out)
			if err != nil || len(again) != 1 {
				t.Fatalf("reading what was written: %v, %d documents\n%s", err, len(again), out)
			}
			twice, err := EncodeNode(again[0].Node)
			if err != nil || !bytes.Equal(out, twice) {
				t.Fatalf("written twice: %v\n%s\n%s", err, out, twice)
			}
		}
		set, err := Parse("f", data)
		if err == nil && len(set) == 0 {
			t.Fatal("neither objects nor findings")
		}
	})
}
