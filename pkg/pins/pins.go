// Package pins changes pins in the text of a config: the value that is meant,
// nothing else, comments and order kept.
package pins

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/edit"
	"github.com/sluice-dev/sluice/pkg/inject/program"
)

// Conduit sets the release of the pin of an app, or of the whole file if app
// is empty. An app without a pin gets one.
func Conduit(text []byte, app, release string) ([]byte, error) {
	return change(text, func(root *yaml.Node) error {
		at := root
		if app != "" {
			if at = named(edit.Find(root, "apps"), app); at == nil {
				return fmt.Errorf("finding app %q: the file has none", app)
			}
		}
		set(mapping(at, "conduit"), "version", release)
		return nil
	})
}

// Tool sets the version of a tool, and URL, member and checksum of each of its
// platforms. A tool that is not there is added.
func Tool(text []byte, tool program.Tool) ([]byte, error) {
	return change(text, func(root *yaml.Node) error {
		list := edit.Find(root, "tools")
		if list == nil || list.Kind != yaml.SequenceNode {
			list = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
			put(root, "tools", list)
		}
		at := named(list, tool.Name)
		if at == nil {
			at = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
			set(at, "name", tool.Name)
			list.Content = append(list.Content, at)
		}
		set(at, "version", tool.Version)
		platforms := mapping(at, "platforms")
		for _, key := range slices.Sorted(maps.Keys(tool.Platforms)) {
			p, a := mapping(platforms, key), tool.Platforms[key]
			set(p, "url", a.URL)
			set(p, "sha256", a.SHA256)
			if a.Member != "" {
				set(p, "member", a.Member)
			}
		}
		return nil
	})
}

// Moved gives a text of an older version, such as a URL, for a newer one. ok
// is false if it does not tell the version. A leading v may be left out in it.
func Moved(text, older, newer string) (moved string, ok bool) {
	if older == "" {
		return text, false
	}
	if strings.Contains(text, older) {
		return strings.ReplaceAll(text, older, newer), true
	}
	bare, cut := strings.CutPrefix(older, "v")
	if cut && bare != "" && strings.Contains(text, bare) {
		return strings.ReplaceAll(text, bare, strings.TrimPrefix(newer, "v")), true
	}
	return text, false
}

func change(text []byte, by func(root *yaml.Node) error) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	root := edit.Find(&doc)
	if root == nil || root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("changing the config: it is no mapping")
	}
	if err := by(root); err != nil {
		return nil, err
	}
	out, _, err := edit.Document(text, &doc)
	return out, err
}

// named gives the entry of a list with that name.
func named(list *yaml.Node, name string) *yaml.Node {
	if list == nil {
		return nil
	}
	for _, entry := range list.Content {
		if n := edit.Find(entry, "name"); n != nil && n.Value == name {
			return entry
		}
	}
	return nil
}

// mapping gives the mapping at a key, made if it is not there.
func mapping(n *yaml.Node, key string) *yaml.Node {
	if m := edit.Find(n, key); m != nil && m.Kind == yaml.MappingNode {
		return m
	}
	m := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	put(n, key, m)
	return m
}

// set gives a key a text. A scalar keeps its quotes.
func set(n *yaml.Node, key, value string) {
	if old := edit.Find(n, key); old != nil && old.Kind == yaml.ScalarNode {
		old.Value, old.Tag = value, "!!str"
		return
	}
	put(n, key, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value})
}

// put gives a key a value, in the place of the one that it has.
func put(n *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content[i+1] = value
			return
		}
	}
	n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, value)
}
