package docs

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/config"
)

var binary string // of the program, built once

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "sluice-docs")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "sluice")
		// A commit records the version of the program: here it is always the same.
		build := exec.Command("go", "build", "-ldflags", "-X main.version=demo", "-o", binary, "../cmd/sluice")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// shell runs lines of a page: fixed people and dates, so that the ids that
// come out are always the same.
type shell struct {
	t   *testing.T
	dir string
	env []string
}

func newShell(t *testing.T) *shell {
	t.Helper()
	home := t.TempDir()
	s := &shell{t: t, dir: filepath.Join(home, "shop")}
	config := "[user]\n\tname = Ada Example\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n[core]\n\tpager = cat\n"
	s.write("../.gitconfig", config)
	s.write("../keep", "")
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	const date = "2026-01-05T09:00:00Z"
	s.env = []string{
		"PATH=" + filepath.Dir(binary) + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + home, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=" + filepath.Join(home, ".gitconfig"), "GIT_AUTHOR_DATE=" + date, "GIT_COMMITTER_DATE=" + date,
		"GIT_CEILING_DIRECTORIES=" + home, "LC_ALL=C", "TZ=UTC",
	}
	return s
}

func (s *shell) write(name, text string) {
	s.t.Helper()
	at := filepath.Join(s.dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o777), os.WriteFile(at, []byte(text), 0o600)); err != nil {
		s.t.Fatal(err)
	}
}

// run gives what a command prints on both streams, and its exit status if
// that is not 0.
func (s *shell) run(line string) string {
	s.t.Helper()
	cmd := exec.Command("bash", "-c", line)
	cmd.Dir, cmd.Env = s.dir, s.env
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return fmt.Sprintf("%s(exit status %d)\n", out, exit.ExitCode())
	case err != nil:
		s.t.Fatalf("%s: %v", line, err)
	}
	return string(out)
}

// replay runs a page: a block whose info names a file is that file, the lines
// of a console block that begin with $ are commands and the others what they
// print.
func (s *shell) replay(p *page) {
	s.t.Helper()
	for i := 0; i < len(p.blocks()); i++ {
		b := p.blocks()[i]
		if _, name, named := strings.Cut(b.info, " "); named {
			s.write(name, b.text)
			continue
		}
		if b.info != "console" {
			continue
		}
		var got strings.Builder
		for line := range strings.Lines(b.text) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				got.WriteString(line + s.run(command))
			}
		}
		p.hold(s.t, b, got.String())
	}
}

func TestInjection(t *testing.T) { newShell(t).replay(readPage(t, "injection.md")) }

func TestImages(t *testing.T) { newShell(t).replay(readPage(t, "images.md")) }

func TestReleases(t *testing.T) { newShell(t).replay(readPage(t, "releases.md")) }

func TestEngines(t *testing.T) { newShell(t).replay(readPage(t, "engines.md")) }

// TestGuides replays every guide, each in a repository of its own. What a guide
// begins with, where that is more than nothing, a script in testdata makes.
func TestGuides(t *testing.T) {
	guides, err := filepath.Glob("guides/*.md")
	if err != nil || len(guides) == 0 {
		t.Fatal("there are no guides", err)
	}
	for _, path := range guides {
		name := strings.TrimSuffix(filepath.Base(path), ".md")
		t.Run(name, func(t *testing.T) {
			s := newShell(t)
			script, err := os.ReadFile(filepath.Join("testdata", name+".sh"))
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			if out := s.run("set -e\n" + string(script)); out != "" {
				t.Fatal(out)
			}
			s.replay(readPage(t, path))
		})
	}
}

func TestGetStarted(t *testing.T) { newShell(t).replay(readPage(t, "get-started.md")) }

func TestBranch(t *testing.T) { newShell(t).replay(readPage(t, "branch.md")) }

// TestHows holds the table of branch.md to the ways in which a branch can
// leave the line.
func TestHows(t *testing.T) {
	table := readPage(t, "branch.md").rows(t)
	all := []branch.How{
		branch.Squashed, branch.Rebased, branch.Merged, branch.Reverted, branch.RolledBack, branch.OtherFiles,
		branch.Apart, branch.Edited, branch.Foreign, branch.Newer, branch.Untold,
	}
	for _, how := range all {
		if table[string(how)] == nil {
			t.Errorf("branch.md has no row for %q", how)
		}
	}
	if len(table) != len(all) {
		t.Errorf("branch.md has %d rows, there are %d ways", len(table), len(all))
	}
}

func TestCheck(t *testing.T) { newShell(t).replay(readPage(t, "check.md")) }

func TestVerify(t *testing.T) { newShell(t).replay(readPage(t, "verify.md")) }

// TestReadme runs the README's transcript on the repository of the demo.
func TestReadme(t *testing.T) {
	s := newShell(t)
	if err := os.CopyFS(s.dir, os.DirFS("../testdata/demo/repo")); err != nil {
		t.Fatal(err)
	}
	if out := s.run("git init -q && git add -A && git commit -qm 'Serve hello'"); out != "" {
		t.Fatal(out)
	}
	s.replay(readPage(t, "../README.md"))
}

// oneFile is a source that holds nothing but the config.
type oneFile string

func (f oneFile) ReadFile(string) ([]byte, error) { return []byte(f), nil }
func (f oneFile) Glob(string) ([]string, error)   { return nil, nil }

// TestReadmeConfig holds the README's smallest config to be one, and what it
// and the page for contributors tell people to make to be in the Makefile.
func TestReadmeConfig(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	configs := 0
	for _, path := range []string{"../README.md", "../CONTRIBUTING.md"} {
		for _, b := range readPage(t, path).blocks() {
			switch b.info {
			case "yaml":
				configs++
				if _, err := config.Load(oneFile(b.text), config.FileName); err != nil {
					t.Errorf("%s:%d: %v", path, b.first, err)
				}
			case "sh":
				for _, m := range target.FindAllStringSubmatch(b.text, -1) {
					if !strings.Contains(string(makefile), "\n"+m[1]+":") {
						t.Errorf("%s: the Makefile has no %s", path, m[1])
					}
				}
			}
		}
	}
	if configs != 1 {
		t.Errorf("the README shows %d configs, want 1", configs)
	}
}

var target = regexp.MustCompile(`(?m)^make ([\w-]+)`)
