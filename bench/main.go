// Command bench measures sluice beside what people do today, in one go: the
// loop of `kustomize build`, split, `git add`, `git commit`. Machines are
// noisy, so what counts are the ratios of one run.
//
//	go run ./bench -sizes M,L,single-500,single,plain-10000,plain -rounds 3 -loop-rounds 1
//
// The last lines say which of the targets in docs/performance.md are reached.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	chosen := flag.String("sizes", "S,M", "`SIZES` of config repositories: S, M, L, single, plain, single-500, plain-10000")
	rounds := flag.Int("rounds", 3, "how often each is measured; the median counts")
	loops := flag.Int("loop-rounds", 1<<20, "in how many of the rounds the loop is measured, too")
	seed := flag.Uint64("seed", 1, "of the generated repositories")
	sluice := flag.String("sluice", "", "a built sluice (default: builds this module's)")
	kustomize := flag.String("kustomize", "", "a built kustomize (default: builds the version of the library)")
	dir := flag.String("dir", "", "work below this directory (default: a new one, removed at the end)")
	keep := flag.Bool("generate", false, "only write the repositories into -dir")
	flag.Parse()
	if *dir == "" {
		made, err := os.MkdirTemp("", "sluice-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(made)
		*dir = made
	}
	b := &bench{ctx: ctx, dir: *dir, rounds: *rounds, loops: *loops, results: map[string]map[string]result{}, seed: *seed, sluice: *sluice, kustomize: *kustomize}
	if *keep {
		for _, name := range strings.Split(*chosen, ",") {
			if err := b.generate(name, filepath.Join(*dir, name)); err != nil {
				return err
			}
		}
		return nil
	}
	if err := b.build(); err != nil {
		return err
	}
	for _, name := range strings.Split(*chosen, ",") {
		if err := b.measure(name); err != nil {
			return fmt.Errorf("measuring %s: %w", name, err)
		}
	}
	b.targets()
	return nil
}

// kustomizeVersion is the command's version that is built from the library's.
const kustomizeVersion = "v5.8.2"

// build makes the binaries that are not given.
func (b *bench) build() error {
	bin := filepath.Join(b.dir, "bin")
	if b.sluice == "" {
		b.sluice = filepath.Join(bin, "sluice")
		if out, err := exec.CommandContext(b.ctx, "go", "build", "-o", b.sluice, "github.com/sluice-dev/sluice/cmd/sluice").CombinedOutput(); err != nil {
			return fmt.Errorf("building sluice: %w\n%s", err, out)
		}
	}
	if b.kustomize == "" {
		b.kustomize = filepath.Join(bin, "kustomize")
		install := exec.CommandContext(b.ctx, "go", "install", "sigs.k8s.io/kustomize/kustomize/v5@"+kustomizeVersion)
		install.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=-mod=mod")
		if out, err := install.CombinedOutput(); err != nil {
			return fmt.Errorf("building kustomize: %w\n%s", err, out)
		}
	}
	return nil
}
