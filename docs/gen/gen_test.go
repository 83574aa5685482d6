package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFresh fails when a generated file is not what the code gives now.
func TestFresh(t *testing.T) {
	for _, g := range generated {
		want, err := g.make("../..")
		if err != nil {
			t.Fatal(err)
		}
		have, err := os.ReadFile(filepath.Join("../..", g.path))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(have), string(want)); diff != "" {
			t.Errorf("%s is stale, run make docs:\n%s", g.path, diff)
		}
	}
}
