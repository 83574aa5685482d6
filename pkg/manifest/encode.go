package manifest

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// Encode gives an object as one YAML document: two-space indent, lists at
// their parent's indent, keys in kustomize's order, no comments, LF, final
// newline. Text that some YAML reader would not take for text is quoted. An
// object that must not be rewritten (SOPS signs the order of the keys) is
// given as it was read.
func Encode(o *Object) ([]byte, error) {
	if o.raw != nil {
		return o.raw, nil
	}
	return EncodeNode(o.Node)
}

// EncodeNode encodes a canonical node in the form of Encode.
func EncodeNode(n *yaml.Node) ([]byte, error) {
	if out, ok := emit(n); ok {
		return out, nil
	}
	return encodeNode(n)
}

// encodeNode does the same by the library alone.
func encodeNode(n *yaml.Node) ([]byte, error) {
	styled, hidden := styled(n)
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	enc.CompactSeqIndent()
	if err := enc.Encode(styled); err != nil {
		return nil, fmt.Errorf("encoding %s: %w", n.Value, err)
	}
	if err := enc.Close(); err != nil {
		return nil, err
	}
	if !hidden {
		return out.Bytes(), nil
	}
	return escapeHidden(out.Bytes()), nil
}

// styled copies a canonical node with its keys in order and each scalar in
// the one style that it is printed in. hidden tells whether some text holds
// characters that a reviewer would not see.
func styled(n *yaml.Node) (out *yaml.Node, hidden bool) {
	out = &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value}
	if n.Kind == yaml.ScalarNode {
		if n.Tag == tagString {
			out.Style, hidden = style(n.Value)
		}
		return out, hidden
	}
	out.Content = make([]*yaml.Node, len(n.Content))
	for i, c := range n.Content {
		child, h := styled(c)
		out.Content[i] = child
		hidden = hidden || h
	}
	if n.Kind == yaml.MappingNode {
		for i := 0; i < len(out.Content); i += 2 {
			if out.Content[i].Style == yaml.LiteralStyle {
				out.Content[i].Style = yaml.DoubleQuotedStyle
			}
		}
		sort.Stable(byKey(out.Content))
	}
	return out, hidden
}

// style chooses how a string is printed: literal if it has several lines and
// is plain text otherwise, plain if every reader agrees on it, else quoted.
func style(s string) (style yaml.Style, hidden bool) {
	for _, r := range s {
		if isHidden(r) {
			return yaml.DoubleQuotedStyle, true
		}
	}
	if strings.Contains(s, "\n") {
		if literal(s) {
			return yaml.LiteralStyle, false
		}
		return yaml.DoubleQuotedStyle, false
	}
	if plainSafe(s) {
		return 0, false
	}
	return yaml.DoubleQuotedStyle, false
}

// literal tells whether the text comes back unchanged from a literal block:
// the block's indentation is told by its first line, so that must have text
// in column one.
func literal(s string) bool {
	if s[0] == ' ' || s[0] == '\n' || s[0] == '\t' {
		return false
	}
	for _, r := range s {
		if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// isHidden tells which characters are printable to YAML and invisible, or
// misleading, to a reader: bidirectional controls, zero-width characters.
func isHidden(r rune) bool {
	return r >= 0xa0 && (unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r))
}

// escapeHidden writes hidden characters as escapes. style has put every
// string that holds one between double quotes.
func escapeHidden(text []byte) []byte {
	var out bytes.Buffer
	for _, r := range string(text) {
		switch {
		case !isHidden(r):
			out.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&out, `\U%08X`, r)
		default:
			fmt.Fprintf(&out, `\u%04X`, r)
		}
	}
	return out.Bytes()
}

// byKey sorts the pairs of a mapping.
type byKey []*yaml.Node

func (p byKey) Len() int           { return len(p) / 2 }
func (p byKey) Less(i, j int) bool { return keyLess(p[2*i].Value, p[2*j].Value) }
func (p byKey) Swap(i, j int) {
	p[2*i], p[2*j] = p[2*j], p[2*i]
	p[2*i+1], p[2*j+1] = p[2*j+1], p[2*i+1]
}

// keyLess is the order in which kustomize prints keys: letters after all
// other characters, runs of digits by their value. Where kustomize's encoder
// is not transitive (a digit run against a longer one or a letter) this is the
// order of its successor, go.yaml.in/yaml/v3.
func keyLess(a, b string) bool {
	same := 0
	for same < len(a) && same < len(b) && a[same] == b[same] {
		same++
	}
	if same == len(a) || same == len(b) {
		return len(a) < len(b)
	}
	if asciiLetter(a[same]) && asciiLetter(b[same]) {
		return a[same] < b[same]
	}
	return keyLessRunes(a, b)
}

func asciiLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func keyLessRunes(a, b string) bool {
	x, y := []rune(a), []rune(b)
	inDigits := false
	for i := 0; i < len(x) && i < len(y); i++ {
		if x[i] == y[i] {
			inDigits = unicode.IsDigit(x[i])
			continue
		}
		xl, yl := unicode.IsLetter(x[i]), unicode.IsLetter(y[i])
		switch {
		case xl && yl:
			return x[i] < y[i]
		case xl || yl:
			return xl == inDigits
		}
		var lead uint64
		if (x[i] == '0' || y[i] == '0') && nonZeroBefore(x, i) {
			lead = 1
		}
		xn, xlen := digitRun(x, i, lead)
		yn, ylen := digitRun(y, i, lead)
		if xn != yn {
			return xn < yn
		}
		if xlen != ylen {
			return xlen < ylen
		}
		return x[i] < y[i]
	}
	return len(x) < len(y)
}

// nonZeroBefore tells whether the run of digits that ends before s[i] holds
// one that is not zero: only then does a zero at s[i] make the number larger.
func nonZeroBefore(s []rune, i int) bool {
	for j := i - 1; j >= 0 && unicode.IsDigit(s[j]); j-- {
		if s[j] != '0' {
			return true
		}
	}
	return false
}

// digitRun gives the value of the digits of s from i on, behind the digit
// lead, and how many they are.
func digitRun(s []rune, i int, lead uint64) (value uint64, length int) {
	value = lead
	for ; i+length < len(s) && unicode.IsDigit(s[i+length]); length++ {
		value = value*10 + uint64(s[i+length]-'0')
	}
	return value, length
}
