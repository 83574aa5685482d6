//go:build unix

package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// slowly writes a source with two apps, of which one is rendered by a program
// that takes a second, or forever, and gives its directory.
func slowly(t *testing.T, programs, mode string) string {
	t.Helper()
	dir := t.TempDir()
	program, err := os.ReadFile(filepath.Join(programs, "rogue"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"rogue":   string(program),
		"a.yaml":  "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
		"bad.yml": "apiVersion: v1\nkind: ConfigMap\n",
		"sluice.yaml": fmt.Sprintf(`apps:
- {name: quick, kubectlApply: [a.yaml]}
- {name: slow, kubectlApply: [{exec: {tool: rogue, args: [%s]}}]}
tools:
- {name: rogue, version: v1.0.0, platforms: {%s/%s: {url: rogue, sha256: %x}}}
`, mode, runtime.GOOS, runtime.GOARCH, sha256.Sum256(program)),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// onTerminal runs sluice on a terminal of 40 columns, types what is to be typed
// once the text is seen, and gives all that was written and what stays to be seen.
func onTerminal(t *testing.T, bin, dir string, env []string, seen, typed string, args ...string) (raw string, screen []string) {
	t.Helper()
	cmd := exec.Command(bin, args...)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TERM=xterm"}, env...)
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 10, Cols: 40})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	stuck := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer stuck.Stop()
	var all bytes.Buffer
	for {
		part := make([]byte, 1024)
		n, err := terminal.Read(part)
		all.Write(part[:n])
		if typed != "" && strings.Contains(all.String(), seen) {
			if _, err := io.WriteString(terminal, typed); err != nil {
				t.Fatal(err)
			}
			typed = ""
		}
		if err != nil {
			break // Linux says EIO when the last program has closed it
		}
	}
	cmd.Wait() // its status is no matter of the terminal
	return all.String(), settle(all.String(), 40)
}

// settle gives the lines that stay on a terminal of a width.
func settle(raw string, width int) []string {
	lines, at := [][]rune{{}}, 0
	for _, r := range raw {
		last := len(lines) - 1
		switch {
		case r == '\r':
			at = 0
		case r == '\n':
			lines, at = append(lines, []rune{}), 0
		default:
			if at == width {
				lines, at, last = append(lines, []rune{}), 0, last+1
			}
			for len(lines[last]) <= at {
				lines[last] = append(lines[last], ' ')
			}
			lines[last][at] = r
			at++
		}
	}
	var out []string
	for _, l := range lines {
		out = append(out, strings.TrimRight(string(l), " "))
	}
	return out
}

func TestProgress(t *testing.T) {
	bin, programs := build(t), buildPrograms(t)
	t.Run("on a terminal", func(t *testing.T) {
		dir := slowly(t, programs, "slow")
		raw, screen := onTerminal(t, bin, dir, nil, "", "", "render")
		if want := "rendering: 1 of 2 apps done, default…\r"; !strings.Contains(raw, want) {
			t.Errorf("no %q in %q", want, raw)
		}
		if got := strings.Join(screen, "\n"); !strings.HasPrefix(got, "---\n# default/quick/") || strings.Contains(got, "rendering") {
			t.Errorf("what stays:\n%s", got)
		}
		if strings.Contains(raw, "\x1b") {
			t.Errorf("escape sequences: %q", raw)
		}
		for what, env := range map[string][]string{"CI": {"CI=true"}, "dumb": {"TERM=dumb"}, "-q": nil} {
			args := []string{"render"}
			if env == nil {
				args = append(args, "-q")
			}
			if raw, _ := onTerminal(t, bin, dir, env, "", "", args...); strings.Contains(raw, "rendering") {
				t.Errorf("%s: %q", what, raw)
			}
		}
	})
	t.Run("an error stands where the line was", func(t *testing.T) {
		dir := slowly(t, programs, "slow")
		config, err := os.ReadFile(filepath.Join(dir, "sluice.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		config = bytes.Replace(config, []byte("[a.yaml]"), []byte("[bad.yml]"), 1)
		if err := os.WriteFile(filepath.Join(dir, "sluice.yaml"), config, 0o600); err != nil {
			t.Fatal(err)
		}
		raw, screen := onTerminal(t, bin, dir, nil, "", "", "render")
		if !strings.Contains(raw, "rendering: 1 of 2") || !strings.HasPrefix(screen[0], "bad.yml:1: ") {
			t.Errorf("%q leaves %q", raw, screen)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		raw, screen := onTerminal(t, bin, slowly(t, programs, "hang"), nil, "rendering: 1 of 2", "\x03", "render")
		if !strings.Contains(raw, "rendering: 1 of 2") || !strings.HasPrefix(screen[0], "interrupted: ") {
			t.Errorf("%q leaves %q", raw, screen)
		}
	})
	t.Run("nothing in a pipe", func(t *testing.T) {
		cmd := exec.Command(bin, "-v", "render")
		cmd.Dir = slowly(t, programs, "slow")
		var out, errOut bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errOut
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v\n%s", err, errOut.String())
		}
		if all := out.String() + errOut.String(); strings.ContainsAny(all, "\x1b\r") || strings.Contains(all, "rendering: ") {
			t.Errorf("in a pipe: %q", all)
		}
	})
}
