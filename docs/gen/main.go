// Gen writes the pages and files that follow from the code: docs/commands.md,
// docs/sluice.schema.json and docs/man. Run it at the top of the repository.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := write("."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// manDir is where the pages for man are: no others.
const manDir = "docs/man"

func write(root string) error {
	files, err := generate(root)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(root, manDir)); err != nil {
		return err
	}
	for name, data := range files {
		at := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(at, data, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// generate gives the files by path, root being the repository's top directory.
func generate(root string) (map[string][]byte, error) {
	files, err := manual(root)
	if err != nil {
		return nil, fmt.Errorf("generating the manual: %w", err)
	}
	for name, give := range map[string]func(root string) ([]byte, error){"docs/commands.md": commands, "docs/sluice.schema.json": schema} {
		if files[name], err = give(root); err != nil {
			return nil, fmt.Errorf("generating %q: %w", name, err)
		}
	}
	return files, nil
}
