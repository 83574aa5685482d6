package program

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// copied is a copy of a program that only this user can reach.
type copied struct{ dir, path string }

func newCopy(data []byte) (*copied, error) {
	dir, err := os.MkdirTemp("", "sluice-program-") // mode 0700
	if err != nil {
		return nil, err
	}
	c := &copied{dir: dir, path: filepath.Join(dir, "program")}
	if runtime.GOOS == "windows" {
		c.path += ".exe"
	}
	if err := c.write(data); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// write holds off every fork: a process forked meanwhile would hold the file
// open for writing, and such a file cannot be executed.
func (c *copied) write(data []byte) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	f, err := os.OpenFile(c.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o700)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func (c *copied) close() { sweep(c.dir) }
