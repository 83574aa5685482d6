package program

import (
	"bytes"
	"context"
	"strings"
)

// noSum stands in for a checksum that is yet to be found out.
var noSum = strings.Repeat("0", 64)

// Sum gives the SHA-256, in hex, of what a tool's URL for a platform leads to
// now: for a new pin. A download is kept, so that it is not fetched again to be
// run. The error is as Fetch's, and no *MismatchError.
func (c *Cache) Sum(ctx context.Context, tool Tool, platform string, read func(path string) ([]byte, error)) (string, error) {
	a := tool.Platforms[platform]
	a.SHA256 = noSum
	tool.Platforms = map[string]Artifact{platform: a}
	if err := tool.Check(); err != nil {
		return "", err
	}
	// Under this name nothing is kept: it is no file's checksum.
	data, err := c.file(ctx, tool, a, noSum, read)
	if err != nil {
		return "", err
	}
	data = bytes.Clone(data)
	if _, err := unpack(data, a.Member, c.max()); err != nil {
		return "", &PinError{Field: "platforms." + platform + ".member", Text: err.Error(), Hint: "member names the program inside a .tar.gz or .zip"}
	}
	sum := digest(data)
	if a.remote() {
		return sum, c.store(sum, data)
	}
	return sum, nil
}
