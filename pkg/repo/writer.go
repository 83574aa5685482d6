package repo

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
)

// Writer collects new objects in memory. Flush makes them durable as one pack, whatever their number: two files to sync instead
// of one an object, and git's own repacking takes it up.
//
// The pack is guarded from a repacking git process by a .keep file until Close:
//
//	w := r.NewWriter()
//	defer w.Close()
//	… w.Update, w.Commit …
//	w.Flush(ctx), r.UpdateRefs(…), w.Recheck(ctx)
//
// Its methods may be called from several goroutines.
type Writer struct {
	repo *Repo

	mu       sync.Mutex
	made     map[ID]made
	order    []ID
	written  map[ID]bool
	replaced []TreeEntry // what Update put something else in the place of
	keeps    []string
}

type made struct {
	kind plumbing.ObjectType
	data []byte
}

// NewWriter starts an empty Writer.
func (r *Repo) NewWriter() *Writer {
	return &Writer{repo: r, made: map[ID]made{}, written: map[ID]bool{}}
}

// BlobID is the id that a file's bytes have in Git.
func BlobID(data []byte) ID {
	return ID(plumbing.ComputeHash(plumbing.BlobObject, data).String())
}

// Blob adds a file's bytes, which must not change afterwards.
func (w *Writer) Blob(data []byte) ID {
	return w.add(plumbing.BlobObject, data)
}

func (w *Writer) add(kind plumbing.ObjectType, data []byte) ID {
	id := ID(plumbing.ComputeHash(kind, data).String())
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.made[id]; !ok {
		w.made[id] = made{kind, data}
		w.order = append(w.order, id)
	}
	return id
}

// Tree adds one tree object. The entries may come in any order; what they name
// must be in the repository or added to w before Flush.
func (w *Writer) Tree(entries []TreeEntry) (ID, error) {
	for _, e := range entries {
		if err := checkEntry(e); err != nil {
			return "", fmt.Errorf("making a tree: %w", err)
		}
	}
	return w.encodeTree(entries)
}

// encodeTree adds a tree of new entries, checked by now, and of old ones, which
// keep the modes and names that git once let through, .git excepted.
func (w *Writer) encodeTree(entries []TreeEntry) (ID, error) {
	sorted := append([]TreeEntry(nil), entries...)
	key := func(e TreeEntry) string {
		if e.Mode == ModeDir {
			return e.Name + "/" // git sorts a directory as if its name ended so
		}
		return e.Name
	}
	sort.Slice(sorted, func(i, j int) bool { return key(sorted[i]) < key(sorted[j]) })
	var b bytes.Buffer
	names := make(map[string]bool, len(sorted))
	for _, e := range sorted {
		if names[e.Name] {
			return "", fmt.Errorf("making a tree: the name %q stands twice", e.Name)
		}
		if isDotGit(e.Name) {
			return "", fmt.Errorf("making a tree: the name %q is .git to some file system", e.Name)
		}
		names[e.Name] = true
		writeEntry(&b, e)
	}
	return w.add(plumbing.TreeObject, b.Bytes()), nil
}

func writeEntry(b *bytes.Buffer, e TreeEntry) {
	fmt.Fprintf(b, "%o %s\x00", e.Mode, e.Name)
	raw := plumbing.NewHash(string(e.ID))
	b.Write(raw[:])
}

// Commit adds a commit.
func (w *Writer) Commit(spec CommitSpec) (ID, error) {
	data, err := spec.encode()
	if err != nil {
		return "", err
	}
	return w.add(plumbing.CommitObject, data), nil
}

// Flush makes durable what was added, except for what the base trees of Update
// held in the same place: a branch leads to that. Other objects are written even
// if the store has them: nobody may be leading to those, and a git process that
// found that out a moment ago may be about to prune them.
func (w *Writer) Flush(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	safe, err := w.repo.below(w.replaced)
	if err != nil {
		return fmt.Errorf("writing objects: %w", err)
	}
	var ids []ID
	for _, id := range w.order {
		if !safe[id] && !w.written[id] {
			ids = append(ids, id)
		}
	}
	return w.write(ctx, ids)
}

// Recheck makes sure, after the refs have moved, that the objects are still there,
// and writes again what is not. The .keep file does not help against another
// run that made the very same pack and has closed it.
func (w *Writer) Recheck(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.repo.objects.refresh(); err != nil {
		return err
	}
	var ids []ID
	for _, id := range w.order {
		if w.written[id] && !w.repo.objects.has(id) {
			ids = append(ids, id)
		}
	}
	return w.write(ctx, ids)
}

func (w *Writer) write(ctx context.Context, ids []ID) error {
	if err := ctx.Err(); err != nil || len(ids) == 0 {
		return err
	}
	if err := w.writePack(ids); err != nil {
		return fmt.Errorf("writing objects: %w", err)
	}
	for _, id := range ids {
		w.written[id] = true
	}
	return w.repo.objects.refresh()
}

// below lists the ids of everything in some trees; an id of a file stands for itself.
func (r *Repo) below(roots []TreeEntry) (map[ID]bool, error) {
	ids := map[ID]bool{}
	for len(roots) > 0 {
		e := roots[len(roots)-1]
		roots = roots[:len(roots)-1]
		if ids[e.ID] {
			continue
		}
		ids[e.ID] = true
		if e.Mode != ModeDir {
			continue
		}
		entries, err := r.Tree(e.ID)
		if err != nil {
			return nil, err
		}
		roots = append(roots, entries...)
	}
	return ids, nil
}

// writePack writes the objects as pack and index into the store. Both are durable
// under their temporary names before they get their own, and the index, which
// makes the pack visible, comes last.
func (w *Writer) writePack(ids []ID) error {
	shared := w.repo.shared
	dir := filepath.Join(w.repo.objects.dir, "pack")
	if err := shared.makeDirs(dir); err != nil {
		return err
	}
	var sum, index []byte
	pack, _, err := writeTemp(dir, 0o444, shared, func(out io.Writer) (err error) {
		sum, index, err = encodePack(out, ids, func(id ID) (made, error) { return w.made[id], nil })
		return err
	})
	if err != nil {
		return err
	}
	return w.install(pack, sum, index)
}

// install gives a durable pack its name and its index.
func (w *Writer) install(pack string, sum, index []byte) error {
	dir := filepath.Dir(pack)
	idx, now, err := writeTemp(dir, 0o444, w.repo.shared, func(out io.Writer) error {
		_, err := out.Write(index)
		return err
	})
	if err != nil {
		return errors.Join(err, os.Remove(pack))
	}
	sweep(dir, now)
	base := filepath.Join(dir, "pack-"+hex.EncodeToString(sum))
	if err := w.keep(base + ".keep"); err != nil {
		return errors.Join(err, os.Remove(pack), os.Remove(idx))
	}
	if err := os.Rename(pack, base+".pack"); err != nil {
		return errors.Join(err, os.Remove(pack), os.Remove(idx))
	}
	if err := os.Rename(idx, base+".idx"); err != nil {
		return errors.Join(err, os.Remove(idx))
	}
	return syncDir(dir)
}

// keep tells git not to delete the pack while no ref leads to it yet.
func (w *Writer) keep(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, os.ErrExist) {
		return nil // somebody else's, who takes it away
	}
	if err != nil {
		return err
	}
	w.keeps = append(w.keeps, path)
	_, err = f.WriteString(keepText)
	return errors.Join(err, f.Close())
}

// Close leaves the written packs to git's own housekeeping. It is called when
// refs lead to the objects, or never will.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var errs []error
	for _, path := range w.keeps {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	w.keeps = nil
	return errors.Join(errs...)
}
