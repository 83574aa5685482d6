package cli

import (
	"fmt"
	"slices"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/image"
	"github.com/sluice-dev/sluice/pkg/pins"
	"github.com/sluice-dev/sluice/pkg/propose"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// imagesSet is the result of set-image, for the output.
type imagesSet struct {
	Edits          []imageEdit   `json:"edits"`
	Dry            bool          `json:"dryRun"`
	Wrote          []string      `json:"written"` // files, relative to the repository root
	Effect         []pins.Effect `json:"changes"`
	*sourceRequest               // of --pull-request and --commit
}

// committedTo takes down the commit that --commit made.
func (r *imagesSet) committedTo(branch string, id repo.ID) {
	r.sourceRequest = &sourceRequest{Outcome: committedHere, Base: branch, Branch: branch, Commit: id}
	for _, file := range r.Wrote {
		r.Files = append(r.Files, propose.Changed{Path: file, Status: "changed"})
	}
}

// imageEdit is one value that changed.
type imageEdit struct {
	site
	Before string `json:"before"` // the image that it decides
	After  string `json:"after"`
}

// proven holds what was rendered with the edits to what was asked for: the
// wanted images are there, and every other image is as it was.
func (t *tracer) proven(after []*tree.Environment, targets map[int]imageTarget, edits []image.Edit) error {
	is, err := image.Containers(after)
	if err != nil {
		return err
	}
	var list finding.List
	if len(is) != len(t.containers) {
		list.Add("", 0, "with the new image there are other containers than before", "change it by hand, and see the difference: sluice diff")
		return list.Err()
	}
	for i, was := range t.containers {
		want := was.Image
		target, meant := targets[i]
		if meant {
			want = target.to
		}
		if is[i].Image == want {
			continue
		}
		where := edits[0].Site
		if k := slices.IndexFunc(edits, func(e image.Edit) bool { return t.origins[i].Site != nil && e.Site.Same(*t.origins[i].Site) }); k >= 0 {
			where = edits[k].Site
		}
		list.Add(where.File, where.Line, fmt.Sprintf("with the change, %s of %s in %s has the image %s, not %s", was.Name, was.Object, was.Environment, is[i].Image, want),
			"nothing was written: something else decides a part of the image, change it by hand")
	}
	return list.Err()
}

func (c *command) printSet(r *imagesSet) error {
	return c.print(r, func() error {
		if len(r.Edits) == 0 {
			said := "unchanged: every image is what it is to be"
			if r.sourceRequest != nil {
				said = r.line()
			}
			_, err := fmt.Fprintln(c.Out, escape(said))
			return err
		}
		for _, e := range r.Edits {
			said := fmt.Sprintf("%s:%d: %s -> %s", e.File, e.Line, e.Before, e.After)
			if r.Dry {
				said += ", not written"
			}
			fmt.Fprintln(c.Out, escape(said))
		}
		if err := table(c.Out, pinRows(r.Effect), nil); err != nil {
			return err
		}
		_, err := fmt.Fprintln(c.Out, changesBy(r.Effect))
		if r.sourceRequest != nil {
			_, err = fmt.Fprintln(c.Out, escape(r.line()))
		}
		return err
	})
}
