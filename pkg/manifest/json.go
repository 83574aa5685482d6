package manifest

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// pair is a character beyond U+FFFF as JSON escapes it. An escape that is
// escaped itself is no escape, so what stands before matters.
var pair = regexp.MustCompile(`\\\\|\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})`)

// pairs gives a document that is JSON with such characters written out: YAML
// has another escape for them, and its parser refuses JSON's. kubectl takes
// them; kustomize does not, which is reported as ambiguous.
func (r *reader) pairs(text []byte) []byte {
	at := pair.FindIndex(text)
	if at == nil || !json.Valid(bytes.TrimPrefix(trim(text), []byte("---"))) {
		return text
	}
	return pair.ReplaceAllFunc(text, func(escape []byte) []byte {
		if len(escape) < 12 {
			return escape
		}
		if r.ambiguous == nil {
			line := 1 + bytes.Count(text[:bytes.Index(text, escape)], []byte("\n"))
			r.ambiguous.Add(r.file, line+r.offset, "kustomize does not read the escape "+string(escape), "write the character itself")
		}
		high, _ := strconv.ParseUint(string(escape[2:6]), 16, 16)
		low, _ := strconv.ParseUint(string(escape[8:12]), 16, 16)
		return utf8.AppendRune(nil, utf16.DecodeRune(rune(high), rune(low)))
	})
}
