package branch

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// Verify compares what a commit of a branch says of itself with what can be
// told without rendering: the provenance with the trailers of the commit that
// brought it, and each record that is older than the provenance with the
// source commit that it names. A tree that cannot be read has no differences here.
func Verify(ctx context.Context, r *repo.Repo, tip repo.ID) ([]tree.Difference, error) {
	files, err := r.Files(tip)
	if err != nil {
		return nil, err
	}
	p, err := tree.ReadProvenance(files)
	if err != nil {
		return nil, nil
	}
	var found []tree.Difference
	var all []tree.AppRecord
	for _, e := range p.Environments {
		rendered := p.Source.Commit
		if e.RolledBackTo != "" {
			lies, from, err := verifyRollback(ctx, r, tip, e)
			if err != nil {
				return nil, err
			}
			if rendered = from; lies != "" {
				found = append(found, tree.Difference{Path: tree.ProvenancePath, What: "different", Detail: lies})
			}
		}
		records, err := tree.Records(files, e.Name)
		if err != nil {
			return nil, nil
		}
		all = append(all, records...)
		for _, record := range records {
			same, err := sameInputs(r, rendered, e.Name, record)
			if err != nil {
				return nil, err
			}
			if !same {
				found = append(found, tree.Difference{
					Path: tree.RecordPath(e.Name, record.App), What: "different",
					Detail: fmt.Sprintf("source %s does not hold these inputs", repo.ID(record.Commit).Short()),
				})
			}
		}
	}
	says, err := saysSo(ctx, r, tip, trailers(*p, tree.Pins(all)))
	if err == nil && !says {
		found = append(found, tree.Difference{Path: tree.ProvenancePath, What: "different", Detail: "no commit brought it with these trailers"})
	}
	return found, err
}

// verifyRollback says in what an environment is not what a rollback gives,
// and the source commit that it was rendered from.
func verifyRollback(ctx context.Context, r *repo.Repo, tip repo.ID, e tree.EnvironmentRecord) (lies, source string, err error) {
	h, err := readState(r, tip)
	if err != nil {
		return "", "", err
	}
	lies, err = checkRollback(ctx, r, h, e, tip)
	if err != nil || lies != "" {
		return lies, "", err
	}
	to, err := readState(r, repo.ID(e.RolledBackTo))
	if err != nil {
		return "", "", err
	}
	return "", to.provenance.Source.Commit, nil
}

// sameInputs tells whether the source commit that a record names holds the
// inputs that it names: those of the commit that was rendered have been compared.
func sameInputs(r *repo.Repo, rendered, environment string, record tree.AppRecord) (bool, error) {
	if record.Commit == rendered {
		return true, nil
	}
	files, err := r.Files(repo.ID(record.Commit))
	var missing *repo.MissingObjectError
	if errors.As(err, &missing) {
		return false, fmt.Errorf("opening the recorded source of %s: %w", tree.RecordPath(environment, record.App), err)
	}
	if err != nil {
		return false, nil // no commit
	}
	for _, in := range record.Inputs {
		if id, err := tree.ID(files, in.Path); err != nil || id != in.ID {
			return false, err
		}
	}
	for _, path := range record.Absent {
		if id, err := tree.ID(files, path); err != nil || id != "" {
			return false, err
		}
	}
	return true, nil
}

// saysSo tells whether a commit that brought the tip's provenance ends with
// these trailers. Later commits may change files that are nobody's business,
// or take back what others did to the provenance.
func saysSo(ctx context.Context, r *repo.Repo, tip repo.ID, want string) (says bool, err error) {
	provenance := ""
	complete, err := r.WalkFirstParents(ctx, tip, func(c *repo.Commit) (bool, error) {
		files, err := r.Files(c.ID)
		if err != nil {
			return false, err
		}
		id, err := tree.ID(files, tree.ProvenancePath)
		if err != nil {
			return false, err
		}
		if provenance == "" {
			provenance = id
		}
		if id != provenance {
			return true, nil
		}
		says = strings.HasSuffix(c.Message, "\n\n"+want)
		return !says, nil
	})
	if err == nil && !says && !complete {
		return false, UnknownHistory(fmt.Sprintf("which commit brought the provenance of %s cannot be told", tip.Short()))
	}
	return says, err
}
