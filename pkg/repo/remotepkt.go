package repo

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// packets reads git's pkt-lines (gitprotocol-common(5)).
type packets struct{ r *bufio.Reader }

func newPackets(r io.Reader) *packets { return &packets{bufio.NewReaderSize(r, 1<<16)} }

// maxPacket is the longest pkt-line there is, its length included.
const maxPacket = 65520

// next gives one packet's bytes; nil is a flush. The server's own error packet
// is an error.
func (p *packets) next() ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(p.r, head[:]); err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(string(head[:]), 16, 16)
	switch {
	case err != nil || n > maxPacket:
		return nil, errNotGit
	case n == 0:
		return nil, nil
	case n < 4:
		return nil, errNotGit
	}
	data := make([]byte, n-4)
	if _, err := io.ReadFull(p.r, data); err != nil {
		return nil, unexpected(err)
	}
	if text, ok := strings.CutPrefix(string(data), "ERR "); ok {
		return nil, &serverError{strings.TrimSpace(text)}
	}
	return data, nil
}

var errNotGit = errors.New("the answer is not in git's protocol")

// unexpected is for an end in the middle of something.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// line is next without the line's end. ok is false for a flush.
func (p *packets) line() (text string, ok bool, err error) {
	data, err := p.next()
	return strings.TrimSuffix(string(data), "\n"), data != nil, err
}

func packet(w io.Writer, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	_, err := fmt.Fprintf(w, "%04x%s", len(text)+4, text)
	return err
}

func flushPacket(w io.Writer) error {
	_, err := io.WriteString(w, "0000")
	return err
}

// sideband gives the data in packets that carry data, progress and errors
// side by side. It ends at a flush.
type sideband struct {
	packets *packets
	rest    []byte
	said    *said
	done    bool
}

func (s *sideband) Read(b []byte) (int, error) {
	for len(s.rest) == 0 {
		if s.done {
			return 0, io.EOF
		}
		data, err := s.packets.next()
		if err != nil {
			return 0, unexpected(err)
		}
		if data == nil {
			s.done = true
			continue
		}
		if len(data) == 0 {
			return 0, errNotGit
		}
		switch data[0] {
		case 1:
			s.rest = data[1:]
		case 2:
			s.said.add(data[1:])
		case 3:
			s.said.add(data[1:])
			return 0, &serverError{strings.TrimSpace(string(data[1:]))}
		default:
			return 0, errNotGit
		}
	}
	n := copy(b, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// maxSaid bounds what is kept of a server's talk.
const maxSaid = 64 << 10

// said collects what a server and its hooks say.
type said struct{ text []byte }

func (s *said) add(b []byte) {
	s.text = append(s.text, b[:min(len(b), maxSaid-len(s.text))]...)
}

// Write is add for a command's stderr.
func (s *said) Write(b []byte) (int, error) {
	s.add(b)
	return len(b), nil
}
