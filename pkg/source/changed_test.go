package source

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
)

// listed is a Tree of files by path, each with its content for an id; that of a
// directory is made of what is in it.
type listed map[string]string

func (l listed) Lookup(name string) (Entry, error) {
	if text, ok := l[name]; ok {
		e := Entry{Name: path.Base(name), Kind: File, ID: text}
		if strings.HasPrefix(text, "->") {
			e.Kind = Link
		}
		return e, nil
	}
	var below []string
	for p, text := range l {
		if name == "." || strings.HasPrefix(p, name+"/") {
			below = append(below, p+"="+text)
		}
	}
	if len(below) == 0 && name != "." {
		return Entry{}, fs.ErrNotExist
	}
	slices.Sort(below)
	return Entry{Name: path.Base(name), Kind: Dir, ID: fmt.Sprint(below)}, nil
}

func (l listed) ReadDir(name string) ([]Entry, error) {
	names := map[string]bool{}
	for p := range l {
		if name == "." {
			p = "./" + p
		}
		if rest, in := strings.CutPrefix(p, name+"/"); in {
			first, _, _ := strings.Cut(rest, "/")
			names[first] = true
		}
	}
	var all []Entry
	for n := range names {
		e, err := l.Lookup(path.Join(name, n))
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

func (l listed) ReadFile(name string, _ int64) ([]byte, error) { return []byte(l[name]), nil }

func TestCompareTouches(t *testing.T) {
	before := listed{"a/b/one": "1", "a/b/two": "2", "a/c/three": "3", "d": "4"}
	tests := map[string]struct {
		after     listed
		yes, none string
	}{
		"nothing":              {listed{"a/b/one": "1", "a/b/two": "2", "a/c/three": "3", "d": "4"}, "", ". a a/b/one d a/x"},
		"a file":               {listed{"a/b/one": "x", "a/b/two": "2", "a/c/three": "3", "d": "4"}, ". a a/b a/b/one", "a/b/two a/c d a/b/none"},
		"a new file":           {listed{"a/b/one": "1", "a/b/two": "2", "a/b/x": "", "a/c/three": "3", "d": "4"}, ". a a/b a/b/x", "a/b/one a/b/y a/c d"},
		"a file goes":          {listed{"a/b/one": "1", "a/c/three": "3", "d": "4"}, ". a a/b a/b/two", "a/b/one a/c"},
		"a new directory":      {listed{"a/b/one": "1", "a/b/two": "2", "a/c/three": "3", "d": "4", "e/f/g": "5"}, ". e e/f e/f/none", "a d a/b/one f"},
		"a directory goes":     {listed{"a/b/one": "1", "a/b/two": "2", "d": "4"}, ". a a/c a/c/three a/c/none", "a/b a/b/one d"},
		"a file for a dir":     {listed{"a/b": "1", "a/c/three": "3", "d": "4"}, "a a/b a/b/one a/b/none", "a/c/three d"},
		"a dir for a file":     {listed{"a/b/one": "1", "a/b/two": "2", "a/c/three": "3", "d/e": "4"}, ". d d/e d/none", "a a/c"},
		"a link for a file":    {listed{"a/b/one": "->two", "a/b/two": "2", "a/c/three": "3", "d": "4"}, "a/b/one a/b", "a/b/two"},
		"a link for directory": {listed{"a/b": "->c", "a/c/three": "3", "d": "4"}, "a/b a/b/one a/b/three", "a/c/three"},
	}
	for name, tt := range tests {
		changed, err := New(tt.after).Since(before)
		if err != nil {
			t.Fatal(err)
		}
		if changed.None() != (tt.yes == "") {
			t.Errorf("%s: None is %v", name, changed.None())
		}
		for p := range strings.FieldsSeq(tt.yes) {
			if !changed.Touches(p) {
				t.Errorf("%s: does not touch %s", name, p)
			}
		}
		for p := range strings.FieldsSeq(tt.none) {
			if changed.Touches(p) {
				t.Errorf("%s: touches %s", name, p)
			}
		}
	}
}
