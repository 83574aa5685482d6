package repo

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
)

// maxDelta bounds an object that a received delta makes: git itself makes no
// deltas of larger files.
const maxDelta = 512 << 20

// storePack stores a received pack without its index, durably, and gives its
// temporary name.
func (r *Repo) storePack(dir string, from io.Reader, limit int64) (name string, err error) {
	var n int64
	name, _, err = writeTemp(dir, 0o444, r.shared, func(out io.Writer) (err error) {
		n, err = io.Copy(out, io.LimitReader(from, limit+1))
		if err == nil && n > limit {
			err = fmt.Errorf("the pack is larger than %d bytes", limit)
		}
		return err
	})
	return name, err
}

// received is one entry of a received pack.
type received struct {
	id     ID
	at     int64
	crc    uint32
	delta  bool
	base   int64 // of an offset delta
	baseID ID    // of a reference delta
}

// indexPack checks every byte of a received pack and makes its index. The pack must
// hold the bases of its deltas, as one that is not asked to be thin does.
func (r *Repo) indexPack(path string) (sum, index []byte, count int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, 0, err
	}
	defer f.Close()
	entries, sum, size, err := scanPack(f)
	if err != nil {
		return nil, nil, 0, err
	}
	p := &pack{path: path, store: r.objects, known: map[ID]int64{}, file: f, size: size}
	if err := p.resolve(entries); err != nil {
		return nil, nil, 0, err
	}
	var idx idxfile.Writer
	if err := idx.OnHeader(uint32(len(entries))); err != nil {
		return nil, nil, 0, err
	}
	for _, e := range entries {
		idx.Add(plumbing.NewHash(string(e.id)), uint64(e.at), e.crc)
	}
	index, err = encodeIndex(&idx, sum)
	return sum, index, len(entries), err
}

// scanPack reads a pack from end to end. Objects that are no deltas get their ids.
func scanPack(f *os.File) (entries []received, sum []byte, size int64, err error) {
	fi, err := f.Stat()
	if err != nil {
		return nil, nil, 0, err
	}
	size = fi.Size()
	var head [12]byte
	if _, err := f.ReadAt(head[:], 0); err != nil || string(head[:4]) != "PACK" || binary.BigEndian.Uint32(head[4:]) != 2 || size < 32 {
		return nil, nil, 0, errors.New("the server sent no pack of version 2")
	}
	hash := sha1.New()
	if _, err := io.Copy(hash, io.NewSectionReader(f, 0, size-20)); err != nil {
		return nil, nil, 0, err
	}
	sum = make([]byte, 20)
	if _, err := f.ReadAt(sum, size-20); err != nil {
		return nil, nil, 0, err
	}
	if !bytes.Equal(sum, hash.Sum(nil)) {
		return nil, nil, 0, errors.New("the pack was damaged on the way: its checksum is wrong")
	}
	s := &packScan{r: bufio.NewReaderSize(io.NewSectionReader(f, 12, size-32), 1<<16), at: 12}
	for range binary.BigEndian.Uint32(head[8:]) {
		start := s.at
		e, err := s.entry()
		if err != nil {
			return nil, nil, 0, fmt.Errorf("reading the received pack at %d: %w", start, unexpected(err))
		}
		crc := crc32.NewIEEE()
		if _, err := io.Copy(crc, io.NewSectionReader(f, start, s.at-start)); err != nil {
			return nil, nil, 0, err
		}
		e.at, e.crc = start, crc.Sum32()
		entries = append(entries, e)
	}
	if s.at != size-20 {
		return nil, nil, 0, errCorruptPack
	}
	return entries, sum, size, nil
}

// packScan counts the bytes that it gives out, one by one where zlib asks so.
type packScan struct {
	r    *bufio.Reader
	at   int64
	zlib io.ReadCloser
}

func (s *packScan) ReadByte() (byte, error) {
	c, err := s.r.ReadByte()
	if err == nil {
		s.at++
	}
	return c, err
}

func (s *packScan) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	s.at += int64(n)
	return n, err
}

func (s *packScan) entry() (received, error) {
	start := s.at
	c, err := s.ReadByte()
	if err != nil {
		return received{}, err
	}
	kind, size := plumbing.ObjectType(c>>4&7), int64(c&15)
	for shift := uint(4); c&0x80 != 0; shift += 7 {
		if c, err = s.ReadByte(); err != nil || shift > 56 {
			return received{}, errors.Join(errCorruptPack, err)
		}
		size |= int64(c&0x7f) << shift
	}
	e := received{delta: kind.IsDelta()}
	switch kind {
	case plumbing.OFSDeltaObject:
		back := int64(-1)
		for more := true; more; more = c&0x80 != 0 {
			if c, err = s.ReadByte(); err != nil || back > 1<<55 {
				return received{}, errors.Join(errCorruptPack, err)
			}
			back = (back+1)<<7 | int64(c&0x7f)
		}
		if e.base = start - back; back <= 0 || e.base < 12 {
			return received{}, errCorruptPack
		}
	case plumbing.REFDeltaObject:
		var ref plumbing.Hash
		if _, err := io.ReadFull(s, ref[:]); err != nil {
			return received{}, err
		}
		e.baseID = ID(ref.String())
	case plumbing.CommitObject, plumbing.TreeObject, plumbing.BlobObject, plumbing.TagObject:
	default:
		return received{}, errCorruptPack
	}
	if e.delta && size > maxDelta {
		return received{}, errTooLarge
	}
	e.id, err = s.body(kind, size, e.delta)
	return e, err
}

// body inflates an entry and, if it is an object, gives its id.
func (s *packScan) body(kind plumbing.ObjectType, size int64, delta bool) (ID, error) {
	var err error
	if s.zlib == nil {
		s.zlib, err = zlib.NewReader(s)
	} else {
		err = s.zlib.(zlib.Resetter).Reset(s, nil)
	}
	if err != nil {
		return "", err
	}
	hash := plumbing.NewHasher(kind, size)
	n, err := io.Copy(hash, io.LimitReader(s.zlib, size+1))
	if err != nil {
		return "", err
	}
	if n != size {
		return "", errCorruptPack
	}
	if delta {
		return "", nil
	}
	return ID(hash.Sum().String()), nil
}

// resolve gives the deltas their ids.
func (p *pack) resolve(entries []received) error {
	done := make(map[int64]bool, len(entries))
	var open []int
	for i, e := range entries {
		if e.delta {
			open = append(open, i)
			continue
		}
		done[e.at] = true
		p.known[e.id] = e.at
	}
	for len(open) > 0 {
		var later []int
		for _, i := range open {
			e := &entries[i]
			base := e.base
			if e.baseID != "" {
				base = p.known[e.baseID]
			}
			if !done[base] {
				later = append(later, i)
				continue
			}
			kind, data, err := p.read(e.at, maxDelta)
			if err != nil {
				return fmt.Errorf("reading the received pack at %d: %w", e.at, err)
			}
			e.id = ID(plumbing.ComputeHash(kind, data).String())
			done[e.at] = true
			p.known[e.id] = e.at
		}
		if len(later) == len(open) {
			return errors.New("the received pack has a delta without its base")
		}
		open = later
	}
	return nil
}
