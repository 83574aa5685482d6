package cli

import (
	"fmt"
	"path"
	"strings"

	"github.com/sluice-dev/sluice/pkg/inject"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// skew is two versions of one injector that live together in an environment.
type skew struct {
	Injector string        `json:"injector"`
	Versions [2]string     `json:"versions"`
	Known    bool          `json:"known"` // whether it is known how they go together
	Notes    []releaseNote `json:"notes"`
}

// skewOf gives the pairs of versions among an environment's pins.
func skewOf(pins []pin) []skew {
	var all []inject.Pin
	for _, p := range pins {
		all = append(all, inject.Pin(p))
	}
	found := []skew{}
	for _, s := range inject.Skews(all) {
		found = append(found, skew{s.Injector, s.Versions, s.Known, releaseNotes(s.Notes)})
	}
	return found
}

// lines says it to people.
func (s skew) lines(environment string) []string {
	out := []string{fmt.Sprintf("%s holds %s %s and %s:", environment, s.Injector, s.Versions[0], s.Versions[1])}
	if !s.Known {
		return []string{out[0] + " how they go together is not known here"}
	}
	for _, n := range s.Notes {
		word := ""
		if n.Breaks {
			word = "breaks: "
		}
		out = append(out, fmt.Sprintf("  %s%s beside %s: %s", word, n.From, n.To, n.Text))
	}
	if len(s.Notes) == 0 {
		out[0] += " nothing that they notice of each other changed between them"
	}
	return out
}

// printSkew prints what there is to say about the environments below a table.
func (c *command) printSkew(environment string, skews []skew) {
	for _, s := range skews {
		for i, line := range s.lines(environment) {
			if i == 0 {
				line = c.paint(c.Out, yellow, "skew:") + " " + escape(line)
			} else {
				line = escape(line)
			}
			fmt.Fprintln(c.Out, line)
		}
	}
}

// workload is an object with proxies.
type workload struct {
	App       string `json:"app,omitempty"`
	File      string `json:"file"` // on the branch
	Namespace string `json:"namespace,omitempty"`
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	Injected  []pin  `json:"injected"`
}

// workloads gives the objects with proxies that the records of an environment name.
func workloads(dir string, records []tree.AppRecord) []workload {
	found := []workload{}
	for _, r := range records {
		for _, o := range r.Objects {
			if len(o.Injected) == 0 {
				continue
			}
			w := workload{App: r.App, File: path.Join(dir, r.App, o.File), Namespace: o.Namespace, Kind: o.Kind, Name: o.Name}
			for _, p := range o.Injected {
				w.Injected = append(w.Injected, pin(p))
			}
			found = append(found, w)
		}
	}
	return found
}

// pinNames shows pins in one cell.
func pinNames(pins []pin) string {
	var names []string
	for _, p := range pins {
		names = append(names, p.Injector+" "+p.Version)
	}
	return strings.Join(names, ", ")
}
