package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/image"
)

// imageTarget is what the image of one container is to be.
type imageTarget struct {
	to   image.Reference
	want int // index of the argument
}

// targets gives the containers whose image is to change, by their index.
func (t *tracer) targets(wanted []image.Wanted, scope imageScope) (map[int]imageTarget, error) {
	targets := map[int]imageTarget{}
	by := map[int]int{}
	var list finding.List
	for n, want := range wanted {
		names := map[string]bool{}
		for i, ct := range t.containers {
			if !scope.holds(ct) || !want.Means(ct.Name, ct.Image) {
				continue
			}
			names[ct.Image.Name] = true
			if first, taken := by[i]; taken {
				list.Add("", 0, fmt.Sprintf("%q and %q both mean container %s of %s", wanted[first].Image, want.Image, ct.Name, ct.Object), "name each image once")
				continue
			}
			by[i] = n
			if to := want.Apply(ct.Image); to != ct.Image {
				targets[i] = imageTarget{to, n}
			}
		}
		switch {
		case len(names) == 0:
			list.Add("", 0, fmt.Sprintf("no container has an image %q", want.Image), "see which there are: sluice images")
		case len(names) > 1:
			list.Add("", 0, fmt.Sprintf("%q means %d images: %s", want.Image, len(names), strings.Join(slices.Sorted(maps.Keys(names)), ", ")), "name the one by its full name, or narrow it down with --app and --env")
		}
	}
	return targets, list.Err()
}

// edits gives the one change that each argument asks for.
func (t *tracer) edits(wanted []image.Wanted, targets map[int]imageTarget, scope imageScope) ([]image.Edit, error) {
	var edits []image.Edit
	var list finding.List
	for n, want := range wanted {
		var found []image.Edit
		var users []string // of each, one container
		for _, i := range slices.Sorted(maps.Keys(targets)) {
			target, o := targets[i], t.origins[i]
			if target.want != n {
				continue
			}
			if o.Site == nil {
				list = append(list, t.undecided(i))
				continue
			}
			if !slices.ContainsFunc(found, func(e image.Edit) bool { return e.Site.Same(*o.Site) }) {
				found = append(found, image.Edit{Site: *o.Site, From: t.containers[i].Image, To: target.to})
				users = append(users, t.containers[i].Environment+", "+t.containers[i].Object)
			}
		}
		if len(found) > 1 {
			hint := "name one of them with --app or --env; or decide the image in one place, under images: of a kustomization:"
			for i, e := range found {
				hint += fmt.Sprintf("\n  %s:%d  %s (%s)", e.Site.File, e.Site.Line, e.From, users[i])
			}
			list.Add("", 0, fmt.Sprintf("%d places decide the image %q", len(found), want.Image), hint)
		}
		edits = append(edits, found...)
	}
	list = append(list, t.shared(edits, targets, scope)...)
	return edits, list.Err()
}

// undecided says why the image of a container cannot be changed.
func (t *tracer) undecided(i int) finding.Finding {
	ct := t.containers[i]
	f := finding.Finding{Text: fmt.Sprintf("%s of %s in %s: nothing of the source that can be changed decides the image %s", ct.Name, ct.Object, ct.Environment, ct.Image), Hint: "change it by hand"}
	if where := t.decided(i); where != "" {
		f.Text = fmt.Sprintf("%s of %s in %s: the image %s is not of the source: %s", ct.Name, ct.Object, ct.Environment, ct.Image, where)
		f.Hint = "an injector's images follow its pin: sluice pin"
		if !t.origins[i].Added {
			f.Hint = "take the app's revision: out of the config, or name a newer one"
		}
	}
	return f
}

// shared finds the containers that would change too, although they are not
// meant.
func (t *tracer) shared(edits []image.Edit, targets map[int]imageTarget, scope imageScope) finding.List {
	var list finding.List
	for _, e := range edits {
		hint, others := "", 0
		for i, ct := range t.containers {
			if _, meant := targets[i]; meant || t.origins[i].Site == nil || !t.origins[i].Site.Same(e.Site) || ct.Image == e.To {
				continue
			}
			others++
			hint += fmt.Sprintf("\n  %s, %s: %s of %s", ct.Environment, ct.Object, ct.Name, ct.Image)
		}
		if others == 0 {
			continue
		}
		head := "give the one that is meant a place of its own, for instance under images: of its overlay; these share it:"
		if len(scope.apps)+len(scope.environments) > 0 {
			head = "name these too, or give the one that is meant a place of its own, for instance under images: of its overlay:"
		}
		list.Add(e.Site.File, e.Site.Line, fmt.Sprintf("decides the images of %s that are not meant, too", count(others, "container")), head+hint)
	}
	return list
}
