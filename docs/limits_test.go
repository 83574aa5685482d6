package docs

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/sluice-dev/sluice/pkg/render"
)

// inside are limits that nobody meets from outside, with the reason.
var inside = map[string]string{
	"pkg/inject.maxSaid":        "more than it helps to read",
	"pkg/render.maxSaid":        "never shown",
	"pkg/render.maxParsed":      "a cache",
	"pkg/render.maxStack":       "a guard against endless recursion",
	"pkg/repo.maxPause":         "between two tries of defaultLockWait",
	"pkg/repo.maxLinks":         "git's own",
	"pkg/repo.maxAlternates":    "git's own",
	"pkg/repo.maxChain":         "above what git makes",
	"pkg/repo.maxIncludes":      "git's own",
	"pkg/repo.maxCached":        "a cache",
	"pkg/inject/conduit.maxUID": "shown in config.md",
	"pkg/forge/github.maxLooks": "half a minute for GitHub to notice a merge; nothing fails after it",
	"pkg/edit.maxGrid":          "a list longer than that is written anew where it changed",
	"pkg/repo.maxSlack":         "a search for what the remote has, not for what is sent",
	"pkg/repo.maxEdges":         "the same",
	"pkg/repo.maxOffered":       "the same",
	"pkg/repo.maxPacket":        "git's own",
	"pkg/repo.maxRefs":          "a guard against an endless answer",
	"pkg/repo.maxReport":        "the same",
	"pkg/repo.maxGreeting":      "the same",
	"pkg/repo.maxSSHIncludes":   "ssh's own",
	"pkg/repo.maxLooks":         "looks at a store that git is repacking",
}

var amount = regexp.MustCompile(`^([0-9,]+) ([A-Za-z]+)$`)

// TestLimits holds the numbers of limitations.md to the constants, and every
// constant named max to a row.
func TestLimits(t *testing.T) {
	have := constants(t)
	table := readPage(t, "limitations.md").rows(t)
	units := map[string]string{"KiB": " << 10", "MiB": " << 20", "GiB": " << 30", "seconds": " * 1000000000", "hours": " * 3600000000000"}
	for name, cells := range table {
		want := have[name]
		m := amount.FindStringSubmatch(cells[0])
		switch {
		case want == nil:
			t.Errorf("limitations.md has a row for %s, which is no constant", name)
		case m == nil:
			t.Errorf("limitations.md: %q of %s is not a number and a unit", cells[0], name)
		case !constant.Compare(evaluate(t, strings.ReplaceAll(m[1], ",", "")+units[m[2]]), token.EQL, want):
			t.Errorf("limitations.md says %s of %s, which is %s", cells[0], name, want)
		}
	}
	for i := range reflect.TypeFor[render.Limits]().NumField() {
		if name := "pkg/render." + reflect.TypeFor[render.Limits]().Field(i).Name; table[name] == nil {
			t.Errorf("limitations.md has no row for %s", name)
		}
	}
	for name := range inside {
		if have[name] == nil {
			t.Errorf("there is no %s to be left out", name)
		}
	}
	for name := range have {
		if base := strings.ToLower(path.Ext(name)); strings.HasPrefix(base, ".max") && table[name] == nil && inside[name] == "" {
			t.Errorf("limitations.md has no row for %s", name)
		}
	}
}

// constants gives the value of every constant below pkg, as package.name, and
// of every field that is set to one: the defaults of structs.
func constants(t *testing.T) map[string]constant.Value {
	t.Helper()
	found := map[string]constant.Value{}
	err := filepath.WalkDir("../pkg", func(file string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "testdata" {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			return err
		}
		pkg := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(file)), "../")
		note := func(name string, e ast.Expr) {
			if v := evaluate(t, types.ExprString(e)); v != nil && constant.Sign(v) > 0 {
				found[pkg+"."+name] = v
			}
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, e := range n.Values {
					note(n.Names[i].Name, e)
				}
			case *ast.AssignStmt:
				if s, ok := n.Lhs[0].(*ast.SelectorExpr); ok && n.Tok == token.ASSIGN {
					note(s.Sel.Name, n.Rhs[0])
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// evaluate gives the value of an expression of numbers and durations, nil if
// it is another.
func evaluate(t *testing.T, text string) constant.Value {
	t.Helper()
	for unit, ns := range map[string]string{"Hour": "3600000000000", "Minute": "60000000000", "Second": "1000000000", "Millisecond": "1000000"} {
		text = strings.ReplaceAll(text, "time."+unit, ns)
	}
	v, err := types.Eval(token.NewFileSet(), nil, token.NoPos, text)
	if err != nil || v.Value == nil || v.Value.Kind() != constant.Int {
		return nil
	}
	return v.Value
}
