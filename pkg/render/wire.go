package render

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// The frames between the program and a worker. Each is a type byte, a length
// of four bytes and a payload. The program sends a build and answers; the
// worker asks, and ends the build with a result or a failure.
const (
	frameHello  = 'h' // bytes of memory that the worker may use; once, first
	frameBuild  = 'b' // request
	frameAnswer = 'a' // answer to the question before it
	frameAsk    = 'q' // path
	frameResult = 'r' // objects
	frameFailed = 'f' // failure
)

var (
	errFrame    = errors.New("malformed message")
	errOversize = errors.New("message too large")
)

func writeFrame(w *bufio.Writer, kind byte, payload []byte) error {
	var head [5]byte
	head[0] = kind
	binary.BigEndian.PutUint32(head[1:], uint32(len(payload)))
	if _, err := w.Write(head[:]); err != nil {
		return err
	}
	if _, err := w.Write(payload); err != nil {
		return err
	}
	return w.Flush()
}

// readFrame reads one frame; a payload of more than limit bytes is errOversize.
func readFrame(r *bufio.Reader, limit int64) (kind byte, payload []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := int64(binary.BigEndian.Uint32(head[1:]))
	if n > limit {
		return 0, nil, errOversize
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(r, payload)
	return head[0], payload, err
}

// packer appends values to a payload.
type packer struct{ b []byte }

func (p *packer) num(n int)     { p.b = binary.AppendUvarint(p.b, uint64(n)) }
func (p *packer) text(s string) { p.num(len(s)); p.b = append(p.b, s...) }
func (p *packer) data(d []byte) { p.num(len(d)); p.b = append(p.b, d...) }

func (p *packer) flag(f bool) {
	n := 0
	if f {
		n = 1
	}
	p.num(n)
}

// unpacker takes values off a payload. After the first malformed value all
// further ones are zero, and err says so.
type unpacker struct {
	b   []byte
	err error
}

func (u *unpacker) num() int {
	n, size := binary.Uvarint(u.b)
	if u.err != nil || size <= 0 || n > 1<<40 {
		u.err = errFrame
		return 0
	}
	u.b = u.b[size:]
	return int(n)
}

// count is a number of items that each take a byte at least.
func (u *unpacker) count() int {
	n := u.num()
	if n > len(u.b) {
		u.err = errFrame
		return 0
	}
	return n
}

func (u *unpacker) data() []byte {
	n := u.num()
	if n > len(u.b) {
		u.err = errFrame
	}
	if u.err != nil {
		return nil
	}
	d := u.b[:n:n]
	u.b = u.b[n:]
	return d
}

func (u *unpacker) text() string { return string(u.data()) }
func (u *unpacker) flag() bool   { return u.num() == 1 }

// The kinds of node in a payload, one byte each.
const (
	nodeMap    = 'm'
	nodeSeq    = 's'
	nodeString = 't'
	nodeInt    = 'i'
	nodeFloat  = 'f'
	nodeBool   = 'b'
	nodeNull   = 'n'
)

func scalarTag(kind byte) string {
	switch kind {
	case nodeString:
		return "!!str"
	case nodeInt:
		return "!!int"
	case nodeFloat:
		return "!!float"
	case nodeBool:
		return "!!bool"
	case nodeNull:
		return "!!null"
	}
	return ""
}

// node reads a canonical node, not deeper than depth.
func (u *unpacker) node(depth int) *yaml.Node {
	if len(u.b) == 0 || depth == 0 {
		u.err = errFrame
	}
	if u.err != nil {
		return nil
	}
	kind := u.b[0]
	u.b = u.b[1:]
	if kind != nodeMap && kind != nodeSeq {
		tag := scalarTag(kind)
		if tag == "" {
			u.err = fmt.Errorf("%w: node of kind %q", errFrame, kind)
			return nil
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: u.text()}
	}
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	children := u.count()
	if kind == nodeMap {
		n.Kind, n.Tag = yaml.MappingNode, "!!map"
		children *= 2
	}
	n.Content = make([]*yaml.Node, 0, children)
	for range children {
		child := u.node(depth - 1)
		if u.err != nil {
			return nil
		}
		n.Content = append(n.Content, child)
	}
	return n
}

// What a path leads to, as an answer says it.
const (
	leadsNowhere = iota
	leadsToFile
	leadsToDir
)

// answer is what the program says about one path.
type answer struct {
	kind int
	real string // the path without links; of a missing one, nothing
	data []byte // of a file
}

func (p *packer) answer(a answer) {
	p.num(a.kind)
	p.text(a.real)
	p.data(a.data)
}

func (u *unpacker) answer() answer { return answer{kind: u.num(), real: u.text(), data: u.data()} }

// request is one build: the directory, and answers given ahead.
type request struct {
	dir     string
	managed bool              // kustomize labels the objects with its version
	cpu     int               // seconds that the build may use
	output  int               // bytes of result
	objects int               // objects of result
	known   map[string]answer // by the path asked for; without data
	files   map[string][]byte // by the path without links
}

func (r request) pack() []byte {
	size := 256 + len(r.known)*64
	for _, d := range r.files {
		size += len(d) + 64
	}
	p := packer{b: make([]byte, 0, size)}
	p.text(r.dir)
	p.flag(r.managed)
	for _, n := range []int{r.cpu, r.output, r.objects} {
		p.num(n)
	}
	p.num(len(r.known))
	for path, a := range r.known {
		p.text(path)
		p.num(a.kind)
		p.text(a.real)
	}
	p.num(len(r.files))
	for path, d := range r.files {
		p.text(path)
		p.data(d)
	}
	return p.b
}

func unpackRequest(b []byte) (request, error) {
	u := unpacker{b: b}
	r := request{dir: u.text(), managed: u.flag(), known: map[string]answer{}, files: map[string][]byte{}}
	for _, n := range []*int{&r.cpu, &r.output, &r.objects} {
		*n = u.num()
	}
	for range u.count() {
		path := u.text()
		r.known[path] = answer{kind: u.num(), real: u.text()}
	}
	for range u.count() {
		path := u.text()
		r.files[path] = u.data()
	}
	return r, u.err
}

// The reasons for which a worker gives up on a build.
const (
	failedBuild    = iota // kustomize reported an error
	failedPanic           // kustomize panicked
	failedOutput          // too many bytes
	failedObjects         // too many objects
	failedProtocol        // the program sent what the worker does not understand
)

// failure is why a build came to nothing.
type failure struct {
	reason int
	text   string
}

func (f failure) pack() []byte {
	p := packer{}
	p.num(f.reason)
	p.text(f.text)
	return p.b
}
