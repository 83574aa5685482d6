package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// addEnums writes into the definitions which values the fields of closed
// types take. The OpenAPI document has no enums; the sources mark such types
// with +enum and the server refuses any other value of them.
func addEnums(definitions map[string]*schema, api string) error {
	dirs, err := filepath.Glob(filepath.Join(api, "*", "*", "types.go"))
	if err != nil {
		return err
	}
	for _, path := range dirs {
		dir := filepath.Dir(path)
		prefix := filepath.Base(filepath.Dir(dir)) + "." + filepath.Base(dir) + "."
		if alpha.MatchString("." + prefix) {
			continue
		}
		files, err := parseDir(dir)
		if err != nil {
			return err
		}
		enums := enums(files)
		inspect(files, func(n ast.Node) bool {
			if t, ok := n.(*ast.TypeSpec); ok {
				if s, ok := t.Type.(*ast.StructType); ok {
					addToFields(definitions[prefix+t.Name.Name], s, enums)
				}
			}
			return true
		})
	}
	return nil
}

// parseDir parses the files of a package that people wrote, in order.
func parseDir(dir string) ([]*ast.File, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var files []*ast.File
	for _, name := range names {
		if base := filepath.Base(name); strings.Contains(base, "generated") || strings.HasSuffix(base, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

func inspect(files []*ast.File, visit func(ast.Node) bool) {
	for _, f := range files {
		ast.Inspect(f, visit)
	}
}

func addToFields(d *schema, s *ast.StructType, enums map[string][]string) {
	if d == nil {
		return
	}
	for _, f := range s.Fields.List {
		if f.Tag == nil {
			continue
		}
		tag, _ := strconv.Unquote(f.Tag.Value)
		_, tag, _ = strings.Cut(tag, `json:"`)
		name, _, _ := strings.Cut(tag, `"`)
		name, _, _ = strings.Cut(name, ",")
		property := d.Properties[name]
		t := f.Type
		if star, ok := t.(*ast.StarExpr); ok {
			t = star.X
		}
		if list, ok := t.(*ast.ArrayType); ok && property != nil {
			t, property = list.Elt, property.Items
		}
		if id, ok := t.(*ast.Ident); ok && property != nil && enums[id.Name] != nil {
			property.Enum = enums[id.Name]
		}
	}
}

// enums gives the values of the types marked +enum, without types of which
// some value is not a plain constant.
func enums(files []*ast.File) map[string][]string {
	out := map[string][]string{}
	inspect(files, func(n ast.Node) bool {
		d, ok := n.(*ast.GenDecl)
		if !ok || d.Tok != token.TYPE {
			return true
		}
		for _, s := range d.Specs {
			t := s.(*ast.TypeSpec)
			if marked(d.Doc) || marked(t.Doc) {
				out[t.Name.Name] = []string{}
			}
		}
		return true
	})
	inspect(files, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			id, ok := n.Type.(*ast.Ident)
			if !ok || out[id.Name] == nil {
				return true
			}
			for _, v := range n.Values {
				lit, ok := v.(*ast.BasicLit)
				if !ok {
					delete(out, id.Name)
					return true
				}
				text, _ := strconv.Unquote(lit.Value)
				out[id.Name] = append(out[id.Name], text)
			}
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok {
				delete(out, id.Name)
			}
		}
		return true
	})
	for name, values := range out {
		if len(values) == 0 {
			delete(out, name)
		}
		sort.Strings(values)
	}
	return out
}

// marked looks at the raw comments: CommentGroup.Text leaves out directives.
func marked(g *ast.CommentGroup) bool {
	if g == nil {
		return false
	}
	for _, c := range g.List {
		if strings.TrimSpace(strings.TrimPrefix(c.Text, "//")) == "+enum" {
			return true
		}
	}
	return false
}

var (
	groupName   = regexp.MustCompile(`GroupName = "([^"]*)"`)
	removedFunc = regexp.MustCompile(`func \(in \*(\w+)\) APILifecycleRemoved\(\) \(major, minor int\) \{\s*return 1, (\d+)`)
	replacement = regexp.MustCompile(`func \(in \*(\w+)\) APILifecycleReplacement\(\) schema.GroupVersionKind \{\s*return schema.GroupVersionKind\{Group: "([^"]*)", Version: "([^"]*)", Kind: "([^"]*)"`)
)

// addRemoved reads the generated functions that say when an API ends.
func addRemoved(removed map[string]string, api string) error {
	paths, err := filepath.Glob(filepath.Join(api, "*", "*", "zz_generated.prerelease-lifecycle.go"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		lifecycle, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		dir := filepath.Dir(path)
		register, err := os.ReadFile(filepath.Join(dir, "register.go"))
		if err != nil {
			return err
		}
		group := groupName.FindSubmatch(register)
		if group == nil {
			return fmt.Errorf("no GroupName in %s", dir)
		}
		by := map[string]string{}
		for _, m := range replacement.FindAllSubmatch(lifecycle, -1) {
			by[string(m[1])] = groupVersionKind{string(m[2]), string(m[3]), ""}.apiVersion() + "\t" + strings.TrimSuffix(string(m[4]), "List")
		}
		for _, m := range removedFunc.FindAllSubmatch(lifecycle, -1) {
			kind := string(m[1])
			if strings.HasSuffix(kind, "List") {
				continue
			}
			if by[kind] == "" {
				by[kind] = "-\t-"
			}
			version := groupVersionKind{string(group[1]), filepath.Base(dir), ""}.apiVersion()
			removed[version+"\t"+kind] = strings.Join([]string{string(m[2]), version, kind, by[kind]}, "\t")
		}
	}
	return nil
}
