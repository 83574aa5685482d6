package repo

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// Writer collects new objects in memory. Flush makes those that the repository
// lacks durable as one pack, whatever their number: two files to sync instead
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

	mu    sync.Mutex
	made  map[ID]made
	order []ID
	keeps []string
}

type made struct {
	kind plumbing.ObjectType
	data []byte
}

// NewWriter starts an empty Writer.
func (r *Repo) NewWriter() *Writer {
	return &Writer{repo: r, made: map[ID]made{}}
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

// Flush makes every added object durable. Those that the repository holds
// already get a new time instead, so that git does not prune them meanwhile.
func (w *Writer) Flush(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flush(ctx)
}

// Recheck makes sure, after a ref was moved, that a `git gc --prune=now` beside
// it took nothing away, and writes again what it did.
func (w *Writer) Recheck(ctx context.Context) error {
	return w.Flush(ctx)
}

func (w *Writer) flush(ctx context.Context) error {
	store := w.repo.objects
	if err := store.refresh(); err != nil {
		return err
	}
	var lacking []ID
	places := map[string]bool{}
	for _, id := range w.order {
		if place := store.place(id); place != "" {
			places[place] = true
		} else {
			lacking = append(lacking, id)
		}
	}
	gone, err := w.freshen(places)
	if err != nil {
		return err
	}
	if gone {
		// git repacked between the look and the touch: look again.
		return w.flushAgain(ctx)
	}
	if len(lacking) == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := w.writePack(lacking); err != nil {
		return fmt.Errorf("writing objects: %w", err)
	}
	return store.refresh()
}

// flushAgain writes everything, held or not: a store that loses objects
// while one looks at it is not worth a loop.
func (w *Writer) flushAgain(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := w.writePack(w.order); err != nil {
		return fmt.Errorf("writing objects: %w", err)
	}
	return w.repo.objects.refresh()
}

// freshen sets the times of files to now, as the file system has it. gone says
// that one of them is no longer there.
func (w *Writer) freshen(places map[string]bool) (gone bool, err error) {
	if len(places) == 0 {
		return false, nil
	}
	now, err := w.now()
	if err != nil {
		return false, fmt.Errorf("writing objects: %w", err)
	}
	for place := range places {
		err := os.Chtimes(place, time.Time{}, now)
		if errors.Is(err, os.ErrNotExist) {
			gone = true
		}
		// A store that is borrowed and read-only is not pruned by us either.
	}
	return gone, nil
}

// now is the file system's own time, which git compares with when it prunes.
func (w *Writer) now() (time.Time, error) {
	f, err := os.CreateTemp(w.repo.objects.dir, "tmp_obj_")
	if err != nil {
		return time.Time{}, err
	}
	defer os.Remove(f.Name())
	fi, err := f.Stat()
	return fi.ModTime(), errors.Join(err, f.Close())
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
	pack, err := newTemp(dir, "tmp_pack_", "", 0o444)
	if err != nil {
		return err
	}
	defer os.Remove(pack.Name())
	sum, index, err := encodePack(pack, ids, w.made)
	if err := errors.Join(err, finish(pack, shared)); err != nil {
		return err
	}
	idx, err := newTemp(dir, "tmp_idx_", "", 0o444)
	if err != nil {
		return err
	}
	defer os.Remove(idx.Name())
	_, err = idx.Write(index)
	if err := errors.Join(err, finish(idx, shared)); err != nil {
		return err
	}
	fi, err := os.Stat(idx.Name())
	if err != nil {
		return err
	}
	sweepKeeps(dir, fi.ModTime())
	base := filepath.Join(dir, "pack-"+hex.EncodeToString(sum))
	if err := w.keep(base + ".keep"); err != nil {
		return err
	}
	if err := os.Rename(pack.Name(), base+".pack"); err != nil {
		return err
	}
	if err := os.Rename(idx.Name(), base+".idx"); err != nil {
		return err
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

const keepText = "sluice\n"

// sweepKeeps takes away .keep files that killed runs left behind a day ago or
// more. What cannot be read or removed stays: it only costs disk.
func sweepKeeps(dir string, now time.Time) {
	paths, _ := filepath.Glob(filepath.Join(dir, "pack-*.keep"))
	for _, path := range paths {
		fi, err := os.Lstat(path)
		if err != nil || now.Sub(fi.ModTime()) < staleAfter {
			continue
		}
		if text, err := os.ReadFile(path); err == nil && string(text) == keepText {
			os.Remove(path)
		}
	}
}

// staleAfter is longer than any run takes.
const staleAfter = 24 * time.Hour

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

// finish makes a file durable and closes it.
func finish(f *os.File, shared sharedMode) error {
	err := shared.adjust(f.Name())
	return errors.Join(err, f.Sync(), f.Close())
}

// newTemp makes a file with permissions that the umask applies to, which
// os.CreateTemp does not. The process id and a count make the name: what a
// killed run left behind under the same name is passed over.
func newTemp(dir, prefix, suffix string, perm os.FileMode) (*os.File, error) {
	for n := 0; ; n++ {
		name := filepath.Join(dir, fmt.Sprintf("%s%d_%d%s", prefix, os.Getpid(), n, suffix))
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		if !errors.Is(err, os.ErrExist) || n == 10000 {
			return f, err
		}
	}
}
