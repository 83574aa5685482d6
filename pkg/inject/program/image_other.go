//go:build !linux

package program

import (
	"os"
	"os/exec"
)

// image is a program's bytes as the kernel executes them: a copy.
type image struct{ *copied }

func newImage(data []byte) (*image, error) {
	c, err := newCopy(data)
	if err != nil {
		return nil, err
	}
	return &image{copied: c}, nil
}

func (im *image) load(cmd *exec.Cmd, _ []*os.File) (release func(), err error) {
	cmd.Path = im.path
	return func() {}, nil
}
