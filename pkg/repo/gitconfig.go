package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// configEntry is one line of a git config file. The key is section.subsection.name
// with section and name in lower case, as `git config --list` shows it.
type configEntry struct {
	key   string
	value string
}

type configFile struct{ entries []configEntry }

// get gives the last value of a key, "" if it has none.
func (c configFile) get(key string) string {
	for i := len(c.entries) - 1; i >= 0; i-- {
		if c.entries[i].key == key {
			return c.entries[i].value
		}
	}
	return ""
}

// readConfigFile reads one file without its includes. An absent file is empty.
func readConfigFile(path string) (configFile, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) {
		return configFile{}, nil
	}
	if err != nil {
		return configFile{}, fmt.Errorf("reading git config: %w", err)
	}
	c, err := parseConfig(string(b))
	if err != nil {
		return configFile{}, fmt.Errorf("reading git config %q: %w", path, err)
	}
	return c, nil
}

// parseConfig reads the syntax of git-config(1).
func parseConfig(text string) (configFile, error) {
	p := &configParser{rest: strings.TrimPrefix(text, "\ufeff"), line: 1}
	for p.err == nil && p.skipBlank() {
		if p.rest[0] == '[' {
			p.header()
		} else {
			p.variable()
		}
	}
	if p.err != nil {
		return configFile{}, fmt.Errorf("line %d: %w", p.line, p.err)
	}
	return configFile{p.out}, nil
}

type configParser struct {
	rest    string
	line    int
	section string
	out     []configEntry
	err     error
}

// next takes one byte; a CRLF counts as LF, and the end of the text as LF too.
func (p *configParser) next() byte {
	if strings.HasPrefix(p.rest, "\r\n") {
		p.rest = p.rest[1:]
	}
	if p.rest == "" {
		return '\n'
	}
	c := p.rest[0]
	p.rest = p.rest[1:]
	if c == '\n' {
		p.line++
	}
	return c
}

// skipBlank goes to the next header or variable and says whether there is one.
func (p *configParser) skipBlank() bool {
	for p.rest != "" {
		switch c := p.rest[0]; {
		case c == '#' || c == ';':
			for p.rest != "" && p.next() != '\n' {
			}
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			p.next()
		default:
			return true
		}
	}
	return false
}

// header reads [section], [section "subsection"] or the old [section.subsection].
func (p *configParser) header() {
	p.next()
	var name strings.Builder
	for {
		c := p.next()
		switch {
		case c == ']':
			p.section = strings.ToLower(name.String())
			return
		case c == ' ' || c == '\t':
			p.section = strings.ToLower(name.String())
			p.subsection()
			return
		case isNameByte(c) || c == '.':
			name.WriteByte(c)
		default:
			p.err = errors.New("bad section header")
			return
		}
	}
}

func (p *configParser) subsection() {
	p.rest = strings.TrimLeft(p.rest, " \t")
	var name strings.Builder
	if p.next() != '"' {
		p.err = errors.New("bad section header")
		return
	}
	for {
		c := p.next()
		if c == '\\' {
			c = p.next()
		} else if c == '"' {
			break
		}
		if c == '\n' {
			p.err = errors.New("section header without an end")
			return
		}
		name.WriteByte(c)
	}
	if p.next() != ']' {
		p.err = errors.New("bad section header")
	}
	p.section += "." + name.String()
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-'
}

func (p *configParser) variable() {
	n := 0
	for n < len(p.rest) && isNameByte(p.rest[n]) {
		n++
	}
	if n == 0 || p.rest[0] == '-' || p.rest[0] >= '0' && p.rest[0] <= '9' {
		p.err = errors.New("neither a section nor a variable")
		return
	}
	key := strings.ToLower(p.rest[:n])
	if p.section != "" {
		key = p.section + "." + key
	}
	p.rest = strings.TrimLeft(p.rest[n:], " \t")
	value := "true" // a name alone is a switch
	switch {
	case strings.HasPrefix(p.rest, "="):
		p.next()
		value = p.value()
	case p.rest == "", strings.HasPrefix(p.rest, "\n"), strings.HasPrefix(p.rest, "\r\n"), p.rest[0] == '#', p.rest[0] == ';':
	default:
		p.err = errors.New("no = after a variable")
	}
	p.out = append(p.out, configEntry{key, value})
}

// value reads up to the end of the line: quotes keep blanks and comment signs,
// a backslash at the end continues, blanks at both ends are dropped.
func (p *configParser) value() string {
	var out strings.Builder
	p.rest = strings.TrimLeft(p.rest, " \t")
	quoted, keep := false, 0 // keep: length up to the last byte that is no trailing blank
	for {
		c := p.next()
		switch {
		case c == '\n':
			if quoted {
				p.err = errors.New("quote without an end")
			}
			return out.String()[:keep]
		case c == '"':
			quoted = !quoted
			keep = out.Len()
			continue
		case !quoted && (c == '#' || c == ';'):
			for p.rest != "" && p.next() != '\n' {
			}
			return out.String()[:keep]
		case c == '\\':
			e := p.next()
			if e == '\n' {
				continue
			}
			i := strings.IndexByte(`ntb\"`, e)
			if i < 0 {
				p.err = fmt.Errorf("unknown escape %q", "\\"+string(e))
				return ""
			}
			out.WriteByte("\n\t\b\\\""[i])
			keep = out.Len()
			continue
		}
		out.WriteByte(c)
		if quoted || c != ' ' && c != '\t' {
			keep = out.Len()
		}
	}
}

// truth reads a git boolean; what is none counts as false.
func truth(s string) bool {
	switch strings.ToLower(s) {
	case "true", "yes", "on", "1":
		return true
	}
	return false
}
