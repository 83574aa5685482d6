package branch

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/tree"
)

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
	return UnknownHistory(fmt.Sprintf("whether source %s follows %s, which %s holds, cannot be told", source.Short(), recorded.Short(), root.Environment.Branch))
}
