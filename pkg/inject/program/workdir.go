package program

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// workdir makes a directory that holds files and nothing else.
func workdir(files map[string][]byte) (dir string, err error) {
	dir, err = os.MkdirTemp("", "sluice-")
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			sweep(dir)
		}
	}()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		local, err := filepath.Localize(name)
		if err != nil || name == "." {
			return dir, fmt.Errorf("file %q is not a path inside the working directory", name)
		}
		full := filepath.Join(dir, local)
		if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
			return dir, fmt.Errorf("writing file %q: %w", name, bareFile(err))
		}
		if err := os.WriteFile(full, files[name], 0o600); err != nil {
			return dir, fmt.Errorf("writing file %q: %w", name, bareFile(err))
		}
	}
	return dir, nil
}

func bareFile(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// sweep removes a directory, also where the program took away the permission
// to. What cannot be removed is the system's to sweep.
func sweep(dir string) {
	if os.RemoveAll(dir) == nil {
		return
	}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(path, 0o700)
		}
		return nil
	})
	_ = os.RemoveAll(dir)
}
