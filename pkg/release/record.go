package release

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/edit"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

// Record gives the text of a config in which a cluster is at a release. With
// names of files, those alone are; every other byte stays.
func Record(text []byte, cluster config.Cluster, version string, only []string) ([]byte, error) {
	return change(text, func(root *yaml.Node) error {
		entry := named(edit.Find(root, "clusters"), cluster.Name)
		if entry == nil {
			return fmt.Errorf("finding cluster %q: the file has none", cluster.Name)
		}
		if len(only) == 0 {
			set(entry, "release", version)
			remove(entry, "components")
			return nil
		}
		components := edit.Find(entry, "components")
		if components == nil || components.Kind != yaml.MappingNode {
			components = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
			remove(entry, "components")
			entry.Content = append(entry.Content, plainText("components"), components)
		}
		for _, name := range only {
			if version == cluster.Release {
				remove(components, name)
			} else {
				set(components, name, version)
			}
		}
		if len(components.Content) == 0 {
			remove(entry, "components")
		}
		return nil
	})
}

// Add gives the text of a config with a cluster added to its clusters.
func Add(text []byte, cluster config.Cluster) ([]byte, error) {
	return change(text, func(root *yaml.Node) error {
		list := edit.Find(root, "clusters")
		if list == nil || list.Kind != yaml.SequenceNode {
			list = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
			remove(root, "clusters")
			root.Content = append(root.Content, plainText("clusters"), list)
		}
		entry := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for _, f := range [][2]string{{"name", cluster.Name}, {"provider", cluster.Provider}, {"release", cluster.Release}} {
			if f[1] != "" {
				set(entry, f[0], f[1])
			}
		}
		// A list goes on in the form that it has.
		if len(list.Content) == 0 {
			list.Style = 0
		} else if !slices.ContainsFunc(list.Content, func(c *yaml.Node) bool { return c.Style&yaml.FlowStyle == 0 }) {
			entry.Style = yaml.FlowStyle
		}
		list.Content = append(list.Content, entry)
		return nil
	})
}

func change(text []byte, by func(root *yaml.Node) error) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if root := edit.Find(&doc); root == nil || root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("changing the config: it is no mapping")
	}
	// Without aliases: what clusters share is changed for one of them.
	root := manifest.Plain(&doc)
	if err := by(root); err != nil {
		return nil, err
	}
	out, _, err := edit.Document(text, root)
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

// set gives a key a text. A scalar keeps its quotes.
func set(n *yaml.Node, key, value string) {
	if at := indexOf(n, key); at >= 0 {
		put(n.Content[at+1], plainText(value))
		return
	}
	n.Content = append(n.Content, plainText(key), plainText(value))
}

func plainText(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
}
