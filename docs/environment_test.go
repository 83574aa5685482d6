package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	asksFor  = regexp.MustCompile(`(?:Env|getenv|first)\("(\w+)"(?:, "(\w+)")?\)`)
	looksOne = regexp.MustCompile(`"([A-Z][A-Z0-9]*_[A-Z0-9_]+)"`)
)

// TestVariables holds the table of variables to the code that reads them: in
// pkg/cli every text in capitals with an underscore is one's name. Some are read
// by Go's own packages.
func TestVariables(t *testing.T) {
	read := map[string]bool{"PATH": true, "TMPDIR": true, "SSL_CERT_FILE": true, "SSL_CERT_DIR": true}
	files, err := filepath.Glob("../pkg/*/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no code found: %v", err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range asksFor.FindAllSubmatch(code, -1) {
			for _, name := range m[1:] {
				// Those of proxies are said to be read in lower case too.
				if len(name) > 0 && !strings.HasSuffix(string(name), "_proxy") {
					read[string(name)] = true
				}
			}
		}
		if filepath.Base(filepath.Dir(file)) == "cli" {
			for _, m := range looksOne.FindAllSubmatch(code, -1) {
				read[string(m[1])] = true
			}
		}
	}
	shown := map[string]bool{}
	page := readPage(t, "scripting.md").text()
	_, table, _ := strings.Cut(page, "## Variables of the environment")
	table, _, _ = strings.Cut(table, "\n## ")
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		for _, cell := range strings.SplitN(line, "|", 4)[1:3] {
			for _, m := range regexp.MustCompile("`([A-Za-z_]+)`").FindAllStringSubmatch(cell, -1) {
				shown[m[1]] = true
			}
		}
	}
	for name := range read {
		if !shown[name] {
			t.Errorf("scripting.md does not show %s", name)
		}
	}
	for name := range shown {
		if !read[name] {
			t.Errorf("scripting.md shows %s, which nothing reads", name)
		}
	}
}
