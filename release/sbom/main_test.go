package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRun reads this test's own program.
func TestRun(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var docs [2][]byte
	for i := range docs {
		out := filepath.Join(t.TempDir(), "sbom.json")
		if err := run(out, []string{self}); err != nil {
			t.Fatal(err)
		}
		if docs[i], err = os.ReadFile(out); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(docs[0], docs[1]) {
		t.Error("two runs give two documents")
	}
	var bom struct {
		Format     string `json:"bomFormat"`
		Components []struct {
			Name, Version, Purl string
			Hashes              []struct{ Content string }
		} `json:"components"`
	}
	if err := json.Unmarshal(docs[0], &bom); err != nil {
		t.Fatal(err)
	}
	if bom.Format != "CycloneDX" || bom.Components[0].Name != "std" {
		t.Errorf("got %+v", bom)
	}
	found := false
	for _, c := range bom.Components[1:] {
		found = found || c.Name == "github.com/CycloneDX/cyclonedx-go"
		if len(c.Hashes) != 1 || len(c.Hashes[0].Content) != 64 || !strings.HasPrefix(c.Purl, "pkg:golang/"+c.Name+"@v") {
			t.Errorf("got %+v", c)
		}
	}
	if !found {
		t.Errorf("the library is missing in %s", docs[0])
	}
}

func TestNoProgram(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(text+".json", []string{text}); err == nil {
		t.Error("a text is no program")
	}
}
