package branch

import (
	"context"
	"fmt"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// Snapshot is the branch that a request for an environment comes from. It holds
// one commit that waits to be let in, and does not move with any environment.
func Snapshot(environment string) string { return "sluice/promote/" + environment }

// Snapshots gives the branches that requests for the first environments of
// chains come from.
func Snapshots(chains []config.Chain) []string {
	var names []string
	for _, chain := range chains {
		names = append(names, Snapshot(chain.Root().Name))
	}
	return names
}

// ReviewHeads reads a chain's heads for a commit that is to be reviewed before
// the first branch gets it: as a remote has them, whatever is here. A commit
// that waits for its review on the snapshot is what the next one follows, as
// long as it follows the branch itself: then the request goes forward with it.
func ReviewHeads(ctx context.Context, r *repo.Repo, chain config.Chain, tips Tips) ([]Head, error) {
	heads := make([]Head, len(chain))
	for i, e := range chain {
		h := Head{Environment: e, Tip: tips[e.Branch], there: true}
		if waiting := tips[Snapshot(e.Name)]; i == 0 && waiting != "" && h.Tip != "" {
			follows, err := isAncestor(ctx, r, h.Tip, waiting)
			if err != nil {
				return nil, err
			}
			switch follows {
			case repo.Yes:
				h.Tip, h.Environment.Branch = waiting, Snapshot(e.Name)
			case repo.Unknown:
				return nil, UnknownHistory(fmt.Sprintf("how %s, at %s, stands to %s, at %s, cannot be told", Snapshot(e.Name), waiting.Short(), e.Branch, h.Tip.Short()))
			default:
				h.asked = waiting // perhaps what a button of the forge made another commit of
			}
		}
		if err := h.read(r); err != nil {
			return nil, err
		}
		heads[i] = h
	}
	return heads, nil
}

// Write adds the objects of a commit that is to be reviewed. It gives the commit
// that the chain's first environment is to get, and the branches that have to be
// made first: those that the remote lacks, at the root commit, so that a request
// has something to be compared with.
func (n *Next) Write(ctx context.Context, w *repo.Writer) (commit repo.ID, made []Moved, err error) {
	if made, err = n.moves(ctx, w); err != nil || n.Outcome == Superseded {
		return n.Tip, nil, err
	}
	commit = n.Tip
	if n.Outcome == Committed {
		commit, made = made[0].After, made[1:]
		if n.Tip == "" {
			made = append([]Moved{{Branch: n.Root.Branch, After: rootID}}, made...)
		}
	}
	return commit, made, nil
}
