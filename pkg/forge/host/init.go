package host

import (
	"fmt"
	"os"
)

// Init makes the bare repository.
func (g *Git) Init() error {
	if err := os.MkdirAll(g.Dir, 0o755); err != nil {
		return err
	}
	_, err := g.run("", "init", "-q", "--bare", "--template=", "--initial-branch=main", "--object-format=sha1")
	return err
}

// Line makes n commits without files, each on the one before. The same n begins
// with the same commits always.
func (g *Git) Line(n int) ([]string, error) {
	tree, err := g.run("", "hash-object", "-t", "tree", "-w", "--stdin")
	if err != nil {
		return nil, err
	}
	var line []string
	for i := range n {
		var parents []string
		if i > 0 {
			parents = line[i-1:]
		}
		id, err := g.Commit(tree, fmt.Sprintf("Commit %d", i+1), parents...)
		if err != nil {
			return nil, err
		}
		line = append(line, id)
	}
	return line, nil
}
