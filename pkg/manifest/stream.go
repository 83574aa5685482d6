package manifest

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/sluice-dev/sluice/pkg/finding"
)

// chunk is the text of one YAML document, its separator line included.
type chunk struct {
	text []byte
	line int // of its first line in the file, counted from 1
	end  int // of the line after its last
}

// text gives data as LF-terminated UTF-8 without byte order mark, or says why
// it cannot be read as text at all.
func text(file string, data []byte) ([]byte, error) {
	if bytes.HasPrefix(data, []byte("version https://git-lfs.github.com/spec/")) {
		return nil, finding.List{{
			File: file, Line: 1, Text: "is a Git LFS pointer, not the file itself",
			Hint: "keep manifests out of Git LFS: git lfs migrate export --include=" + file,
		}}
	}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, finding.List{{File: file, Line: 1, Text: "is UTF-16 text", Hint: "save the file as UTF-8"}}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	if err := legible(file, data); err != nil {
		return nil, err
	}
	return data, nil
}

// legible refuses bytes that the parsers downstream do not agree on: control
// characters, invalid UTF-8, and the three characters that YAML 1.1 takes for
// line breaks and YAML 1.2 does not.
func legible(file string, data []byte) error {
	line := 1
	for i := 0; i < len(data); {
		c := data[i]
		if c < utf8.RuneSelf && (c >= ' ' && c != 0x7f || c == '\t' || c == '\n') {
			if c == '\n' {
				line++
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(data[i:])
		text, hint := "", `write it as an escape in double quotes, for instance "\x1b"`
		switch {
		case r == utf8.RuneError && size == 1:
			text, hint = fmt.Sprintf("byte 0x%02x is not UTF-8", c), "save the file as UTF-8"
		case r < ' ' || r >= 0x7f && r < 0xa0 && r != 0x85:
			text = fmt.Sprintf("control character U+%04X", r)
		case r == 0x85 || r == 0x2028 || r == 0x2029:
			text = fmt.Sprintf("character U+%04X, a line break to some YAML readers only", r)
		case r == 0xfeff:
			text = "byte order mark in the middle of the file"
		}
		if text != "" {
			return finding.List{{File: file, Line: line, Text: text, Hint: hint}}
		}
		i += size
	}
	return nil
}

// split cuts a stream at its document separators. A line that begins with
// three dashes separates documents wherever it stands, block scalars included:
// their text is always indented.
func split(file string, data []byte) ([]chunk, error) {
	var chunks []chunk
	var list finding.List
	start, startLine, line := 0, 1, 0
	ended := 0 // line of a document end marker
	flush := func(end, endLine int) {
		if len(trim(data[start:end])) > 0 {
			chunks = append(chunks, chunk{text: data[start:end], line: startLine, end: endLine})
		}
	}
	for at := 0; at < len(data); {
		line++
		next := len(data)
		if n := bytes.IndexByte(data[at:], '\n'); n >= 0 {
			next = at + n + 1
		}
		row := data[at:next]
		switch {
		case marker(row, "---"):
			flush(at, line)
			start, startLine, ended = at, line, 0
		case marker(row, "..."):
			ended = line
		case strings.HasPrefix(string(row), "<<<<<<< "), strings.HasPrefix(string(row), ">>>>>>> "):
			list.Add(file, line, "unresolved merge conflict", "finish the merge: keep one side and delete the markers")
		case ended > 0 && len(trim(row)) > 0 && trim(row)[0] != '#':
			list.Add(file, line, fmt.Sprintf("text after the document end marker `...` of line %d", ended), "begin the next document with a line ---")
			ended = 0
		}
		at = next
	}
	flush(len(data), line+1)
	return chunks, list.Err()
}

// trim takes off what YAML has for white space. Unicode's other spaces are text.
func trim(b []byte) []byte { return bytes.Trim(b, " \t\r\n") }

// marker tells whether a line is mark, alone or followed by white space.
func marker(row []byte, mark string) bool {
	rest, found := bytes.CutPrefix(row, []byte(mark))
	return found && (len(rest) == 0 || rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\n')
}
