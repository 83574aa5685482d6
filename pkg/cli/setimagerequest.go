package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/image"
	"github.com/sluice-dev/sluice/pkg/pins"
	"github.com/sluice-dev/sluice/pkg/propose"
)

// requestImages asks for the change by pull request: one for each set of images
// and scope, so that a later version takes the place of an earlier one.
func (t *tracer) requestImages(ctx context.Context, s *sourceBranch, wanted []image.Wanted, scope imageScope, changed map[string][]byte, r *imagesSet) (*sourceRequest, error) {
	title, message := imageMessage(r, scope)
	ch := sourceChange{
		Head: t.imageBranch(wanted, scope), Title: title, Message: message, Overwrite: true,
		Intro: []forge.Markdown{forge.Markdownf("`sluice set-image` asks for this. The result has been rendered: nothing else changes.")},
	}
	for _, file := range slices.Sorted(maps.Keys(changed)) {
		ch.Files = append(ch.Files, propose.File{Path: file, Data: changed[file]})
	}
	var places []forge.Markdown
	for _, e := range r.Edits {
		places = append(places, forge.Markdownf("%s: %s becomes %s", fmt.Sprintf("%s:%d", e.File, e.Line), e.Before, e.After))
	}
	ch.Sections = []forge.Section{{Title: "In the source", Lines: places}, {Title: "In the clusters", Lines: effectLines(r.Effect)}}
	return s.propose(ctx, ch)
}

func effectLines(effects []pins.Effect) []forge.Markdown {
	var lines []forge.Markdown
	for _, row := range pinRows(effects) {
		if row[3] == "" {
			lines = append(lines, forge.Markdownf("%s: %s is %s", strings.TrimSpace(row[0]), row[1], row[2]))
			continue
		}
		lines = append(lines, forge.Markdownf("%s: %s, %s: %s", strings.TrimSpace(row[0]), row[1], row[2], row[3]))
	}
	return lines
}

// imageBranch names the branch of a request after the images and what narrows
// them down: sluice/images/api, sluice/images/api+worker@staging,
// sluice/images/shop=api. None of the signs can be in a name.
func (t *tracer) imageBranch(wanted []image.Wanted, scope imageScope) string {
	var names []string
	for _, want := range wanted {
		for _, ct := range t.containers {
			if scope.holds(ct) && want.Means(ct.Name, ct.Image) {
				names = append(names, t.shortName(ct.Image.Name))
				break
			}
		}
	}
	sorted := func(names []string) string {
		names = slices.Clone(names)
		slices.Sort(names)
		return strings.Join(slices.Compact(names), "+")
	}
	name := sorted(names)
	if len(scope.apps) > 0 {
		name = sorted(scope.apps) + "=" + name
	}
	if len(scope.environments) > 0 {
		name += "@" + sorted(scope.environments)
	}
	return "sluice/images/" + name
}

// shortName is the last part of an image's name, or all of it where another
// image ends in the same, in a form that a branch can have.
func (t *tracer) shortName(name string) string {
	short := lastPart(name)
	for _, ct := range t.containers {
		if ct.Image.Name != name && lastPart(ct.Image.Name) == short {
			short = strings.NewReplacer("/", ",", ":", "%").Replace(name)
			break
		}
	}
	return short
}

func lastPart(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// imageMessage gives the first line and the rest of the message of a commit.
func imageMessage(r *imagesSet, scope imageScope) (title, rest string) {
	var parts, lines []string
	for _, e := range r.Edits {
		from, to := image.Parse(e.Before), image.Parse(e.After)
		said := to.String()
		switch {
		case from.Name != to.Name:
		case to.Digest != "" && to.Tag == "":
			said = to.Digest[:min(len(to.Digest), len("sha256:")+12)]
		default:
			said = to.Tag
		}
		part := lastPart(from.Name) + " to " + said
		if !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
		lines = append(lines, fmt.Sprintf("%s:%d: %s -> %s", e.File, e.Line, e.Before, e.After))
	}
	title = "Set " + strings.Join(parts, ", ")
	if len(scope.environments) > 0 {
		title += " in " + strings.Join(scope.environments, ", ")
	}
	return title, strings.Join(lines, "\n")
}
