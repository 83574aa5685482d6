package program

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Cache keeps downloads by their SHA-256, as Dir/sha256/<hex>. What it gives
// was hashed at that very moment: a file that somebody changed is taken out
// and fetched again. Many processes may share one directory.
type Cache struct {
	Dir    string       // empty: nothing is kept
	Client *http.Client // nil: nothing is downloaded

	limit int64 // bytes; 0 means MaxSize
}

var errOffline = errors.New("it is not in the cache, and nothing is downloaded")

// Fetch gives the tool's program for a platform, from the cache, by download,
// or by read if the pin names a file of the repository. The error is a
// *PinError (several joined), *PlatformError, *MismatchError or *FetchError,
// or about the cache's directory.
func (c *Cache) Fetch(ctx context.Context, tool Tool, platform string, read func(path string) ([]byte, error)) (*Program, error) {
	if err := tool.Check(); err != nil {
		return nil, err
	}
	artifact, pinned := tool.Platforms[platform]
	if !pinned {
		return nil, &PlatformError{
			Tool: tool.Name, Version: tool.Version, Platform: platform,
			Pinned: slices.Sorted(maps.Keys(tool.Platforms)),
		}
	}
	want := strings.ToLower(artifact.SHA256)
	data, err := c.file(ctx, tool, artifact, want, read)
	if err != nil {
		return nil, err
	}
	if have := digest(data); have != want {
		return nil, &MismatchError{Tool: tool.Name, Version: tool.Version, Platform: platform, Want: want, Have: have}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	program, err := unpack(data, artifact.Member, c.max())
	if err != nil {
		field := "platforms." + platform
		if artifact.Member != "" {
			field += ".member"
		}
		return nil, &PinError{Field: field, Text: err.Error(), Hint: "member names the program inside a .tar.gz or .zip"}
	}
	return &Program{Tool: tool.Name, Version: tool.Version, Platform: platform, SHA256: want, data: program}, nil
}

// file gives the bytes that the artifact stands for. Only those that the
// cache holds are sure to be the right ones.
func (c *Cache) file(ctx context.Context, tool Tool, a Artifact, want string, read func(string) ([]byte, error)) ([]byte, error) {
	fault := func(status int, err error) error {
		return &FetchError{Tool: tool.Name, Version: tool.Version, URL: shown(a.URL), Status: status, Err: err}
	}
	if !a.remote() {
		data, err := read(a.URL)
		if err == nil && int64(len(data)) > c.max() {
			err = c.errLarge()
		}
		if err != nil {
			return nil, fault(0, err)
		}
		return bytes.Clone(data), nil
	}
	if data, err := c.load(want); data != nil || err != nil {
		return data, err
	}
	if c.Client == nil {
		return nil, fault(0, errOffline)
	}
	data, status, err := c.download(ctx, a.URL)
	if status != 0 || err != nil {
		return nil, fault(status, err)
	}
	if digest(data) != want {
		return data, nil
	}
	return data, c.store(want, data)
}

func (c *Cache) max() int64 {
	if c.limit > 0 {
		return c.limit
	}
	return MaxSize
}

func (c *Cache) errLarge() error { return fmt.Errorf("it has more than %s", size(c.max())) }

func (c *Cache) path(sum string) string { return filepath.Join(c.Dir, "sha256", sum) }

// load gives an entry, or nil if there is none. One that does not hold what
// its name says is removed.
func (c *Cache) load(sum string) ([]byte, error) {
	if c.Dir == "" {
		return nil, nil
	}
	path := c.path(sum)
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the program cache: %w", err)
	}
	if info.Mode().IsRegular() && info.Size() <= c.max() {
		data, err := readFile(path, c.max())
		if err == nil && digest(data) == sum {
			return data, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("reading the program cache: %w", err)
		}
	}
	if err := os.RemoveAll(path); err != nil {
		return nil, fmt.Errorf("removing a damaged entry of the program cache: %w", err)
	}
	return nil, nil
}

// readFile reads at most one byte more than limit: a file may have grown
// since its size was asked for.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// store writes an entry under another name first: no reader sees half of it.
func (c *Cache) store(sum string, data []byte) error {
	if c.Dir == "" {
		return nil
	}
	path := c.path(sum)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("writing the program cache: %w", err)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("writing the program cache: %w", err)
	}
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
		return fmt.Errorf("writing the program cache: %w", err)
	}
	return nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// size shows a number of bytes.
func size(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
