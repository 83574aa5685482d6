package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/hydrate"
	"github.com/sluice-dev/sluice/pkg/promote"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/source"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// workspace is what -C and -f point at.
type workspace struct {
	repo   *repo.Repo // nil outside a Git repository
	why    error      // that there is none
	root   string     // directory that source paths are relative to; empty in a bare repository
	config string     // slash path of the config relative to root
}

// open finds the repository and the config.
func (c *command) open() (*workspace, error) {
	dir, err := filepath.Abs(c.dir)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err // which element of the path it was says less than the whole
		}
		return nil, fmt.Errorf("opening %q: %w", c.dir, err)
	}
	w := &workspace{root: dir}
	w.repo, err = repo.Open(dir, repo.EnvFrom(c.Env))
	switch {
	case errors.Is(err, repo.ErrNotRepository):
		w.repo, w.why = nil, err
		return w, w.withoutRepo(dir, c.file)
	case err != nil:
		return nil, err
	default:
		w.root = w.repo.WorkTree()
	}
	err = w.findConfig(dir, c.file)
	c.top = w.root
	return w, err
}

// withoutRepo takes the config's own directory for the root.
func (w *workspace) withoutRepo(dir, file string) error {
	at := filepath.Join(dir, config.FileName)
	if file != "" {
		if at = file; !filepath.IsAbs(at) {
			at = filepath.Join(dir, file)
		}
	}
	w.root, w.config = filepath.Dir(at), filepath.Base(at)
	return nil
}

// openBranches finds the repository and the config of a verb that works on
// the branches, not on one state of the source.
func (c *command) openBranches() (*workspace, *config.Config, error) {
	w, err := c.open()
	if err != nil {
		return nil, nil, err
	}
	if err := w.needRepo(); err != nil {
		return nil, nil, err
	}
	cfg, err := w.anyConfig()
	return w, cfg, err
}

// findConfig looks for the config in dir and, up to the root, above it.
func (w *workspace) findConfig(dir, file string) error {
	if w.root == "" { // bare: there is nothing to look through
		w.config = config.FileName
		if file != "" {
			w.config = filepath.ToSlash(filepath.Clean(file))
		}
		return nil
	}
	root, err := filepath.EvalSymlinks(w.root)
	if err != nil {
		return err
	}
	w.root = root
	at := filepath.Join(dir, config.FileName)
	if file != "" {
		at = filepath.Join(dir, file)
		if filepath.IsAbs(file) {
			// The root has no links in it, so the way to the file must not have any.
			at = file
			if real, err := filepath.EvalSymlinks(filepath.Dir(file)); err == nil {
				at = filepath.Join(real, filepath.Base(file))
			}
		}
	}
	for up := dir; file == ""; up = filepath.Dir(up) {
		candidate := filepath.Join(up, config.FileName)
		if _, err := os.Lstat(candidate); err == nil {
			at = candidate
			break
		}
		if up == root || up == filepath.Dir(up) {
			break
		}
	}
	rel, err := filepath.Rel(root, at)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return finding.Finding{File: file, Text: "the config lies outside " + root, Hint: "keep it in the repository that it describes"}
	}
	w.config = filepath.ToSlash(rel)
	return nil
}

// needRepo is the error of a verb that works on branches only.
func (w *workspace) needRepo() error {
	if w.repo == nil {
		return w.why
	}
	return nil
}

// snapshot is one state of the source.
type snapshot struct {
	fs     *source.FS
	config *config.Config
	commit *repo.Commit // nil for the working tree
	ref    string       // full name of the branch it was taken from; empty if none
	aside  *aside       // looks for what differs from HEAD; of commit only
}

// workingTree gives the source as it lies on disk.
func (w *workspace) workingTree() (*snapshot, error) {
	if w.root == "" {
		return nil, finding.Finding{Text: "a bare repository has no working tree", Hint: "render a commit: --rev main"}
	}
	files, err := source.OpenDir(w.root)
	if err != nil {
		return nil, err
	}
	s := &snapshot{fs: source.New(files)}
	s.config, err = hydrate.Load(s.fs, w.config)
	return s, err
}

// revision gives the source as a commit holds it.
func (w *workspace) revision(rev string) (*snapshot, error) {
	if err := w.needRepo(); err != nil {
		return nil, err
	}
	s := &snapshot{}
	id, err := w.repo.Resolve(rev)
	if err != nil {
		return nil, err
	}
	branch, _, err := w.repo.Head()
	var unborn *repo.UnbornError
	if err != nil && !errors.As(err, &unborn) {
		return nil, err
	}
	if rev != "HEAD" {
		branch = rev
	}
	named, err := w.repo.IsBranch(branch, id)
	if err != nil {
		return nil, err
	}
	if named {
		s.ref = "refs/heads/" + branch
	}
	return s, w.load(s, id, w.config)
}

// anyConfig gives the config as it lies in the working tree, or as HEAD holds
// it where there is none on disk.
func (w *workspace) anyConfig() (*config.Config, error) {
	if w.root != "" {
		if _, err := os.Lstat(filepath.Join(w.root, filepath.FromSlash(w.config))); err == nil {
			s, err := w.workingTree()
			if err != nil {
				return nil, err
			}
			return s.config, nil
		}
	}
	s, err := w.revision("HEAD")
	if err != nil {
		return nil, err
	}
	return s.config, nil
}

// load fills in a snapshot of a commit.
func (w *workspace) load(s *snapshot, id repo.ID, file string) error {
	var err error
	if s.commit, err = w.repo.Commit(id); err != nil {
		return err
	}
	files, err := w.repo.Files(id)
	if err != nil {
		return err
	}
	s.fs = source.New(files)
	s.config, err = hydrate.Load(s.fs, file)
	if _, lookup := files.Lookup(file); err != nil && errors.Is(lookup, fs.ErrNotExist) && w.root != "" {
		if _, onDisk := os.Lstat(filepath.Join(w.root, filepath.FromSlash(file))); onDisk == nil {
			return finding.Finding{File: file, Text: "is not in commit " + id.Short(), Hint: "commit it first: git add " + file + " && git commit"}
		}
	}
	return err
}

// verify renders what a hydrated commit says it was made of, and compares.
func (c *command) verify(ctx context.Context, w *workspace, id repo.ID, sources *branch.Sources) ([]tree.Difference, error) {
	pool, err := c.renderer()
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	v := w.verifier(c, pool)
	v.sources = sources
	return v.commit(ctx, id)
}

// hydrated gives the files of a hydrated commit; nil for an id that is no
// commit's.
func (w *workspace) hydrated(commit string) (source.Tree, error) {
	files, err := w.repo.Files(repo.ID(commit))
	var missing *repo.MissingObjectError
	if err != nil && !errors.As(err, &missing) {
		return nil, nil
	}
	return files, err
}

// source gives a snapshot as the stages take it.
func (w *workspace) source(ctx context.Context, s *snapshot) hydrate.Source {
	src := hydrate.Source{Files: s.fs, Config: s.config}
	if s.commit != nil {
		src.Commit = string(s.commit.ID)
	}
	src.Open = func(commit string) (*source.FS, error) { return w.earlier(ctx, s, repo.ID(commit)) }
	return src
}

// earlier gives the files of a commit that the snapshot's history contains: a
// commit of somebody's fork can be fetched by its id, too.
func (w *workspace) earlier(ctx context.Context, s *snapshot, id repo.ID) (*source.FS, error) {
	if err := w.needRepo(); err != nil {
		return nil, err
	}
	newest := id
	if s.commit != nil {
		newest = s.commit.ID
	} else if head, err := w.repo.Resolve("HEAD"); err == nil {
		newest = head
	}
	contains, err := w.repo.IsAncestor(ctx, id, newest)
	switch {
	case err != nil:
		return nil, err
	case contains == repo.Unknown:
		return nil, branch.UnknownHistory(fmt.Sprintf("whether revision %s belongs to the source's history cannot be told", id.Short()))
	case contains == repo.No:
		return nil, finding.Finding{File: w.config, Text: fmt.Sprintf("revision %s is not in the history of the source", id.Short()), Hint: "name a commit that git log shows"}
	}
	files, err := w.repo.Files(id)
	if err != nil {
		return nil, err
	}
	return source.New(files), nil
}

// heads tells where the branches here stand.
func (w *workspace) heads() promote.Heads {
	return func(e config.Environment) (branch.Head, error) { return branch.ReadHead(w.repo, e) }
}
