package program

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// unpack gives the program in a file: the file itself, or a member of the
// archive that it is. Nothing is written under a member's name, so a name
// that leads elsewhere leads nowhere; such members are passed over all the same.
func unpack(data []byte, member string, limit int64) ([]byte, error) {
	walk := archive(data)
	switch {
	case member == "" && walk != nil:
		return nil, errors.New("the file is an archive, and no member is named")
	case member == "":
		return data, nil
	case walk == nil:
		return nil, errors.New("the file is neither a .tar.gz nor a .zip")
	}
	s := selection{member: path.Clean(member), limit: limit}
	if err := walk(data, limit, s.visit); err != nil {
		return nil, fmt.Errorf("reading the archive: %w", err)
	}
	return s.program()
}

// walker calls visit for each regular file of an archive, in its order.
type walker func(data []byte, limit int64, visit func(name string, body io.Reader) error) error

// archive tells by its first bytes what kind of archive a file is; nil if none.
func archive(data []byte) walker {
	switch {
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b}):
		return walkTar
	case bytes.HasPrefix(data, []byte("PK\x03\x04")), bytes.HasPrefix(data, []byte("PK\x05\x06")):
		return walkZip
	}
	return nil
}

func walkTar(data []byte, limit int64, visit func(string, io.Reader) error) error {
	unzipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return err
	}
	// The whole archive is read, members that nobody wants included.
	bounded := &io.LimitedReader{R: unzipped, N: 4*limit + 1}
	files := tar.NewReader(bounded)
	for {
		header, err := files.Next()
		if bounded.N <= 0 {
			return fmt.Errorf("it holds more than %s", size(4*limit))
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		if err := visit(header.Name, files); err != nil {
			return err
		}
	}
}

func walkZip(data []byte, _ int64, visit func(string, io.Reader) error) error {
	files, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	for _, f := range files.File {
		if !f.Mode().IsRegular() {
			continue
		}
		body := &lazy{open: f.Open}
		err := visit(f.Name, body)
		body.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// lazy opens a member of a .zip when it is read, which most are not.
type lazy struct {
	open func() (io.ReadCloser, error)
	body io.ReadCloser
}

func (l *lazy) Read(b []byte) (int, error) {
	if l.body == nil {
		body, err := l.open()
		if err != nil {
			return 0, err
		}
		l.body = body
	}
	return l.body.Read(b)
}

func (l *lazy) close() {
	if l.body != nil {
		_ = l.body.Close()
	}
}

// selection finds one member, by its path or else by its base name.
type selection struct {
	member        string
	limit         int64
	names         []string // all that could be meant
	exact, based  []byte
	exacts, bases int
}

func (s *selection) visit(name string, body io.Reader) error {
	clean := path.Clean(strings.ReplaceAll(name, `\`, "/"))
	if path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") {
		return nil
	}
	s.names = append(s.names, clean)
	var err error
	switch s.member {
	case clean:
		if s.exacts++; s.exacts == 1 {
			s.exact, err = s.read(body)
		}
	case path.Base(clean):
		if s.bases++; s.bases == 1 {
			s.based, err = s.read(body)
		}
	}
	return err
}

func (s *selection) read(body io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, s.limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > s.limit {
		return nil, fmt.Errorf("%q has more than %s", s.member, size(s.limit))
	}
	return data, nil
}

func (s *selection) program() ([]byte, error) {
	switch {
	case s.exacts == 1:
		return s.exact, nil
	case s.exacts > 1:
		return nil, fmt.Errorf("the archive holds %q more than once", s.member)
	case s.bases == 1:
		return s.based, nil
	case s.bases > 1:
		return nil, fmt.Errorf("the archive holds several files named %q: give the whole path", s.member)
	}
	return nil, fmt.Errorf("the archive holds no %q, only %s", s.member, some(s.names))
}

// some shows the first few names.
func some(names []string) string {
	const few = 10
	var out []string
	for i, name := range names {
		if i == few {
			out = append(out, fmt.Sprintf("and %d more", len(names)-few))
			break
		}
		out = append(out, strconv.Quote(name))
	}
	if len(out) == 0 {
		return "nothing that is a file"
	}
	return strings.Join(out, ", ")
}
