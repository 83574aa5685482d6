package repo

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"runtime"
	"slices"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/klauspost/compress/zlib" // half the time of the standard library's
)

// encodePack writes the objects as a pack of version 2 without deltas, and gives
// its checksum and its index.
func encodePack(out io.Writer, ids []ID, read func(ID) (made, error)) (sum, index []byte, err error) {
	hash := sha1.New()
	buffered := bufio.NewWriterSize(io.MultiWriter(out, hash), 1<<16)
	head := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), uint32(len(ids)))
	if _, err := buffered.Write(head); err != nil {
		return nil, nil, err
	}
	var idx idxfile.Writer
	if err := idx.OnHeader(uint32(len(ids))); err != nil {
		return nil, nil, err
	}
	offset := uint64(len(head))
	err = entries(ids, read, func(e packed) error {
		idx.Add(plumbing.NewHash(string(e.id)), offset, crc32.ChecksumIEEE(e.data))
		offset += uint64(len(e.data))
		_, err := buffered.Write(e.data)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if err := buffered.Flush(); err != nil {
		return nil, nil, err
	}
	sum = hash.Sum(nil)
	if _, err := out.Write(sum); err != nil {
		return nil, nil, err
	}
	index, err = encodeIndex(&idx, sum)
	return sum, index, err
}

// packed is one object as it stands in a pack.
type packed struct {
	id   ID
	data []byte
}

// packedAtOnce is how many objects are compressed before one is written.
const packedAtOnce = 64

// entries compresses the objects, with every CPU, and hands them on in order.
func entries(ids []ID, read func(ID) (made, error), each func(packed) error) error {
	workers := make([]*deflater, min(runtime.GOMAXPROCS(0), max(1, len(ids)/32)))
	for part := range slices.Chunk(ids, packedAtOnce) {
		done := make([]packed, len(part))
		errs := make([]error, len(workers))
		var running sync.WaitGroup
		for n := range workers {
			if workers[n] == nil {
				d, err := newDeflater()
				if err != nil {
					return err
				}
				workers[n] = d
			}
			running.Go(func() {
				workers[n].room.Reset()
				for i := n; i < len(part) && errs[n] == nil; i += len(workers) {
					done[i].id = part[i]
					done[i].data, errs[n] = workers[n].entry(part[i], read)
				}
			})
		}
		running.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
		for _, e := range done {
			if err := each(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// deflater compresses one object after the other.
type deflater struct {
	room    bytes.Buffer // what came of those of one part
	deflate *zlib.Writer
}

func newDeflater() (*deflater, error) {
	d := &deflater{}
	var err error
	d.deflate, err = zlib.NewWriterLevel(&d.room, zlib.BestSpeed) // half the time for a twentieth more bytes
	return d, err
}

func (d *deflater) entry(id ID, read func(ID) (made, error)) ([]byte, error) {
	object, err := read(id)
	if err != nil {
		return nil, err
	}
	start := d.room.Len()
	d.room.Write(entryHeader(object.kind, len(object.data)))
	d.deflate.Reset(&d.room)
	if _, err := d.deflate.Write(object.data); err != nil {
		return nil, err
	}
	if err := d.deflate.Close(); err != nil {
		return nil, err
	}
	return bytes.Clone(d.room.Bytes()[start:]), nil
}

// entryHeader is an entry's type and size, seven bits a byte after the first four.
func entryHeader(kind plumbing.ObjectType, size int) []byte {
	c := byte(kind)<<4 | byte(size&15)
	var head []byte
	for size >>= 4; size > 0; size >>= 7 {
		head = append(head, c|0x80)
		c = byte(size & 0x7f)
	}
	return append(head, c)
}

func encodeIndex(idx *idxfile.Writer, sum []byte) ([]byte, error) {
	if err := idx.OnFooter(plumbing.Hash(sum)); err != nil {
		return nil, err
	}
	table, err := idx.Index()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err = idxfile.NewEncoder(&b).Encode(table)
	return b.Bytes(), err
}
