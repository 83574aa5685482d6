package tree

import "strings"

// printer writes records line by line: most hold nothing that has to be quoted,
// and the YAML library takes longer over them than over the objects. The first
// value that is not simple ends it, and the library prints the whole record.
type printer struct {
	out []byte
	ok  bool
}

// printed gives the text of a record, unless the library has to print it.
func (r Record) printed() ([]byte, bool) {
	if len(r.Programs) > 0 {
		return nil, false
	}
	p := printer{out: make([]byte, 0, 512+128*(len(r.Inputs)+len(r.Absent))+384*len(r.Objects)), ok: true}
	p.line("commit: ", r.Commit)
	p.line("config: ", r.Config)
	if len(r.Pins) > 0 {
		p.out = append(p.out, "pins:\n"...)
		p.pins("", r.Pins)
	}
	p.head("inputs", len(r.Inputs))
	for _, in := range r.Inputs {
		p.line("- path: ", in.Path)
		p.line("  id: ", in.ID)
	}
	if len(r.Absent) > 0 {
		p.head("absent", len(r.Absent))
		for _, path := range r.Absent {
			p.line("- ", path)
		}
	}
	p.line("tree: ", r.Tree)
	p.head("objects", len(r.Objects))
	for _, o := range r.Objects {
		p.object(o)
	}
	return p.out, p.ok
}

func (p *printer) object(o ObjectRecord) {
	p.line("- file: ", o.File)
	p.line("  apiVersion: ", o.APIVersion)
	p.line("  kind: ", o.Kind)
	if o.Namespace != "" {
		p.line("  namespace: ", o.Namespace)
	}
	p.line("  name: ", o.Name)
	p.line("  source: ", o.Source)
	if len(o.Injected) > 0 {
		p.out = append(p.out, "  injected:\n"...)
		p.pins("  ", o.Injected)
	}
	if len(o.Images) > 0 {
		p.out = append(p.out, "  images:\n"...)
		for _, image := range o.Images {
			p.line("  - ", image)
		}
	}
}

func (p *printer) pins(indent string, pins []Pin) {
	for _, pin := range pins {
		p.line(indent+"- injector: ", pin.Injector)
		p.line(indent+"  version: ", pin.Version)
	}
}

func (p *printer) head(name string, items int) {
	p.out = append(p.out, name...)
	if items == 0 {
		p.out = append(p.out, ": []"...)
	} else {
		p.out = append(p.out, ':')
	}
	p.out = append(p.out, '\n')
}

func (p *printer) line(key, value string) {
	p.ok = p.ok && simple(value)
	p.out = append(append(append(p.out, key...), value...), '\n')
}

// simple tells whether text stands in YAML as it is, and is text to every
// reader: what begins with a letter and is none of the words, and what begins
// with a digit, is not hexadecimal, and has a letter that no other number has.
func simple(s string) bool {
	if s == "" || len(s) > 1 && s[1]|0x20 == 'x' {
		return false
	}
	certain := s[0]|0x20 >= 'a' && s[0]|0x20 <= 'z'
	for i := range len(s) {
		switch c := s[i]; {
		case c == 'a', c == 'c', c == 'd', c == 'f':
			certain = certain || s[0] >= '0' && s[0] <= '9'
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '/', c == '.', c == '-', c == '_':
		case c == ':' && i+1 < len(s), c == '@', c == '+':
		default:
			return false
		}
	}
	if len(s) > len("false") {
		return certain
	}
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf":
		return false
	}
	return certain
}
