package render

import (
	"crypto/sha256"
	"sync"

	"github.com/sluice-dev/sluice/pkg/finding"
)

// The uses that a file can have in a build, each with its own checks.
const (
	useResource = iota + 1
	usePatch
	usePlugin
	useReplacement
	useData  // bytes of a generator
	useOther // configurations, CRDs: strict YAML, nothing else
)

// reading is the outcome of checking one file for one use.
type reading struct {
	findings finding.List
	docs     []docInfo // of resources: each object, lists unpacked
	tagged   []byte    // a resource file with each object's origin in it; nil if that is not safe
	rooted   []byte    // the same with each mark at the top of its object; nil likewise
	touches  bool      // may read or write annotations as a whole
	rekinds  bool      // a patch that may change the kind of what it patches
	secrets  []string  // values that no message may show
}

// docInfo is one object of a resource file.
type docInfo struct {
	file       string
	doc, line  int
	kind, name string
}

// memo keeps readings: a base is checked once, however many overlays use it.
type memo struct {
	mu    sync.Mutex
	known map[memoKey]*reading
	bytes int
}

type memoKey struct {
	use  int
	path string
	sum  [sha256.Size]byte
}

// memoSize is how many bytes of source the memo remembers readings of before
// it starts again.
const memoSize = 4 << 20

func newMemo() *memo { return &memo{known: map[memoKey]*reading{}} }

func (m *memo) get(use int, path string, data []byte, read func() *reading) *reading {
	key := memoKey{use, path, sha256.Sum256(data)}
	m.mu.Lock()
	got := m.known[key]
	m.mu.Unlock()
	if got != nil {
		return got
	}
	got = read()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bytes += len(data); m.bytes > memoSize {
		m.known, m.bytes = map[memoKey]*reading{}, len(data)
	}
	m.known[key] = got
	return got
}
