package program

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// image is a program's bytes as the kernel executes them: a file in memory
// that nobody can change any more, or a copy where the kernel has none.
type image struct {
	memory *os.File
	script bool
	copy   *copied
}

func newImage(data []byte) (*image, error) {
	memory, err := sealed(data)
	if err != nil {
		c, copyErr := newCopy(data)
		if copyErr != nil {
			return nil, errors.Join(err, copyErr)
		}
		return &image{copy: c}, nil
	}
	return &image{memory: memory, script: bytes.HasPrefix(data, []byte("#!"))}, nil
}

// sealed writes data to a file in memory and seals it.
func sealed(data []byte) (_ *os.File, err error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate("program", flags|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) { // a kernel before 6.3 has no MFD_EXEC
		fd, err = unix.MemfdCreate("program", flags)
	}
	if err != nil {
		return nil, fmt.Errorf("making a file in memory: %w", err)
	}
	f := os.NewFile(uintptr(fd), "program")
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	if _, err := f.Write(data); err != nil {
		return nil, fmt.Errorf("writing a file in memory: %w", err)
	}
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, seals); err != nil {
		return nil, fmt.Errorf("sealing a file in memory: %w", err)
	}
	return f, nil
}

// load makes cmd execute the image. A script's interpreter opens the file
// again, so the script alone has it as descriptor 3; a program has only the
// three that it is given.
func (im *image) load(cmd *exec.Cmd, given []*os.File) (release func(), err error) {
	if im.copy != nil {
		cmd.Path = im.copy.path
		return func() {}, nil
	}
	if im.script {
		cmd.Path, cmd.ExtraFiles = "/proc/self/fd/3", []*os.File{im.memory}
		return func() {}, nil
	}
	// Between fork and exec the runtime puts its own descriptors right above
	// the highest one that it hands over; ours has to lie beyond them.
	above := 0
	for _, f := range given {
		above = max(above, int(f.Fd()))
	}
	fd, err := unix.FcntlInt(im.memory.Fd(), unix.F_DUPFD_CLOEXEC, above+64)
	if err != nil {
		return nil, fmt.Errorf("naming a file in memory: %w", err)
	}
	cmd.Path = fmt.Sprintf("/proc/self/fd/%d", fd)
	return func() { _ = unix.Close(fd) }, nil
}

func (im *image) close() {
	if im.copy != nil {
		im.copy.close()
		return
	}
	_ = im.memory.Close()
}
