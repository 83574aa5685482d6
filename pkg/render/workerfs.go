package render

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// mount is where the repository's root seems to lie. It is no path of any
// disk, and what is not below it does not exist.
const mount = "/src"

// files is the file system that kustomize sees: what the program sent along
// with the build, and what it answers when asked. It can only be read.
type files struct {
	known map[string]answer
	data  map[string][]byte
	ask   func(path string) (answer, error)
	late  bool // a file came only when it was asked for
}

var errReadOnly = errors.New("the repository is read only")

// find says what a path of kustomize's leads to.
func (f *files) find(name string) (answer, error) {
	name = path.Clean(filepath.ToSlash(name))
	rel, below := strings.CutPrefix(name+"/", mount+"/")
	if !below {
		return answer{}, fmt.Errorf("%q: %w", name, fs.ErrNotExist)
	}
	if rel = strings.TrimSuffix(rel, "/"); rel == "" {
		rel = "."
	}
	a, ok := f.known[rel]
	if !ok {
		var err error
		if a, err = f.ask(rel); err != nil {
			return answer{}, err
		}
		if a.kind == leadsToFile {
			f.data[a.real], f.late = a.data, true
		}
		a.data = nil
		f.known[rel] = a
	}
	if a.kind == leadsNowhere {
		return answer{}, fmt.Errorf("%q: %w", rel, fs.ErrNotExist)
	}
	return a, nil
}

func (f *files) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	a, err := f.find(name)
	if err != nil {
		return "", "", err
	}
	real := path.Join(mount, a.real)
	if a.kind == leadsToDir {
		return filesys.ConfirmedDir(real), "", nil
	}
	return filesys.ConfirmedDir(path.Dir(real)), path.Base(real), nil
}

func (f *files) ReadFile(name string) ([]byte, error) {
	a, err := f.find(name)
	if err != nil {
		return nil, err
	}
	d, ok := f.data[a.real]
	if a.kind != leadsToFile || !ok {
		return nil, fmt.Errorf("%q is not a file", name)
	}
	return d, nil
}

func (f *files) Exists(name string) bool {
	_, err := f.find(name)
	return err == nil
}

func (f *files) IsDir(name string) bool {
	a, err := f.find(name)
	return err == nil && a.kind == leadsToDir
}

// Nothing that a build without remote sources and plugins does lists a
// directory; were it to, an error is better than an answer that is not recorded.
func (f *files) ReadDir(name string) ([]string, error) {
	return nil, fmt.Errorf("listing %q: not available in a build", name)
}

func (f *files) Glob(pattern string) ([]string, error) {
	return nil, fmt.Errorf("matching %q: not available in a build", pattern)
}

func (f *files) Walk(name string, _ filepath.WalkFunc) error {
	return fmt.Errorf("walking %q: not available in a build", name)
}

func (f *files) Open(name string) (filesys.File, error) {
	return nil, fmt.Errorf("opening %q: %w", name, errReadOnly)
}

func (f *files) Create(string) (filesys.File, error) { return nil, errReadOnly }
func (f *files) Mkdir(string) error                  { return errReadOnly }
func (f *files) MkdirAll(string) error               { return errReadOnly }
func (f *files) RemoveAll(string) error              { return errReadOnly }
func (f *files) WriteFile(string, []byte) error      { return errReadOnly }
