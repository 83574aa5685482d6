package docs

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/sluice-dev/sluice/"

// listed is what go list says of a package.
type listed struct {
	ImportPath string
	Imports    []string
	GoFiles    []string
	Standard   bool
	Module     *struct{ Path string }
}

func packages(t *testing.T) map[string]listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports,GoFiles,Standard,Module", "../...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string]listed{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatal(err)
		}
		all[p.ImportPath] = p
	}
}

// TestImports holds the table of architecture.md to the code: package to
// packages of this module and to modules of others.
func TestImports(t *testing.T) {
	all := packages(t)
	table := readPage(t, "architecture.md").rows(t)
	for _, path := range slices.Sorted(maps.Keys(all)) {
		name, ours := strings.CutPrefix(path, module)
		if !ours || len(all[path].GoFiles) == 0 {
			continue
		}
		var own []string
		others := map[string]bool{}
		for _, i := range all[path].Imports {
			if inner, ok := strings.CutPrefix(i, module); ok {
				own = append(own, inner)
			} else if p := all[i]; p.Module != nil {
				others[p.Module.Path] = true
			}
		}
		cells := table[name]
		if len(cells) != 3 {
			t.Errorf("architecture.md has no full row for %s", name)
			continue
		}
		if want := strings.Join(own, ", "); cells[0] != want {
			t.Errorf("architecture.md: %s imports %q, it says %q", name, want, cells[0])
		}
		if want := strings.Join(slices.Sorted(maps.Keys(others)), ", "); cells[1] != want {
			t.Errorf("architecture.md: %s imports %q of others, it says %q", name, want, cells[1])
		}
		delete(table, name)
	}
	for name := range table {
		if strings.Contains(name, "/") {
			t.Errorf("architecture.md has a row for %s, which is no package", name)
		}
	}
}

// TestOneImporter holds each library to the one package that may know it.
func TestOneImporter(t *testing.T) {
	only := map[string]string{
		"github.com/spf13/cobra":      "pkg/cli",
		"github.com/go-git/go-git/v5": "pkg/repo",
		"sigs.k8s.io/kustomize/api":   "pkg/render",
		"sigs.k8s.io/kustomize/kyaml": "pkg/render",

		"github.com/google/go-github/v57":     "pkg/forge/github",
		"gitlab.com/gitlab-org/api/client-go": "pkg/forge/gitlab",
		"code.gitea.io/sdk/gitea":             "pkg/forge/gitea",
	}
	all := packages(t)
	for path, p := range all {
		name, ours := strings.CutPrefix(path, module)
		if !ours {
			continue
		}
		for _, i := range p.Imports {
			m := all[i].Module
			if m == nil {
				continue
			}
			if may, known := only[m.Path]; known && may != name {
				t.Errorf("%s imports %s, which is for %q only", name, i, may)
			}
		}
	}
}

// forbidden is what no package below pkg/cli may use: it makes a result
// depend on more than the values that came in.
var forbidden = map[string]string{
	"os.Getenv": "environment", "os.LookupEnv": "environment", "os.Environ": "environment", "os.ExpandEnv": "environment",
	"time.Now": "clock", "time.Since": "clock", "time.Until": "clock",
	"os.Exit": "end", "log.Fatal": "end", "log.Fatalf": "end", "runtime.Goexit": "end",
}

// excepted are uses with a reason, as file:use.
var excepted = map[string]string{}

// TestValuesIn parses every package below pkg/cli, on all systems.
func TestValuesIn(t *testing.T) {
	used := map[string]bool{}
	err := filepath.WalkDir("../pkg", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			switch {
			case err != nil:
				return err
			case path == filepath.Join("..", "pkg", "cli"), d.Name() == "testdata", d.Name() == "gen":
				return fs.SkipDir // commands: they may, and have to
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file := filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator)))
		for _, use := range uses(t, path) {
			used[file+":"+use] = true
			if excepted[file+":"+use] == "" {
				t.Errorf("%s: %s is not allowed below pkg/cli", file, use)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for exception := range excepted {
		if !used[exception] {
			t.Errorf("the exception %s is not needed", exception)
		}
	}
}

// uses gives what a file has of the forbidden.
func uses(t *testing.T, path string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, i := range parsed.Imports {
		if p, _ := strconv.Unquote(i.Path.Value); p == "math/rand" || p == "math/rand/v2" || p == "crypto/rand" {
			found = append(found, p)
		}
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				found = append(found, "init")
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && forbidden[x.Name+"."+n.Sel.Name] != "" {
				found = append(found, x.Name+"."+n.Sel.Name)
			}
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "panic" {
				found = append(found, "panic")
			}
		}
		return true
	})
	return found
}
