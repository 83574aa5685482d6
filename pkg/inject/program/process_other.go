//go:build !unix

package program

import "os/exec"

var isolation = [...]bool{false}

func confine(*exec.Cmd, bool) {}

func restrain(int) {}

func hideInherited() {}

func waitUnreaped(int) bool { return false }

// killGroup kills the program alone: what it has started is told from other
// processes on Unix only.
func killGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
