package inject

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/inject/conduit"
)

// Skew is two versions of one injector in one environment.
type Skew struct {
	Injector string
	Versions [2]string
	Known    bool           // whether it is known how they go together
	Notes    []conduit.Note // what is to be known about that, oldest step first
}

// Pin is an injector with its version.
type Pin struct{ Injector, Version string }

// Skews gives the pairs of versions among the pins.
func Skews(pins []Pin) []Skew {
	var found []Skew
	for i, a := range pins {
		for _, b := range pins[i+1:] {
			if a.Injector != b.Injector || a.Version == b.Version {
				continue
			}
			s := Skew{Injector: a.Injector, Versions: [2]string{a.Version, b.Version}}
			if s.Injector == "conduit" {
				s.Notes, s.Known = conduit.Between(a.Version, b.Version)
			}
			if !slices.ContainsFunc(found, func(f Skew) bool { return f.Injector == s.Injector && f.Versions == s.Versions }) {
				found = append(found, s)
			}
		}
	}
	return found
}

// Pins gives what an environment is injected with, by its config.
func Pins(cfg *config.Config, units []config.Unit) []Pin {
	var pins []Pin
	add := func(p Pin) {
		if !slices.Contains(pins, p) {
			pins = append(pins, p)
		}
	}
	for _, u := range units {
		if len(u.Inject) > 0 {
			add(Pin{"conduit", u.Pin.Version})
		}
		for _, in := range u.Programs {
			t, _, _ := cfg.Tool(in.Tool)
			add(Pin{t.Name, t.Version})
		}
	}
	slices.SortFunc(pins, func(a, b Pin) int { return strings.Compare(a.Injector+" "+a.Version, b.Injector+" "+b.Version) })
	return pins
}

// CheckSkew refuses two versions in one environment that maxSkew does not let
// live together.
func CheckSkew(cfg *config.Config, e config.Environment) error {
	if cfg.MaxSkew == nil {
		return nil
	}
	for _, s := range Skews(Pins(cfg, cfg.Units(e))) {
		allowed := slices.ContainsFunc(cfg.MaxSkew.Pairs, func(pair []string) bool {
			return slices.Contains(pair, s.Versions[0]) && slices.Contains(pair, s.Versions[1])
		})
		if !allowed {
			place := cfg.Place("maxSkew")
			return &finding.Refusal{
				Text: fmt.Sprintf("%s:%d: environment %q would hold %s %s and %s, which maxSkew does not allow", place.File, place.Line, e.Name, s.Injector, s.Versions[0], s.Versions[1]),
				Hint: fmt.Sprintf("pin one version, or allow the pair: maxSkew: [[%s, %s]]", s.Versions[0], s.Versions[1]),
			}
		}
	}
	return nil
}
