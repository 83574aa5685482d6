package repo

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/klauspost/compress/zlib" // two thirds of the time of the standard library's
)

// pack reads one pack file and its index (gitformat-pack(5), version 2). It is
// safe for goroutines and stays readable after git has removed the file, neither
// of which holds for go-git's.
type pack struct {
	path  string // without .pack
	store *objects
	idx   packIndex
	known map[ID]int64 // in the place of idx while that is being made

	mu   sync.Mutex
	file *os.File // nil until something is read
	size int64
}

// packIndex is the content of an .idx file and where its tables lie.
type packIndex struct {
	data                  []byte
	count                 int
	names, small, offset8 int
}

func openPack(path string, store *objects) (*pack, error) {
	data, err := os.ReadFile(path + ".idx")
	if err != nil {
		return nil, err
	}
	idx, err := parseIndex(data)
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", path+".idx", err)
	}
	return &pack{path: path, store: store, idx: idx}, nil
}

func parseIndex(data []byte) (packIndex, error) {
	const head = 8 + 256*4
	if len(data) < head+40 || !bytes.Equal(data[:8], []byte{255, 't', 'O', 'c', 0, 0, 0, 2}) {
		return packIndex{}, errors.New("not a pack index of version 2 (git index-pack makes one)")
	}
	last := 0
	for i := range 256 {
		n := int(binary.BigEndian.Uint32(data[8+4*i:]))
		if n < last {
			return packIndex{}, errors.New("pack index is corrupt")
		}
		last = n
	}
	x := packIndex{data: data, count: last, names: head}
	x.small = x.names + 20*last + 4*last // ids, checksums, offsets
	x.offset8 = x.small + 4*last
	if rest := len(data) - 40 - x.offset8; rest < 0 || rest%8 != 0 {
		return packIndex{}, errors.New("pack index is corrupt")
	}
	return x, nil
}

func (x packIndex) name(i int) []byte { return x.data[x.names+20*i:][:20] }

// lower gives the first position whose id is not less than hash.
func (x packIndex) lower(hash []byte) int {
	lo := 0
	if hash[0] > 0 {
		lo = int(binary.BigEndian.Uint32(x.data[8+4*(int(hash[0])-1):]))
	}
	hi := int(binary.BigEndian.Uint32(x.data[8+4*int(hash[0]):]))
	return lo + sort.Search(hi-lo, func(i int) bool { return bytes.Compare(x.name(lo+i), hash) >= 0 })
}

// find gives the offset of an object in the pack.
func (p *pack) find(hash plumbing.Hash) (int64, bool) {
	if p.known != nil {
		at, ok := p.known[ID(hash.String())]
		return at, ok
	}
	x := p.idx
	i := x.lower(hash[:])
	if i >= x.count || !bytes.Equal(x.name(i), hash[:]) {
		return 0, false
	}
	off := binary.BigEndian.Uint32(x.data[x.small+4*i:])
	if off&(1<<31) == 0 {
		return int64(off), true
	}
	at := x.offset8 + 8*int(off&^(1<<31))
	if at+8 > len(x.data)-40 {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(x.data[at:])), true
}

func (p *pack) eachFrom(prefix string, add func(ID)) {
	var hash plumbing.Hash
	padded := prefix + strings.Repeat("0", 40-len(prefix))
	if _, err := hex.Decode(hash[:], []byte(padded)); err != nil {
		return
	}
	for i := p.idx.lower(hash[:]); i < p.idx.count; i++ {
		id := ID(hex.EncodeToString(p.idx.name(i)))
		if !strings.HasPrefix(string(id), prefix) {
			return
		}
		add(id)
	}
}

func (p *pack) open() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file != nil {
		return nil
	}
	f, err := os.Open(p.path + ".pack")
	if err != nil {
		return err
	}
	fi, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	var head [8]byte
	if _, err := f.ReadAt(head[:], 0); err != nil || string(head[:4]) != "PACK" || binary.BigEndian.Uint32(head[4:])|1 != 3 {
		return errors.Join(errors.New("not a pack of version 2 or 3"), f.Close())
	}
	p.file, p.size = f, fi.Size()
	return nil
}

func (p *pack) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file == nil {
		return nil
	}
	return p.file.Close()
}

// packEntry is one entry's header. base is the offset of a delta's base, ref its id
// where the pack names it so.
type packEntry struct {
	kind plumbing.ObjectType
	size int64
	base int64
	ref  ID
	body *bufio.Reader
}

var errCorruptPack = errors.New("pack is corrupt")

func (p *pack) entry(offset int64) (packEntry, error) {
	if offset < 12 || offset >= p.size-20 {
		return packEntry{}, errCorruptPack
	}
	r := p.store.inflaters.buffer(io.NewSectionReader(p.file, offset, p.size-20-offset))
	c, err := r.ReadByte()
	if err != nil {
		return packEntry{}, err
	}
	e := packEntry{kind: plumbing.ObjectType(c >> 4 & 7), size: int64(c & 15), body: r}
	for shift := uint(4); c&0x80 != 0; shift += 7 {
		if c, err = r.ReadByte(); err != nil || shift > 56 {
			return packEntry{}, errCorruptPack
		}
		e.size |= int64(c&0x7f) << shift
	}
	switch e.kind {
	case plumbing.OFSDeltaObject:
		back := int64(-1)
		for {
			if c, err = r.ReadByte(); err != nil || back > 1<<55 {
				return packEntry{}, errCorruptPack
			}
			back = (back+1)<<7 | int64(c&0x7f)
			if c&0x80 == 0 {
				break
			}
		}
		if e.base = offset - back; back <= 0 {
			return packEntry{}, errCorruptPack
		}
	case plumbing.REFDeltaObject:
		var ref plumbing.Hash
		if _, err := io.ReadFull(r, ref[:]); err != nil {
			return packEntry{}, errCorruptPack
		}
		e.ref = ID(ref.String())
	case plumbing.CommitObject, plumbing.TreeObject, plumbing.BlobObject, plumbing.TagObject:
	default:
		return packEntry{}, errCorruptPack
	}
	return e, nil
}

func (e packEntry) inflate(f *inflaters) ([]byte, error) {
	defer f.buffers.Put(e.body)
	z, ok := f.zlibs.Get().(io.ReadCloser)
	if !ok {
		var err error
		if z, err = zlib.NewReader(e.body); err != nil {
			return nil, err
		}
	} else if err := z.(zlib.Resetter).Reset(e.body, nil); err != nil {
		return nil, err
	}
	defer f.zlibs.Put(z)
	return readExactly(z, e.size)
}

// inflaters keeps buffers and decompressors for reuse: a new decompressor is
// 40 kB, many times the object that it is for.
type inflaters struct{ buffers, zlibs sync.Pool }

func (f *inflaters) buffer(r io.Reader) *bufio.Reader {
	b, ok := f.buffers.Get().(*bufio.Reader)
	if !ok {
		return bufio.NewReader(r)
	}
	b.Reset(r)
	return b
}

// maxChain bounds delta chains; git makes none above 4095.
const maxChain = 5000

// read gives the object at offset. It goes down the delta chain to a whole
// object and applies the deltas on the way back.
func (p *pack) read(offset int64, limit int64) (plumbing.ObjectType, []byte, error) {
	if err := p.open(); err != nil {
		return 0, nil, err
	}
	type step struct {
		at    int64
		delta []byte
	}
	var chain []step
	var kind plumbing.ObjectType
	var data []byte
	for at := offset; data == nil; {
		if len(chain) > maxChain {
			return 0, nil, errCorruptPack
		}
		if k, d, ok := p.store.cache.get(p, at); ok {
			kind, data = k, d
			break
		}
		e, err := p.entry(at)
		if err != nil {
			return 0, nil, err
		}
		if e.size > limit && len(chain) == 0 && !e.kind.IsDelta() {
			return 0, nil, errTooLarge
		}
		body, err := e.inflate(&p.store.inflaters)
		if err != nil {
			return 0, nil, err
		}
		if !e.kind.IsDelta() {
			kind, data = e.kind, body
			p.store.cache.put(p, at, kind, data)
			break
		}
		if len(chain) == 0 && deltaResult(body) > limit {
			return 0, nil, errTooLarge
		}
		chain = append(chain, step{at, body})
		if at = e.base; e.kind == plumbing.REFDeltaObject {
			known, ok := p.find(plumbing.NewHash(string(e.ref)))
			if !ok {
				return 0, nil, errCorruptPack
			}
			at = known
		}
	}
	for i := len(chain) - 1; i >= 0; i-- {
		next, err := packfile.PatchDelta(data, chain[i].delta)
		if err != nil {
			return 0, nil, err
		}
		data = next
		p.store.cache.put(p, chain[i].at, kind, data)
	}
	if int64(len(data)) > limit {
		return 0, nil, errTooLarge
	}
	return kind, data, nil
}

// deltaResult reads the size of what a delta makes, which stands second in it.
func deltaResult(delta []byte) int64 {
	_, n := binary.Uvarint(delta)
	if n <= 0 {
		return 0
	}
	size, _ := binary.Uvarint(delta[n:])
	return int64(min(size, uint64(noLimit)))
}
