package source

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Changed files are read changed, through links too; the rest is as it was, and
// what is read of the one view is not read of the other.
func TestWith(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a/one": "1", "a/two": "2"} {
		at := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o777), os.WriteFile(at, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("a", filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	tree, err := OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := New(tree)
	changed := files.With(map[string][]byte{"a/one": []byte("changed")})
	for name, want := range map[string]string{"a/one": "changed", "b/one": "changed", "a/two": "2"} {
		if got, err := changed.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if e, err := changed.Stat("a/one"); err != nil || e.ID != "" || e.Size != 7 {
		t.Errorf("entry %+v, %v", e, err)
	}
	if got := changed.Read(); !slices.Equal(got, []string{"a/one", "a/two"}) {
		t.Errorf("read: %q", got)
	}
	if got := files.Read(); len(got) != 0 {
		t.Errorf("read of the other: %q", got)
	}
	large := files.With(map[string][]byte{"a/one": make([]byte, MaxFile+1)})
	if _, err := large.ReadFile("a/one"); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a large file: %v", err)
	}
}

// New files are found in new directories and in those that are there.
func TestWithNew(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "a"), 0o777), os.WriteFile(filepath.Join(dir, "a", "one"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	tree, err := OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := New(tree).With(map[string][]byte{"a/new": []byte("1"), "b/c/new": []byte("2"), "a/one": []byte("3")})
	for dir, want := range map[string]string{".": "a b", "a": "new one", "b": "c", "b/c": "new"} {
		entries, err := files.ReadDir(dir)
		var names []string
		for _, e := range entries {
			names = append(names, e.Name)
		}
		if got := strings.Join(names, " "); err != nil || got != want {
			t.Errorf("%s holds %q, %v, want %q", dir, got, err, want)
		}
	}
	if got, err := files.Glob("**/new"); err != nil || !slices.Equal(got, []string{"a/new", "b/c/new"}) {
		t.Errorf("glob: %q, %v", got, err)
	}
	if got, err := files.ReadFile("b/c/new"); err != nil || string(got) != "2" {
		t.Errorf("read: %q, %v", got, err)
	}
}

// ids is a tree of one file with an object id.
type ids struct{ Tree }

func (ids) Lookup(name string) (Entry, error) {
	return Entry{Name: name, Kind: File, ID: "0000"}, nil
}

// A changed file has the object id that git gives its bytes.
func TestWithID(t *testing.T) {
	e, err := overlay{ids{}, map[string][]byte{"a": []byte("changed\n")}, nil}.Lookup("a")
	if err != nil || e.ID != "5ea2ed416fbd4a4cbe227b75fe255dd7fa6bd4d6" {
		t.Errorf("%+v, %v", e, err)
	}
	if e, err := (overlay{ids{}, nil, nil}).Lookup("a"); err != nil || e.ID != "0000" {
		t.Errorf("%+v, %v", e, err)
	}
}
