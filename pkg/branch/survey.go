package branch

import (
	"context"
	"errors"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// Survey is how a chain's branches stand to its next commit, whatever that
// will hold.
type Survey struct {
	Refused []error  // why it would be refused: *finding.Refusal, *HistoryError, *EditedError, *repo.MissingObjectError
	Strays  []*Stray // branches that left the line, which it takes in
	Untold  []string // branches of which it cannot be told whether they did
}

// Look finds everything for which a commit of source, by the config at file,
// would be refused; Plan ends at the first. ours is the version of sluice that
// runs. Nothing is rendered and nothing is written.
func Look(ctx context.Context, r *repo.Repo, heads []Head, source repo.ID, file, ours string) (*Survey, error) {
	s := &Survey{}
	for i, h := range heads {
		if i > 0 && h.Tip != "" {
			continue // it stays where it is
		}
		if err := s.take(CheckMovable(r, h.Environment.Branch)); err != nil {
			return nil, err
		}
	}
	from, err := start(ctx, r, heads)
	if err == nil {
		from, err = s.line(ctx, r, heads, from, ours)
	}
	if err := s.take(err); err != nil {
		return nil, err
	}
	if from.Provenance == nil {
		return s, nil
	}
	if _, err := checkSource(ctx, r, from, source, Options{}); s.take(err) != nil {
		return nil, err
	}
	if err := s.take(checkConfig(r, from, source, file)); err != nil {
		return nil, err
	}
	return s, nil
}

// line looks at what the next commit goes on from, and at the branches that it
// would take in. It gives that head with what can be believed of it.
func (s *Survey) line(ctx context.Context, r *repo.Repo, heads []Head, from Head, ours string) (_ Head, err error) {
	l := &line{from: from, parent: rootCommit()}
	if from.Tip != "" && from.Tip != rootID {
		if l.parent, err = r.Commit(from.Tip); err != nil {
			return l.from, err
		}
	}
	if err := s.take(l.checkFrom(ctx, r, ours, Options{})); err != nil {
		return l.from, err
	}
	for _, h := range heads {
		if h.Environment.Name == from.Environment.Name {
			continue
		}
		if err := s.take(l.takeIn(ctx, r, h, ours, Options{})); err != nil {
			return l.from, err
		}
	}
	s.Untold = l.untold
	for _, stray := range l.strays {
		if stray.tip != rootID { // where a branch begins that is still to be made
			s.Strays = append(s.Strays, stray)
		}
	}
	if len(l.edits) > 0 {
		s.Refused = append(s.Refused, &EditedError{l.edits})
	}
	return l.from, nil
}

// take keeps a refusal, and gives back what is none.
func (s *Survey) take(err error) error {
	var refusal *finding.Refusal
	var missing *repo.MissingObjectError
	if errors.As(err, &refusal) || errors.As(err, &missing) {
		s.Refused = append(s.Refused, err)
		return nil
	}
	return err
}
