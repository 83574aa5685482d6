// Package lint takes what environments render to and where the source decides
// it, and gives what is allowed but probably not meant.
package lint

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/image"
)

// ImageVariance is the rule about images that differ between environments
// although no overlay says so.
const ImageVariance = "image-variance"

// Finding is what a rule found.
type Finding struct {
	Rule    string   `json:"rule"`
	File    string   `json:"file"` // slash path relative to the repository root
	Line    int      `json:"line,omitempty"`
	Before  Use      `json:"before"`
	After   Use      `json:"after"`
	Objects []string `json:"objects"` // that have it, as they are named in the second environment, with the container
}

// Use is an image as one environment has it.
type Use struct {
	Environment string `json:"environment"`
	Image       string `json:"image"`
	Decided     string `json:"decided"` // place or words
}

// Image is a container of an environment with where its image is decided.
type Image struct {
	image.Container
	Source  string   // file of its object's manifest
	Entries []string // of kubectlApply, by which its app got its objects
	Site    Site     // the zero value if it is not known
	Words   string   // says it where no line of the source decides it: a pin, a revision
	Place   Site     // where that stands
}

// Site is a line of the source.
type Site struct {
	File string
	Line int
}

func (s Site) String() string { return fmt.Sprintf("%s:%d", s.File, s.Line) }

// Images gives the images that differ between two environments without an
// overlay that says so, and how many differ of which it cannot be told.
//
// An overlay says so if the image is decided by something else than the
// manifest and what lies beside it: a kustomization's images, a patch, a values
// file, of the environment's own or of a layer above the manifest. An image
// that both environments take from one line differs by something that was
// added to that, such as newName, which is an overlay's too.
func Images(before, after []Image) (found []Finding, unknown int) {
	at := map[string]int{}
	for _, pair := range pairs(before, after) {
		a, b := pair[0], pair[1]
		switch {
		case a.Image == b.Image, says(a, b), says(b, a), a.Site == b.Site && a.Site.File != "":
			continue
		case a.decided() == "" || b.decided() == "":
			unknown++
			continue
		}
		f := Finding{Rule: ImageVariance, Before: a.use(), After: b.use()}
		where := b.where()
		f.File, f.Line = where.File, where.Line
		key := fmt.Sprint(f)
		i, known := at[key]
		if !known {
			i, at[key] = len(found), len(found)
			found = append(found, f)
		}
		found[i].Objects = append(found[i].Objects, b.Object+", container "+b.Name)
	}
	return found, unknown
}

// says tells whether an overlay of a's environment says what a's image is.
func says(a, b Image) bool {
	if a.Site.File == "" || a.Site.File == a.Source {
		return false
	}
	for _, e := range a.Entries {
		if below(a.Site.File, e) && !slices.Contains(b.Entries, e) {
			return true
		}
	}
	return !below(a.Source, path.Dir(a.Site.File))
}

// below tells whether a file is an entry, or lies in its directory.
func below(file, entry string) bool {
	return entry == "." || file == entry || strings.HasPrefix(file, entry+"/")
}

func (i Image) decided() string {
	if i.Site.File != "" {
		return i.Site.String()
	}
	return i.Words
}

func (i Image) where() Site {
	switch {
	case i.Site.File != "":
		return i.Site
	case i.Place.File != "":
		return i.Place
	}
	return Site{File: i.Source}
}

func (i Image) use() Use { return Use{i.Environment, i.Image.String(), i.decided()} }

// pairs gives the containers that are the same in both environments: of the
// same app, object and name. Namespaces may differ where that is unambiguous.
func pairs(before, after []Image) [][2]Image {
	exact, loose := map[string]int{}, map[string][]int{}
	seen := map[string]int{}
	for i, c := range before {
		key := c.key(c.Object, seen)
		exact[key] = i
		loose[c.key(unplaced(c.Object), nil)] = append(loose[c.key(unplaced(c.Object), nil)], i)
	}
	seen = map[string]int{}
	ambiguous := map[string]int{}
	for _, c := range after {
		ambiguous[c.key(unplaced(c.Object), nil)]++
	}
	var out [][2]Image
	for _, c := range after {
		i, same := exact[c.key(c.Object, seen)]
		if !same {
			key := c.key(unplaced(c.Object), nil)
			if len(loose[key]) != 1 || ambiguous[key] != 1 {
				continue
			}
			i = loose[key][0]
		}
		out = append(out, [2]Image{before[i], c})
	}
	return out
}

// key names a container. Where seen is given, containers of one name are
// counted.
func (i Image) key(object string, seen map[string]int) string {
	key := i.App + "\n" + object + "\n" + i.Name
	if seen == nil {
		return key
	}
	seen[key]++
	return fmt.Sprintf("%s\n%d", key, seen[key])
}

// unplaced takes the namespace out of what people call an object.
func unplaced(object string) string {
	kind, name, _ := strings.Cut(object, " ")
	return kind + " " + path.Base(name)
}
