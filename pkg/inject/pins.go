package inject

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/inject/program"
)

// CheckPins checks every pin of the config, also those that nothing is
// injected with. The error is a finding.List.
func CheckPins(cfg *config.Config) error {
	var list finding.List
	check := func(at string, pin *config.Conduit) error {
		if pin == nil {
			return nil
		}
		_, err := compile(cfg, at, *pin)
		return list.Take(err)
	}
	if err := check("conduit", cfg.Conduit); err != nil {
		return err
	}
	for i, a := range cfg.Apps {
		if err := check(fmt.Sprintf("apps[%d].conduit", i), a.Conduit); err != nil {
			return err
		}
	}
	for _, t := range cfg.Tools {
		tool, at := Tool(cfg, t.Name)
		for _, e := range each(tool.Check()) {
			list = append(list, toolFinding(cfg, at, t.Name, e))
		}
	}
	for at, run := range execs(cfg) {
		for path := range run.Pin {
			if err := (program.Override{Path: path}).Check(); err != nil {
				place := cfg.Place(at + ".pin." + path)
				list.Add(place.File, place.Line, "pin "+err.Error(), "for instance Deployment/linkerd/web:spec.replicas")
			}
		}
	}
	return list.Err()
}

// execs gives the generators of the config by their places in it.
func execs(cfg *config.Config) map[string]*config.Exec {
	found := map[string]*config.Exec{}
	add := func(at string, list []config.Apply) {
		for i, a := range list {
			if a.Exec != nil {
				found[fmt.Sprintf("%skubectlApply[%d].exec", at, i)] = a.Exec
			}
		}
	}
	add("", cfg.KubectlApply)
	for i, a := range cfg.Apps {
		add(fmt.Sprintf("apps[%d].", i), a.KubectlApply)
	}
	return found
}

// Tool gives the pin of a program that the config names, and where it stands
// in the config.
func Tool(cfg *config.Config, name string) (tool program.Tool, at string) {
	t, at, _ := cfg.Tool(name)
	tool = program.Tool{Name: t.Name, Version: t.Version, Platforms: map[string]program.Artifact{}}
	for platform, p := range t.Platforms {
		tool.Platforms[platform] = program.Artifact(p)
	}
	return tool, at
}

// ToolFindings turns what is wrong with a pin, or with what it stands for,
// into findings at its place in the config. Other errors it gives back.
func ToolFindings(cfg *config.Config, name string, err error) error {
	_, at, _ := cfg.Tool(name)
	var list finding.List
	for _, e := range each(err) {
		var pin *program.PinError
		var mismatch *program.MismatchError
		var platform *program.PlatformError
		var fetch *program.FetchError
		switch {
		case errors.As(e, &pin):
			list = append(list, toolFinding(cfg, at, name, e))
		case errors.As(e, &mismatch):
			place := cfg.Place(at + ".platforms." + mismatch.Platform + ".sha256")
			list.Add(place.File, place.Line, e.Error(),
				"it was not run; if the authors publish this checksum for that version, write it down: sluice pin tool "+name+" "+mismatch.Version)
		case errors.As(e, &platform):
			place := cfg.Place(at + ".platforms")
			list.Add(place.File, place.Line, e.Error(), "pin it for this platform too: sluice pin tool "+name+" "+platform.Version+" --platform "+platform.Platform)
		case errors.As(e, &fetch) && !strings.Contains(fetch.URL, "://"):
			place := cfg.Place(at + ".platforms")
			list.Add(place.File, place.Line, e.Error(), "the url of a tool without :// is a path in this repository")
		default:
			return err
		}
	}
	return list.Err()
}

func toolFinding(cfg *config.Config, at, name string, err error) finding.Finding {
	var pin *program.PinError
	if !errors.As(err, &pin) {
		return finding.Finding{File: cfg.File(), Text: err.Error()}
	}
	place := cfg.Place(at + "." + pin.Field)
	return finding.Finding{File: place.File, Line: place.Line, Text: fmt.Sprintf("tool %q: %s", name, pin.Error()), Hint: pin.Hint}
}
