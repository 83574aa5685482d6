package inject

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/inject/program"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

// maxSaid is how many lines of a program's standard error are shown.
const maxSaid = 10

// Files is where the files that programs need are read from.
type Files interface {
	ReadFile(path string) ([]byte, error)
}

// Programs injects the objects that u.Programs select, one program after the
// other. programs holds them by tool. The objects of set stay as they are. The
// error is a finding.List, unless ctx is over or the machine is at fault.
func Programs(ctx context.Context, set manifest.Set, u config.Unit, programs map[string]*program.Program, files Files) (manifest.Set, error) {
	for _, in := range u.Programs {
		var list finding.List
		done := chosen(set, in.Paths, "inject", &list)
		selected := map[*manifest.Object]bool{}
		for i := range done {
			selected[set[i]] = true
		}
		given, err := workingDir(files, in.Run)
		if err := list.Take(err); err != nil {
			return nil, err
		}
		if err := list.Err(); err != nil {
			return nil, err
		}
		set, err = program.Inject(ctx, programs[in.Tool], in.Args, given, set, func(o *manifest.Object) bool { return selected[o] })
		if err != nil {
			return nil, runFinding(err, in.Place)
		}
	}
	return set, nil
}

// Generate gives the objects that a program prints that stands in kubectlApply.
func Generate(ctx context.Context, s config.Step, programs map[string]*program.Program, files Files) (manifest.Set, error) {
	given, err := workingDir(files, *s.Exec)
	if err != nil {
		return nil, err
	}
	var overrides []program.Override
	for path, value := range s.Pin {
		overrides = append(overrides, program.Override{Path: path, Value: value})
	}
	set, err := program.Generate(ctx, programs[s.Exec.Tool], s.Exec.Args, given, overrides, manifest.Origin{File: s.File, Line: s.Line})
	return set, runFinding(err, s.Place)
}

// workingDir reads the files that a run is given.
func workingDir(files Files, run config.Run) (map[string][]byte, error) {
	var list finding.List
	given := map[string][]byte{}
	for _, f := range run.Files {
		data, err := files.ReadFile(f.Text)
		if err != nil {
			list.Add(f.File, f.Line, err.Error(), "files: lists files of the repository that "+run.Tool+" needs")
			continue
		}
		given[f.As] = data
	}
	return given, list.Err()
}

// runFinding places the failure of a program, and what it printed that is of
// no file, where the config runs it.
func runFinding(err error, at config.Place) error {
	var list finding.List
	if errors.As(err, &list) {
		for i := range list {
			if list[i].File == "" {
				list[i].File, list[i].Line = at.File, at.Line
			}
		}
		return list
	}
	var failed *program.RunError
	if !errors.As(err, &failed) {
		return err
	}
	hint := "run it by hand on the same input: it gets no environment, and a working directory with nothing but what the key files lists"
	if said := strings.TrimSpace(failed.Stderr); said != "" {
		lines := strings.Split(said, "\n")
		hint = fmt.Sprintf("%s says:\n  %s", failed.Tool, strings.Join(lines[max(0, len(lines)-maxSaid):], "\n  "))
	}
	return finding.List{{File: at.File, Line: at.Line, Text: failed.Error(), Hint: hint}}
}
