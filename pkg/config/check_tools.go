package config

import (
	"fmt"
	"path"
	"strings"
)

// tools checks that programs have names of their own. Whether the pins are
// exact and complete is checked by what runs them: `sluice pin` has to read a
// config that is not yet.
func (k *checker) tools() {
	names := map[string]int{}
	for i, t := range k.Tools {
		at := index("tools", i)
		switch first, double := names[t.Name]; {
		case t.Name == "":
			k.add(at, "a tool without a name", "add name:")
		case double:
			k.add(at+".name", fmt.Sprintf("tool %q is already there in line %d", t.Name, k.Line(index("tools", first)+".name")), "names are unique")
		default:
			names[t.Name] = i
		}
	}
}

// run checks what a run of a program names.
func (k *checker) run(at, tool string, files []string) {
	var known []string
	for _, t := range k.Tools {
		known = append(known, t.Name)
	}
	if _, _, ok := k.Tool(tool); !ok {
		hint := "pin it: add it under tools:, or run sluice pin tool"
		if len(known) > 0 {
			hint = suggest(tool, known)
		}
		k.add(at+".tool", fmt.Sprintf("tool %q is not pinned under tools", tool), hint)
	}
	for i, f := range files {
		here := index(at+".files", i)
		if k.path(here, f) && strings.HasPrefix(path.Clean(f)+"/", "../") {
			k.add(here, fmt.Sprintf("path %q lies above this file: it could not be put into a working directory", f), "keep the file beside or below this one")
		}
	}
}

// programs checks the programs that inject for the app at config path at.
func (k *checker) programs(at string, list []Inject) {
	for i, in := range list {
		here := index(join(at, "inject"), i)
		k.run(here, in.Tool, in.Files)
		if len(in.Paths) == 0 {
			k.add(here, "an injector that selects nothing", "list files or directories under paths:")
		}
		for j, p := range in.Paths {
			k.path(index(here+".paths", j), p)
		}
	}
}

func (k *checker) skew() {
	if k.MaxSkew == nil {
		return
	}
	for i, pair := range k.MaxSkew.Pairs {
		if len(pair) != 2 {
			k.add(index("maxSkew", i), "maxSkew takes pairs of versions", "maxSkew: [[v0.3.0, v0.3.1]]")
		}
	}
}
