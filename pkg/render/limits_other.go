//go:build !linux

package render

import "time"

// overCPU is what a worker that used up its time says before it ends.
const overCPU = "worker: out of CPU time"

// Without these limits the program still watches time and output, and Go's
// own memory limit keeps the worker from growing without need.
func limitProcess(int64) {}

func limitCPU(time.Duration) {}
