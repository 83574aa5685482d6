package render

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/konfig"
)

// krustyCase is one build that the library's own tests do.
type krustyCase struct {
	name  string            // test function, number of the build in it, directory if it is not the one built there
	dir   string            // relative to the root
	files map[string]string // by slash path relative to the root
}

// krustyCases reads the builds off the library's test files: it follows each
// test function through the calls that write files and run builds. A build
// that could not be followed is named in lost instead, as is a test without any.
func krustyCases(t testing.TB, module string) (cases []krustyCase, lost []string) {
	t.Helper()
	w := &walker{funcs: map[string]*ast.FuncDecl{}, globals: &env{vars: map[string]any{}}, types: map[string]ast.Expr{}}
	var tests []string
	w.dir = filepath.Join(module, "krusty")
	files, err := filepath.Glob(filepath.Join(w.dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		tests = append(tests, w.load(t, name)...)
	}
	w.legacy = legacyConfigs(t, module)
	for _, name := range tests {
		w.test, w.runs = name, nil
		w.call(&closure{decl: w.funcs[name].Type, body: w.funcs[name].Body, env: w.globals}, nil)
		own, missed := w.cases()
		cases, lost = append(cases, own...), append(lost, missed...)
		if len(own)+len(missed) == 0 {
			lost = append(lost, name)
		}
	}
	slices.Sort(lost)
	return cases, lost
}

// legacyConfigs gives the transformer configurations that are built into the
// library, as its test harness writes them.
func legacyConfigs(t testing.TB, module string) string {
	t.Helper()
	w := &walker{funcs: map[string]*ast.FuncDecl{}, globals: &env{vars: map[string]any{}}, types: map[string]ast.Expr{}}
	files, err := filepath.Glob(filepath.Join(module, "internal", "konfig", "builtinpluginconsts", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range files {
		w.load(t, name)
	}
	for _, name := range slices.Sorted(maps.Keys(w.globals.vars)) {
		if s, ok := w.global(name).(string); ok {
			all.WriteString(s)
		}
	}
	return all.String()
}

// run is one build met on the way.
type run struct {
	dir    string
	files  map[string]string
	broken bool // a file or the directory could not be followed
}

// cases names the runs of one test. Each directory with a kustomization of its
// own is one more build, unless it was seen with the same files.
func (w *walker) cases() (all []krustyCase, lost []string) {
	seen := map[string]bool{}
	add := func(name string, r run, dir string) {
		key := fmt.Sprint(dir, r.files)
		if !seen[key] {
			seen[key] = true
			all = append(all, krustyCase{name: name, dir: dir, files: r.files})
		}
	}
	number := func(i int) string {
		if i == 0 {
			return w.test
		}
		return fmt.Sprintf("%s#%d", w.test, i+1)
	}
	for i, r := range w.runs {
		if r.broken {
			lost = append(lost, number(i))
			continue
		}
		add(number(i), r, r.dir)
	}
	for i, r := range w.runs {
		for _, name := range slices.Sorted(maps.Keys(r.files)) {
			if !r.broken && slices.Contains(konfig.RecognizedKustomizationFileNames(), path.Base(name)) {
				dir := path.Dir(name)
				add(number(i)+" "+dir, r, dir)
			}
		}
	}
	return all, lost
}

// The values that the walker knows are strings, booleans, []any, *table,
// *record, *closure and *harness; nil is anything else.
type (
	table   struct{ keys, values []any }
	record  struct{ fields map[string]any }
	closure struct {
		decl *ast.FuncType
		body *ast.BlockStmt
		env  *env
	}
	harness struct {
		files  map[string]string
		broken bool
	}
	builder struct{}
	env     struct {
		vars  map[string]any
		outer *env
	}
	lazy struct{ expr ast.Expr }
)

func (e *env) find(name string) *env {
	for ; e != nil; e = e.outer {
		if _, ok := e.vars[name]; ok {
			return e
		}
	}
	return nil
}

// walker follows Go source as far as the values above reach.
type walker struct {
	fset    token.FileSet
	funcs   map[string]*ast.FuncDecl
	globals *env
	types   map[string]ast.Expr
	dir     string // of the tests
	legacy  string
	test    string
	runs    []run
	depth   int
}

// load reads a file and gives the names of its test functions.
func (w *walker) load(t testing.TB, name string) (tests []string) {
	t.Helper()
	f, err := parser.ParseFile(&w.fset, name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv != nil || d.Body == nil {
				continue
			}
			w.funcs[d.Name.Name] = d
			if strings.HasPrefix(d.Name.Name, "Test") {
				tests = append(tests, d.Name.Name)
			}
		case *ast.GenDecl:
			w.declare(d, w.globals, true)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.TypeSpec); ok {
			w.types[s.Name.Name] = s.Type
		}
		return true
	})
	return tests
}

func (w *walker) declare(d *ast.GenDecl, e *env, later bool) {
	for _, s := range d.Specs {
		v, ok := s.(*ast.ValueSpec)
		if !ok {
			continue
		}
		for i, name := range v.Names {
			switch {
			case i >= len(v.Values):
				e.vars[name.Name] = nil
			case later:
				e.vars[name.Name] = lazy{v.Values[i]}
			default:
				e.vars[name.Name] = w.eval(v.Values[i], e)
			}
		}
	}
}

func (w *walker) global(name string) any {
	if l, ok := w.globals.vars[name].(lazy); ok {
		w.globals.vars[name] = nil
		w.globals.vars[name] = w.eval(l.expr, w.globals)
	}
	return w.globals.vars[name]
}

func (w *walker) call(c *closure, args []any) (result any) {
	if w.depth > 20 {
		return nil
	}
	w.depth++
	defer func() { w.depth-- }()
	e := &env{vars: map[string]any{}, outer: c.env}
	i := 0
	for _, p := range c.decl.Params.List {
		for _, name := range p.Names {
			if _, variadic := p.Type.(*ast.Ellipsis); variadic {
				e.vars[name.Name] = args[min(i, len(args)):]
			} else if i < len(args) {
				e.vars[name.Name] = args[i]
			} else {
				e.vars[name.Name] = nil
			}
			i++
		}
	}
	result, _ = w.block(c.body.List, e)
	return result
}

// block does statements until one returns.
func (w *walker) block(list []ast.Stmt, e *env) (result any, returned bool) {
	for _, s := range list {
		if result, returned = w.statement(s, e); returned {
			return result, true
		}
	}
	return nil, false
}

func (w *walker) statement(s ast.Stmt, e *env) (result any, returned bool) {
	switch s := s.(type) {
	case *ast.ExprStmt:
		w.eval(s.X, e)
	case *ast.DeclStmt:
		if d, ok := s.Decl.(*ast.GenDecl); ok {
			w.declare(d, e, false)
		}
	case *ast.AssignStmt:
		w.assign(s, e)
	case *ast.ReturnStmt:
		for i, x := range s.Results {
			if v := w.eval(x, e); i == 0 {
				result = v
			}
		}
		return result, true
	case *ast.BlockStmt:
		return w.block(s.List, &env{vars: map[string]any{}, outer: e})
	case *ast.IfStmt:
		return w.branch(s, e)
	case *ast.RangeStmt:
		w.loop(s, e)
	}
	return nil, false
}

func (w *walker) assign(s *ast.AssignStmt, e *env) {
	var values []any
	for _, x := range s.Rhs {
		values = append(values, w.eval(x, e))
	}
	for i, l := range s.Lhs {
		name, ok := l.(*ast.Ident)
		if !ok || name.Name == "_" {
			continue
		}
		var v any
		if i < len(values) && (s.Tok == token.DEFINE || s.Tok == token.ASSIGN) {
			v = values[i]
		}
		at := e
		if s.Tok != token.DEFINE {
			if at = e.find(name.Name); at == nil {
				continue
			}
		}
		at.vars[name.Name] = v
	}
}

// branch takes a branch only if the condition is known.
func (w *walker) branch(s *ast.IfStmt, e *env) (any, bool) {
	inner := &env{vars: map[string]any{}, outer: e}
	if s.Init != nil {
		w.statement(s.Init, inner)
	}
	switch cond := w.eval(s.Cond, inner); {
	case cond == true:
		return w.block(s.Body.List, &env{vars: map[string]any{}, outer: inner})
	case cond == false && s.Else != nil:
		return w.statement(s.Else, inner)
	}
	return nil, false
}

func (w *walker) loop(s *ast.RangeStmt, e *env) {
	x := w.eval(s.X, e)
	t, ok := x.(*table)
	if list, isList := x.([]any); isList {
		t, ok = &table{make([]any, len(list)), list}, true
	}
	if !ok {
		return
	}
	for i := range t.values {
		inner := &env{vars: map[string]any{}, outer: e}
		if name, ok := s.Key.(*ast.Ident); ok {
			inner.vars[name.Name] = t.keys[i]
		}
		if name, ok := s.Value.(*ast.Ident); ok {
			inner.vars[name.Name] = t.values[i]
		}
		if _, returned := w.block(s.Body.List, inner); returned {
			return
		}
	}
}
