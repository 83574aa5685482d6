package source

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
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

// ids is a tree of one file with an object id.
type ids struct{ Tree }

func (ids) Lookup(name string) (Entry, error) {
	return Entry{Name: name, Kind: File, ID: "0000"}, nil
}

// A changed file has the object id that git gives its bytes.
func TestWithID(t *testing.T) {
	e, err := overlay{ids{}, map[string][]byte{"a": []byte("changed\n")}}.Lookup("a")
	if err != nil || e.ID != "5ea2ed416fbd4a4cbe227b75fe255dd7fa6bd4d6" {
		t.Errorf("%+v, %v", e, err)
	}
	if e, err := (overlay{ids{}, nil}).Lookup("a"); err != nil || e.ID != "0000" {
		t.Errorf("%+v, %v", e, err)
	}
}
