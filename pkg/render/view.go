package render

import (
	"errors"
	"path"
	"strings"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/source"
)

// view is what one build may know of the repository. Every answer is kept and
// goes along with the request, so that the worker hardly ever asks.
type view struct {
	fs    *source.FS
	known map[string]answer
	errs  map[string]error
	data  map[string][]byte // by the path without links
}

func newView(fs *source.FS) *view {
	return &view{fs: fs, known: map[string]answer{}, errs: map[string]error{}, data: map[string][]byte{}}
}

// find says what a clean path leads to; the answer holds no data.
func (v *view) find(name string) (answer, error) {
	if a, ok := v.known[name]; ok {
		return a, v.errs[name]
	}
	a, err := v.look(name)
	v.known[name] = a
	if err != nil {
		v.errs[name] = err
	}
	return a, err
}

func (v *view) look(name string) (answer, error) {
	e, err := v.fs.Stat(name)
	if err != nil {
		return answer{}, err
	}
	real, err := v.fs.Resolve(name)
	if err != nil {
		return answer{}, err
	}
	switch e.Kind {
	case source.Dir:
		return answer{kind: leadsToDir, real: real}, nil
	case source.File:
		return answer{kind: leadsToFile, real: real}, nil
	case source.Submodule:
		return answer{}, &source.PathError{
			Path: name, Text: "is a Git submodule, which is not part of this repository's files",
			Hint: "copy the files into the repository: a commit records only the submodule's id",
		}
	}
	return answer{}, &source.PathError{Path: name, Text: "is " + e.Kind.String()}
}

// read gives the bytes of a file.
func (v *view) read(name string) ([]byte, error) {
	a, err := v.find(name)
	if err != nil {
		return nil, err
	}
	if d, ok := v.data[a.real]; ok {
		return d, nil
	}
	d, err := v.fs.ReadFile(name)
	if err == nil {
		v.data[a.real] = d
	}
	return d, err
}

// answer is what a worker is told about a path that the gate did not look at.
func (v *view) answer(name string) answer {
	if name != path.Clean(name) {
		return answer{}
	}
	a, err := v.find(name)
	if err != nil {
		return answer{}
	}
	if a.kind == leadsToFile {
		if a.data, err = v.read(name); err != nil {
			return answer{}
		}
	}
	return a
}

// pathFinding puts what is wrong with a path where the path is written.
func pathFinding(fs *source.FS, file string, line int, err error) finding.Finding {
	f := finding.Finding{File: file, Line: line, Text: err.Error()}
	var p *source.PathError
	if !errors.As(err, &p) {
		return f
	}
	f.Hint = p.Hint
	if f.Hint == "" {
		if near := fs.Similar(p.Path); near != "" {
			f.Hint = "did you mean " + near + "? Upper and lower case count"
		} else if near := nearby(fs, p.Path); near != "" && isMissing(err) {
			f.Hint = "did you mean " + near + "?"
		}
	}
	return f
}

// nearby gives the path that a misspelt one most likely stands for, or "".
func nearby(fs *source.FS, name string) string {
	dir, base := path.Split(path.Clean(name))
	entries, err := fs.ReadDir(path.Clean(dir))
	if err != nil {
		if dir == "" {
			return ""
		}
		return nearby(fs, dir)
	}
	stem := func(name string) string { return strings.TrimSuffix(name, path.Ext(name)) }
	best, least := "", len(stem(base))/3
	for _, e := range entries {
		if n := distance(stem(e.Name), stem(base)); n <= least && e.Name != base && !badName(e.Name) {
			best, least = path.Join(dir, e.Name), n-1
		}
	}
	return best
}

// below tells whether a path lies in dir or is dir.
func below(name, dir string) bool {
	return dir == "." || name == dir || strings.HasPrefix(name, dir+"/")
}
