package render

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
)

// eval gives an expression's value, or nil.
func (w *walker) eval(x ast.Expr, e *env) any {
	switch x := x.(type) {
	case *ast.BasicLit:
		if x.Kind == token.STRING {
			s, _ := strconv.Unquote(x.Value)
			return s
		}
	case *ast.Ident:
		return w.ident(x.Name, e)
	case *ast.ParenExpr:
		return w.eval(x.X, e)
	case *ast.UnaryExpr:
		v := w.eval(x.X, e)
		if b, ok := v.(bool); ok && x.Op == token.NOT {
			return !b
		}
		if x.Op == token.AND {
			return v
		}
	case *ast.StarExpr:
		return w.eval(x.X, e)
	case *ast.BinaryExpr:
		return operate(x.Op, w.eval(x.X, e), w.eval(x.Y, e))
	case *ast.FuncLit:
		return &closure{decl: x.Type, body: x.Body, env: e}
	case *ast.CompositeLit:
		return w.composite(x, x.Type, e)
	case *ast.SelectorExpr:
		switch v := w.eval(x.X, e).(type) {
		case *record:
			return v.fields[x.Sel.Name]
		case *harness:
			return v // its embedded harness
		}
	case *ast.IndexExpr:
		return w.index(w.eval(x.X, e), w.eval(x.Index, e))
	case *ast.CallExpr:
		return w.callExpr(x, e)
	}
	return nil
}

func (w *walker) ident(name string, e *env) any {
	switch name {
	case "true":
		return true
	case "false":
		return false
	}
	if at := e.find(name); at != nil && at != w.globals {
		return at.vars[name]
	}
	if f := w.funcs[name]; f != nil {
		return &closure{decl: f.Type, body: f.Body, env: w.globals}
	}
	return w.global(name)
}

func (w *walker) index(x, key any) any {
	if t, ok := x.(*table); ok && key != nil {
		if i := slices.Index(t.keys, key); i >= 0 {
			return t.values[i]
		}
	}
	return nil
}

func operate(op token.Token, x, y any) any {
	if a, ok := x.(bool); ok {
		if b, ok := y.(bool); ok {
			switch op {
			case token.LAND:
				return a && b
			case token.LOR:
				return a || b
			}
		}
	}
	a, ok1 := x.(string)
	b, ok2 := y.(string)
	if !ok1 || !ok2 {
		return nil
	}
	switch op {
	case token.ADD:
		return a + b
	case token.EQL:
		return a == b
	case token.NEQ:
		return a != b
	}
	return nil
}

// composite gives a literal of a slice, map or struct. typ is the literal's
// own type or, where that is left out, that of the elements around it.
func (w *walker) composite(x *ast.CompositeLit, typ ast.Expr, e *env) any {
	for {
		name, ok := typ.(*ast.Ident)
		if !ok || w.types[name.Name] == nil {
			break
		}
		typ = w.types[name.Name]
	}
	element := func(v ast.Expr, t ast.Expr) any {
		if star, ok := t.(*ast.StarExpr); ok {
			t = star.X
		}
		if lit, ok := v.(*ast.CompositeLit); ok && lit.Type == nil {
			return w.composite(lit, t, e)
		}
		return w.eval(v, e)
	}
	switch typ := typ.(type) {
	case *ast.ArrayType:
		all := []any{}
		for _, v := range x.Elts {
			all = append(all, element(v, typ.Elt))
		}
		return all
	case *ast.MapType:
		t := &table{}
		for _, v := range x.Elts {
			if kv, ok := v.(*ast.KeyValueExpr); ok {
				t.keys = append(t.keys, w.eval(kv.Key, e))
				t.values = append(t.values, element(kv.Value, typ.Value))
			}
		}
		return t
	case *ast.StructType:
		r := &record{fields: map[string]any{}}
		var names []string
		types := map[string]ast.Expr{}
		for _, f := range typ.Fields.List {
			for _, n := range f.Names {
				names = append(names, n.Name)
				types[n.Name] = f.Type
			}
		}
		for i, v := range x.Elts {
			if kv, ok := v.(*ast.KeyValueExpr); ok {
				name := kv.Key.(*ast.Ident).Name
				r.fields[name] = element(kv.Value, types[name])
			} else if i < len(names) {
				r.fields[names[i]] = element(v, types[names[i]])
			}
		}
		return r
	}
	return nil
}
