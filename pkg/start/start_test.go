package start

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/source"
)

// one is the files of a source with another file.
type one struct {
	*source.FS
	name string
	text []byte
}

func (o one) ReadFile(name string) ([]byte, error) {
	if name == o.name {
		return o.text, nil
	}
	return o.FS.ReadFile(name)
}

// TestLook makes a config of each tree in testdata/look, and compares it with
// the file want there. Every config has to be one that can be read.
func TestLook(t *testing.T) {
	files, err := filepath.Glob("testdata/look/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { look(t, file) })
	}
}

func look(t *testing.T, file string) {
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	root, dir, want := t.TempDir(), ".", -1
	for i, f := range a.Files {
		switch f.Name {
		case "dir":
			dir = strings.TrimSpace(string(f.Data))
		case "want":
			want = i
		default:
			at := filepath.Join(root, filepath.FromSlash(f.Name))
			if err := os.MkdirAll(filepath.Dir(at), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(at, f.Data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	disk, err := source.OpenDir(root)
	if err != nil {
		t.Fatal(err)
	}
	files := source.New(disk)
	found, err := Look(files, dir)
	if err != nil {
		t.Fatal(err)
	}
	got := found.Config(Choices{Suggested: "v0.5.0"})
	if _, err := config.Load(one{files, dir + "/sluice.yaml", got}, dir+"/sluice.yaml"); err != nil {
		t.Errorf("the config cannot be read: %v\n%s", err, got)
	}
	for _, note := range found.Notes {
		got = append(got, "note: "+note+"\n"...)
	}
	if want < 0 {
		a.Files, want = append(a.Files, txtar.File{Name: "want"}), len(a.Files)
	}
	if diff := cmp.Diff(string(a.Files[want].Data), string(got)); diff != "" {
		if os.Getenv("UPDATE_GOLDEN") == "" {
			t.Fatalf("(UPDATE_GOLDEN=1 writes it)\n%s", diff)
		}
		a.Files[want].Data = got
		if err := os.WriteFile(file, txtar.Format(a), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// crowd is a directory of too many files.
type crowd struct{}

func (crowd) ReadDir(string) ([]source.Entry, error) {
	return slices.Repeat([]source.Entry{{Name: "text", Kind: source.File}}, maxFiles+1), nil
}

func (crowd) ReadFile(string) ([]byte, error) { return nil, nil }

func TestTooMany(t *testing.T) {
	_, err := Look(crowd{}, ".")
	if f := (finding.Finding{}); !errors.As(err, &f) || f.Hint == "" {
		t.Errorf("got %v, want a finding with a hint", err)
	}
}
