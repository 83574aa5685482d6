// Package hydrate turns a source and its config into the environments'
// directories: source -> render -> inject -> tree. It writes nothing.
package hydrate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/inject"
	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/render"
	"github.com/sluice-dev/sluice/pkg/source"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// Config reads the config at a slash path of the source.
func Config(src *source.FS, file string) (*config.Config, error) {
	data, err := src.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, finding.List{{
			File: file, Text: "there is no config of this name",
			Hint: "run sluice where " + config.FileName + " is, or name the config with -f",
		}}
	}
	if err != nil {
		return nil, err
	}
	return config.Parse(file, data)
}

// Environments renders, injects and lays out environments. commit is the
// source commit for the records, empty for a working tree. Whatever is at
// fault in any of them is in the finding.List that it returns.
func Environments(ctx context.Context, src *source.FS, cfg *config.Config, environments []config.Environment, commit string, pool *render.Pool) ([]*tree.Environment, error) {
	var list finding.List
	if err := list.Take(inject.CheckPins(cfg)); err != nil {
		return nil, err
	}
	out := make([]*tree.Environment, len(environments))
	for i, e := range environments {
		env, err := environment(ctx, src, cfg, e, commit, pool)
		if err := list.Take(err); err != nil {
			return nil, err
		}
		out[i] = env
	}
	return out, list.Err()
}

func environment(ctx context.Context, src *source.FS, cfg *config.Config, e config.Environment, commit string, pool *render.Pool) (*tree.Environment, error) {
	units := cfg.Units(e)
	apps := make([]tree.App, len(units))
	errs := make([]error, len(units))
	var running sync.WaitGroup
	for i, u := range units {
		running.Go(func() { apps[i], errs[i] = app(ctx, src, cfg, u, pool) })
	}
	running.Wait()
	var list finding.List
	sets := make([]manifest.Set, len(apps))
	objects := 0
	for i, err := range errs {
		if err := list.Take(err); err != nil {
			return nil, err
		}
		sets[i] = apps[i].Set
		objects += len(sets[i])
	}
	list = append(list, manifest.Duplicates(sets...)...)
	if objects == 0 && len(list) == 0 && !cfg.AllowEmpty {
		list.Add(cfg.File(), cfg.Line("environments"), fmt.Sprintf("environment %q renders to nothing: an engine that prunes would delete everything", e.Name),
			"if that is meant, say so: allowEmpty: true")
	}
	if len(list) > 0 {
		return nil, list.Err()
	}
	return tree.Lay(e.Name, e.Path, commit, apps)
}

// app renders and injects one app.
func app(ctx context.Context, src *source.FS, cfg *config.Config, u config.Unit, pool *render.Pool) (tree.App, error) {
	view, inputs := src.Record()
	var entries []render.Entry
	for _, p := range u.Apply {
		entries = append(entries, render.Entry{Path: p.Text, File: cfg.File(), Line: p.Line})
	}
	set, err := pool.Render(ctx, view, entries)
	if err != nil {
		return tree.App{}, err
	}
	var list finding.List
	if cfg.Secrets != "allow" {
		list = append(list, secrets(set)...)
	}
	out := tree.App{Name: u.App, Config: digest(cfg, u)}
	if len(u.Inject) > 0 {
		set, err = inject.Conduit(set, u, cfg)
		if err := list.Take(err); err != nil {
			return tree.App{}, err
		}
		out.Pins = append(out.Pins, tree.Pin{Injector: "conduit", Version: u.Pin.Version})
	}
	out.Set = set
	for _, in := range inputs.Sorted() {
		switch {
		case in.Kind == source.Missing:
			out.Absent = append(out.Absent, in.Path)
		case in.ID != "":
			out.Inputs = append(out.Inputs, tree.Input{Path: in.Path, ID: in.ID})
		}
	}
	return out, list.Err()
}

// secrets reports the Secrets whose values anyone can read.
func secrets(set manifest.Set) finding.List {
	var list finding.List
	for _, o := range set {
		if o.ID.Kind != "Secret" || o.ID.Group != "" {
			continue
		}
		sops := manifest.Field(o.Node, "sops") != nil
		for _, key := range []string{"data", "stringData"} {
			if readable(manifest.Field(o.Node, key), sops) {
				list.Add(o.Origin.File, o.Origin.Line, fmt.Sprintf("%s holds values that anyone who reads the branch can read", o.ID),
					"encrypt it (SOPS, SealedSecret) or fetch it in the cluster (ExternalSecret); secrets: allow in the config lets it pass")
				break
			}
		}
	}
	return list
}

// readable tells whether a Secret's map holds a value that anyone can read.
// That SOPS has been at the Secret is not enough: it encrypts the keys it is
// told to, and a note of its own can be written by anyone.
func readable(values *yaml.Node, sops bool) bool {
	if values == nil {
		return false
	}
	for i := 1; i < len(values.Content); i += 2 {
		if v := values.Content[i].Value; !sops || v != "" && !strings.HasPrefix(v, "ENC[") {
			return true
		}
	}
	return false
}

// digest identifies everything of the config that an app's output depends on.
func digest(cfg *config.Config, u config.Unit) string {
	texts := func(paths []config.Path) []string {
		var out []string
		for _, p := range paths {
			out = append(out, p.Text)
		}
		return out
	}
	data, err := json.Marshal(struct {
		App           string
		Apply, Inject []string
		Pin           *config.Conduit
		Secrets       string
	}{u.App, texts(u.Apply), texts(u.Inject), u.Pin, cfg.Secrets})
	if err != nil {
		// Strings, numbers and pointers to them always have a JSON form.
		return ""
	}
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}
