package repo

import (
	"bufio"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/objfile"
)

// objects reads the object store and the stores that it borrows from. git
// processes may repack it meanwhile: what is not found is looked for once more
// after a fresh look at the directories.
type objects struct {
	dir     string // of this repository
	partial bool
	cache   *baseCache

	inflaters inflaters

	mu    sync.RWMutex
	dirs  []string // dir and its alternates
	packs map[string]*pack
}

// errTooLarge is an object over the caller's limit.
var errTooLarge = errors.New("object too large")

const noLimit = int64(1) << 62

func openObjects(dir string) (*objects, error) {
	o := &objects{dir: dir, cache: newBaseCache(32 << 20)}
	var err error
	o.dirs, err = alternates(dir, 0)
	if err != nil {
		return nil, err
	}
	return o, o.refresh()
}

// maxAlternates is git's own bound on stores that borrow from stores.
const maxAlternates = 5

// alternates lists dir and the directories that info/alternates names, theirs included.
func alternates(dir string, depth int) ([]string, error) {
	dirs := []string{dir}
	b, err := os.ReadFile(filepath.Join(dir, "info", "alternates"))
	if errors.Is(err, fs.ErrNotExist) || depth >= maxAlternates {
		return dirs, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading alternates: %w", err)
	}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == '"' {
			if unquoted, err := strconv.Unquote(line); err == nil {
				line = unquoted
			}
		}
		sub, err := alternates(under(dir, line), depth+1)
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, sub...)
	}
	return dirs, nil
}

const maxLooks = 10

func (o *objects) refresh() error {
	_, err := o.refreshed()
	return err
}

// refreshed takes up new packs and forgets those that are gone.
func (o *objects) refreshed() (changed bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	found := map[string]*pack{}
	for _, dir := range o.dirs {
		entries, err := os.ReadDir(filepath.Join(dir, "pack"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, fmt.Errorf("listing packs: %w", err)
		}
		for _, e := range entries {
			base, ok := strings.CutSuffix(e.Name(), ".idx")
			if !ok || !strings.HasPrefix(base, "pack-") {
				continue
			}
			path := filepath.Join(dir, "pack", base)
			if known := o.packs[path]; known != nil {
				found[path] = known
				continue
			}
			p, err := openPack(path, o)
			if errors.Is(err, fs.ErrNotExist) {
				continue // taken away since it was listed
			}
			if err != nil {
				return false, err
			}
			found[path] = p
			changed = true
		}
	}
	changed = changed || len(found) != len(o.packs)
	o.packs = found
	return changed, nil
}

func (o *objects) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var errs []error
	for _, p := range o.packs {
		errs = append(errs, p.close())
	}
	o.packs = nil
	return errors.Join(errs...)
}

// read gives an object whole, checked against its id. It is *MissingObjectError
// only after a second look, and errTooLarge over limit bytes.
func (o *objects) read(id ID, limit int64) (plumbing.ObjectType, []byte, error) {
	if !id.valid() {
		return 0, nil, fmt.Errorf("reading object %q: not an object id", id)
	}
	kind, data, err := o.readOnce(id, limit)
	// While git repacks, each look may miss the pack that has just been replaced.
	for range maxLooks {
		if err == nil || errors.Is(err, errTooLarge) {
			break
		}
		changed, refreshErr := o.refreshed()
		if refreshErr != nil {
			return 0, nil, refreshErr
		}
		if kind, data, err = o.readOnce(id, limit); !changed {
			break
		}
	}
	if err != nil {
		return 0, nil, err
	}
	if got := hashObject(kind, data); got != id {
		return 0, nil, fmt.Errorf("reading object %s: it is corrupt: its content has the id %s", id, got)
	}
	return kind, data, nil
}

// readOnce looks in packs and then among loose objects. A copy that cannot be
// read does not hide a good one.
func (o *objects) readOnce(id ID, limit int64) (plumbing.ObjectType, []byte, error) {
	hash := plumbing.NewHash(string(id))
	o.mu.RLock()
	packs, dirs := o.packs, o.dirs
	o.mu.RUnlock()
	var first error
	for _, p := range packs {
		offset, ok := p.find(hash)
		if !ok {
			continue
		}
		kind, data, err := p.read(offset, limit)
		if err == nil || errors.Is(err, errTooLarge) {
			return kind, data, err
		}
		if first == nil {
			first = fmt.Errorf("reading object %s from %s: %w", id, p.path, err)
		}
	}
	for _, dir := range dirs {
		kind, data, err := readLoose(loosePath(dir, id), limit)
		if err == nil || errors.Is(err, errTooLarge) {
			return kind, data, err
		}
		if first == nil && !errors.Is(err, fs.ErrNotExist) {
			first = fmt.Errorf("reading object %s: %w", id, err)
		}
	}
	if first == nil {
		first = &MissingObjectError{ID: id, Partial: o.partial}
	}
	return 0, nil, first
}

func loosePath(dir string, id ID) string {
	return filepath.Join(dir, string(id[:2]), string(id[2:]))
}

func readLoose(path string, limit int64) (kind plumbing.ObjectType, data []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, nil, err
	}
	defer f.Close()
	r, err := objfile.NewReader(bufio.NewReader(f))
	if err != nil {
		return 0, nil, err
	}
	defer r.Close()
	kind, size, err := r.Header()
	if err != nil {
		return 0, nil, err
	}
	if size > limit {
		return 0, nil, errTooLarge
	}
	data, err = readExactly(r, size)
	return kind, data, err
}

// readExactly reads size bytes, growing with what really comes: a corrupt header
// cannot make it allocate.
func readExactly(r io.Reader, size int64) ([]byte, error) {
	if size < 0 {
		return nil, errors.New("negative size")
	}
	data := make([]byte, 0, min(size, 1<<20))
	for int64(len(data)) < size {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := r.Read(data[len(data):min(int64(cap(data)), size)])
		data = data[:len(data)+n]
		if int64(len(data)) == size {
			break
		}
		if err == io.EOF {
			return nil, io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
	}
	// One read more: the stream must end here and its checksum hold.
	var rest [1]byte
	if n, err := io.ReadFull(r, rest[:]); n != 0 {
		return nil, errors.New("more bytes than its header says")
	} else if err != io.EOF {
		return nil, err
	}
	return data, nil
}

// has says whether the store holds an object, without reading it.
func (o *objects) has(id ID) bool {
	hash := plumbing.NewHash(string(id))
	o.mu.RLock()
	defer o.mu.RUnlock()
	for _, p := range o.packs {
		if _, ok := p.find(hash); ok {
			return true
		}
	}
	for _, dir := range o.dirs {
		if _, err := os.Lstat(loosePath(dir, id)); err == nil {
			return true
		}
	}
	return false
}

// withPrefix lists the ids that begin with an abbreviation of at least two digits.
func (o *objects) withPrefix(prefix string) ([]ID, error) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	seen := map[ID]bool{}
	var ids []ID
	add := func(id ID) {
		if strings.HasPrefix(string(id), prefix) && !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	for _, p := range o.packs {
		p.eachFrom(prefix, add)
	}
	for _, dir := range o.dirs {
		entries, err := os.ReadDir(filepath.Join(dir, prefix[:2]))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			if id := ID(prefix[:2] + e.Name()); id.valid() {
				add(id)
			}
		}
	}
	return ids, nil
}

// hashObject gives the id of an object. Content is checked against its id here,
// so plain SHA-1 will do; what is written is hashed with collision detection.
func hashObject(kind plumbing.ObjectType, data []byte) ID {
	h := sha1.New()
	h.Write(kind.Bytes())
	h.Write([]byte{' '})
	h.Write(strconv.AppendInt(nil, int64(len(data)), 10))
	h.Write([]byte{0})
	h.Write(data)
	return ID(hex.EncodeToString(h.Sum(nil)))
}
