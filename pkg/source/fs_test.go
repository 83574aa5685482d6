package source

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree lays out files, " -> " links and, with a name that ends in a slash, directories.
func tree(t *testing.T, files map[string]string) *FS {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, isLink := strings.CutPrefix(data, " -> "); isLink {
			err = os.Symlink(target, full)
		} else if strings.HasSuffix(name, "/") {
			err = os.MkdirAll(full, 0o755)
		} else {
			err = os.WriteFile(full, []byte(data), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	work, err := OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return New(work)
}

func TestPaths(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("outside"), 0o644); err != nil {
		t.Fatal(err)
	}
	f := tree(t, map[string]string{
		"a/b.txt":       "b",
		"a/up":          " -> ../c",
		"a/file":        " -> b.txt",
		"c/d.txt":       "d",
		"c/back":        " -> ../a/up/../a",
		"chain":         " -> a/up",
		"dangling":      " -> nowhere",
		"loop1":         " -> loop2",
		"loop2":         " -> loop1",
		"self":          " -> self/x",
		"abs":           " -> " + outside,
		"absdir":        " -> " + filepath.Dir(outside),
		"out":           " -> ../../../../../../../../" + outside,
		"deep/out":      " -> ../../x",
		"sub/.git":      "gitdir: x",
		"sub/f":         "f",
		".git/config":   "token",
		"A.yaml":        "upper",
		"new\nline":     "x",
		"esc\x1b[31m":   "x",
		"back\\slash":   "x",
		"inner/.git/x":  "x",
		"bad\xffname":   "x",
		"empty/":        "",
		"via":           " -> a/../a//b.txt",
		"throughdangle": " -> dangling/x",
	})
	cases := []struct{ path, real, data, text string }{
		{"a/b.txt", "a/b.txt", "b", ""},
		{"./a//b.txt", "a/b.txt", "b", ""},
		{"a/up/d.txt", "c/d.txt", "d", ""},
		{"a/file", "a/b.txt", "b", ""},
		{"chain/d.txt", "c/d.txt", "d", ""},
		{"a/up/../a/b.txt", "a/b.txt", "b", ""},
		{"c/back/b.txt", "a/b.txt", "b", ""},
		{"via", "a/b.txt", "b", ""},
		{"", ".", "", "is a directory"},
		{"a", "a", "", "is a directory"},
		{"a.yaml", "", "", "does not exist"},
		{"a/b.txt/x", "", "", "does not exist"},
		{"nope/../a/b.txt", "", "", "does not exist"},
		{"dangling", "", "", `through the symbolic link "dangling"`},
		{"throughdangle", "", "", `does not exist through the symbolic link`},
		{"loop1", "", "", "more than 40"},
		{"self", "", "", "more than 40"},
		{"abs", "", "", `leaves the repository through the symbolic link "abs"`},
		{"absdir/secret", "", "", "leaves the repository"},
		{"out", "", "", "leaves the repository"},
		{"deep/out", "", "", "leaves the repository"},
		{"../x", "", "", "leaves the repository"},
		{"a/../../x", "", "", "leaves the repository"},
		{"/etc/passwd", "", "", "is an absolute path"},
		{".git/config", "", "", "does not exist"},
		{"sub", "sub", "", "is a Git submodule"},
		{"sub/f", "", "", "lies in the Git submodule"},
		{"inner/x", "", "", "lies in the Git submodule"},
		{"new\nline", "", "", "control character"},
		{"esc\x1b[31m", "", "", "control character"},
		{"back\\slash", "", "", "backslash"},
		{"bad\xffname", "", "", "not UTF-8"},
	}
	for _, c := range cases {
		real, err := f.Resolve(c.path)
		if c.real != "" && (err != nil || real != c.real) {
			t.Errorf("Resolve(%q) = %q, %v", c.path, real, err)
		}
		data, err := f.ReadFile(c.path)
		if c.text == "" {
			if err != nil || string(data) != c.data {
				t.Errorf("ReadFile(%q) = %q, %v", c.path, data, err)
			}
			continue
		}
		var p *PathError
		if !errors.As(err, &p) || !strings.Contains(err.Error(), c.text) || len(data) > 0 {
			t.Errorf("ReadFile(%q) = %q, %v; want %q", c.path, data, err, c.text)
			continue
		}
		if strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%q holds control characters", err)
		}
		if missing := strings.Contains(c.text, "exist"); missing != errors.Is(err, fs.ErrNotExist) && !strings.Contains(c.text, "dangling") {
			t.Errorf("ReadFile(%q): ErrNotExist is %v", c.path, !missing)
		}
	}
}

func TestLimits(t *testing.T) {
	f := tree(t, map[string]string{"big": strings.Repeat("x", MaxFile+1), "full": strings.Repeat("x", MaxFile)})
	if _, err := f.ReadFile("big"); err == nil || !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "10 MiB") {
		t.Errorf("big: %v", err)
	}
	if data, err := f.ReadFile("full"); err != nil || len(data) != MaxFile {
		t.Errorf("full: %d bytes, %v", len(data), err)
	}
}

func TestGlob(t *testing.T) {
	f := tree(t, map[string]string{
		"a/x.yaml": "", "a/y.yml": "", "a/.h.yaml": "", "b/c/z.yaml": "", "b/z.yaml": "", ".hidden/q.yaml": "", "top.yaml": "",
		"link": " -> b", "[odd].yaml": "", "b/down": " -> c", "gone": " -> nowhere", "deep/1/2/3/d.yaml": "",
	})
	cases := []struct {
		pattern string
		want    []string
	}{
		{"*.yaml", []string{"[odd].yaml", "top.yaml"}},
		{"a/*.yaml", []string{"a/x.yaml"}},
		{"a/.*.yaml", []string{"a/.h.yaml"}},
		{"*/*.yaml", []string{"a/x.yaml", "b/z.yaml", "link/z.yaml"}},
		{"**/z.yaml", []string{"b/c/z.yaml", "b/z.yaml"}},
		{"**/*.yaml", []string{"[odd].yaml", "a/x.yaml", "b/c/z.yaml", "b/z.yaml", "deep/1/2/3/d.yaml", "top.yaml"}},
		{"b/**", []string{"b/c/z.yaml", "b/down", "b/z.yaml"}},
		{"b/**/**/z.yaml", []string{"b/c/z.yaml", "b/z.yaml"}},
		{".hidden/*", []string{".hidden/q.yaml"}},
		{"a/[x-z].y?ml", []string{"a/x.yaml"}},
		{"a", []string{"a"}},
		{"./a/../b/*.yaml", []string{"a/../b/z.yaml"}},
		{"b/down/*", []string{"b/down/z.yaml"}},
		{"nothing/*", nil},
		{"gone/*", nil},
		{"top.yaml/*", nil},
	}
	for _, c := range cases {
		got, err := f.Glob(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
		}
		if len(got)+len(c.want) > 0 && !cmp.Equal(c.want, got) {
			t.Errorf("%s: %s", c.pattern, cmp.Diff(c.want, got))
		}
	}
	for _, bad := range []string{"../*", "a/../../*", "/etc/*", "a/[", "a/\x1b*", `a\*`} {
		if got, err := f.Glob(bad); err == nil {
			t.Errorf("%q: %q", bad, got)
		}
	}
}

func TestRecord(t *testing.T) {
	base := tree(t, map[string]string{"a/f": "1", "a/g": "2", "l": " -> a", "other": "x"})
	view, inputs := base.Record()
	for _, name := range []string{"l/f", "a/missing", "none/x"} {
		_, _ = view.ReadFile(name)
	}
	if _, err := view.ReadDir("a"); err != nil {
		t.Fatal(err)
	}
	if _, err := base.ReadFile("other"); err != nil {
		t.Fatal(err)
	}
	view.Similar("OTHER")
	want := []Input{
		{Path: "a", Kind: Dir}, {Path: "a/f", Kind: File}, {Path: "a/missing", Kind: Missing}, {Path: "l", Kind: Link}, {Path: "none/x", Kind: Missing},
	}
	if d := cmp.Diff(want, inputs.Sorted()); d != "" {
		t.Error(d)
	}
	// A second view asks what the cache knows; it is written down all the same.
	again, more := base.Record()
	_, _ = again.ReadFile("l/f")
	if n := len(more.Sorted()); n != 2 {
		t.Errorf("%d inputs: %v", n, more.Sorted())
	}
}

// What a path leaves again by two dots decides where it leads, as a link does.
func TestRecordTheWay(t *testing.T) {
	base := tree(t, map[string]string{"a/sub/x": "", "a/f": "1", "l": " -> a/sub/../f", "b/x": "", "m": " -> b"})
	for name, want := range map[string]string{
		"l":             "a/f a/sub l",
		"a/sub/../f":    "a/f a/sub",
		"m/../a/f":      "a/f b m",
		"a/sub/../none": "a/none a/sub",
	} {
		view, inputs := base.Record()
		_, _ = view.Stat(name)
		var got []string
		for _, in := range inputs.Sorted() {
			got = append(got, in.Path)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestSimilar(t *testing.T) {
	f := tree(t, map[string]string{"App/Base/Deployment.yaml": ""})
	for asked, want := range map[string]string{
		"app/base/deployment.yaml": "App/Base/Deployment.yaml", "App/Base/Deployment.yaml": "", "App/nope": "", "../x": "",
	} {
		if got := f.Similar(asked); got != want {
			t.Errorf("Similar(%q) = %q", asked, got)
		}
	}
}
