package branch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/diff"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/source"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// Edit is what somebody changed on an environment branch by hand, in the
// environments' directories and records.
type Edit struct {
	Environment config.Environment
	Tip         repo.ID
	Since       repo.ID // commit that it is compared with, the last one before it; empty if there is none
	Changes     []diff.Change
}

// EditedError refuses to overwrite edits.
type EditedError struct{ Edits []Edit }

func (e *EditedError) Error() string {
	var lines []string
	for _, edit := range e.Edits {
		lines = append(lines, edit.String())
	}
	return strings.Join(lines, "\n")
}

func (e Edit) String() string {
	return fmt.Sprintf("branch %s was edited by hand: %s at %s is not what was hydrated", e.Environment.Branch, e.where(), e.Tip.Short())
}

// where names the directories that were edited.
func (e Edit) where() string {
	var dirs []string
	for _, c := range e.Changes {
		dir := e.Environment.Path + "/"
		if !strings.HasPrefix(c.File, dir) {
			dir, _, _ = strings.Cut(c.File, "/")
			dir += "/"
		}
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	if len(dirs) == 0 {
		return "the tree"
	}
	return strings.Join(dirs, ", ")
}

// Hint says how to go on.
func (e *EditedError) Hint() string {
	var branches []string
	for _, edit := range e.Edits {
		branches = append(branches, edit.Environment.Branch)
	}
	hint := "make the change in the source; then overwrite it here with --discard-edits, or take it back: git revert on " + strings.Join(branches, ", ")
	if edit := e.Edits[0]; len(e.Edits) == 1 && edit.Since != "" {
		hint += fmt.Sprintf("; to see it: git diff %s %s", edit.Since.Short(), edit.Tip.Short())
	}
	return hint
}

// findEdit gives the edit that stands at a head's tip; nil if there is none.
// since is the state before it, nil if no commit of the branch holds one.
// lines are the tips of branches that hydrated commits may stand on.
func findEdit(ctx context.Context, r *repo.Repo, h Head, lines ...repo.ID) (edit *Edit, since *state, err error) {
	at, err := readTip(r, h.Tip)
	if err != nil {
		return nil, nil, err
	}
	if at.provenance != nil {
		at.own = madeHere(r, h)
		is, err := judge(ctx, r, at, lines...)
		switch {
		case err != nil:
			return nil, nil, err
		case is == bySluice:
			return nil, at, nil
		case is == cannotTell:
			return nil, nil, UnknownHistory(fmt.Sprintf("whether branch %s was edited by hand cannot be told", h.Environment.Branch))
		}
	}
	edit = &Edit{Environment: h.Environment, Tip: h.Tip}
	if since, err = before(ctx, r, h.Tip, lines...); err != nil {
		return nil, nil, err
	}
	shown := since
	if at.provenance != nil {
		// A merge whose conflicts somebody resolved is near to what was merged.
		origin, _, err := writer(ctx, r, at, lines...)
		if err != nil {
			return nil, nil, err
		}
		if origin != nil {
			if shown, err = readState(r, origin.ID); err != nil {
				return nil, nil, err
			}
		}
	}
	if shown == nil {
		return edit, nil, nil
	}
	edit.Since = shown.ID
	edit.Changes, err = changes(shown, at)
	return edit, since, err
}

// changes gives what differs in the environments' directories and in the records.
func changes(from, to *state) ([]diff.Change, error) {
	dirs := []string{tree.Dir}
	for _, h := range []*state{from, to} {
		if h.provenance == nil {
			continue
		}
		for _, e := range h.provenance.Environments {
			if !slices.Contains(dirs, e.Path) {
				dirs = append(dirs, e.Path)
			}
		}
	}
	var all []diff.Change
	for _, dir := range dirs[1:] {
		objects, err := diff.Objects(from.files, to.files, dir)
		if err != nil {
			return nil, err
		}
		all = append(all, objects...)
	}
	for _, dir := range dirs {
		err := diff.Files(from.files, to.files, dir, func(s diff.Status, file string) error {
			if !slices.ContainsFunc(all, func(c diff.Change) bool { return c.File == file }) {
				all = append(all, diff.Change{Status: s, File: file, Object: file})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// CheckVersion refuses records of a version that knows more than this one,
// ours. what names where they stand.
func CheckVersion(files source.Tree, what, ours string) error {
	p, err := tree.ReadProvenance(files)
	recorded := ""
	if err == nil {
		recorded = p.Renderer.Sluice
		for _, e := range p.Environments {
			if recorded == ours {
				break // this version knows all that it writes itself
			}
			if _, bad := tree.Summaries(files, e.Name); bad != nil {
				err = bad
			}
		}
	}
	return newerSluice(what, err, recorded, ours)
}

// newerSluice gives the refusal of what a newer version wrote; nil if it is
// something else that is wrong. recorded is the version that the provenance
// names, where err is that of another record.
func newerSluice(what string, err error, recorded, ours string) error {
	var n *tree.NewerError
	if !errors.As(err, &n) {
		return nil
	}
	if n.Sluice != "" {
		recorded = n.Sluice
	}
	if recorded == "" || recorded == ours {
		return nil // this version knows all that it writes itself
	}
	return &finding.Refusal{
		Text: fmt.Sprintf("%s was written by another sluice, %s: %s", what, oneLine(recorded), printable(n.Error())),
		Hint: "use that version, or a later one",
	}
}
