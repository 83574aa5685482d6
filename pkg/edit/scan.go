package edit

import (
	"bytes"
	"unicode/utf8"
)

func blank(c byte) bool { return c == ' ' || c == '\t' }
func space(c byte) bool { return blank(c) || c == '\n' || c == '\r' }

// skipBlanks passes spaces and tabs.
func skipBlanks(text []byte, at int) int {
	for at < len(text) && blank(text[at]) {
		at++
	}
	return at
}

// skipSpace passes white space, line breaks and comments.
func skipSpace(text []byte, at int) int {
	for at < len(text) {
		switch {
		case space(text[at]):
			at++
		case text[at] == '#' && (at == 0 || space(text[at-1])):
			at = lineEnd(text, at)
		default:
			return at
		}
	}
	return at
}

// lineEnd is where the line's break begins, or the text's end.
func lineEnd(text []byte, at int) int {
	n := bytes.IndexByte(text[at:], '\n')
	if n < 0 {
		return len(text)
	}
	if n > 0 && text[at+n-1] == '\r' {
		n--
	}
	return at + n
}

// nextLine is where the following line begins, or the text's end.
func nextLine(text []byte, at int) int {
	if n := bytes.IndexByte(text[at:], '\n'); n >= 0 {
		return at + n + 1
	}
	return len(text)
}

// skipProps passes a node's anchor and tag and what white space follows them.
// anchor is where the anchor ends, 0 without one; end is where the last of
// them ends; body is where the node itself begins.
func skipProps(text []byte, at int) (anchor, end, body int, tagged bool) {
	end, body = at, at
	for body < len(text) && (text[body] == '&' || text[body] == '!') {
		tagged = tagged || text[body] == '!'
		mark := text[body]
		for end = body; end < len(text) && !space(text[end]) && !(mark == '&' && isFlow(text[end])); {
			end++
		}
		if mark == '!' {
			end = tagEnd(text, body, end)
		} else {
			anchor = end
		}
		body = skipSpace(text, end)
	}
	return anchor, end, body, tagged
}

// tagEnd cuts a tag off before what ends it in flow style.
func tagEnd(text []byte, from, to int) int {
	if bytes.HasPrefix(text[from:to], []byte("!<")) {
		if n := bytes.IndexByte(text[from:to], '>'); n > 0 {
			return from + n + 1
		}
	}
	if n := bytes.IndexAny(text[from:to], ",[]{}"); n > 0 {
		return from + n
	}
	return to
}

func isFlow(c byte) bool { return c == ',' || c == '[' || c == ']' || c == '{' || c == '}' }

// plainEnd finds where a plain scalar ends from what it means: a fold is a
// space, a fold with n blank lines n line breaks.
func plainEnd(text []byte, at int, value string) (int, bool) {
	for j := 0; j < len(value); {
		if value[j] == ' ' || value[j] == '\n' {
			if end, breaks := fold(text, at); breaks == 1 && value[j] == ' ' {
				at, j = end, j+1
				continue
			} else if breaks > 1 && bytes.Count([]byte(value[j:min(len(value), j+breaks-1)]), []byte("\n")) == breaks-1 {
				at, j = end, j+breaks-1
				continue
			}
		}
		if at >= len(text) || text[at] != value[j] {
			return 0, false
		}
		at, j = at+1, j+1
	}
	return at, true
}

// fold passes white space and counts the line breaks in it.
func fold(text []byte, at int) (end, breaks int) {
	for end = at; end < len(text) && space(text[end]); end++ {
		if text[end] == '\n' {
			breaks++
		}
	}
	return end, breaks
}

// quotedEnd finds the end of a quoted scalar.
func quotedEnd(text []byte, at int) (int, bool) {
	quote := text[at]
	for i := at + 1; i < len(text); i++ {
		switch {
		case quote == '"' && text[i] == '\\':
			i++
		case text[i] != quote:
		case quote == '\'' && i+1 < len(text) && text[i+1] == '\'':
			i++
		default:
			return i + 1, true
		}
	}
	return 0, false
}

// blockEnd finds the ends of a block scalar's indicators and of its text, the
// last line break not included. indent is the column of the collection round
// it, -1 if there is none.
func blockEnd(text []byte, at, indent int) (header, end int) {
	header = at + 1
	fixed, keep := 0, false
	for ; header < len(text) && bytes.IndexByte([]byte("+-123456789"), text[header]) >= 0; header++ {
		switch c := text[header]; c {
		case '+':
			keep = true
		case '-':
		default:
			fixed = max(indent, 0) + int(c-'0')
		}
	}
	end = header
	column := fixed
	for line := nextLine(text, header); line < len(text); line = nextLine(text, line) {
		stop := lineEnd(text, line)
		spaces := 0
		for line+spaces < stop && text[line+spaces] == ' ' {
			spaces++
		}
		switch {
		case column == 0 && line+spaces == stop, column > 0 && line+spaces == stop && spaces <= column:
			if keep {
				end = stop
			}
			continue
		case column == 0:
			column = max(spaces, indent+1, 1)
		}
		if spaces < column {
			break
		}
		end = stop
	}
	return header, end
}

// columnOf counts the characters from a line's start.
func columnOf(text []byte, from, at int) int { return utf8.RuneCount(text[from:at]) }
