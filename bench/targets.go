package main

import (
	"fmt"
	"time"
)

// The names of steps.
const (
	cold        = "commit, cold"
	unchanged   = "commit, nothing changed"
	oneChanged  = "commit, one app changed"
	smallRender = "render of one small overlay"
	version     = "version"
)

// targets prints how what was measured stands against what is aimed at. What
// was not measured is left out.
func (b *bench) targets() {
	fmt.Println("targets")
	line := func(what string, have, most float64, unit string) {
		word := "reached"
		if have > most {
			word = "not reached"
		}
		fmt.Printf("  %-58s %7.2f of at most %6.2f %-4s %s\n", what, have, most, unit, word)
	}
	for _, size := range []string{"M", "L"} {
		if r := b.results[size][cold]; r.theirs.cpu > 0 {
			line(size+" cold, CPU as part of the loop's", 100*ratio(r.ours.cpu, r.theirs.cpu), 10, "%")
			line(size+" cold, wall time as part of the loop's", 100*ratio(r.ours.wall, r.theirs.wall), 100.0/12, "%")
		}
	}
	l, measured := b.results["L"]
	if measured {
		line("L, nothing changed, wall time", ms(l[unchanged].ours.wall), 50, "ms")
		line("L, one app changed, CPU", ms(l[oneChanged].ours.cpu), 250, "ms")
		line("L, one app changed, CPU as part of its builds alone", 100*ratio(l[oneChanged].ours.cpu, l[oneChanged].theirs.cpu), 100, "%")
		line("L cold, memory", float64(l[cold].ours.memory)/1e6, 300, "MB")
	}
	b.perObject(line, "M", "L", 1.1)
	b.perObject(line, "plain-10000", "plain", 1.15)
	if r, ok := b.results["plain"]; ok {
		line("plain, memory", float64(r[cold].ours.memory)/1e6, 400, "MB")
	}
	b.perObject(line, "single-500", "single", 2)
	for _, size := range []string{"M", "L"} {
		if r, ok := b.results[size]; ok {
			line(size+", version, CPU", ms(r[version].ours.cpu), 10, "ms")
			line(size+", render of one overlay, CPU as part of kustomize build's", 100*ratio(r[smallRender].ours.cpu, r[smallRender].theirs.cpu), 100, "%")
		}
	}
}

// perObject holds what an object costs in a large size against a small one.
func (b *bench) perObject(line func(string, float64, float64, string), small, large string, most float64) {
	s, l := b.results[small][cold].ours.cpu, b.results[large][cold].ours.cpu
	if s > 0 && l > 0 {
		line(large+", CPU of an object as multiple of "+small+"'s", ratio(l, s)*float64(count(small))/float64(count(large)), most, "")
	}
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
