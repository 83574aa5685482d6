package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// watch follows how much memory a process and all that it started have at one
// time, until the function that it gives is called.
func watch(pid int) (peak func() int64) {
	stop, done := make(chan struct{}), make(chan int64)
	go func() {
		most := int64(0)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				done <- most
				return
			case <-tick.C:
				most = max(most, resident(pid))
			}
		}
	}()
	return func() int64 {
		close(stop)
		return <-done
	}
}

// resident is the memory of a process and of all below it. What they share,
// the program itself, counts once.
func resident(pid int) int64 {
	dir := fmt.Sprintf("/proc/%d/", pid)
	total := int64(0)
	if status, err := os.ReadFile(dir + "smaps_rollup"); err == nil {
		_, rest, _ := bytes.Cut(status, []byte("\nPss:"))
		if fields := strings.Fields(string(rest)); len(fields) > 0 {
			kib, _ := strconv.ParseInt(fields[0], 10, 64)
			total = kib << 10
		}
	}
	lists, _ := filepath.Glob(dir + "task/*/children")
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for _, child := range strings.Fields(string(text)) {
			if id, err := strconv.Atoi(child); err == nil {
				total += resident(id)
			}
		}
	}
	return total
}
