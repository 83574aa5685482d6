// Package image finds where the images of the output are decided in the
// source, and changes them there. In go files and what was rendered of them,
// out come places in the files, and files with exactly one place changed.
package image

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// Reference is an image as a container names it.
type Reference struct {
	Name   string // registry and path
	Tag    string // empty if it has none
	Digest string // empty if it has none
}

// Parse takes an image apart. Every text has a name: nothing is checked.
func Parse(image string) Reference {
	var r Reference
	image, r.Digest, _ = strings.Cut(image, "@")
	r.Name = image
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		r.Name, r.Tag = image[:i], image[i+1:]
	}
	return r
}

// String gives name:tag@digest, as far as they are there.
func (r Reference) String() string {
	s := r.Name
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + r.Digest
	}
	return s
}

// Wanted is what somebody wants an image to be.
type Wanted struct {
	Image string // names the image: see Means
	To    Reference
}

var (
	nameForm = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9._-]*)(:[0-9]+)?(/[a-zA-Z0-9._-]+)*$`)
	// Counted repeats are dear to compile: only where they are asked for.
	tagForm    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}$`) })
	digestForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$`) })
)

// ParseWanted reads IMAGE=NAME:TAG. On the right each part may be left out:
// =:TAG and =@DIGEST keep the name, =NAME keeps tag and digest.
func ParseWanted(text string) (Wanted, error) {
	image, to, found := strings.Cut(text, "=")
	if !found || image == "" || to == "" {
		return Wanted{}, fmt.Errorf("%q is not of the form IMAGE=NAME:TAG", text)
	}
	w := Wanted{Image: image, To: Parse(to)}
	switch t := w.To; {
	case strings.HasSuffix(to, ":"), strings.HasSuffix(to, "@"):
		return Wanted{}, fmt.Errorf("%q: nothing stands behind the last %s", text, to[len(to)-1:])
	case t.Name != "" && !nameForm.MatchString(t.Name):
		return Wanted{}, fmt.Errorf("%q: %q is not an image's name", text, t.Name)
	case t.Tag != "" && !tagForm().MatchString(t.Tag):
		return Wanted{}, fmt.Errorf("%q: %q is not a tag", text, t.Tag)
	case t.Digest != "" && !digestForm().MatchString(t.Digest):
		return Wanted{}, fmt.Errorf("%q: %q is not a digest, sha256: and 64 hexadecimal digits", text, t.Digest)
	case !strings.ContainsAny(to, "/:@"):
		return Wanted{}, fmt.Errorf("%q: %q can be a name or a tag: write %s=:%s for the tag, or the name with its registry", text, to, image, to)
	}
	return w, nil
}

// Apply gives what an image becomes.
func (w Wanted) Apply(image Reference) Reference {
	if w.To.Name != "" {
		image.Name = w.To.Name
	}
	if w.To.Tag != "" || w.To.Digest != "" {
		image.Tag, image.Digest = w.To.Tag, w.To.Digest
	}
	return image
}

// Means tells whether the left side names a container's image: by its whole
// name, by the last part of it, or by the container's name.
func (w Wanted) Means(container string, image Reference) bool {
	last := image.Name[strings.LastIndexByte(image.Name, '/')+1:]
	return w.Image == image.Name || w.Image == last || w.Image == container
}
