package edit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

var bom = []byte("\xef\xbb\xbf")

// source is a document's text with a newline at its end, be there one or not.
type source struct {
	text  []byte
	base  int    // length of the byte order mark
	eol   string // "\n" or "\r\n"
	final bool   // the text had a newline at its end
	lone  bool   // the text has a carriage return that belongs to no newline
	json  bool
}

func newSource(text []byte) *source {
	s := &source{text: text, eol: "\n", final: len(text) == 0 || text[len(text)-1] == '\n'}
	if bytes.HasPrefix(text, bom) {
		s.base = len(bom)
	}
	if n := bytes.IndexByte(text, '\n'); n > 0 && text[n-1] == '\r' {
		s.eol = "\r\n"
	}
	if !s.final {
		s.text = append(append([]byte(nil), text...), s.eol...)
	}
	s.lone = bytes.Count(text, []byte("\r")) != bytes.Count(text, []byte("\r\n"))
	s.json = json.Valid(text[s.base:])
	return s
}

// finish takes off the newline that newSource added.
func (s *source) finish(out []byte) []byte {
	if s.final {
		return out
	}
	return trimEOL(out)
}

// encoded writes a tree through the library's encoder.
func (s *source) encoded(want *yaml.Node, comments bool) (out []byte, err error) {
	defer rescue(&err)
	var b bytes.Buffer
	b.Write(s.text[:s.base])
	if marked(s.text[s.base:]) {
		b.WriteString("---\n")
	}
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	enc.CompactSeqIndent()
	if err := enc.Encode(expand(want, comments)); err != nil {
		return nil, fmt.Errorf("encoding the document: %w", err)
	}
	if err := enc.Close(); err != nil {
		return nil, fmt.Errorf("encoding the document: %w", err)
	}
	text := b.String()
	if s.eol != "\n" {
		text = strings.ReplaceAll(text, "\n", s.eol)
	}
	return s.finish([]byte(text)), nil
}

// marked tells whether a document begins with its separator.
func marked(text []byte) bool {
	for len(text) > 0 {
		var line []byte
		line, text, _ = bytes.Cut(text, []byte("\n"))
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return bytes.HasPrefix(line, []byte("---"))
		}
	}
	return false
}

// parse gives the root of the one document in a text; nil if it holds nothing
// but comments.
func parse(text []byte) (n *yaml.Node, err error) {
	defer rescue(&err)
	if !utf8.Valid(text) {
		return nil, errors.New("parsing: the text is not UTF-8")
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("parsing: %w", err)
	}
	switch err := dec.Decode(&more); {
	case err == nil:
		return nil, errors.New("parsing: the text holds more than one document")
	case !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("parsing: %w", err)
	}
	return root(&doc), nil
}

// rescue makes an error of a panic: the YAML library panics over some texts
// and over some nodes that it parsed itself.
func rescue(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("using the YAML library: %v", r)
	}
}

func root(n *yaml.Node) *yaml.Node {
	if n == nil || n.Kind == 0 {
		return nil
	}
	if n.Kind != yaml.DocumentNode {
		return n
	}
	if len(n.Content) != 1 {
		return nil
	}
	return n.Content[0]
}
