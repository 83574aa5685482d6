package release

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/source"
)

// patch is one document of a release.
type patch struct {
	file  string
	line  int
	node  *yaml.Node // the document
	whole bool       // its data is a tree, whatever object it is for
}

// component is what a release says of the files of one name: those of its
// base, then those of its overlay.
type component []patch

// components reads a release: what it says, by file name.
func (c *Catalog) components(files *source.FS, provider, version string) (map[string]component, error) {
	dir := path.Join(c.Dir, provider, version)
	out := map[string]component{}
	var list finding.List
	for _, layer := range []string{"base", config.OverlayDir} {
		names, err := manifests(files, path.Join(dir, layer))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			f, err := read(files, name)
			if err := list.Take(err); err != nil {
				return nil, err
			}
			if f == nil {
				continue
			}
			for _, d := range f.docs {
				if scalar(d.means, "kind") == "" {
					list.Add(name, d.means.Line, "a document of a release without a kind", "write the kind of the object that it is for, or ConfigMap with the values under data:")
					continue
				}
				base := path.Base(name)
				out[base] = append(out[base], patch{file: name, line: d.means.Line, node: d.means, whole: isTree(d.means)})
			}
		}
	}
	if len(out) == 0 && len(list) == 0 {
		list.Add(dir, 0, "the release holds no manifest", "its files lie in base/ and overlay/")
	}
	return out, list.Err()
}

// isTree tells whether a document is a ConfigMap that cannot be one: the
// values of a real one are text.
func isTree(n *yaml.Node) bool {
	data := manifest.Field(n, "data")
	if !isConfigMap(n) || data == nil || data.Kind != yaml.MappingNode {
		return false
	}
	for i := 1; i < len(data.Content); i += 2 {
		if data.Content[i].Kind != yaml.ScalarNode {
			return true
		}
	}
	return false
}

func isConfigMap(n *yaml.Node) bool { return scalar(n, "kind") == "ConfigMap" }

// meant finds the documents that a component is for, and gives the tree that
// it puts over each; nil for the others.
func (c component) meant(f *file) ([]*yaml.Node, error) {
	trees := make([]*yaml.Node, len(f.docs))
	var list finding.List
	for _, p := range c {
		at, tree, fault := p.target(f)
		if fault != "" {
			list.Add(p.file, p.line, fault, "a document of a release is for the object of the same kind in the file of the same name, and of the same name where there are several; give objects of one kind a file each")
			continue
		}
		if trees[at] == nil {
			trees[at] = tree
			continue
		}
		merged, clash := compose(trees[at], tree, nil)
		if clash != nil {
			list.Add(p.file, p.line, fmt.Sprintf("%s is a mapping in one file of the release and none in another", show(clash)), "let the release's overlay set it as its base does")
			continue
		}
		trees[at] = merged
	}
	return trees, list.Err()
}

// target finds the document that a patch is for. fault says why there is none.
func (p patch) target(f *file) (at int, tree *yaml.Node, fault string) {
	tree = p.node
	if p.whole || isConfigMap(p.node) && !slices.ContainsFunc(f.docs, func(d *doc) bool { return isConfigMap(d.means) }) {
		if tree = manifest.Field(p.node, "data"); tree == nil || tree.Kind != yaml.MappingNode {
			return 0, nil, "the ConfigMap has no data"
		}
	}
	kind, name := scalar(tree, "kind"), scalar(tree, "metadata", "name")
	var found []int
	for i, d := range f.docs {
		if kind == "" || scalar(d.means, "kind") == kind {
			found = append(found, i)
		}
	}
	why := "there is none"
	if len(found) > 1 {
		why = fmt.Sprintf("there are %d", len(found))
		if name != "" {
			found = slices.DeleteFunc(found, func(i int) bool { return scalar(f.docs[i].means, "metadata", "name") != name })
			why += fmt.Sprintf(", of which %d are named %q", len(found), name)
		}
	}
	if len(found) != 1 {
		what := kind
		if kind == "" {
			what = "object"
		}
		return 0, nil, fmt.Sprintf("which %s of %s is meant cannot be told: %s", what, f.path, why)
	}
	return found[0], values(tree), ""
}

// values leaves out what tells which object is meant.
func values(tree *yaml.Node) *yaml.Node {
	out := copied(tree)
	remove(out, "kind")
	if at := indexOf(out, "metadata"); at >= 0 {
		meta := out.Content[at+1]
		remove(meta, "name")
		remove(meta, "namespace")
		if len(meta.Content) == 0 {
			remove(out, "metadata")
		}
	}
	return out
}

// show writes a path of keys as people do.
func show(keys []string) string {
	var b strings.Builder
	for i, key := range keys {
		switch {
		case strings.ContainsAny(key, `.[]"/ `) || key == "":
			fmt.Fprintf(&b, "[%q]", key)
		case i > 0:
			b.WriteString("." + key)
		default:
			b.WriteString(key)
		}
	}
	return b.String()
}
