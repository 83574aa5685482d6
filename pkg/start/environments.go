package start

import (
	"cmp"
	"slices"
	"strings"
)

// ranks are names of environments that people use, by how late in a chain
// they come.
var ranks = map[string]int{
	"dev": 1, "develop": 1, "development": 1,
	"test": 2, "testing": 2, "qa": 2, "int": 2, "integration": 2,
	"staging": 3, "stage": 3, "stg": 3,
	"uat": 4, "acceptance": 4, "preprod": 4, "preproduction": 4,
	"prod": 5, "production": 5, "prd": 5, "live": 5,
}

// rank is the place of an environment in a chain; 0 if its name does not
// tell. rest is the name without the word that told: eu of production-eu.
func rank(name string) (n int, rest string) {
	words := strings.Split(name, "-")
	for i, w := range words {
		if n = ranks[w]; n > 0 {
			return n, strings.Join(slices.Delete(words, i, i+1), "-")
		}
	}
	return 0, name
}

// parents are directories whose children are environments, whatever their names.
var parents = map[string]bool{
	"overlays": true, "overlay": true, "environments": true, "envs": true, "env": true, "clusters": true, "stages": true,
}

// envElement gives the index of the element of a path that names an
// environment, or -1.
func envElement(p string) int {
	parts := strings.Split(p, "/")
	for i := 1; i < len(parts); i++ {
		if parents[parts[i-1]] && isLabel(parts[i]) {
			return i
		}
	}
	for i := len(parts) - 1; i >= 0; i-- {
		if n, _ := rank(parts[i]); n > 0 && isLabel(parts[i]) {
			return i
		}
	}
	return -1
}

// environmentOf gives the environment that a path names, or "".
func environmentOf(p string) string {
	if i := envElement(p); i >= 0 {
		return strings.Split(p, "/")[i]
	}
	return ""
}

func isLabel(s string) bool { return s == label(s) }

// chain orders environments: each is promoted from one of the rank before it,
// the one with the same rest of its name if there is one. Those whose names do
// not tell stand alone.
func chain(names []string) []Environment {
	sorted := slices.Clone(names)
	slices.SortFunc(sorted, func(a, b string) int {
		ra, _ := rank(a)
		rb, _ := rank(b)
		if (ra == 0) != (rb == 0) {
			return cmp.Compare(rb, ra) // those that tell come first
		}
		return cmp.Or(cmp.Compare(ra, rb), cmp.Compare(a, b))
	})
	var out []Environment
	for _, name := range sorted {
		e := Environment{Name: name}
		mine, rest := rank(name)
		best := 0
		for _, before := range out {
			its, other := rank(before.Name)
			if its == 0 || its >= mine {
				continue
			}
			// A later rank wins; within one, the first, or the one of the same rest.
			if its > best || its == best && other == rest {
				best, e.From = its, before.Name
			}
		}
		out = append(out, e)
	}
	return out
}
