package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestFragments holds each note on a change to what release/notes.sh sorts by.
func TestFragments(t *testing.T) {
	files, err := filepath.Glob("../changelog/unreleased/*.md")
	if err != nil {
		t.Fatal(err)
	}
	begins := regexp.MustCompile(`^(New|Changed|Faster|Fixed): \S`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !begins.Match(text) {
			t.Errorf("%s has to begin with New: Changed: Faster: or Fixed:", file)
		}
	}
}
