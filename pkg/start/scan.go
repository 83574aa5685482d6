package start

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
	"github.com/sluice-dev/sluice/pkg/source"
)

// maxFiles is how many files and directories are looked at.
const maxFiles = 20000

// scan looks through the files below one directory.
type scan struct {
	files Files
	top   string
	seen  int
	dirs  map[string]*directory
	used  map[string]bool // files and directories that a kustomization refers to
	notes []string
}

// directory is what one directory holds.
type directory struct {
	kustomization string // path of the file; empty if there is none
	component     bool   // it is for other kustomizations only
	chart         bool
	manifests     []string // paths of files that hold objects and nothing else
	foreign       bool     // there is YAML that is no manifest
	below         []string // paths of directories
}

// walk reads a directory and those below it.
func (s *scan) walk(dir string) error {
	entries, err := s.files.ReadDir(dir)
	if err != nil {
		return err
	}
	d := &directory{}
	s.dirs[dir] = d
	for _, e := range entries {
		if s.seen++; s.seen > maxFiles {
			return finding.Finding{
				Text: fmt.Sprintf("there are more than %d files and directories here", maxFiles),
				Hint: "run it in the directory that holds what is applied, or write sluice.yaml by hand",
			}
		}
		at := path.Join(dir, e.Name)
		switch {
		case strings.HasPrefix(e.Name, "."):
		case !writable(e.Name):
			if e.Kind == source.Dir || isYAML(e.Name) {
				s.notes = append(s.notes, fmt.Sprintf("%s is left out: in a path of the config its name would mean something else", at))
			}
		case e.Kind == source.Dir && e.Name != "node_modules" && e.Name != "vendor":
			d.below = append(d.below, at)
		case e.Kind != source.File:
		case e.Name == "kustomization.yaml" || e.Name == "kustomization.yml" || e.Name == "Kustomization":
			d.kustomization = at
		case e.Name == "Chart.yaml":
			d.chart = true
		case isYAML(e.Name):
			if s.isManifest(at) {
				d.manifests = append(d.manifests, at)
			} else {
				d.foreign = true
			}
		}
	}
	if d.chart {
		d.below, d.manifests = nil, nil // templates are no manifests
		s.notes = append(s.notes, fmt.Sprintf("%s is a Helm chart, which is not rendered here: commit what helm template makes of it, or generate it with a pinned program", dir))
	}
	for _, at := range d.below {
		if err := s.walk(at); err != nil {
			return err
		}
	}
	return nil
}

// writable tells whether a name means itself in a path of the config: nothing
// of it is a pattern, a variable, or white space that would be lost.
func writable(name string) bool {
	return !strings.ContainsAny(name, "*?[{\\$") && !strings.HasPrefix(name, "~") && strings.TrimSpace(name) == name
}

func isYAML(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(name))
}

// isManifest tells whether a file holds Kubernetes objects and nothing else.
func (s *scan) isManifest(file string) bool {
	data, err := s.files.ReadFile(file)
	if err != nil {
		return false
	}
	docs, err := manifest.Documents(file, data)
	if err != nil {
		if strings.Contains(string(data), "apiVersion:") {
			s.notes = append(s.notes, fmt.Sprintf("%s cannot be read, and is left out: %v", file, err))
		}
		return false
	}
	for _, d := range docs {
		if manifest.Field(d.Node, "apiVersion") == nil || manifest.Field(d.Node, "kind") == nil {
			return false
		}
	}
	return len(docs) > 0
}

// follow marks what kustomizations refer to.
func (s *scan) follow() {
	for _, dir := range slices.Sorted(maps.Keys(s.dirs)) {
		d := s.dirs[dir]
		if d.kustomization == "" {
			continue
		}
		data, err := s.files.ReadFile(d.kustomization)
		if err != nil {
			continue
		}
		docs, err := manifest.Documents(d.kustomization, data)
		if err != nil || len(docs) != 1 {
			continue // rendering says what is wrong with it
		}
		top := docs[0].Node
		if kind := manifest.Field(top, "kind"); kind != nil && kind.Value == "Component" {
			d.component = true
		}
		own := environmentOf(dir)
		for _, key := range []string{"resources", "bases", "components"} {
			for _, to := range entries(manifest.Field(top, key)) {
				at := path.Join(dir, to)
				// One environment may build on another and still be one.
				if other := environmentOf(at); s.dirs[at] == nil || other == "" || other == own {
					s.used[at] = true
				}
			}
		}
	}
}

// entries gives the texts of a sequence.
func entries(n *yaml.Node) []string {
	var out []string
	if n != nil && n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			if item.Kind == yaml.ScalarNode {
				out = append(out, item.Value)
			}
		}
	}
	return out
}

// kustomizations gives those that are built for themselves.
func (s *scan) kustomizations() []place {
	var out []place
	for _, dir := range slices.Sorted(maps.Keys(s.dirs)) {
		if d := s.dirs[dir]; d.kustomization != "" && !d.component && !s.used[dir] {
			out = append(out, place{path: s.rel(dir), env: environmentOf(s.rel(dir))})
		}
	}
	return out
}

// plain gives the largest directories that hold manifests and nothing that is
// built, and the single files beside them.
func (s *scan) plain(dir string) []place {
	d := s.dirs[dir]
	if d.kustomization != "" {
		// What lies beside a kustomization is its business; below it there may be others.
		d = &directory{below: d.below}
	}
	if s.used[dir] && d.kustomization == "" {
		return nil
	}
	if dir != s.top && s.pure(dir) && s.holds(dir) {
		return []place{{path: s.rel(dir), env: environmentOf(s.rel(dir)), plain: true}}
	}
	var out []place
	for _, file := range d.manifests {
		if !s.used[file] {
			out = append(out, place{path: s.rel(file), env: environmentOf(path.Dir(s.rel(file))), plain: true, loose: true})
		}
	}
	for _, below := range d.below {
		if s.dirs[dir].kustomization == "" || s.dirs[below].kustomization != "" {
			out = append(out, s.plain(below)...)
		}
	}
	return out
}

// pure tells whether a directory can be applied as it is, in one environment.
func (s *scan) pure(dir string) bool {
	d := s.dirs[dir]
	if d.kustomization != "" || d.chart || d.foreign || s.used[dir] {
		return false
	}
	for _, file := range d.manifests {
		if s.used[file] {
			return false
		}
	}
	return !slices.ContainsFunc(d.below, func(below string) bool {
		return !s.pure(below) || environmentOf(s.rel(below)) != environmentOf(s.rel(dir))
	})
}

// holds tells whether there is any manifest in a directory or below it.
func (s *scan) holds(dir string) bool {
	d := s.dirs[dir]
	return len(d.manifests) > 0 || slices.ContainsFunc(d.below, s.holds)
}

// rel is a path as the config writes it.
func (s *scan) rel(p string) string {
	if s.top == "." {
		return p
	}
	if p == s.top {
		return "."
	}
	return strings.TrimPrefix(p, s.top+"/")
}
