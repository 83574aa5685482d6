package cli

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/hydrate"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/source"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// aside looks for files of HEAD that lie differently in the working tree, while
// something else is being done.
type aside struct {
	stop context.CancelFunc

	listed chan struct{} // closed when head and index are known
	head   repo.ID
	index  *repo.Index

	done  chan struct{} // closed at the end
	paths []string      // that may differ
	all   bool          // there are no others
}

// filesPerRecord is about how many files can be looked at in the time that it
// takes to read one app's record.
const filesPerRecord = 8

// lookAside begins to look. Whoever calls it calls stop in the end.
func (c *command) lookAside(ctx context.Context, w *workspace) *aside {
	a := &aside{listed: make(chan struct{}), done: make(chan struct{})}
	ctx, a.stop = context.WithCancel(ctx)
	go func() {
		defer close(a.done)
		at := a.list(c, w)
		close(a.listed)
		if at != nil {
			a.paths, a.all = a.index.Differing(ctx, at.Tree)
		}
	}()
	return a
}

// list gives the commit to look for; nil if there is nothing to say.
func (a *aside) list(c *command, w *workspace) *repo.Commit {
	if c.quiet || w.repo == nil || w.root == "" {
		return nil
	}
	head, err := w.repo.Resolve("HEAD")
	if err != nil {
		return nil
	}
	at, err := w.repo.Commit(head)
	if err != nil {
		return nil
	}
	a.head, a.index = head, w.repo.Index()
	return at
}

// noteUncommitted says which of the files that count lie differently in the
// working tree: what people edit last is often not committed yet.
func (c *command) noteUncommitted(ctx context.Context, h *hydration) {
	a := h.s.aside
	<-a.listed
	if a.head != h.s.commit.ID {
		return
	}
	// Where few of the files are inputs, those alone are looked at.
	if a.index.Len() > filesPerRecord*h.apps() {
		a.stop()
	}
	<-a.done
	files, err := source.OpenDir(h.w.root)
	if err != nil {
		return
	}
	if differ := h.uncommitted(ctx, a, files); len(differ) > 0 {
		slices.Sort(differ)
		c.note("note: not committed yet and so not part of it: %s", strings.Join(differ, ", "))
	}
}

// uncommitted gives the inputs that lie differently in the working tree. Which
// files are inputs is asked only if some differ.
func (h *hydration) uncommitted(ctx context.Context, a *aside, files source.Tree) []string {
	if !a.all {
		return h.differ(a, files, a.index.Unsure(ctx, h.inputs()))
	}
	paths := h.differ(a, files, a.paths)
	if len(paths) == 0 {
		return nil
	}
	inputs := h.inputs()
	return slices.DeleteFunc(paths, func(p string) bool { _, is := inputs[p]; return !is })
}

// apps counts the apps of all environments.
func (h *hydration) apps() (n int) {
	for _, environments := range h.all {
		for _, e := range environments {
			n += len(e.Records) + len(e.Taken)
		}
	}
	return n
}

// inputs gives the blobs of the files and links that were rendered, or that
// decided what is, by path: those that the source commit holds, not an older one
// that an app is bound to.
func (h *hydration) inputs() map[string]repo.ID {
	all := map[string]repo.ID{}
	add := func(path, id string) {
		if _, known := all[path]; known {
			return
		}
		if at, err := h.s.fs.Lookup(path); err == nil && (at.Kind == source.File || at.Kind == source.Link) && at.ID == id {
			all[path] = repo.ID(id)
		}
	}
	taken := func(inputs []tree.Input) {
		for _, in := range inputs {
			add(in.Path, in.ID)
		}
	}
	for i, environments := range h.all {
		for _, e := range environments {
			if err := e.Read(h.onto[i]); err != nil {
				continue // it is only a note
			}
			for _, r := range e.Records {
				taken(r.Inputs)
			}
			for _, t := range e.Taken {
				taken(t.Inputs)
			}
		}
	}
	for _, in := range hydrate.Beside(hydrate.Source{Files: h.s.fs, Config: h.s.config}, h.s.config.Environments) {
		add(in.Path, in.ID)
	}
	return all
}

// differ leaves the files and links of the source commit that the working tree
// holds otherwise or not at all, apart from what git was told to leave out.
func (h *hydration) differ(a *aside, files source.Tree, paths []string) []string {
	return slices.DeleteFunc(paths, func(p string) bool {
		at, err := h.s.fs.Lookup(p)
		if err != nil || at.Kind != source.File && at.Kind != source.Link || at.ID == "" {
			return true
		}
		entry, err := files.Lookup(p)
		if errors.Is(err, fs.ErrNotExist) {
			return h.w.repo.Sparse(a.index, p)
		}
		if err != nil || entry.Kind != at.Kind && !h.asText(at, entry) {
			return false
		}
		data, err := files.ReadFile(p, source.MaxFile)
		if err != nil {
			return false
		}
		return string(repo.BlobID(data)) == at.ID ||
			string(repo.BlobID(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")))) == at.ID && h.converts(files, p)
	})
}

// asText tells whether git writes a link as a file that holds its target, where
// the system has no links.
func (h *hydration) asText(at, entry source.Entry) bool {
	links, _ := h.w.repo.Config("core.symlinks")
	return at.Kind == source.Link && entry.Kind == source.File && strings.EqualFold(links, "false")
}

// converts tells whether git may give a file the line ends of another system in
// the working tree, so that they are no change.
func (h *hydration) converts(files source.Tree, p string) bool {
	if auto, _ := h.w.repo.Config("core.autocrlf"); slices.Contains([]string{"true", "yes", "on", "1", "input"}, strings.ToLower(auto)) {
		return true
	}
	for dir := path.Dir(p); ; dir = path.Dir(dir) {
		rules, err := files.ReadFile(path.Join(dir, ".gitattributes"), source.MaxFile)
		if err == nil && slices.ContainsFunc([]string{"text", "eol", "crlf"}, func(name string) bool { return bytes.Contains(rules, []byte(name)) }) {
			return true
		}
		if dir == "." {
			return false
		}
	}
}
