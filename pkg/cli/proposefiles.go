package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/hydrate"
	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/propose"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// The bounds on one proposal.
const (
	maxProposedFiles = 5000
	maxProposedBytes = 64 << 20
)

// stdin is what findings call it.
const stdin = "stdin"

func fromStdin(args []string) bool { return len(args) == 0 || slices.Contains(args, "-") }

// proposalReader collects the files of a proposal and what is wrong with them.
type proposalReader struct {
	p     proposal
	cfg   *config.Config
	files []propose.File
	bytes int
	list  finding.List
}

// readProposal gives the files that stdin and the arguments hold.
func (c *command) readProposal(p proposal, args []string, cfg *config.Config) ([]propose.File, error) {
	r := &proposalReader{p: p, cfg: cfg}
	if len(args) == 0 {
		args = []string{"-"}
	}
	for _, arg := range args {
		var err error
		switch info, statErr := os.Stat(c.below(arg)); {
		case arg == "-":
			err = r.stdin(c.In)
		case statErr != nil:
			err = statErr
		case info.IsDir():
			err = r.directory(c.below(arg))
		default:
			err = r.file(c.below(arg), filepath.Base(arg))
		}
		if err != nil {
			return nil, fmt.Errorf("reading %q: %w", arg, err)
		}
	}
	if len(r.files) == 0 && len(r.list) == 0 {
		r.list.Add("", 0, "there are no files to propose", "name files or a directory that holds some, or pipe YAML in")
	}
	return r.files, r.list.Err()
}

// below gives a path of the command line as -C has it.
func (c *command) below(arg string) string {
	if filepath.IsAbs(arg) {
		return arg
	}
	return filepath.Join(c.dir, arg)
}

// add takes a file in, after a look at what it holds.
func (r *proposalReader) add(name string, data []byte, mode repo.Mode) error {
	if r.bytes += len(data); r.bytes > maxProposedBytes {
		return fmt.Errorf("more than %d bytes altogether", maxProposedBytes)
	}
	if len(r.files) == maxProposedFiles {
		return fmt.Errorf("more than %d files", maxProposedFiles)
	}
	r.files = append(r.files, propose.File{Path: path.Join(r.p.path, name), Data: data, Mode: mode})
	return nil
}

// check reads YAML strictly. Secrets are looked for where there are objects;
// what is none may be anything, but not a Secret that is not whole.
func (r *proposalReader) check(name string, data []byte) error {
	docs, err := manifest.Documents(name, data)
	if err != nil {
		return r.list.Take(err)
	}
	objects, err := manifest.Parse(name, data)
	r.list = append(r.list, hydrate.Secrets(objects, r.cfg)...)
	if r.cfg.Secrets != "allow" && slices.ContainsFunc(docs, func(d manifest.Document) bool { return secretly(d.Node) }) {
		return r.list.Take(err)
	}
	return nil
}

// secretly tells whether a document, or an item of the list that it is, calls
// itself a Secret.
func secretly(n *yaml.Node) bool {
	if kind := manifest.Field(n, "kind"); kind != nil && kind.Value == "Secret" {
		return true
	}
	items := manifest.Field(n, "items")
	return items != nil && slices.ContainsFunc(items.Content, secretly)
}

func (r *proposalReader) stdin(in io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(in, maxProposedBytes+1))
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	if err := r.check(stdin, data); err != nil || len(r.list) > 0 {
		return err
	}
	if r.p.name != "" {
		return r.add(r.p.name, data, 0)
	}
	docs, err := manifest.Documents(stdin, data)
	if err != nil {
		return r.list.Take(err)
	}
	lines := map[string]int{}
	for _, d := range docs {
		o := r.object(d)
		if o == nil {
			continue
		}
		name := objectFile(o)
		if first := lines[name]; first > 0 {
			r.list.Add(stdin, d.Line, fmt.Sprintf("would be the file %s, as the object of line %d", name, first), "put all objects into one file with --name")
			continue
		}
		lines[name] = d.Line
		if err := r.add(name, ownText(d.Raw), 0); err != nil {
			return err
		}
	}
	return nil
}

// object gives the one object of a document.
func (r *proposalReader) object(d manifest.Document) *manifest.Object {
	if items := manifest.Field(d.Node, "items"); items != nil {
		r.list.Add(stdin, d.Line, "a list of objects is no object with a name", "put all of it into one file with --name")
		return nil
	}
	return manifest.New(d.Node, manifest.Origin{File: stdin, Line: d.Line, Doc: d.Index}, &r.list)
}

// objectFile names an object's file.
func objectFile(o *manifest.Object) string {
	// Only the names of RBAC objects hold more than a DNS name does.
	plain := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' {
			return c
		}
		return '-'
	}, o.ID.Name)
	return strings.ToLower(o.ID.Kind) + "-" + plain + ".yaml"
}

// ownText is the text of a document without the line that separates it from the
// one before.
func ownText(raw []byte) []byte {
	line, rest, _ := bytes.Cut(raw, []byte("\n"))
	if bytes.Equal(bytes.TrimRight(line, " \t"), []byte("---")) {
		raw = rest
	}
	return append(bytes.TrimRight(bytes.Clone(raw), "\n"), '\n')
}

// directory takes in all files below a directory, by their paths in it.
func (r *proposalReader) directory(dir string) error {
	return filepath.WalkDir(dir, func(at string, d fs.DirEntry, err error) error {
		rel, relErr := filepath.Rel(dir, at)
		if err = errors.Join(err, relErr); err != nil || rel == "." {
			return err
		}
		name := filepath.ToSlash(rel)
		switch {
		case propose.Fault(path.Join(r.p.path, name)) != "":
			r.list.Add(name, 0, propose.Fault(path.Join(r.p.path, name)), "leave it out")
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		}
		return r.file(at, name)
	})
}

func (r *proposalReader) file(at, name string) error {
	info, err := os.Lstat(at)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		r.list.Add(name, 0, "is no plain file", "only files can be proposed, no links: replace it by what it leads to")
		return nil
	}
	if info.Size() > maxProposedBytes {
		return fmt.Errorf("%q has more than %d bytes", name, maxProposedBytes)
	}
	data, err := os.ReadFile(at)
	if err != nil {
		return err
	}
	switch path.Ext(name) {
	case ".yaml", ".yml", ".json":
		if err := r.check(name, data); err != nil {
			return err
		}
	}
	mode := repo.ModeFile
	if info.Mode().Perm()&0o100 != 0 {
		mode = repo.ModeExec
	}
	return r.add(name, data, mode)
}
