package render

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	_ "unsafe" // for the link to the library's schemas

	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/kustomize/kyaml/openapi"
)

// schemas gives kyaml the part of its schemas that a build can ask for. Decoding
// all of them takes longer than a small build, and most builds hold a dozen of
// the kinds. It changes what kyaml keeps for the life of the process.
type schemas struct {
	state  int
	builds int
	text   map[string][]byte // each definition's, by name
	kinds  map[string][]string
	loaded map[string]bool
}

const (
	schemasNone  = iota // kyaml has loaded nothing yet
	schemasPart         // it has what schemas has given it
	schemasWhole        // it has, or loads, all that it knows
)

// partialBuilds is after how many builds all is loaded, rather than looking for
// what the next one needs.
const partialBuilds = 8

// libraryBundle is what kyaml decodes its schemas from. Nothing that it exports
// gives it.
//
//go:linkname libraryBundle sigs.k8s.io/kustomize/kyaml/openapi.builtinKubernetesOpenAPIBundle
var libraryBundle []byte

var errBundle = errors.New("reading the schemas of kustomize: they have another form")

// whole lets kyaml have all of its schemas. The library's own builds need that.
func (s *schemas) whole() {
	if s.state == schemasPart {
		openapi.ResetOpenAPI()
	}
	s.state = schemasWhole
}

// prepare sees to it that kyaml finds the schemas of all kinds that the files of
// a build name, in whatever place: objects may be nested in others.
func (s *schemas) prepare(data map[string][]byte) {
	if s.state == schemasWhole {
		return
	}
	s.builds++
	if s.builds > partialBuilds {
		s.whole()
		return
	}
	if s.text == nil {
		if err := s.read(libraryBundle); err != nil {
			s.whole()
			return
		}
	}
	names := slices.Concat(s.kinds["ConfigMap"], s.kinds["Secret"]) // generators make them
	for _, text := range data {
		if !legible(text) {
			s.whole()
			return
		}
		for word := range words(text) {
			names = append(names, s.kinds[word]...)
		}
	}
	if s.state == schemasNone {
		openapi.ResetOpenAPI()
		openapi.SuppressBuiltInSchemaUse()
		s.state = schemasPart
	}
	if s.add(names) != nil {
		s.whole()
	}
}

// legible tells whether the words of a text are all that it can say: no escapes
// that write a letter, no line that is continued within a word, no reference to
// a schema by its name, no patch that puts text together.
func legible(text []byte) bool {
	for rest := text; ; {
		i := bytes.IndexByte(rest, '\\')
		if i < 0 {
			break
		}
		if i+1 == len(rest) || strings.IndexByte("uUxNL_P\r\n", rest[i+1]) >= 0 {
			return false
		}
		rest = rest[i+2:]
	}
	for _, word := range []string{"$ref", "openapi", "openAPI", "copy", "move"} {
		if bytes.Contains(text, []byte(word)) {
			return false
		}
	}
	return true
}

// words gives the runs of letters and digits of a text. A letter behind a
// backslash belongs to no word.
func words(text []byte) func(yield func(string) bool) {
	letter := func(c byte) bool {
		return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9'
	}
	return func(yield func(string) bool) {
		for i := 0; i < len(text); i++ {
			if text[i] == '\\' {
				i++
				continue
			}
			start := i
			for i < len(text) && letter(text[i]) {
				i++
			}
			if i > start {
				if !yield(string(text[start:i])) {
					return
				}
				i--
			}
		}
	}
}

// add gives kyaml definitions, and all that they refer to.
func (s *schemas) add(names []string) error {
	fresh := spec.Definitions{}
	for len(names) > 0 {
		name := names[len(names)-1]
		names = names[:len(names)-1]
		text, known := s.text[name]
		if !known || s.loaded[name] {
			continue
		}
		s.loaded[name] = true
		var d spec.Schema
		if err := d.UnmarshalJSON(text); err != nil {
			return err
		}
		fresh[name] = d
		const ref = `"$ref":"#/definitions/`
		for {
			_, after, more := bytes.Cut(text, []byte(ref))
			if !more {
				break
			}
			to, rest, _ := bytes.Cut(after, []byte(`"`))
			names, text = append(names, string(to)), rest
		}
	}
	if len(fresh) > 0 {
		openapi.Schema() // what kyaml adds by itself comes first
		openapi.AddDefinitions(fresh)
	}
	return nil
}

// read finds the definitions in kyaml's bundle, without decoding them.
func (s *schemas) read(bundle []byte) error {
	z, err := gzip.NewReader(bytes.NewReader(bundle))
	if err != nil {
		return errBundle
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return errBundle
	}
	_, text, found := bytes.Cut(text, []byte(`"definitions":{`))
	if !found {
		return errBundle
	}
	s.text, s.kinds, s.loaded = map[string][]byte{}, map[string][]string{}, map[string]bool{}
	for len(text) > 0 && text[0] != '}' {
		end := jsonEnd(text)
		if end < 2 || end >= len(text) || text[end] != ':' {
			return errBundle
		}
		name := string(text[1 : end-1])
		text = text[end+1:]
		if end = jsonEnd(text); end == 0 || text[0] != '{' || end == len(text) {
			return errBundle
		}
		s.text[name] = text[:end:end]
		kind := name[strings.LastIndexByte(name, '.')+1:]
		s.kinds[kind] = append(s.kinds[kind], name)
		text = bytes.TrimPrefix(text[end:], []byte(","))
	}
	if len(s.text) == 0 {
		return fmt.Errorf("%w: there are none", errBundle)
	}
	return nil
}

// jsonEnd is where a text or object of JSON ends that a text begins with, 0 if
// it does not end.
func jsonEnd(text []byte) int {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
			continue
		case c == '"':
			quoted = !quoted
		case quoted:
			continue
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
		if depth == 0 && !quoted {
			return i + 1
		}
	}
	return 0
}
