package render

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

// kustomize can say where an object came from (buildMetadata:
// originAnnotations), but then it also writes a note for each transformer that
// an object goes through, parsing all notes before it each time, which costs
// as much again as the build. So objects carry a mark of our own through it: an
// annotation put into the text of the resource files that kustomize is given,
// and into the options of its generators. Builds that could see the mark run
// without it, and a second time with kustomize's own notes.
const (
	tagAnnotation    = "sluice.dev/origin"
	originAnnotation = "config.kubernetes.io/origin"
)

// mark is the note: where an object stands.
type mark struct {
	file      string
	doc, line int
}

func (m mark) String() string { return fmt.Sprintf("%d %d %s", m.doc, m.line, m.file) }

func parseMark(s string) (m mark, ok bool) {
	doc, rest, _ := strings.Cut(s, " ")
	line, file, found := strings.Cut(rest, " ")
	d, err1 := strconv.Atoi(doc)
	l, err2 := strconv.Atoi(line)
	return mark{file, d, l}, found && err1 == nil && err2 == nil
}

// insertion is text to put into a file.
type insertion struct {
	offset int
	text   string
}

// tagged gives a resource file with a mark in each object, or nil if some
// object is written in a way in which the place is not certain.
// The second one has the marks of all but ConfigMaps and Secrets, which
// generators merge into, at the top of the objects.
func tagged(file string, data []byte, docs []manifest.Document) (inside, above []byte) {
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		return nil, nil
	}
	var all, tops []insertion
	from := 0
	text := bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	for _, d := range docs {
		at := bytes.Index(text[from:], d.Raw)
		if at < 0 {
			return nil, nil
		}
		from += at
		t := tagger{raw: d.Raw, base: from, mark: mark{file: file, doc: d.Index}, first: d.Line - d.Parsed.Line}
		if !t.object(d.Parsed) {
			return nil, nil
		}
		all, tops = append(all, t.found...), append(tops, t.tops...)
		from += len(d.Raw)
	}
	inside = inserted(text, all)
	if len(tops) == len(all) {
		above = inserted(text, tops)
	}
	return inside, above
}

func inserted(text []byte, all []insertion) []byte {
	slices.SortFunc(all, func(a, b insertion) int { return cmp.Compare(a.offset, b.offset) })
	var out bytes.Buffer
	last := 0
	for _, i := range all {
		out.Write(text[last:i.offset])
		out.WriteString(i.text)
		last = i.offset
	}
	out.Write(text[last:])
	return out.Bytes()
}

// tagger finds the places in one document.
type tagger struct {
	raw   []byte
	base  int // offset of the document in the file
	first int // lines of the file before the document's own numbering
	mark  mark
	found []insertion // one in each object's annotations
	tops  []insertion // one before each object's first key, if there can be one for all
}

// plain tells whether a node is written where it stands and nowhere else.
func plain(n *yaml.Node) bool { return n.Anchor == "" && n.Kind != yaml.AliasNode }

func (t *tagger) object(n *yaml.Node) bool {
	if n.Kind != yaml.MappingNode || !plain(n) || manifest.Field(n, "<<") != nil {
		return false
	}
	if items := manifest.Field(n, "items"); items != nil && strings.HasSuffix(text(manifest.Field(n, "kind")), "List") {
		if items.Kind != yaml.SequenceNode || !plain(items) {
			return false
		}
		return !slices.ContainsFunc(items.Content, func(item *yaml.Node) bool { return !t.object(item) })
	}
	meta := manifest.Field(n, "metadata")
	if meta == nil || meta.Kind != yaml.MappingNode || !plain(meta) || len(meta.Content) == 0 || manifest.Field(meta, "<<") != nil {
		return false
	}
	t.mark.line = n.Line + t.first
	entry := strconv.Quote(tagAnnotation) + ": " + quoteJSON(t.mark.String())
	within, what := meta, `"annotations": {`+entry+"}"
	if annotations := manifest.Field(meta, "annotations"); annotations != nil {
		if annotations.Kind != yaml.MappingNode || !plain(annotations) || len(annotations.Content) == 0 || manifest.Field(annotations, "<<") != nil {
			return false
		}
		within, what = annotations, entry
	}
	i, ok := t.insertion(within, what)
	if !ok {
		return false
	}
	t.found = append(t.found, i)
	if kind := text(manifest.Field(n, "kind")); kind != "ConfigMap" && kind != "Secret" {
		if i, ok = t.insertion(n, entry); !ok || manifest.Field(n, tagAnnotation) != nil {
			return true
		}
	}
	t.tops = append(t.tops, i)
	return true
}

// insertion puts an entry before the first key of a mapping.
func (t *tagger) insertion(m *yaml.Node, entry string) (i insertion, ok bool) {
	key := m.Content[0]
	if !plain(key) || key.Style&yaml.TaggedStyle != 0 || key.Kind != yaml.ScalarNode {
		return i, false
	}
	start := 0
	for range key.Line - 1 {
		n := bytes.IndexByte(t.raw[start:], '\n')
		if n < 0 {
			return i, false
		}
		start += n + 1
	}
	offset := start + key.Column - 1
	if offset > len(t.raw) {
		return i, false
	}
	before := t.raw[start:offset]
	if bytes.ContainsFunc(before, func(r rune) bool { return r >= 0x80 }) {
		return i, false // columns count characters
	}
	if m.Style&yaml.FlowStyle != 0 {
		entry += ", "
	} else if len(bytes.Trim(before, " -")) > 0 {
		return i, false
	} else {
		entry += "\n" + strings.Repeat(" ", key.Column-1)
	}
	return insertion{t.base + offset, entry}, true
}

func quoteJSON(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// taggedGenerators gives a kustomization whose generators mark what they make.
// What merges into or replaces an object leaves that object's mark alone.
func taggedGenerators(k *kustomization) ([]byte, error) {
	return edited(k.data, func(m map[string]any) {
		for _, field := range []string{"configMapGenerator", "secretGenerator"} {
			list, _ := m[field].([]any)
			for _, e := range list {
				entry, ok := e.(map[string]any)
				if behavior, _ := entry["behavior"].(string); !ok || behavior == "merge" || behavior == "replace" {
					continue
				}
				annotations := child(child(entry, "options"), "annotations")
				annotations[tagAnnotation] = mark{file: k.file}.String()
			}
		}
	})
}

// withOrigins gives a kustomization that has kustomize note origins itself.
func withOrigins(k *kustomization) ([]byte, error) {
	return edited(k.data, func(m map[string]any) {
		list, _ := m["buildMetadata"].([]any)
		m["buildMetadata"] = append(list, "originAnnotations")
	})
}

// edited changes a kustomization in the JSON form to which kustomize itself
// converts it first, by the same function.
func edited(data []byte, change func(map[string]any)) ([]byte, error) {
	j, err := sigsyaml.YAMLToJSON(data)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(j))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err != nil {
		return nil, err
	}
	change(m)
	return json.Marshal(m)
}

// child gives the mapping under key, made if need be.
func child(m map[string]any, key string) map[string]any {
	c, ok := m[key].(map[string]any)
	if !ok {
		c = map[string]any{}
		m[key] = c
	}
	return c
}

// untag takes the mark off an object, and the annotations if nothing else is
// in them, as kustomize does with its own.
func untag(n *yaml.Node, key string) (value string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Kind == yaml.MappingNode && n.Content[i].Value == key {
			value = n.Content[i+1].Value
			n.Content = slices.Delete(n.Content, i, i+2)
			return value
		}
	}
	meta := manifest.Field(n, "metadata")
	annotations := manifest.Field(meta, "annotations")
	if annotations == nil || annotations.Kind != yaml.MappingNode {
		return ""
	}
	for i := 0; i+1 < len(annotations.Content); i += 2 {
		if annotations.Content[i].Value == key {
			value = annotations.Content[i+1].Value
			annotations.Content = slices.Delete(annotations.Content, i, i+2)
			break
		}
	}
	if len(annotations.Content) == 0 {
		for i := 0; i+1 < len(meta.Content); i += 2 {
			if meta.Content[i].Value == "annotations" {
				meta.Content = slices.Delete(meta.Content, i, i+2)
				break
			}
		}
	}
	return value
}

// noted reads kustomize's own note: a path, or the file that configures the
// generator, both counted from the directory that was built. A transformer's
// note means that a patch took the object's own away: it says nothing.
func noted(n *yaml.Node, dir string) string {
	var o struct {
		Path         string `yaml:"path"`
		ConfiguredIn string `yaml:"configuredIn"`
		ConfiguredBy struct {
			Kind string `yaml:"kind"`
		} `yaml:"configuredBy"`
	}
	note := text(manifest.Field(n, "metadata", "annotations", originAnnotation))
	switch {
	case yaml.Unmarshal([]byte(note), &o) != nil:
		return ""
	case o.Path != "":
		return path.Join(dir, o.Path)
	case o.ConfiguredIn != "" && strings.HasSuffix(o.ConfiguredBy.Kind, "Generator"):
		return path.Join(dir, o.ConfiguredIn)
	}
	return ""
}
