package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/inject"
	"github.com/sluice-dev/sluice/pkg/inject/conduit"
	"github.com/sluice-dev/sluice/pkg/repo"
)

func (c *command) injectCommand() *cobra.Command {
	var pin config.Conduit
	cmd := &cobra.Command{
		Use: "inject [FILE...|-]", Short: "Put the proxy of a pinned release into manifests",
		Annotations: map[string]string{verbatim: "true"},
		Long: `Inject prints manifests with the proxy that "conduit inject" of the pinned
release would have put into them. What is not injected keeps its bytes; what is
injected keeps its keys, their order and its comments. Without a file it reads
standard input; a directory stands for the manifests in it.

The pin is --conduit-version. Without it, it is the one of sluice.yaml.`,
		Example: `  sluice inject --conduit-version v0.3.1 deployment.yaml | kubectl apply -f -
  kubectl get deploy -o yaml | sluice inject - | kubectl apply -f -`,
		RunE: func(cmd *cobra.Command, files []string) error {
			pinned, err := c.pinned(cmd.Flags(), pin)
			if err != nil {
				return err
			}
			injector, err := conduit.New(pinned)
			if err != nil {
				return optionFindings(err)
			}
			return c.stream(files, func(name string, data []byte) ([]byte, []inject.Report, error) {
				return inject.Stream(name, data, injector)
			})
		},
	}
	pinFlags(cmd.Flags(), &pin)
	return cmd
}

func (c *command) uninjectCommand() *cobra.Command {
	return &cobra.Command{
		Use: "uninject [FILE...|-]", Short: "Take the proxy out of manifests",
		Annotations: map[string]string{verbatim: "true"},
		Long: `Uninject prints manifests without the proxy that inject, or the real tool of
any release, has put into them. All other bytes stay as they are.`,
		Example: `  kubectl get deploy web -o yaml | sluice uninject | kubectl apply -f -`,
		RunE: func(_ *cobra.Command, files []string) error {
			return c.stream(files, inject.Uninject)
		},
	}
}

// pinned gives the pin of the command line, or that of the config with what
// the command line says on top.
func (c *command) pinned(flags *pflag.FlagSet, given config.Conduit) (config.Conduit, error) {
	if flags.Changed("conduit-version") {
		return given, nil
	}
	none := finding.Finding{Text: "no release is pinned", Hint: "name one: --conduit-version v0.3.1, or pin it in " + config.FileName}
	w, err := c.open()
	if err != nil {
		return given, err
	}
	cfg, err := w.anyConfig()
	var missing finding.List
	switch {
	case errors.Is(err, repo.ErrNotRepository) && c.file == "":
		return given, none
	case errors.As(err, &missing) && c.file == "" && len(missing) == 1 && missing[0].Line == 0:
		return given, none
	case err != nil:
		return given, err
	case cfg.Conduit == nil:
		return given, none
	}
	pin := *cfg.Conduit
	overlay(&pin, given)
	return pin, nil
}

// stream reads the files one after the other, changes each and prints the
// result; nothing is printed if one of them is at fault.
func (c *command) stream(names []string, change func(name string, data []byte) ([]byte, []inject.Report, error)) error {
	files, err := c.manifests(names)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	var list finding.List
	for _, f := range files {
		changed, reports, err := change(f.name, f.data)
		if err := list.Take(err); err != nil {
			return err
		}
		if out.Len() > 0 && len(changed) > 0 && !bytes.HasPrefix(changed, []byte("---")) {
			if !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
				out.WriteByte('\n')
			}
			out.WriteString("---\n")
		}
		out.Write(changed)
		for _, r := range reports {
			if r.Reason != "" {
				c.note("%s:%d: %s left alone: %s", f.name, r.Line, r.Object, r.Reason)
			}
		}
	}
	if err := list.Err(); err != nil {
		return err
	}
	_, err = c.Out.Write(out.Bytes())
	return err
}

type file struct {
	name string
	data []byte
}

// manifests reads the named files, standard input for - or for no name, and
// the manifests below a directory.
func (c *command) manifests(names []string) ([]file, error) {
	if len(names) == 0 {
		names = []string{"-"}
	}
	var files []file
	for _, name := range names {
		if name == "-" {
			data, err := io.ReadAll(c.In)
			if err != nil {
				return nil, fmt.Errorf("reading standard input: %w", err)
			}
			files = append(files, file{"stdin", data})
			continue
		}
		at := name
		if !filepath.IsAbs(name) {
			at = filepath.Join(c.dir, name)
		}
		found, err := below(at)
		if err != nil {
			return nil, finding.Finding{File: name, Text: cause(err), Hint: "name a file, a directory, or - for standard input"}
		}
		for _, p := range found {
			data, err := os.ReadFile(p)
			if err != nil {
				return nil, finding.Finding{File: p, Text: cause(err)}
			}
			files = append(files, file{p, data})
		}
	}
	return files, nil
}

// below gives a file, or the manifests of a directory in order.
func below(at string) ([]string, error) {
	info, err := os.Stat(at)
	if err != nil || !info.IsDir() {
		return []string{at}, err
	}
	var found []string
	err = filepath.WalkDir(at, func(p string, d fs.DirEntry, err error) error {
		switch filepath.Ext(p) {
		case ".yaml", ".yml", ".json":
			if err == nil && d.Type().IsRegular() {
				found = append(found, p)
			}
		}
		return err
	})
	sort.Strings(found)
	return found, err
}

// cause is an error of the file system without the path, which is said already.
func cause(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// optionFindings gives what is wrong with a pin by the flags' names.
func optionFindings(err error) error {
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	var list finding.List
	for _, e := range all {
		var option *conduit.OptionError
		if !errors.As(e, &option) {
			return err
		}
		list.Add("", 0, "--"+flagName(option.Option)+": "+option.Text, option.Hint)
	}
	return list.Err()
}

// flagName gives the flag of a config key: proxyLogLevel is --proxy-log-level.
func flagName(option string) string {
	if option == "version" {
		return "conduit-version"
	}
	var b strings.Builder
	for _, r := range option {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('-')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
