package branch

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// checkLine refuses to begin a second line beside the one that later
// environments stand on: nothing of it could ever be promoted to them.
func checkLine(heads []Head) error {
	root := heads[0]
	for _, h := range heads[1:] {
		if !root.Bare() || h.Provenance == nil {
			continue
		}
		what, force := "does not exist", ""
		if root.Tip != "" {
			what, force = "is empty", "-f "
		}
		return &finding.Refusal{
			Text: fmt.Sprintf("branch %s %s, and %s is hydrated: what begins anew could never be promoted to it", root.Environment.Branch, what, h.Environment.Branch),
			Hint: fmt.Sprintf("go on from there: git branch %s%s %s", force, root.Environment.Branch, h.Tip),
		}
	}
	return nil
}

// checkHead refuses a branch that is not sluice's to move, and one that is to
// move and cannot.
func checkHead(r *repo.Repo, h Head, moves bool) error {
	branch := h.Environment.Branch
	if h.Foreign {
		return &finding.Refusal{
			Text: fmt.Sprintf("branch %s was not written by sluice: its tip %s has no %s", branch, h.Tip.Short(), tree.ProvenancePath),
			Hint: fmt.Sprintf("give environment %q another branch, or move this one out of the way: git branch -m %s %s-before-sluice", h.Environment.Name, branch, branch),
		}
	}
	if moves {
		if err := CheckMovable(r, branch); err != nil {
			return err
		}
	}
	if h.Damaged != nil {
		return damaged(branch, h.Damaged)
	}
	if h.Provenance == nil {
		return nil
	}
	files, err := r.Files(h.Tip)
	if err != nil {
		return err
	}
	var edited []string
	for _, e := range h.Provenance.Environments {
		if _, err := tree.Records(files, e.Name); err != nil {
			var missing *repo.MissingObjectError
			if errors.As(err, &missing) {
				return err
			}
			return damaged(branch, err)
		}
		id, err := tree.ID(files, e.Path)
		if err != nil {
			return err
		}
		if id != e.Tree {
			edited = append(edited, e.Path+"/")
		}
	}
	if len(edited) > 0 {
		return &finding.Refusal{
			Text: fmt.Sprintf("branch %s was edited by hand: %s at %s is not what was hydrated", branch, strings.Join(edited, " and "), h.Tip.Short()),
			Hint: fmt.Sprintf("see what is different: sluice verify %s; then make the change in the source and take the edit back: git revert on %s", h.Environment.Name, branch),
		}
	}
	return nil
}

func damaged(branch string, why error) error {
	return &finding.Refusal{
		Text: fmt.Sprintf("branch %s was edited by hand: %v", branch, why),
		Hint: "take the edit back: git revert on " + branch,
	}
}

// CheckMovable refuses a branch that a working tree has checked out.
func CheckMovable(r *repo.Repo, name string) error {
	at, checkedOut, err := r.CheckedOut(name)
	if err != nil || !checkedOut {
		return err
	}
	return &finding.Refusal{
		Text: fmt.Sprintf("branch %s is checked out in %s: moving it would make its files look edited", name, at),
		Hint: "switch that working tree to another branch: git switch --detach",
	}
}

// relation is how a source commit stands to the one that a branch holds.
type relation int

const (
	newer relation = iota // or the same
	older
	apart
)

// checkSource tells how the source commit stands to the branch's, and refuses
// one that has nothing to do with it.
func checkSource(ctx context.Context, r *repo.Repo, root Head, source repo.ID, o Options) (relation, error) {
	recorded := repo.ID(root.Provenance.Source.Commit)
	if recorded == source {
		return newer, nil
	}
	isOlder, err := r.IsAncestor(ctx, source, recorded)
	var missing *repo.MissingObjectError
	if err != nil && !errors.As(err, &missing) {
		return apart, err // a recorded source that is not here may be newer or not: unknown
	}
	if isOlder == repo.Yes {
		return older, nil
	}
	isNewer, err := r.IsAncestor(ctx, recorded, source)
	if err == nil && isNewer == repo.Yes {
		return newer, nil
	}
	if o.AllowUnrelatedSource && (err == nil || errors.As(err, &missing)) {
		return apart, nil
	}
	if err != nil {
		return apart, err
	}
	branch := root.Environment.Branch
	if isNewer == repo.Unknown {
		return apart, unknownSource(root, source)
	}
	return apart, &finding.Refusal{
		Text: fmt.Sprintf("source %s does not follow %s, which %s holds: the source's history was rewritten, or this is another branch of it", source.Short(), recorded.Short(), branch),
		Hint: "commit from a source that contains it, or say that this is meant: --allow-unrelated-source",
	}
}

// checkConfig refuses to replace what another config of the same source keeps
// on the branch. A config that was renamed is not there any more.
func checkConfig(r *repo.Repo, root Head, source repo.ID, config string) error {
	recorded := root.Provenance.Source.Config
	if recorded == config {
		return nil
	}
	files, err := r.Files(source)
	if err != nil {
		return err
	}
	if id, err := tree.ID(files, recorded); err != nil || id == "" {
		return err
	}
	return &finding.Refusal{
		Text: fmt.Sprintf("branch %s holds what %s renders to, and this is %s", root.Environment.Branch, recorded, config),
		Hint: fmt.Sprintf("give the environments of one of the two other names or branches, or delete %s if this one replaces it", recorded),
	}
}

func unknownSource(root Head, source repo.ID) error {
	recorded := repo.ID(root.Provenance.Source.Commit)
	return unknownHistory(fmt.Sprintf("whether source %s follows %s, which %s holds, cannot be told", source.Short(), recorded.Short(), root.Environment.Branch))
}
