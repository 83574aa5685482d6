//go:build unix

package source

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A fifo is never opened, not even one that took a file's place after the
// directory was listed.
func TestFifosAreNotOpened(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"fifo", "later"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	fifo := func(name string) {
		full := filepath.Join(dir, name)
		if err := os.Remove(full); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(full, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	fifo("fifo")
	socket, err := net.Listen("unix", filepath.Join(dir, "sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	work, err := OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	f := New(work)
	if _, err := f.Stat("later"); err != nil {
		t.Fatal(err)
	}
	fifo("later")
	done := make(chan error, 3)
	for name, text := range map[string]string{"fifo": "is a fifo", "sock": "is a fifo", "later": "cannot be read"} {
		go func() {
			_, err := f.ReadFile(name)
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v", name, err)
			}
			done <- err
		}()
	}
	for range 3 {
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			t.Fatal("a read hangs")
		}
	}
}

// A link that took a file's place after the directory was listed does not lead out.
func TestLinkSwappedIn(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "f")
	if err := os.WriteFile(name, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	work, err := OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	f := New(work)
	if _, err := f.Stat("f"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, name); err != nil {
		t.Fatal(err)
	}
	if data, err := f.ReadFile("f"); err == nil {
		t.Errorf("read %q", data)
	}
}
