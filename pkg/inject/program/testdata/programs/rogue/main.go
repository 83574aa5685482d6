// Command rogue misbehaves as its first argument says.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	line := strings.Repeat("x", 1023) + "\n"
	switch os.Args[1] {
	case "nothing":
	case "blank":
		fmt.Print(" \n\n")
	case "fail":
		fmt.Println("kind: Half")
		fmt.Fprint(os.Stderr, "no such mesh\x1b[31m\n")
		os.Exit(3)
	case "die":
		syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
		var nothing *int
		*nothing = 1
	case "hang":
		time.Sleep(time.Hour)
	case "slow":
		time.Sleep(time.Second)
		fmt.Println("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: slow}")
	case "stubborn":
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
		time.Sleep(time.Hour)
	case "flood":
		for {
			if _, err := os.Stdout.WriteString(line); err != nil {
				time.Sleep(time.Hour)
			}
		}
	case "grumble":
		for range 4096 {
			os.Stderr.WriteString(line)
		}
		os.Stderr.WriteString("the last words\n")
		os.Exit(1)
	case "fork", "daemon":
		attr := &syscall.SysProcAttr{Setsid: os.Args[1] == "daemon"}
		child := &exec.Cmd{Path: "/proc/self/exe", Args: []string{"rogue", "hang", os.Args[2]}, Stdout: os.Stdout, Stderr: os.Stderr, SysProcAttr: attr}
		if err := child.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println("done")
	case "lock":
		os.MkdirAll("a/b", 0o700)
		os.WriteFile("a/b/c", nil, 0o600)
		os.Chmod("a/b", 0)
		os.Chmod("a", 0)
		wd, _ := os.Getwd()
		fmt.Println(wd)
	}
}
