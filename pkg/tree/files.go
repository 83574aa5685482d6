package tree

import (
	"crypto/sha1" //nolint:gosec // Git's object ids, not a matter of secrecy
	"encoding/hex"
	"fmt"
	"sort"
	"strings"
)

// Files holds the content of a directory by slash path.
type Files map[string][]byte

// Paths gives the paths in order.
func (f Files) Paths() []string {
	paths := make([]string, 0, len(f))
	for p := range f {
		paths = append(paths, p)
	}
	sort.Strings(paths)
	return paths
}

// ID is the Git tree id of the files, each of them a regular one. It is the
// id that `git ls-tree` shows for the directory once it is committed.
func (f Files) ID() string {
	type node struct {
		name string
		id   [20]byte
		dir  bool
	}
	var build func(files []string, prefix int) [20]byte
	build = func(files []string, prefix int) [20]byte {
		var nodes []node
		for i := 0; i < len(files); {
			name, _, isDir := strings.Cut(files[i][prefix:], "/")
			if !isDir {
				nodes = append(nodes, node{name: name, id: object("blob", f[files[i]])})
				i++
				continue
			}
			end := i
			within := files[i][:prefix] + name + "/"
			for end < len(files) && strings.HasPrefix(files[end], within) {
				end++
			}
			nodes = append(nodes, node{name: name, id: build(files[i:end], len(within)), dir: true})
			i = end
		}
		sort.Slice(nodes, func(i, j int) bool {
			return sortKey(nodes[i].name, nodes[i].dir) < sortKey(nodes[j].name, nodes[j].dir)
		})
		var data []byte
		for _, n := range nodes {
			mode := "100644"
			if n.dir {
				mode = "40000"
			}
			data = append(data, mode+" "+n.name+"\x00"...)
			data = append(data, n.id[:]...)
		}
		return object("tree", data)
	}
	id := build(f.Paths(), 0)
	return hex.EncodeToString(id[:])
}

// sortKey is what Git orders a tree's entries by: a directory as if its name
// ended in a slash.
func sortKey(name string, dir bool) string {
	if dir {
		return name + "/"
	}
	return name
}

func object(kind string, data []byte) [20]byte {
	h := sha1.New() //nolint:gosec // see the import
	fmt.Fprintf(h, "%s %d\x00", kind, len(data))
	h.Write(data)
	return [20]byte(h.Sum(nil))
}
