//go:build crash && linux && amd64

package crash

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A tracer of our own, because strace counts calls for each thread apart: the
// n-th call of a Go program, whose goroutines wander between threads, is
// nothing that its when=N can name. Here a call is counted by its place among
// those of the whole process.

// calls are the system calls that touch the file system, and which argument
// says where: at least a descriptor, or a directory's descriptor and a path.
var calls = map[uint64]call{
	unix.SYS_READ: {name: "read"}, unix.SYS_PREAD64: {name: "pread64"}, unix.SYS_FSTAT: {name: "fstat"},
	unix.SYS_GETDENTS64: {name: "getdents64"}, unix.SYS_CLOSE: {name: "close"}, unix.SYS_FCNTL: {name: "fcntl"},
	unix.SYS_NEWFSTATAT: {name: "newfstatat", path: true}, unix.SYS_READLINKAT: {name: "readlinkat", path: true},
	unix.SYS_FACCESSAT: {name: "faccessat", path: true}, unix.SYS_FACCESSAT2: {name: "faccessat2", path: true},
	unix.SYS_STATX: {name: "statx", path: true}, unix.SYS_OPENAT: {name: "openat", path: true},
	unix.SYS_FLOCK: {name: "flock", changes: true},
	unix.SYS_WRITE: {name: "write", changes: true}, unix.SYS_PWRITE64: {name: "pwrite64", changes: true},
	unix.SYS_FSYNC: {name: "fsync", changes: true}, unix.SYS_FDATASYNC: {name: "fdatasync", changes: true},
	unix.SYS_FTRUNCATE: {name: "ftruncate", changes: true}, unix.SYS_FCHMOD: {name: "fchmod", changes: true},
	unix.SYS_FCHMODAT: {name: "fchmodat", path: true, changes: true},
	unix.SYS_MKDIRAT:  {name: "mkdirat", path: true, changes: true}, unix.SYS_UNLINKAT: {name: "unlinkat", path: true, changes: true},
	unix.SYS_LINKAT: {name: "linkat", path: true, second: true, changes: true}, unix.SYS_SYMLINKAT: {name: "symlinkat", changes: true},
	unix.SYS_RENAMEAT:  {name: "renameat", path: true, second: true, changes: true},
	unix.SYS_RENAMEAT2: {name: "renameat2", path: true, second: true, changes: true},
	unix.SYS_UTIMENSAT: {name: "utimensat", path: true, changes: true}, unix.SYS_TRUNCATE: {name: "truncate", changes: true},
	unix.SYS_COPY_FILE_RANGE: {name: "copy_file_range", changes: true}, unix.SYS_SENDFILE: {name: "sendfile", changes: true},
}

type call struct {
	name    string
	path    bool // first argument: a directory's descriptor, second: a path; otherwise a descriptor
	second  bool // third and fourth argument: the same once more
	changes bool
}

// plan says what is to happen to a run: at its n-th call below dir (of those
// that change something, if only), the whole process is killed, or the call
// fails with an error instead of being made.
type plan struct {
	dir    string
	n      int // 0: nothing happens
	only   bool
	errno  syscall.Errno // 0: kill
	sticky bool          // the calls after it fail too
}

// event is one call as it was made.
type event struct {
	name, path, to string
	result         int64
	changes        bool
	failed         bool // by the tracer
}

func (e event) String() string {
	s := e.name + " " + e.path
	if e.to != "" {
		s += " -> " + e.to
	}
	if e.result < 0 {
		s += ": " + syscall.Errno(-e.result).Error()
	}
	return s
}

// tracerArg makes TestMain the tracer of one run.
const tracerArg = "crash-tracer"

// tracerMain runs a program under a plan, writes its calls to a file and ends
// as it did.
func tracerMain(args []string) int {
	p := plan{dir: args[1]}
	p.n, _ = strconv.Atoi(args[2])
	p.only = args[3] == "true"
	errno, _ := strconv.Atoi(args[4])
	p.errno = syscall.Errno(errno)
	p.sticky = args[5] == "true"
	events, code, err := run(p, args[6:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "tracer:", err)
		return 99
	}
	var b bytes.Buffer
	for _, e := range events {
		fmt.Fprintf(&b, "%s\t%s\t%s\t%d\t%t\t%t\n", e.name, e.path, e.to, e.result, e.changes, e.failed)
	}
	if err := os.WriteFile(args[0], b.Bytes(), 0o666); err != nil {
		fmt.Fprintln(os.Stderr, "tracer:", err)
		return 99
	}
	return code
}

// readEvents reads what tracerMain wrote.
func readEvents(file string) ([]event, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var events []event
	for line := range strings.Lines(string(data)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 6 {
			return nil, fmt.Errorf("reading %q: a line is %q", file, line)
		}
		result, err := strconv.ParseInt(f[3], 10, 64)
		if err != nil {
			return nil, err
		}
		events = append(events, event{name: f[0], path: f[1], to: f[2], result: result, changes: f[4] == "true", failed: f[5] == "true"})
	}
	return events, nil
}

// tracee is one thread.
type tracee struct {
	inside  bool // between entry and exit of a call
	pending *event
	errno   syscall.Errno // the call is not made and gives this
}

// run traces all threads of a program. Children of it run free. It gives the
// calls below p.dir and the exit status, 137 after a kill.
func run(p plan, argv []string) ([]event, int, error) {
	runtime.LockOSThread()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		return nil, 0, err
	}
	pid := cmd.Process.Pid
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &ws, 0, nil); err != nil {
		return nil, 0, err
	}
	const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_EXITKILL
	if err := syscall.PtraceSetOptions(pid, options); err != nil {
		return nil, 0, err
	}
	if err := syscall.PtraceSyscall(pid, 0); err != nil {
		return nil, 0, err
	}
	r := &runner{plan: p, pid: pid, threads: map[int]*tracee{pid: {}}}
	for {
		tid, err := syscall.Wait4(-1, &ws, unix.WALL, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		switch {
		case (ws.Exited() || ws.Signaled()) && tid == pid:
			if ws.Signaled() {
				return r.events, 128 + int(ws.Signal()), nil
			}
			return r.events, ws.ExitStatus(), nil
		case ws.Exited() || ws.Signaled():
			delete(r.threads, tid)
		case ws.Stopped():
			// The thread may be gone by now, killed with the others.
			if err := r.stopped(tid, ws); err != nil && !errors.Is(err, syscall.ESRCH) {
				return nil, 0, err
			}
		}
	}
}

type runner struct {
	plan
	pid     int
	threads map[int]*tracee
	events  []event
	count   int
}

func (r *runner) stopped(tid int, ws syscall.WaitStatus) error {
	t := r.threads[tid]
	if t == nil {
		t = &tracee{}
		r.threads[tid] = t
		if ws.StopSignal() == syscall.SIGSTOP { // a new thread begins so
			return syscall.PtraceSyscall(tid, 0)
		}
	}
	switch sig := ws.StopSignal(); {
	case sig == syscall.SIGTRAP|0x80:
		var err error
		if t.inside = !t.inside; t.inside {
			err = r.enter(tid, t)
		} else {
			err = r.leave(tid, t)
		}
		return errors.Join(err, syscall.PtraceSyscall(tid, 0))
	case sig == syscall.SIGTRAP, sig == syscall.SIGSTOP:
		return syscall.PtraceSyscall(tid, 0)
	default:
		return syscall.PtraceSyscall(tid, int(sig))
	}
}

func (r *runner) enter(tid int, t *tracee) error {
	var regs syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(tid, &regs); err != nil {
		return err
	}
	c, ok := calls[regs.Orig_rax]
	if !ok {
		return nil
	}
	e := event{name: c.name, changes: c.changes}
	if c.path {
		e.path = r.at(tid, regs.Rdi, uint64(regs.Rsi))
	} else {
		e.path = r.descriptor(regs.Rdi)
	}
	if c.second {
		e.to = r.at(tid, regs.Rdx, uint64(regs.R10))
	}
	if c.name == "openat" && regs.Rdx&(unix.O_CREAT|unix.O_TRUNC) != 0 {
		e.name, e.changes = "create", true
	}
	if !strings.HasPrefix(e.path, r.dir+"/") && e.path != r.dir || r.only && !e.changes {
		return nil
	}
	t.pending = &e
	r.count++
	if r.n == 0 || r.count < r.n || r.count > r.n && !r.sticky {
		return nil
	}
	if r.errno == 0 {
		return syscall.Kill(r.pid, syscall.SIGKILL)
	}
	t.errno, e.failed = r.errno, true
	regs.Orig_rax = ^uint64(0)
	return syscall.PtraceSetRegs(tid, &regs)
}

func (r *runner) leave(tid int, t *tracee) error {
	e, errno := t.pending, t.errno
	t.pending, t.errno = nil, 0
	if e == nil {
		return nil
	}
	var regs syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(tid, &regs); err != nil {
		return err
	}
	if errno != 0 {
		regs.Rax = uint64(-int64(errno))
		if err := syscall.PtraceSetRegs(tid, &regs); err != nil {
			return err
		}
	}
	e.result = int64(regs.Rax)
	r.events = append(r.events, *e)
	return nil
}

func (r *runner) descriptor(fd uint64) string {
	path, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", r.pid, int32(fd)))
	return path
}

func (r *runner) at(tid int, dirfd, address uint64) string {
	path := r.text(tid, address)
	if filepath.IsAbs(path) {
		return path
	}
	dir := r.descriptor(dirfd)
	if int32(dirfd) == unix.AT_FDCWD {
		dir, _ = os.Readlink(fmt.Sprintf("/proc/%d/cwd", r.pid))
	}
	return filepath.Join(dir, path)
}

// text reads a string of the traced program.
func (r *runner) text(tid int, address uint64) string {
	f, err := os.Open(fmt.Sprintf("/proc/%d/mem", tid))
	if err != nil {
		return ""
	}
	defer f.Close()
	b := make([]byte, 4096)
	n, err := f.ReadAt(b, int64(address))
	if err != nil && !errors.Is(err, io.EOF) && n == 0 {
		n, _ = f.ReadAt(b[:4096-address%4096], int64(address)) // up to the end of the page
	}
	text, _, _ := bytes.Cut(b[:n], []byte{0})
	return string(text)
}
