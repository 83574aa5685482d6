package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-dev/sluice/pkg/cli"
)

// TestFresh fails when a generated file is not what the code gives now.
func TestFresh(t *testing.T) {
	files, err := generate("../..")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		have, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Errorf("run make docs: %v", err)
			continue
		}
		if diff := cmp.Diff(string(have), string(want)); diff != "" {
			t.Errorf("%s is stale, run make docs:\n%s", name, diff)
		}
	}
	have, err := filepath.Glob("../../docs/man/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range have {
		if files["docs/man/"+filepath.Base(file)] == nil {
			t.Errorf("%s is of no command, run make docs", file)
		}
	}
}

// TestManual holds that every command has a page, with each of its flags, and
// that nothing that a command says is an instruction to man.
func TestManual(t *testing.T) {
	files, err := manual("../..")
	if err != nil {
		t.Fatal(err)
	}
	pages := cli.Manual()
	if len(pages) < 20 || len(files) != len(pages) {
		t.Fatalf("%d pages of %d commands", len(files), len(pages))
	}
	for _, p := range pages {
		text := string(files["docs/man/"+strings.Join(p.Name, "-")+".1"])
		for _, f := range append(p.Flags, p.Inherited...) {
			if !strings.Contains(text, `\fB`+roff("--"+f.Name)+`\fR`) {
				t.Errorf("%v: no --%s", p.Name, f.Name)
			}
		}
	}
	for in, want := range map[string]string{
		".so /etc/passwd": `\&.so /etc/passwd`, "'x": `\(aqx`, `\fB`: `\efB`, "a-b": `a\-b`, "é…": `\[u00E9]\[u2026]`,
	} {
		if got := roff(in); got != want {
			t.Errorf("roff(%q) = %q, want %q", in, got, want)
		}
	}
}
