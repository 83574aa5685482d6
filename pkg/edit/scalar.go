package edit

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	quotes = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle
	blocks = yaml.LiteralStyle | yaml.FoldedStyle
)

// scalar writes a scalar on one line: in its node's style, else in that of
// hint, else plain, as far as this keeps its tag and value.
func (w *writer) scalar(n *yaml.Node, hint yaml.Style, flow, json bool) string {
	tag, value := n.ShortTag(), n.Value
	if tag == "!!null" {
		if value == "" || json {
			return "null"
		}
	}
	if tag != "!!str" {
		switch {
		case plainTag(value) == tag && plain(value, flow):
			return value
		case plain(value, flow):
			return tagText(tag) + " " + value
		}
		return tagText(tag) + " " + doubleQuoted(value)
	}
	style := n.Style & (quotes | blocks)
	if style == 0 {
		style = hint
	}
	switch {
	case json:
		return doubleQuoted(value)
	case style&yaml.SingleQuotedStyle != 0 && printable(value):
		return "'" + strings.ReplaceAll(value, "'", "''") + "'"
	case style&yaml.DoubleQuotedStyle != 0, !plain(value, flow), plainTag(value) != tag, old.MatchString(value):
		return doubleQuoted(value)
	}
	return value
}

// plainTag is the tag that a plain scalar gets.
func plainTag(value string) string {
	if value == "<<" {
		return "!!merge"
	}
	return (&yaml.Node{Kind: yaml.ScalarNode, Value: value}).ShortTag()
}

// old matches text that readers of YAML 1.1 take for a boolean or for a
// number in base 60.
var old = regexp.MustCompile(`^(?:[yYnN]|[yY]es|YES|[nN]o|NO|[oO]n|ON|[oO]ff|OFF|=|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)$`)

// plain tells whether text can stand without quotes.
func plain(s string, flow bool) bool {
	switch {
	case s == "" || !printable(s) || strings.TrimSpace(s) != s:
		return false
	case strings.Contains(s, ": ") || strings.Contains(s, " #") || strings.HasSuffix(s, ":"):
		return false
	case strings.HasPrefix(s, "---") || strings.HasPrefix(s, "..."):
		return false
	case flow && (strings.ContainsAny(s, ",[]{}") || strings.Contains(s, ":?")):
		return false
	case s[0] == '-':
		return len(s) > 1 && s[1] != ' '
	}
	return !strings.ContainsRune("?:,[]{}#&*!|>'\"%@`", rune(s[0]))
}

// printable tells whether text is one line in which everything can be seen.
func printable(s string) bool {
	for _, r := range s {
		if !visible(r) {
			return false
		}
	}
	return true
}

func visible(r rune) bool { return unicode.IsPrint(r) && r != utf8.RuneError }

// doubleQuoted writes text as a JSON string, with escapes for what cannot be
// seen.
func doubleQuoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case visible(r) || r > 0xffff:
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// literal writes text of several lines as a block at a column. The first line
// tells the block's indentation, so it must not begin with white space, and
// what ends in blank lines would depend on what follows.
func (w *writer) literal(n *yaml.Node, col int, hint yaml.Style) (header, lines string, ok bool) {
	s := n.Value
	style := n.Style & (quotes | blocks)
	if style == 0 {
		style = hint
	}
	body, clip := strings.CutSuffix(s, "\n")
	switch {
	case !w.literals || clip && !w.final || w.json || n.ShortTag() != "!!str" || n.Style&quotes != 0:
		return "", "", false
	case !strings.Contains(s, "\n") && style&blocks == 0:
		return "", "", false
	case body == "" || strings.HasSuffix(body, "\n") || strings.ContainsAny(body[:1], " \t\n"):
		return "", "", false
	}
	rows := strings.Split(body, "\n")
	for i, row := range rows {
		if !printable(strings.ReplaceAll(row, "\t", "")) {
			return "", "", false
		}
		if row != "" {
			rows[i] = pad(col) + row
		}
	}
	header = "|"
	if !clip {
		header = "|-"
	}
	return header, strings.Join(rows, w.eol), true
}
