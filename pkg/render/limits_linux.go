package render

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// overCPU is what a worker that used up its time says before it ends.
const overCPU = "worker: out of CPU time"

// limitProcess has the kernel hold the worker to what a build needs: memory,
// a few descriptors, no files and no core dumps. Limits that the system does
// not grant are done without: the program watches time and output itself.
func limitProcess(memory int64) {
	for which, n := range map[int]uint64{
		syscall.RLIMIT_DATA:   uint64(memory),
		syscall.RLIMIT_NOFILE: 32,
		syscall.RLIMIT_FSIZE:  0,
		syscall.RLIMIT_CORE:   0,
	} {
		_ = syscall.Setrlimit(which, &syscall.Rlimit{Cur: n, Max: n})
	}
	exceeded := make(chan os.Signal, 1)
	signal.Notify(exceeded, syscall.SIGXCPU)
	go func() {
		<-exceeded
		_, _ = os.Stderr.WriteString(overCPU + "\n")
		_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
	}()
}

// limitCPU gives the process more than what it has used so far, in whole seconds.
func limitCPU(more time.Duration) {
	var used syscall.Rusage
	var limit syscall.Rlimit
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil || syscall.Getrlimit(syscall.RLIMIT_CPU, &limit) != nil {
		return
	}
	total := time.Duration(used.Utime.Nano()+used.Stime.Nano()) + more
	limit.Cur = min(uint64(total/time.Second)+1, limit.Max)
	_ = syscall.Setrlimit(syscall.RLIMIT_CPU, &limit)
}
