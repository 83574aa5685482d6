package release

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/source"
)

var (
	placeholder = regexp.MustCompile(`\$?\$\{[^{}]*\}`)
	valueName   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)
	wholeNumber = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,17})$`)
)

// maxValue is what the value of a placeholder may have in bytes.
const maxValue = 1000

// filling fills in placeholders and notes what is wrong with them.
type filling struct {
	values map[string]string
	used   map[string]bool
	list   finding.List
}

// filled gives the files of a template as they are to lie in dir. Placeholders
// stand in names and in the values and keys of YAML and JSON files, as ${KEY};
// $${KEY} stands for ${KEY} itself. Other files are copied.
func filled(files *source.FS, from, dir string, t Template) (map[string][]byte, error) {
	names, err := templateFiles(files, from)
	if err != nil {
		return nil, err
	}
	f := &filling{values: maps.Clone(t.Values), used: map[string]bool{"name": true}}
	f.check(t)
	f.values["name"] = path.Base(t.Name)
	out, made := map[string][]byte{}, map[string]string{}
	for _, name := range names {
		data, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		at := path.Join(dir, f.name(name, strings.TrimPrefix(name, from+"/")))
		if out[at] != nil {
			f.list.Add(name, 0, fmt.Sprintf("two files of the template become %s", at), "give them names of their own")
		}
		if isYAML(name) || isKustomization(name) || path.Ext(name) == ".json" {
			if data, err = f.file(name, at, data); err != nil {
				return nil, err
			}
		}
		out[at], made[at] = append([]byte{}, data...), name
	}
	for _, at := range slices.Sorted(maps.Keys(made)) {
		for up := path.Dir(at); up != dir && up != "."; up = path.Dir(up) {
			if file, taken := made[up]; taken {
				f.list.Add(file, 0, fmt.Sprintf("would be the file %s, which is the directory of %s", up, made[at]), "give them names of their own")
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(t.Values)) {
		if !f.used[key] {
			f.list.Add("", 0, fmt.Sprintf("the template has no placeholder ${%s}", key), "leave it out: --set "+key)
		}
	}
	return out, f.list.Err()
}

// templateFiles gives the files below a directory, none of which is a link.
func templateFiles(files *source.FS, from string) ([]string, error) {
	entries, err := files.ReadDir(from)
	if err != nil {
		return nil, err
	}
	var out []string
	var list finding.List
	for _, e := range entries {
		at := path.Join(from, e.Name)
		switch e.Kind {
		case source.File:
			out = append(out, at)
		case source.Dir:
			below, err := templateFiles(files, at)
			if err := list.Take(err); err != nil {
				return nil, err
			}
			out = append(out, below...)
		default:
			list.Add(at, 0, fmt.Sprintf("is %s: a template holds files", e.Kind), "put a copy in its place")
		}
	}
	if len(entries) == 0 {
		list.Add(from, 0, "the template holds no file", "")
	}
	return out, list.Err()
}

// check looks at the values themselves: what is no line of text could become
// more than a value.
func (f *filling) check(t Template) {
	if f.values == nil {
		f.values = map[string]string{}
	}
	if _, given := t.Values["name"]; given {
		f.used["name"] = true
		f.list.Add("", 0, "the value of name is the last part of the cluster's name", "leave it out: --set name")
	}
	for _, key := range slices.Sorted(maps.Keys(t.Values)) {
		value := t.Values[key]
		switch {
		case !valueName.MatchString(key):
			f.list.Add("", 0, fmt.Sprintf("%q cannot be the name of a placeholder", key), "letters, digits, _ and -, a letter first: --set region=eu-central-1")
			f.used[key] = true
		case !utf8.ValidString(value) || strings.IndexFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0:
			f.list.Add("", 0, fmt.Sprintf("the value of %s is not one line of text that can be seen", key), "line breaks and control characters cannot be filled in")
		case len(value) > maxValue:
			f.list.Add("", 0, fmt.Sprintf("the value of %s has %d bytes, %d are allowed", key, len(value), maxValue), "write it into the file by hand")
		}
	}
}

// text fills in a text.
func (f *filling) text(file string, line int, s string) string {
	return placeholder.ReplaceAllStringFunc(s, func(found string) string {
		if literal, ok := strings.CutPrefix(found, "$$"); ok {
			return "$" + literal
		}
		key := found[2 : len(found)-1]
		value, ok := f.values[key]
		if !ok {
			f.list.Add(file, line, fmt.Sprintf("no value for the placeholder %s", found), "give it: --set "+key+"=…; $"+found+" stands for the text itself")
		}
		f.used[key] = true
		return value
	})
}

// name fills in a file's path, of which each part has to stay one.
func (f *filling) name(file, rel string) string {
	parts := strings.Split(rel, "/")
	for i, part := range parts {
		before := len(f.list)
		if parts[i] = f.text(file, 0, part); parts[i] == part || len(f.list) > before {
			continue
		}
		if p := parts[i]; !fileName().MatchString(p) {
			f.list.Add(file, 0, fmt.Sprintf("the name would be %q, which cannot be that of a file", p), "letters, digits, dots, dashes and _, no dot first")
		}
	}
	return strings.Join(parts, "/")
}

var fileName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$`) })

// file fills in the scalars of a file, so that a value stays one whatever is in
// it. Comments stay as they are.
func (f *filling) file(name, at string, data []byte) ([]byte, error) {
	parsed, err := parse(name, data)
	if err != nil {
		return nil, f.list.Take(err)
	}
	for _, d := range parsed.docs {
		f.node(name, d, d.plain, false)
	}
	// What is at fault already, a value among it, is not written.
	if len(f.list) > 0 {
		return nil, nil
	}
	text, err := parsed.bytes()
	if err != nil {
		return nil, err
	}
	_, err = parse(at, text)
	return text, f.list.Take(err)
}

// node fills in a node. Where nothing is quoted, a whole number or a boolean
// becomes one; what is quoted is text, and so is a key.
func (f *filling) node(file string, d *doc, n *yaml.Node, key bool) {
	for i, c := range n.Content {
		f.node(file, d, c, n.Kind == yaml.MappingNode && i%2 == 0)
	}
	if n.Kind != yaml.ScalarNode || !placeholder.MatchString(n.Value) {
		return
	}
	value := f.text(file, d.line(n), n.Value)
	if value == n.Value {
		return
	}
	n.Value, n.Tag = value, "!!str"
	const said = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle | yaml.TaggedStyle
	switch {
	case key, n.Style&said != 0:
	case wholeNumber.MatchString(value):
		n.Tag = "!!int"
	case value == "true" || value == "false":
		n.Tag = "!!bool"
	}
}
