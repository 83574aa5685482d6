package release

import (
	"bytes"
	"fmt"
	"path"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/edit"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/source"
)

// file is a manifest file as text and as what it means.
type file struct {
	path    string
	between [][]byte // what lies before each document, and after the last
	docs    []*doc
}

// doc is one document of a file. Nodes count lines from the first of the file
// in means, from the first of text in plain.
type doc struct {
	text  []byte // to the byte
	first int    // line of the file that text begins in
	means *yaml.Node
	plain *yaml.Node // as it is written, aliases written out; edits are made to it

	secret bool // no value of it is shown
}

// read parses a manifest file strictly.
func read(files *source.FS, name string) (*file, error) {
	data, err := files.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return parse(name, data)
}

func parse(name string, data []byte) (*file, error) {
	found, err := manifest.Documents(name, data)
	if err != nil {
		return nil, err
	}
	f := &file{path: name}
	lines := bytes.SplitAfter(data, []byte("\n"))
	next := 1
	for _, d := range found {
		text := bytes.Join(lines[d.First-1:min(d.Next-1, len(lines))], nil)
		var parsed yaml.Node
		if err := yaml.Unmarshal(text, &parsed); err != nil || len(parsed.Content) == 0 {
			return nil, finding.Finding{File: name, Line: d.Line, Text: "the document reads differently on its own"}
		}
		plain := manifest.Plain(&parsed)
		if !alike(plain, d.Node) {
			return nil, finding.Finding{File: name, Line: d.Line, Text: "a key of the document is not text", Hint: "put it between quotes"}
		}
		f.between = append(f.between, bytes.Join(lines[next-1:d.First-1], nil))
		f.docs = append(f.docs, &doc{text: text, first: d.First, means: d.Node, plain: plain, secret: isSecret(d.Node)})
		next = d.Next
	}
	f.between = append(f.between, bytes.Join(lines[min(next-1, len(lines)):], nil))
	return f, nil
}

// alike tells whether a document as it is written has the keys of what it
// means: 0x10 and 16 are one key, and would not be found by the same name.
func alike(plain, means *yaml.Node) bool {
	if plain.Kind != means.Kind || len(plain.Content) != len(means.Content) {
		return false
	}
	if plain.Kind != yaml.MappingNode {
		for i, c := range plain.Content {
			if !alike(c, means.Content[i]) {
				return false
			}
		}
		return true
	}
	values := fields(means)
	for i := 0; i+1 < len(plain.Content); i += 2 {
		other := values[plain.Content[i].Value]
		if other == nil || !alike(plain.Content[i+1], other) {
			return false
		}
	}
	return true
}

// fields gives the values of a mapping by key: a large one is not searched for
// each of them.
func fields(n *yaml.Node) map[string]*yaml.Node {
	values := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		values[n.Content[i].Value] = n.Content[i+1]
	}
	return values
}

// bytes gives the text of a file with the edits made to its documents.
func (f *file) bytes() ([]byte, error) {
	var out bytes.Buffer
	for i, d := range f.docs {
		text, _, err := edit.Document(d.text, d.plain)
		if err != nil {
			return nil, fmt.Errorf("changing %q: %w", f.path, err)
		}
		out.Write(f.between[i])
		out.Write(text)
	}
	out.Write(f.between[len(f.docs)])
	return out.Bytes(), nil
}

// line tells where a node of a document, as it is written, stands in the file.
func (d *doc) line(n *yaml.Node) int { return n.Line + d.first - 1 }

// scalar gives the text at a path of a mapping, empty if there is none.
func scalar(n *yaml.Node, keys ...string) string {
	if f := manifest.Field(n, keys...); f != nil && f.Kind == yaml.ScalarNode && f.Tag != "!!null" {
		return f.Value
	}
	return ""
}

// object names an object as people do.
func object(n *yaml.Node) string {
	return manifest.ID{Kind: scalar(n, "kind"), Namespace: scalar(n, "metadata", "namespace"), Name: scalar(n, "metadata", "name")}.String()
}

// manifests gives the paths of the manifest files right in a directory, sorted.
// What makes a kustomization of it is none.
func manifests(files *source.FS, dir string) ([]string, error) {
	entries, err := files.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if (e.Kind == source.File || e.Kind == source.Link) && isYAML(e.Name) && !isKustomization(e.Name) {
			names = append(names, path.Join(dir, e.Name))
		}
	}
	slices.Sort(names)
	return names, nil
}

func isYAML(name string) bool { return path.Ext(name) == ".yaml" || path.Ext(name) == ".yml" }

func isKustomization(name string) bool {
	return slices.Contains([]string{"kustomization.yaml", "kustomization.yml", "Kustomization"}, path.Base(name))
}
