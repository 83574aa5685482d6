package branch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/diff"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// Rollback takes an environment back to what its branch held before: a commit
// on the branch's tip whose directory and records of this environment are the
// old ones. All else stays.
type Rollback struct {
	Environment config.Environment
	Before      repo.ID // the branch's tip
	To          repo.ID // hydrated commit that the directory is taken from
	Source      repo.ID // that it was rendered from
	After       repo.ID // the new tip, once written; Before if there is nothing to do
	Changes     []diff.Change
	Edits       []Edit // by hand, overwritten

	local repo.ID
	rev   string // what git calls the tip here
	spec  spec
}

// Nothing tells whether the environment holds the old state already.
func (b *Rollback) Nothing() bool { return b.After == b.Before }

// PlanRollback plans a rollback. rev names the commit to go back to; empty
// means what the branch held before the move that changed its directory last.
// ours is the version of sluice that runs.
func PlanRollback(ctx context.Context, r *repo.Repo, e config.Environment, rev, ours string, o Options) (*Rollback, error) {
	head, err := ReadHead(r, e)
	if err != nil {
		return nil, err
	}
	switch {
	case head.Bare():
		return nil, &finding.Refusal{Text: fmt.Sprintf("environment %q has nothing to roll back: branch %s is empty", e.Name, e.Branch), Hint: "hydrate it first: sluice commit, then sluice promote " + e.Name}
	case head.Foreign:
		return nil, &finding.Refusal{Text: fmt.Sprintf("branch %s was not written by sluice", e.Branch), Hint: "take it over first: sluice commit --adopt"}
	}
	if err := CheckMovable(r, e.Branch); err != nil {
		return nil, err
	}
	edit, base, err := editAt(ctx, r, head, ours)
	if err != nil {
		return nil, err
	}
	b := &Rollback{Environment: e, Before: head.Tip, local: head.Local, rev: head.Rev(), spec: spec{signer: o.Signer}}
	if edit != nil {
		if b.Edits = []Edit{*edit}; !o.DiscardEdits || base == nil {
			return nil, &EditedError{b.Edits}
		}
	}
	to, err := b.target(ctx, r, rev)
	if err != nil {
		return nil, err
	}
	return b, b.compose(ctx, r, base, to)
}

// target finds the commit to go back to.
func (b *Rollback) target(ctx context.Context, r *repo.Repo, rev string) (*state, error) {
	if rev == "" {
		return b.heldBefore(ctx, r)
	}
	id, err := r.Resolve(rev)
	if err != nil {
		return nil, err
	}
	went, err := r.IsAncestor(ctx, id, b.Before)
	switch {
	case err != nil:
		return nil, err
	case went == repo.Unknown:
		return nil, UnknownHistory(fmt.Sprintf("whether branch %s went through %s cannot be told", b.Environment.Branch, id.Short()))
	case went == repo.No:
		return nil, &finding.Refusal{
			Text: fmt.Sprintf("branch %s never went through %s: a rollback goes back only", b.Environment.Branch, id.Short()),
			Hint: "choose one of: " + b.log(),
		}
	}
	return b.usable(ctx, r, id)
}

func (b *Rollback) log() string {
	return fmt.Sprintf("git log --oneline %s -- %s", b.rev, b.Environment.Path)
}

// usable gives a commit whose state of the environment can be taken: what it
// was rolled back to itself, if it was.
func (b *Rollback) usable(ctx context.Context, r *repo.Repo, id repo.ID) (*state, error) {
	refuse := func(why string) error {
		return &finding.Refusal{
			Text: fmt.Sprintf("commit %s cannot be rolled back to: %s", id.Short(), why),
			Hint: "choose another: " + b.log(),
		}
	}
	h, err := readState(r, id)
	switch {
	case errors.Is(err, tree.ErrNoProvenance):
		return nil, refuse("sluice did not write it, or it is empty")
	case gone(err) != nil:
		return nil, err
	case err != nil:
		return nil, refuse(err.Error())
	}
	was, ok := h.provenance.Environment(b.Environment.Path)
	if !ok || was.Name != b.Environment.Name || was.Tree == "" {
		return nil, refuse(fmt.Sprintf("it holds no environment %q in %s/", b.Environment.Name, b.Environment.Path))
	}
	switch is, err := judge(ctx, r, h, b.Before); {
	case err != nil:
		return nil, err
	case is == cannotTell:
		return nil, UnknownHistory(fmt.Sprintf("whether %s was edited by hand cannot be told", id.Short()))
	case is == byHand:
		return nil, refuse("it was edited by hand")
	}
	if was.RolledBackTo != "" {
		return readState(r, repo.ID(was.RolledBackTo))
	}
	return h, nil
}

// heldBefore asks the reflog: a branch that is moved forward keeps no other
// note of where it stood, and its history holds commits that it never stopped at.
func (b *Rollback) heldBefore(ctx context.Context, r *repo.Repo) (*state, error) {
	files, err := r.Files(b.Before)
	if err != nil {
		return nil, err
	}
	now, err := tree.ID(files, b.Environment.Path)
	if err != nil {
		return nil, err
	}
	for _, ref := range []string{"refs/heads/", "refs/remotes/origin/"} {
		held, err := r.Held(ref + b.Environment.Branch)
		if err != nil {
			return nil, err
		}
		i := slices.Index(held, b.Before)
		if i < 0 {
			continue
		}
		for _, id := range held[i:] {
			went, err := r.IsAncestor(ctx, id, b.Before)
			if gone(err) != nil || went != repo.Yes {
				continue // what was there before a reset is not what to go back to
			}
			if err != nil {
				return nil, err
			}
			files, err := r.Files(id)
			if err != nil {
				return nil, err
			}
			if was, err := tree.ID(files, b.Environment.Path); err != nil || was != now {
				if err != nil {
					return nil, err
				}
				return b.usable(ctx, r, id)
			}
		}
	}
	return nil, &finding.Refusal{
		Text: fmt.Sprintf("what branch %s held before it changed last cannot be told: this repository's reflog does not say", b.Environment.Branch),
		Hint: "say what to go back to with --to, one of: " + b.log(),
	}
}

// compose fills in the commit, unless there is nothing to roll back.
func (b *Rollback) compose(ctx context.Context, r *repo.Repo, base, to *state) error {
	e := b.Environment
	source, err := r.Commit(repo.ID(to.provenance.Source.Commit))
	if err != nil {
		return fmt.Errorf("reading the source of %s: %w", to.ID.Short(), err)
	}
	b.To, b.Source = to.ID, source.ID
	tip, err := readTip(r, b.Before)
	if err != nil {
		return err
	}
	if b.Changes, err = diff.Objects(tip.files, to.files, e.Path); err != nil {
		return err
	}
	now, _ := base.provenance.Environment(e.Path)
	old, _ := to.provenance.Environment(e.Path)
	if now.Tree == old.Tree && len(b.Edits) == 0 {
		b.After = b.Before
		return nil
	}
	p := rolledBack(*base.provenance, e.Path, to)
	if b.spec.changes, err = rollbackChanges(r, base, to, p, e); err != nil {
		return err
	}
	b.spec.base, b.spec.parents = tip.Tree, []repo.ID{b.Before}
	when := tip.Committer.When
	if to.Committer.When.After(when) {
		when = to.Committer.When
	}
	b.spec.commit = r.Committer()
	b.spec.commit.When = when
	b.spec.author = b.spec.commit
	records, err := pinsOf(base, to, p, e.Name)
	if err != nil {
		return err
	}
	b.spec.message = message(fmt.Sprintf("%s: rolled back to %s", e.Name, to.ID.Short()), source.Message, discards(b.Edits), p, records)
	return nil
}

// rollbackChanges puts together the environments' directories and the records:
// those of base, but for the one environment those of to.
func rollbackChanges(r *repo.Repo, base, to *state, p tree.Provenance, e config.Environment) ([]repo.Change, error) {
	var all []repo.Change
	for _, at := range p.Environments {
		all = append(all, repo.Change{Path: at.Path, Tree: repo.ID(at.Tree)})
	}
	records, _, err := recordIDs(r, base, e.Name)
	if err != nil {
		return nil, err
	}
	_, own, err := recordIDs(r, to, e.Name)
	if err != nil {
		return nil, err
	}
	maps.Copy(records, own)
	data, err := p.Encode()
	if err != nil {
		return nil, err
	}
	files := []repo.File{{Path: tree.ProvenancePath[len(tree.Dir)+1:], Data: data}}
	for _, path := range slices.Sorted(maps.Keys(records)) {
		files = append(files, repo.File{Path: path[len(tree.Dir)+1:], Mode: records[path].Mode, ID: records[path].ID})
	}
	return append(all, repo.Change{Path: tree.Dir, Files: files}), nil
}

// pinsOf gives the pins of the environments as they are after a rollback.
func pinsOf(base, to *state, p tree.Provenance, environment string) ([]tree.Pin, error) {
	var all []tree.AppRecord
	for _, e := range p.Environments {
		from := base
		if e.Name == environment {
			from = to
		}
		records, err := tree.Records(from.files, e.Name)
		if err != nil {
			return nil, err
		}
		all = append(all, records...)
	}
	return tree.Pins(all), nil
}

// Apply writes the commit and moves the branch, if it still is where it was
// when the rollback was planned. now is the time for the reflog. After a
// *repo.ReflogError all has been done but the reflog.
func (b *Rollback) Apply(ctx context.Context, r *repo.Repo, now time.Time) (err error) {
	if b.Nothing() {
		return nil
	}
	w := r.NewWriter()
	defer func() { err = errors.Join(err, w.Close()) }()
	id, err := b.spec.write(ctx, w)
	if err != nil {
		return err
	}
	if err := w.Flush(ctx); err != nil {
		return err
	}
	updates := []repo.RefUpdate{{Name: "refs/heads/" + b.Environment.Branch, Old: b.local, New: id}}
	err = move(ctx, r, w, updates, now, "sluice rollback")
	var reflog *repo.ReflogError
	if err == nil || errors.As(err, &reflog) {
		b.After = id
	}
	return err
}
