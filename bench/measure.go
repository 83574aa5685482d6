package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type bench struct {
	ctx       context.Context
	dir       string
	rounds    int
	loops     int // rounds in which the loop runs, too
	seed      uint64
	sluice    string
	kustomize string

	results map[string]map[string]result // by size and step
}

// result is the medians of one step; theirs is zero if it has no loop.
type result struct{ ours, theirs cost }

// cost is what a piece of work took.
type cost struct {
	wall, cpu time.Duration
	memory    int64 // bytes; the process and those that it started, at one time
}

func (c *cost) add(o cost) {
	c.wall += o.wall
	c.cpu += o.cpu
	c.memory = max(c.memory, o.memory)
}

// exec runs a program and gives its cost, that of the processes it waited for
// included.
func (b *bench) exec(dir string, stdout *bytes.Buffer, name string, args ...string) (cost, error) {
	cmd := exec.CommandContext(b.ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull,
		// No repacking behind the back of what is measured.
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=maintenance.auto", "GIT_CONFIG_VALUE_0=false")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if stdout != nil {
		cmd.Stdout = stdout
	}
	start := time.Now()
	err := cmd.Start()
	var peak func() int64
	if err == nil {
		peak = watch(cmd.Process.Pid)
		err = cmd.Wait()
	}
	c := cost{wall: time.Since(start)}
	if cmd.ProcessState != nil {
		c.memory = peak()
		c.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && c.memory == 0 {
			c.memory = int64(usage.Maxrss) << 10 // it was too short to be watched
		}
	}
	if err != nil {
		return c, fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return c, nil
}

// count is how many objects a size gives: single-500 is a single kustomization
// of 500 resources.
func count(name string) int {
	for _, s := range sizes {
		if s.name == name {
			return s.apps * s.objects * s.environments
		}
	}
	kind, number, _ := strings.Cut(name, "-")
	if n, err := strconv.Atoi(number); err == nil {
		return n
	}
	return map[string]int{"single": 5000, "plain": 100_000}[kind]
}

func (b *bench) generate(name, dir string) error {
	switch n := count(name); {
	case strings.HasPrefix(name, "single"):
		return single(dir, n, b.seed)
	case strings.HasPrefix(name, "plain"):
		return plain(dir, n, b.seed)
	}
	for _, s := range sizes {
		if s.name == name {
			return generate(dir, s, b.seed)
		}
	}
	return fmt.Errorf("no size is named %q", name)
}

// fresh makes a repository of a size with one commit.
func (b *bench) fresh(name, dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := b.generate(name, dir); err != nil {
		return err
	}
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"commit", "-q", "-m", "source"}} {
		if _, err := b.exec(dir, nil, "git", args...); err != nil {
			return err
		}
	}
	return nil
}

// step is one measurement of a size.
type step struct {
	name         string
	sluice, loop func(dir string) (cost, error)
	before       func(dir string) error // not measured
	times        int                    // how often in each round; 0 is once
	theirName    string                 // of what it is held against; empty: loop
}

func (b *bench) measure(name string) error {
	dir := filepath.Join(b.dir, name)
	steps := b.steps(name)
	ours, theirs := make([][]cost, len(steps)), make([][]cost, len(steps))
	for round := range b.rounds {
		if err := b.fresh(name, dir); err != nil {
			return err
		}
		for i, s := range steps {
			if s.before != nil {
				if err := s.before(dir); err != nil {
					return err
				}
			}
			for range max(1, s.times) {
				c, err := s.sluice(dir)
				if err != nil {
					return err
				}
				ours[i] = append(ours[i], c)
				if s.loop == nil || s.times == 0 && round >= b.loops {
					continue
				}
				if c, err = s.loop(dir); err != nil {
					return err
				}
				theirs[i] = append(theirs[i], c)
			}
		}
	}
	fmt.Printf("%s, medians of %d rounds (seed %d)\n", name, b.rounds, b.seed)
	for i, s := range steps {
		a := median(ours[i])
		r := result{ours: a}
		fmt.Printf("  %-34s sluice %8s wall %8s CPU %5d MiB", s.name, show(a.wall), show(a.cpu), a.memory>>20)
		if i == 0 {
			fmt.Printf("  %4.0f µs CPU an object", float64(a.cpu.Microseconds())/float64(count(name)))
		}
		if len(theirs[i]) > 0 {
			o := median(theirs[i])
			r.theirs = o
			fmt.Printf("   %s %8s wall %8s CPU   %5.1f times less wall, %5.1f times less CPU", cmp.Or(s.theirName, "loop"), show(o.wall), show(o.cpu),
				float64(o.wall)/float64(a.wall), float64(o.cpu)/float64(a.cpu))
		}
		fmt.Println()
		if b.results[name] == nil {
			b.results[name] = map[string]result{}
		}
		b.results[name][s.name] = r
	}
	return os.RemoveAll(dir)
}

func show(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.0f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

// median gives the medians of wall and CPU time, and the largest memory.
func median(all []cost) cost {
	pick := func(of func(cost) time.Duration) time.Duration {
		var values []time.Duration
		for _, c := range all {
			values = append(values, of(c))
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	m := cost{wall: pick(func(c cost) time.Duration { return c.wall }), cpu: pick(func(c cost) time.Duration { return c.cpu })}
	for _, c := range all {
		m.memory = max(m.memory, c.memory)
	}
	return m
}

// steps gives what is measured of a size, in order: each goes on from the
// state that the one before left.
func (b *bench) steps(name string) []step {
	commit := func(dir string) (cost, error) { return b.exec(dir, nil, b.sluice, "commit") }
	first := step{name: cold, sluice: commit}
	same := step{name: unchanged, sluice: commit, times: 5}
	var s size
	for _, known := range sizes {
		if known.name == name {
			s = known
		}
	}
	if s.apps == 0 {
		if strings.HasPrefix(name, "single") && count(name) <= 1000 { // it is quadratic
			first.theirName = "kustomize build"
			first.loop = func(dir string) (cost, error) { return b.exec(dir, nil, b.kustomize, "build", "all") }
		}
		return []step{first, same}
	}
	first.loop = func(dir string) (cost, error) { return b.loop(dir, s, 0, s.apps) }
	one := step{
		name: oneChanged, sluice: commit, theirName: "builds",
		before: func(dir string) error {
			file := filepath.Join(dir, "apps/app-0003/base/object-1.yaml")
			text, err := os.ReadFile(file)
			if err == nil {
				err = os.WriteFile(file, append(text, "  added: \"yes\"\n"...), 0o666)
			}
			if err == nil {
				_, err = b.exec(dir, nil, "git", "commit", "-qam", "one app")
			}
			return err
		},
		loop: func(dir string) (cost, error) { return b.builds(dir, s, 3, 4, nil) },
	}
	small := step{
		name: smallRender, times: 5, theirName: "kustomize build",
		sluice: func(dir string) (cost, error) { return b.exec(filepath.Join(dir, "one"), nil, b.sluice, "render") },
		loop: func(dir string) (cost, error) {
			return b.exec(dir, nil, b.kustomize, "build", "apps/app-0003/overlays/dev")
		},
		before: func(dir string) error { return b.oneOverlay(dir) },
	}
	start := step{name: version, times: 5, sluice: func(dir string) (cost, error) { return b.exec(dir, nil, b.sluice, "version") }}
	return []step{first, same, one, small, start}
}

// oneOverlay puts a repository with a single overlay beside the others.
func (b *bench) oneOverlay(dir string) error {
	one := filepath.Join(dir, "one")
	if err := os.CopyFS(filepath.Join(one, "apps/app-0003"), os.DirFS(filepath.Join(dir, "apps/app-0003"))); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(one, "sluice.yaml"), []byte("kubectlApply: [apps/app-0003/overlays/dev]\n"), 0o666); err != nil {
		return err
	}
	_, err := b.exec(one, nil, "git", "init", "-q")
	return err
}

// loop does what people do today: builds every overlay, splits it into a file
// an object in a checkout of the branch, adds and commits.
func (b *bench) loop(dir string, s size, from, to int) (cost, error) {
	out := dir + "-loop"
	if err := os.RemoveAll(out); err != nil {
		return cost{}, err
	}
	if _, err := b.exec(b.dir, nil, "git", "init", "-q", out); err != nil {
		return cost{}, err
	}
	total, err := b.builds(dir, s, from, to, func(env, app string, stream []byte) error { return split(filepath.Join(out, env, app), stream) })
	if err != nil {
		return total, err
	}
	for _, args := range [][]string{{"add", "-A"}, {"commit", "-q", "-m", "hydrated"}} {
		c, err := b.exec(out, nil, "git", args...)
		if err != nil {
			return total, err
		}
		total.add(c)
	}
	return total, os.RemoveAll(out)
}

// builds runs `kustomize build` once per overlay.
func (b *bench) builds(dir string, s size, from, to int, each func(env, app string, stream []byte) error) (cost, error) {
	var total cost
	for _, env := range s.envs() {
		for i := from; i < to; i++ {
			app := fmt.Sprintf("app-%04d", i)
			var stream bytes.Buffer
			c, err := b.exec(dir, &stream, b.kustomize, "build", "apps/"+app+"/overlays/"+env)
			if err != nil {
				return total, err
			}
			total.add(c)
			if each == nil {
				continue
			}
			start := time.Now()
			if err := each(env, app, stream.Bytes()); err != nil {
				return total, err
			}
			total.add(cost{wall: time.Since(start), cpu: time.Since(start)})
		}
	}
	return total, nil
}

var identity = regexp.MustCompile(`(?m)^kind: (\S+)$|^  name: (\S+)$`)

// split writes each document of a stream into a file of its own.
func split(dir string, stream []byte) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for i, doc := range bytes.Split(stream, []byte("\n---\n")) {
		name := fmt.Sprint(i)
		for _, m := range identity.FindAllSubmatch(doc, 2) {
			name += "-" + string(m[1]) + string(m[2])
		}
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), doc, 0o666); err != nil {
			return err
		}
	}
	return nil
}
