package render

import (
	"fmt"
	"go/ast"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
)

// callExpr does a call: of a function of the tests, of the harness that they
// share, or of the few library functions that shape text.
func (w *walker) callExpr(x *ast.CallExpr, e *env) any {
	if _, conversion := x.Fun.(*ast.ArrayType); conversion && len(x.Args) == 1 {
		return w.eval(x.Args[0], e)
	}
	var args []any
	for _, a := range x.Args {
		args = append(args, w.eval(a, e))
	}
	if x.Ellipsis.IsValid() && len(args) > 0 {
		last, _ := args[len(args)-1].([]any)
		args = append(args[:len(args)-1], last...)
	}
	sel, isSelector := x.Fun.(*ast.SelectorExpr)
	if !isSelector {
		if name, ok := x.Fun.(*ast.Ident); ok {
			if name.Name == "MakeKustomizer" {
				return builder{}
			}
			if name.Name == "string" && len(args) == 1 {
				return args[0]
			}
		}
		if c, ok := w.eval(x.Fun, e).(*closure); ok {
			return w.call(c, args)
		}
		return nil
	}
	if pkg, ok := sel.X.(*ast.Ident); ok && e.find(pkg.Name) == nil {
		return w.library(pkg.Name+"."+sel.Sel.Name, args)
	}
	switch on := w.eval(sel.X, e).(type) {
	case *harness:
		return w.harness(on, sel.Sel.Name, args)
	case string:
		return on // a directory's String
	case *record:
		if c, ok := on.fields[sel.Sel.Name].(*closure); ok {
			return w.call(c, args)
		}
	case builder:
		if h, ok := first(args).(*harness); ok && sel.Sel.Name == "Run" && len(args) == 2 {
			w.run(h, args[1])
		}
	case nil:
		if c, ok := last(args).(*closure); ok && sel.Sel.Name == "Run" && len(args) == 2 {
			return w.call(c, []any{nil}) // a subtest
		}
	}
	return nil
}

func first(args []any) any {
	if len(args) == 0 {
		return nil
	}
	return args[0]
}

func last(args []any) any {
	if len(args) == 0 {
		return nil
	}
	return args[len(args)-1]
}

// texts gives the arguments as strings, if they all are.
func texts(args []any) ([]string, bool) {
	all := make([]string, len(args))
	for i, a := range args {
		s, ok := a.(string)
		if !ok {
			return nil, false
		}
		all[i] = s
	}
	return all, true
}

func (w *walker) library(name string, args []any) any {
	switch name {
	case "kusttest_test.MakeHarness", "kusttest_test.MakeEnhancedHarness", "kusttest_test.MakeHarnessWithFs",
		"kusttest_test.MakeEnhancedHarnessWithTmpRoot", "filesys.MakeFsInMemory", "filesys.MakeFsOnDisk":
		if h, ok := last(args).(*harness); ok {
			return h
		}
		return &harness{files: map[string]string{}}
	case "filesys.NewTmpConfirmedDir":
		return "/"
	case "krusty.MakeKustomizer":
		return builder{}
	case "konfig.DefaultKustomizationFileName":
		return konfig.DefaultKustomizationFileName()
	case "konfig.RecognizedKustomizationFileNames":
		var all []any
		for _, n := range konfig.RecognizedKustomizationFileNames() {
			all = append(all, n)
		}
		return all
	}
	s, ok := texts(args)
	if !ok {
		return nil
	}
	switch {
	case name == "strings.ReplaceAll" && len(s) == 3:
		return strings.ReplaceAll(s[0], s[1], s[2])
	case name == "strings.TrimSpace" && len(s) == 1:
		return strings.TrimSpace(s[0])
	case name == "os.ReadFile" && len(s) == 1:
		if data, err := os.ReadFile(filepath.Join(w.dir, filepath.FromSlash(s[0]))); err == nil {
			return string(data)
		}
	case name == "fmt.Sprintf" && len(s) > 0:
		return fmt.Sprintf(s[0], args[1:]...)
	case name == "filepath.Join" || name == "path.Join":
		return path.Join(s...)
	}
	return nil
}

// harness does what the tests' harness does, on files in memory.
func (w *walker) harness(h *harness, name string, args []any) any {
	const header = "\napiVersion: kustomize.config.k8s.io/%s\nkind: %s\n"
	kustomization := konfig.DefaultKustomizationFileName()
	switch name {
	case "PrepBuiltin", "PrepExecPlugin", "BuildGoPlugin":
		return h
	case "GetRoot":
		return "/"
	case "GetFSys":
		return h
	case "Join", "MkDir":
		if s, ok := texts(args); ok {
			return path.Join(append([]string{"/"}, s...)...)
		}
	case "WriteF", "WriteFile":
		h.write(args, "", "")
	case "WriteK":
		h.write(args, kustomization, fmt.Sprintf(header, "v1beta1", "Kustomization"))
	case "WriteC":
		h.write(args, kustomization, fmt.Sprintf(header, "v1alpha1", "Component"))
	case "WriteLegacyConfigs":
		h.write(append(args, w.legacy), "", "")
	case "Run", "RunWithErr":
		w.run(h, first(args))
	}
	return nil
}

// rooted gives a path of the tests' file systems as one relative to their root.
func rooted(name string) string {
	if name = strings.TrimPrefix(path.Clean("/"+name), "/"); name == "" {
		return "."
	}
	return name
}

func (h *harness) write(args []any, below, before string) {
	s, ok := texts(args)
	if !ok || len(s) != 2 {
		h.broken = true
		return
	}
	if strings.Contains(s[1], "\napiVersion: kustomize") {
		before = "" // both would be keys written twice, which is refused
	}
	h.files[rooted(path.Join(s[0], below))] = before + s[1]
}

func (w *walker) run(h *harness, dir any) {
	name, ok := dir.(string)
	r := run{dir: rooted(name), files: maps.Clone(h.files), broken: h.broken || !ok}
	w.runs = append(w.runs, r)
}
