// Sluice renders Kubernetes config repositories, injects the service-mesh
// proxy that they pin, and commits the result to environment branches.
package main

import (
	"context"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/sluice-dev/sluice/pkg/cli"
)

// version is set by the release build.
var version string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, cli.Program{
		Args: os.Args, In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Getenv, Environ: os.Environ(),
		Now: time.Now, Random: rand.Float64, Version: version,
	})
	stop()
	os.Exit(code)
}
