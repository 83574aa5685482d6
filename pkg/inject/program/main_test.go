package program

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

// built is the directory of the programs of testdata/programs.
var built string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "programs-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", dir+"/", "./testdata/programs/...")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", said, err)
		return 1
	}
	built = dir
	os.Setenv("SLUICE_TEST_CANARY", "sesame-4711") // no program may see it
	return m.Run()
}

func binary(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(built, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// pin gives a tool for one platform.
func pin(name, url string, data []byte) Tool {
	return Tool{Name: name, Version: "v1.2.3", Platforms: map[string]Artifact{"linux/amd64": {URL: url, SHA256: digest(data)}}}
}

// load gives one of the test programs as a file of the repository.
func load(t testing.TB, name string) *Program { return loadBytes(t, name, binary(t, name)) }

func loadBytes(t testing.TB, name string, data []byte) *Program {
	t.Helper()
	var c Cache
	p, err := c.Fetch(context.Background(), pin(name, "tools/"+name, data), "linux/amd64", func(path string) ([]byte, error) {
		if path != "tools/"+name {
			return nil, fmt.Errorf("%q is not there", path)
		}
		return data, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func parsed(t testing.TB, file, text string) manifest.Set {
	t.Helper()
	set, err := manifest.Parse(file, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func encoded(t testing.TB, objects manifest.Set) string {
	t.Helper()
	text, err := stream(objects)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
