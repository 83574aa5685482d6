//go:build unix && !linux

package program

import (
	"os/exec"
	"syscall"
)

var isolation = [...]bool{false}

func confine(cmd *exec.Cmd, _ bool) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func restrain(int) {}

// hideInherited keeps from the program the descriptors that this process was
// itself started with. Go's own are hidden already.
func hideInherited() {
	for fd := 3; fd < 1024; fd++ {
		syscall.CloseOnExec(fd)
	}
}

func waitUnreaped(int) bool { return false }

func killGroup(cmd *exec.Cmd) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	_ = cmd.Process.Kill()
}
