package branch

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// HistoryError is the refusal of a question whose answer lies in history that
// is not here. Once that is fetched the question can be asked again.
type HistoryError struct{ finding.Refusal }

func (e *HistoryError) Unwrap() error { return &e.Refusal }

// UnknownHistory makes a *HistoryError. what says what cannot be told.
func UnknownHistory(what string) error {
	return &HistoryError{finding.Refusal{Text: what + ": the history is not here", Hint: "fetch it: git fetch --unshallow, or fetch-depth: 0 in actions/checkout"}}
}

// History gets history from a remote, as far back as questions need it.
type History struct {
	repo   *repo.Repo
	remote *repo.Remote
	needed []string // branches of the remote
	known  bool     // the source's branch is among them
	step   int
	all    bool // every branch of the remote is asked for
}

// NewHistory takes the environments' branches and the branch of the source, ""
// if that is not known.
func NewHistory(r *repo.Repo, m *repo.Remote, environments []string, source string) *History {
	h := &History{repo: r, remote: m, needed: environments, known: source != "", all: source == ""}
	if h.known {
		h.needed = append(append([]string{}, environments...), source)
	}
	return h
}

// Again says that the remote may have moved on: More begins anew.
func (h *History) Again() { h.step, h.all = 0, !h.known }

// The depths of a shallow clone, one after the other: most questions are about
// the last few commits, and each step costs a conversation.
var deepen = []repo.FetchOptions{{}, {Deepen: 50}, {Deepen: 500}, {Unshallow: true}}

// More gets some more history. It is false once all that the remote has is here.
func (h *History) More(ctx context.Context) (bool, error) {
	for {
		if h.step == len(deepen) {
			if h.all {
				return false, nil
			}
			// The source may have come from another branch than it seems.
			h.all, h.step = true, 0
		}
		options := deepen[h.step]
		h.step++
		shallow, err := h.repo.Shallow()
		if err != nil {
			return false, err
		}
		if !shallow && options != (repo.FetchOptions{}) {
			continue
		}
		_, err = h.remote.Fetch(ctx, h.specs(), options)
		return true, err
	}
}

func (h *History) specs() []repo.FetchSpec {
	if h.all {
		return []repo.FetchSpec{{Remote: "refs/heads/*", Local: "refs/remotes/" + h.remote.Name() + "/*"}}
	}
	return branchSpecs(h.remote, h.needed)
}

func branchSpecs(m *repo.Remote, branches []string) []repo.FetchSpec {
	specs := make([]repo.FetchSpec, len(branches))
	for i, b := range branches {
		specs[i] = repo.FetchSpec{Remote: "refs/heads/" + b, Local: m.Tracking(b)}
	}
	return specs
}

// With runs a step and, as long as that ends for want of history, gets more and
// runs it again. The step must be one that can be run again.
func (h *History) With(ctx context.Context, step func() error) error {
	for {
		err := step()
		var unknown *HistoryError
		var missing *repo.MissingObjectError
		if !errors.As(err, &unknown) && !errors.As(err, &missing) {
			return err
		}
		more, fetchErr := h.More(ctx)
		switch {
		case fetchErr != nil:
			return fetchErr
		case !more:
			return err
		}
	}
}

// CheckHistory is a *HistoryError if the history here is too short to tell how
// the source stands to what a chain's root holds, or how the later branches
// stand to the root's. It refuses nothing else.
func CheckHistory(ctx context.Context, r *repo.Repo, heads []Head, source repo.ID) error {
	root := heads[0]
	if err := checkSourceHistory(ctx, r, root, source); err != nil {
		return err
	}
	for _, h := range heads[1:] {
		if root.Tip == "" || h.Tip == "" {
			continue
		}
		on, err := r.IsAncestor(ctx, h.Tip, root.Tip)
		if on == repo.No {
			// Off the line, its own past says why: it has to be here to the end.
			if on, err = r.IsAncestor(ctx, rootID, h.Tip); on == repo.No {
				continue
			}
		}
		if err != nil {
			return err
		}
		if on == repo.Unknown {
			return UnknownHistory(fmt.Sprintf("whether %s is on the line of %s cannot be told", h.Environment.Branch, root.Environment.Branch))
		}
	}
	return nil
}

func checkSourceHistory(ctx context.Context, r *repo.Repo, root Head, source repo.ID) error {
	if root.Provenance == nil {
		return nil
	}
	recorded := repo.ID(root.Provenance.Source.Commit)
	var missing *repo.MissingObjectError
	follows, err := r.IsAncestor(ctx, recorded, source)
	if err != nil || follows == repo.Yes {
		return err
	}
	// A recorded source that is not here may be a newer one that nobody fetched.
	precedes, err := r.IsAncestor(ctx, source, recorded)
	if err != nil && !errors.As(err, &missing) {
		return err
	}
	if err != nil || precedes == repo.Unknown || precedes == repo.No && follows == repo.Unknown {
		return unknownSource(root, source)
	}
	return nil
}
