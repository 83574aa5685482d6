// Command witness prints what it sees of the world.
package main

import (
	"encoding/json"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

type report struct {
	Stdin string
	Args  []string
	Env   []string
	Dir   string
	Mode  string
	Files map[string]string // path: mode and content
	FDs   map[string]string
	Core  uint64
	Open  uint64
	Size  uint64
	Addrs int
}

func main() {
	var r report
	input, _ := io.ReadAll(os.Stdin)
	r.Stdin, r.Args, r.Env = string(input), os.Args, os.Environ()
	r.Dir, _ = os.Getwd()
	if info, err := os.Stat("."); err == nil {
		r.Mode = info.Mode().String()
	}
	r.Files = map[string]string{}
	filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			info, _ := d.Info()
			data, _ := os.ReadFile(path)
			r.Files[filepath.ToSlash(path)] = info.Mode().String() + " " + string(data)
		}
		return nil
	})
	r.FDs = map[string]string{}
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		// The descriptor of the listing itself is closed by now, and this
		// program's own poller is not inherited.
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil {
			r.FDs[e.Name()] = to
		}
	}
	var limit syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_CORE, &limit)
	r.Core = limit.Max
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	r.Open = limit.Max
	syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit)
	r.Size = limit.Max
	interfaces, _ := net.InterfaceAddrs()
	r.Addrs = len(interfaces)
	json.NewEncoder(os.Stdout).Encode(r)
}
