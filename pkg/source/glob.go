package source

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// IsPattern tells whether Glob would take s for more than one literal path.
func IsPattern(s string) bool { return strings.ContainsAny(s, "*?[") }

// Glob gives the sorted paths that match pattern: path.Match element by
// element, and an element ** for any number of directories. Names that begin
// with a dot are matched only by an element that does. ** does not go through
// links to directories; at the end it stands for every file below. A pattern
// that matches nothing gives nothing.
func (f *FS) Glob(pattern string) ([]string, error) {
	var elements []string
	for _, e := range strings.Split(pattern, "/") {
		if e == "" || e == "." {
			continue
		}
		if problem := checkName(e); problem != "" {
			return nil, &PathError{Path: pattern, Text: "has " + problem + " in it"}
		}
		if e != "**" {
			if _, err := path.Match(e, ""); err != nil {
				return nil, &PathError{Path: pattern, Text: "is not a valid pattern", Hint: "each [ needs its ]", Err: err}
			}
		}
		elements = append(elements, e)
	}
	if strings.HasPrefix(pattern, "/") {
		return nil, &PathError{Path: pattern, Text: "is an absolute path", Hint: "write it relative to the file that names it"}
	}
	if n := len(elements); n > 0 && elements[n-1] == "**" {
		elements = append(elements, "") // every file below
	}
	g := globber{fs: f, found: map[string]bool{}, seen: map[string]bool{}}
	if err := g.match(".", elements); err != nil {
		return nil, err
	}
	out := make([]string, 0, len(g.found))
	for p := range g.found {
		out = append(out, p)
	}
	slices.Sort(out)
	return out, nil
}

type globber struct {
	fs    *FS
	found map[string]bool
	seen  map[string]bool // directory and elements left: several ** lead to the same place in many ways
}

func (g *globber) match(dir string, elements []string) error {
	if len(elements) == 0 {
		g.found[dir] = true
		return nil
	}
	state := strconv.Itoa(len(elements)) + " " + dir
	if g.seen[state] {
		return nil
	}
	g.seen[state] = true
	e := elements[0]
	if e == "" || IsPattern(e) {
		return g.list(dir, elements)
	}
	next := join(dir, e)
	_, err := g.fs.Stat(next)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return g.match(next, elements[1:])
}

func (g *globber) list(dir string, elements []string) error {
	if at, err := g.fs.Stat(dir); err != nil || at.Kind != Dir {
		return err
	}
	entries, err := g.fs.ReadDir(dir)
	if err != nil {
		return err
	}
	e, rest := elements[0], elements[1:]
	if e == "**" {
		if err := g.match(dir, rest); err != nil {
			return err
		}
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name, ".") && !strings.HasPrefix(e, ".") {
			continue
		}
		if err := g.entry(entry, join(dir, entry.Name), e, elements, rest); err != nil {
			return err
		}
	}
	return nil
}

func (g *globber) entry(entry Entry, at, e string, elements, rest []string) error {
	switch e {
	case "**":
		if entry.Kind == Dir {
			return g.match(at, elements)
		}
		return nil
	case "":
		if entry.Kind == File || entry.Kind == Link {
			return g.match(at, rest)
		}
		return nil
	}
	if ok, _ := path.Match(e, entry.Name); !ok {
		return nil
	}
	if _, err := g.fs.Stat(at); err != nil && len(rest) > 0 {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a dangling link leads nowhere
		}
		return err
	}
	return g.match(at, rest)
}

// join is path.Join that leaves .. alone: what it leaves may be a link.
func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}
