// Gen writes the pages and files that follow from the code: docs/commands.md
// and docs/sluice.schema.json. Run it at the top of the repository.
package main

import (
	"fmt"
	"os"
)

func main() {
	for _, g := range generated {
		data, err := g.make(".")
		if err == nil {
			err = os.WriteFile(g.path, data, 0o666)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "generating %s: %v\n", g.path, err)
			os.Exit(1)
		}
	}
}

// generated are the files and what makes them, root being the repository's
// top directory.
var generated = [...]struct {
	path string
	make func(root string) ([]byte, error)
}{
	{"docs/commands.md", commands},
	{"docs/sluice.schema.json", schema},
}
