package program

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type report struct {
	Stdin            string
	Args, Env        []string
	Dir, Mode        string
	Files, FDs       map[string]string
	Core, Open, Size uint64
	Addrs            int
}

func witness(t *testing.T, p *Program, in Invocation) (report, string) {
	t.Helper()
	out, err := p.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return r, string(out)
}

func TestProgramSeesNothingButItsInput(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "inherited")
	if err := os.WriteFile(secret, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	// A descriptor such as a CI runner hands down: not closed on exec.
	fd, err := syscall.Open(secret, syscall.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	r, raw := witness(t, load(t, "witness"), Invocation{
		Args:  []string{"--x", "a b"},
		Stdin: []byte("hello"),
		Files: map[string][]byte{"values.yaml": []byte("v"), "sub/dir/x": []byte("y")},
	})
	if strings.Contains(raw, "sesame") || strings.Contains(raw, "inherited") {
		t.Errorf("the program saw %s", raw)
	}
	if len(r.Env) != 0 {
		t.Errorf("environment %q", r.Env)
	}
	if diff := cmp.Diff([]string{"witness", "--x", "a b"}, r.Args); diff != "" {
		t.Error(diff)
	}
	if r.Stdin != "hello" || r.Mode != "drwx------" {
		t.Errorf("stdin %q, directory %s", r.Stdin, r.Mode)
	}
	if diff := cmp.Diff(map[string]string{"values.yaml": "-rw------- v", "sub/dir/x": "-rw------- y"}, r.Files); diff != "" {
		t.Error(diff)
	}
	for n, to := range r.FDs {
		// Go's own: its poller and what tells it how many processors it may use.
		own := strings.HasPrefix(to, "anon_inode:") || strings.HasPrefix(to, "/sys/fs/cgroup/") || strings.HasPrefix(to, "/proc/") && strings.HasSuffix(to, "/fd")
		if n > "2" && !own || len(n) == 1 && n <= "2" && !strings.HasPrefix(to, "pipe:") {
			t.Errorf("descriptor %s is %s", n, to)
		}
	}
	if r.Core != 0 || r.Open != 256 || r.Size != 100<<20 {
		t.Errorf("limits: core %d, descriptors %d, file size %d", r.Core, r.Open, r.Size)
	}
	if _, err := os.Stat(r.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", r.Dir, err)
	}
}

// TestNoNetwork holds where the machine lets programs be isolated.
func TestNoNetwork(t *testing.T) {
	im, err := newImage(binary(t, "witness"))
	if err != nil {
		t.Fatal(err)
	}
	defer im.close()
	for _, isolated := range isolation {
		c, err := launch(im, []string{"witness"}, t.TempDir(), isolated)
		if err != nil && isolated {
			t.Logf("this machine gives no namespaces: %v", err)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		end := c.talk(context.Background(), nil, Limits{}.orDefault())
		if got := strings.Contains(string(end.stdout), `"Addrs":0`); got != isolated {
			t.Errorf("isolated %v: %s", isolated, end.stdout)
		}
	}
}

func TestScript(t *testing.T) {
	p := loadBytes(t, "script", []byte("#!/bin/sh\nread line\necho \"$line ${SLUICE_TEST_CANARY-unset} $1\"\n"))
	out, err := p.Run(context.Background(), Invocation{Args: []string{"arg"}, Stdin: []byte("in\n")})
	if err != nil || string(out) != "in unset arg\n" {
		t.Fatalf("%q, %v", out, err)
	}
}

// TestCopy holds what is done where files cannot be executed from memory.
func TestCopy(t *testing.T) {
	c, err := newCopy(binary(t, "witness"))
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(c.dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	im := &image{copy: c}
	started, err := start(im, []string{"witness"}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	end := started.talk(context.Background(), nil, Limits{}.orDefault())
	if !end.state.Success() || !strings.Contains(string(end.stdout), `"Env":[]`) {
		t.Errorf("%v: %s", end.state, end.stdout)
	}
	im.close()
	if _, err := os.Stat(c.dir); !errors.Is(err, os.ErrNotExist) {
		t.Error("the copy is still there")
	}
}

func TestImageIsSealed(t *testing.T) {
	im, err := newImage([]byte("#!/bin/sh\necho good\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer im.close()
	if _, err := im.memory.WriteAt([]byte("e"), 0); !errors.Is(err, syscall.EPERM) {
		t.Errorf("written: %v", err)
	}
	if err := im.memory.Truncate(0); !errors.Is(err, syscall.EPERM) {
		t.Errorf("truncated: %v", err)
	}
}

func TestMisbehavior(t *testing.T) {
	p := load(t, "rogue")
	for _, tt := range []struct {
		mode   string
		limits Limits
		reason string
	}{
		{"nothing", Limits{}, "no output"},
		{"blank", Limits{}, "no output"},
		{"fail", Limits{}, "exit status 3"},
		{"die", Limits{}, "signal: killed|exit status 2"},
		{"hang", Limits{Time: 100 * time.Millisecond}, "took longer than 100ms"},
		{"stubborn", Limits{Time: time.Second}, "took longer than 1s"},
		{"flood", Limits{Stdout: 1 << 20}, "printed more than 1 MiB"},
		{"grumble", Limits{}, "exit status 1"},
	} {
		t.Run(tt.mode, func(t *testing.T) {
			began := time.Now()
			out, err := p.Run(context.Background(), Invocation{Args: []string{tt.mode}, Limits: tt.limits})
			var failed *RunError
			if !errors.As(err, &failed) {
				t.Fatalf("%q, %v", out, err)
			}
			if failed.Tool != "rogue" || !contains(strings.Split(tt.reason, "|"), failed.Reason) {
				t.Errorf("%+v", failed)
			}
			if len(failed.Stderr) > DefaultStderr {
				t.Errorf("%d bytes of stderr", len(failed.Stderr))
			}
			if tt.mode == "grumble" && (len(failed.Stderr) != DefaultStderr || !strings.HasSuffix(failed.Stderr, "the last words\n")) {
				t.Errorf("%d bytes of stderr end in %q", len(failed.Stderr), failed.Stderr[max(0, len(failed.Stderr)-30):])
			}
			if tt.mode == "fail" && failed.Stderr != "no such mesh\x1b[31m\n" {
				t.Errorf("stderr %q", failed.Stderr)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func contains(all []string, s string) bool {
	for _, a := range all {
		if a == s {
			return true
		}
	}
	return false
}

func TestCancel(t *testing.T) {
	p := load(t, "rogue")
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(100*time.Millisecond, cancel)
	began := time.Now()
	if _, err := p.Run(ctx, Invocation{Args: []string{"hang"}}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := p.Run(ctx, Invocation{Args: []string{"fail"}}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if time.Since(began) > 5*time.Second {
		t.Error("not at once")
	}
}

// TestLeftBehind runs a program that ends while a process that it has started
// holds its output open, in its process group or in a session of its own.
func TestLeftBehind(t *testing.T) {
	p := load(t, "rogue")
	for _, mode := range []string{"fork", "daemon"} {
		for _, isolated := range isolation {
			t.Run(fmt.Sprint(mode, isolated), func(t *testing.T) {
				mark := fmt.Sprintf("mark-%s-%v-%d", mode, isolated, os.Getpid())
				im, err := newImage(p.data)
				if err != nil {
					t.Fatal(err)
				}
				defer im.close()
				c, err := launch(im, []string{"rogue", mode, mark}, t.TempDir(), isolated)
				if err != nil && isolated {
					t.Logf("this machine gives no namespaces: %v", err)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				end := c.talk(context.Background(), nil, Limits{}.orDefault())
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("took %s", took)
				}
				if string(end.stdout) != "done\n" || !end.state.Success() {
					t.Errorf("%v: %q", end.state, end.stdout)
				}
				escapes := mode == "daemon" && !isolated
				if end.held != escapes {
					t.Errorf("held: %v", end.held)
				}
				if why := end.why(context.Background(), Limits{}); (why != "") != escapes {
					t.Errorf("reason %q", why)
				}
				pid := find(mark)
				if (pid != 0) != escapes {
					t.Errorf("process %d is left", pid)
				}
				if pid != 0 {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			})
		}
	}
}

// find gives the process that has mark among its arguments, 0 if there is none.
func find(mark string) int {
	found, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range found {
		line, _ := os.ReadFile(file)
		if strings.Contains(string(line), mark) {
			var pid int
			fmt.Sscanf(file, "/proc/%d/", &pid)
			return pid
		}
	}
	return 0
}

func TestWorkdirIsRemoved(t *testing.T) {
	out, err := load(t, "rogue").Run(context.Background(), Invocation{Args: []string{"lock"}})
	if err != nil {
		t.Fatal(err)
	}
	if dir := strings.TrimSpace(string(out)); dir == "" || exists(dir) {
		t.Errorf("%q is still there", dir)
	}
}

func TestFilesStayInside(t *testing.T) {
	p := load(t, "witness")
	for _, name := range []string{"../x", "/etc/x", "a/../../x", ".", "", "a//b", "a\x00b"} {
		if _, err := p.Run(context.Background(), Invocation{Files: map[string][]byte{name: nil}}); err == nil {
			t.Errorf("%q was written", name)
		}
	}
	if _, err := p.Run(context.Background(), Invocation{Files: map[string][]byte{"a": nil, "a/b": nil}}); err == nil {
		t.Error("a file was taken for a directory")
	}
}

func TestNotAProgram(t *testing.T) {
	_, err := loadBytes(t, "text", []byte("just text")).Run(context.Background(), Invocation{})
	var failed *RunError
	if !errors.As(err, &failed) || failed.Reason != "exec format error" {
		t.Error(err)
	}
}
