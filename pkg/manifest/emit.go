package manifest

import (
	"bytes"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

// emitter writes canonical nodes in the form of Encode, at a quarter of the
// cost of the library: no copy with styles, no events, no second look at every
// scalar. It knows what the library does with printable ASCII; a document that
// holds anything else is the library's. A fuzz test holds the two against each
// other.
type emitter struct {
	out   []byte
	order []int // room for the order of keys, used as a stack
}

// emit writes a document, or says that the library has to.
func emit(n *yaml.Node) ([]byte, bool) {
	e := emitter{out: make([]byte, 0, 1024)}
	switch {
	case n.Kind == yaml.MappingNode && len(n.Content) > 0:
		if !e.mapping(n, 0) {
			return nil, false
		}
	case n.Kind == yaml.MappingNode:
		e.out = append(e.out, "{}\n"...)
	default:
		return nil, false
	}
	return bytes.Clone(e.out), true // no larger than it has to be: whole environments are kept
}

func (e *emitter) indent(n int) {
	const spaces = "                                "
	for ; n > len(spaces); n -= len(spaces) {
		e.out = append(e.out, spaces...)
	}
	e.out = append(e.out, spaces[:n]...)
}

// mapping writes the pairs of a mapping; the first one stands where the
// writing is, the others at an indent.
func (e *emitter) mapping(n *yaml.Node, indent int) bool {
	start := len(e.order)
	e.order = sorted(e.order, n.Content)
	pairs := len(e.order) - start
	for i := range pairs {
		if i > 0 {
			e.indent(indent)
		}
		at := e.order[start+i]
		if !e.key(n.Content[at]) || !e.value(n.Content[at+1], indent) {
			return false
		}
	}
	e.order = e.order[:start]
	return true
}

// simpleKey is below what the library writes as a key on a line of its own.
const simpleKey = 100

func (e *emitter) key(k *yaml.Node) bool {
	if k.Kind != yaml.ScalarNode || k.Tag != tagString || len(k.Value) > simpleKey {
		return false
	}
	form := formOf(k.Value)
	if form == formLiteral || form == formUnknown || strings.Contains(k.Value, "\n") {
		return false
	}
	e.text(k.Value, form, 0)
	e.out = append(e.out, ':')
	return true
}

// value writes what stands behind a key.
func (e *emitter) value(v *yaml.Node, indent int) bool {
	switch {
	case v.Kind == yaml.MappingNode && len(v.Content) > 0:
		e.out = append(e.out, '\n')
		e.indent(indent + 2)
		return e.mapping(v, indent+2)
	case v.Kind == yaml.SequenceNode && len(v.Content) > 0:
		e.out = append(e.out, '\n')
		e.indent(indent)
		return e.sequence(v, indent)
	}
	e.out = append(e.out, ' ')
	return e.leaf(v, indent)
}

func (e *emitter) sequence(n *yaml.Node, indent int) bool {
	for i, item := range n.Content {
		if i > 0 {
			e.indent(indent)
		}
		e.out = append(e.out, '-', ' ')
		ok := false
		switch {
		case item.Kind == yaml.MappingNode && len(item.Content) > 0:
			ok = e.mapping(item, indent+2)
		case item.Kind == yaml.SequenceNode && len(item.Content) > 0:
			ok = e.sequence(item, indent+2)
		default:
			ok = e.leaf(item, indent)
		}
		if !ok {
			return false
		}
	}
	return true
}

// leaf writes a scalar or an empty collection, and ends the line.
func (e *emitter) leaf(n *yaml.Node, indent int) bool {
	switch {
	case n.Kind == yaml.MappingNode && len(n.Content) == 0:
		e.out = append(e.out, "{}\n"...)
		return true
	case n.Kind == yaml.SequenceNode && len(n.Content) == 0:
		e.out = append(e.out, "[]\n"...)
		return true
	case n.Kind != yaml.ScalarNode:
		return false
	case n.Tag == tagString:
		form := formOf(n.Value)
		if form == formUnknown {
			return false
		}
		e.text(n.Value, form, indent+2)
		if form != formLiteral {
			e.out = append(e.out, '\n')
		}
		return true
	case n.Tag == tagInt && shortInt(n.Value),
		n.Tag == tagBool && (n.Value == "true" || n.Value == "false"),
		n.Tag == tagNull && n.Value == "null":
		e.out = append(e.out, n.Value...)
		e.out = append(e.out, '\n')
		return true
	}
	return false
}

// shortInt tells whether the text is an integer as strconv prints it, and not
// one of those that the library tells from other numbers only by their value.
func shortInt(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || len(digits) > 15 || digits[0] == '0' && s != "0" {
		return false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
	}
	return true
}

// The forms of text.
const (
	formUnknown = iota
	formPlain
	formSingle
	formDouble
	formLiteral
)

// formOf gives the form that style and the library's own checks lead to.
func formOf(s string) int {
	lines, indicator := false, s == ""
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '\n':
			if i > 0 && s[i-1] == ' ' {
				return formUnknown
			}
			lines = true
		case c < ' ' || c > '~':
			return formUnknown
		case c == ':':
			indicator = indicator || i+1 == len(s) || s[i+1] == ' '
		case c == '#':
			indicator = indicator || i == 0 || s[i-1] == ' '
		}
	}
	switch {
	case lines && s[len(s)-1] == ' ':
		return formUnknown
	case lines && literal(s):
		return formLiteral
	case lines || !plainSafe(s):
		return formDouble
	case indicator || indicates(s):
		return formSingle
	}
	return formPlain
}

// indicates tells whether text that stands unquoted would begin or end like
// something else.
func indicates(s string) bool {
	switch s[0] {
	case '#', ',', '[', ']', '{', '}', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`', ' ':
		return true
	case '-', '?', ':':
		if len(s) == 1 || s[1] == ' ' {
			return true
		}
	}
	return s[len(s)-1] == ' ' || strings.HasPrefix(s, "---") || strings.HasPrefix(s, "...")
}

// text writes a string. A literal ends with its line, the others do not.
func (e *emitter) text(s string, form, indent int) {
	switch form {
	case formPlain:
		e.out = append(e.out, s...)
	case formSingle:
		e.out = append(e.out, '\'')
		for i := range len(s) {
			if s[i] == '\'' {
				e.out = append(e.out, '\'')
			}
			e.out = append(e.out, s[i])
		}
		e.out = append(e.out, '\'')
	case formDouble:
		e.out = append(e.out, '"')
		for i := range len(s) {
			switch c := s[i]; c {
			case '\n':
				e.out = append(e.out, '\\', 'n')
			case '"', '\\':
				e.out = append(e.out, '\\', c)
			default:
				e.out = append(e.out, c)
			}
		}
		e.out = append(e.out, '"')
	case formLiteral:
		e.literal(s, indent)
	}
}

func (e *emitter) literal(s string, indent int) {
	e.out = append(e.out, '|')
	switch {
	case !strings.HasSuffix(s, "\n"):
		e.out = append(e.out, '-')
	case strings.HasSuffix(s, "\n\n"):
		e.out = append(e.out, '+')
	}
	e.out = append(e.out, '\n')
	for line := range strings.SplitSeq(strings.TrimSuffix(s, "\n"), "\n") {
		if line != "" {
			e.indent(indent)
			e.out = append(e.out, line...)
		}
		e.out = append(e.out, '\n')
	}
}

// sorted appends the indices of a mapping's keys in the order in which they
// are printed, by the same steps as sort.Stable.
func sorted(order []int, content []*yaml.Node) []int {
	start := len(order)
	for i := 0; i+1 < len(content); i += 2 {
		order = append(order, i)
	}
	own := order[start:]
	if len(own) > 20 {
		sort.Stable(byIndex{own, content})
		return order
	}
	for i := 1; i < len(own); i++ {
		for j := i; j > 0 && keyLess(content[own[j]].Value, content[own[j-1]].Value); j-- {
			own[j], own[j-1] = own[j-1], own[j]
		}
	}
	return order
}

type byIndex struct {
	order   []int
	content []*yaml.Node
}

func (b byIndex) Len() int { return len(b.order) }
func (b byIndex) Less(i, j int) bool {
	return keyLess(b.content[b.order[i]].Value, b.content[b.order[j]].Value)
}
func (b byIndex) Swap(i, j int) { b.order[i], b.order[j] = b.order[j], b.order[i] }
