package branch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// Tips is where a remote's environment branches stand, by their names. One that
// is not in it does not exist there.
type Tips map[string]repo.ID

// FetchTips gets the environment branches of chains, and more branches, from a
// remote. In a shallow clone it gets their last commits only.
func FetchTips(ctx context.Context, m *repo.Remote, chains []config.Chain, more ...string) (Tips, error) {
	names := append(Branches(chains), more...)
	got, err := m.Fetch(ctx, branchSpecs(m, names), repo.FetchOptions{Depth: 1})
	if err != nil {
		return nil, err
	}
	tips := Tips{}
	for _, b := range names {
		if id, ok := got["refs/heads/"+b]; ok {
			tips[b] = id
		}
	}
	return tips, nil
}

// Branches gives the environment branches of chains, in order.
func Branches(chains []config.Chain) []string {
	var names []string
	for _, chain := range chains {
		for _, e := range chain {
			names = append(names, e.Branch)
		}
	}
	return names
}

// HeadsAt reads a chain's heads as a remote has them. A branch here that the
// remote's has left behind is of no account. One that is ahead counts where the
// chain begins: what sluice commit made and nobody has pushed yet goes along. In
// the environments after it the same would be a promotion by accident.
func HeadsAt(ctx context.Context, r *repo.Repo, m *repo.Remote, chain config.Chain, tips Tips) ([]Head, error) {
	heads := make([]Head, len(chain))
	for i, e := range chain {
		h := Head{Environment: e, Tip: tips[e.Branch]}
		var err error
		if h.Local, err = tip(r.Branch(e.Branch)); err != nil {
			return nil, err
		}
		ahead, err := isAhead(ctx, r, m, h)
		if err != nil {
			return nil, err
		}
		if ahead && i == 0 {
			h.Tip = h.Local
		}
		if err := h.read(r); err != nil {
			return nil, err
		}
		heads[i] = h
	}
	return heads, nil
}

// HeadAt reads the head of an environment whose branch a remote has at tip, ""
// for none. What is here counts for nothing.
func HeadAt(r *repo.Repo, e config.Environment, at repo.ID) (Head, error) {
	h := Head{Environment: e, Tip: at}
	var err error
	if h.Local, err = tip(r.Branch(e.Branch)); err != nil {
		return h, err
	}
	return h, h.read(r)
}

// isAhead tells whether the branch here has commits that the remote's has not,
// and refuses one that lacks some of the remote's besides.
func isAhead(ctx context.Context, r *repo.Repo, m *repo.Remote, h Head) (bool, error) {
	if h.Local == "" || h.Local == h.Tip {
		return false, nil
	}
	if h.Tip == "" {
		return true, nil
	}
	behind, err := r.IsAncestor(ctx, h.Local, h.Tip)
	if err != nil || behind == repo.Yes {
		return false, err
	}
	ahead, err := r.IsAncestor(ctx, h.Tip, h.Local)
	switch name := h.Environment.Branch; {
	case err != nil || ahead == repo.Yes:
		return true, err
	case ahead == repo.Unknown || behind == repo.Unknown:
		return false, UnknownHistory(fmt.Sprintf("how branch %s here, at %s, stands to %s's, at %s, cannot be told", name, h.Local.Short(), m.Name(), h.Tip.Short()))
	default:
		return false, &finding.Refusal{
			Text: fmt.Sprintf("branch %s here, at %s, and %s's, at %s, have gone different ways", name, h.Local.Short(), m.Name(), h.Tip.Short()),
			Hint: fmt.Sprintf("look at what is only here: git log %s..%s; if nothing of it is needed: git branch -f %s %s", h.Tip.Short(), name, name, h.Tip),
		}
	}
}

// Pushing is one attempt to bring a run's chains to a remote.
type Pushing struct {
	Repo   *repo.Repo
	Remote *repo.Remote
	Tips   Tips
	Heads  [][]Head // a chain's heads as HeadsAt gave them, and its next commit
	Chains []*Next
	Now    time.Time // for the reflogs
}

// Pushed is what an attempt came to.
type Pushed struct {
	Moves   [][]Moved // a chain's branches of the remote, in order; also if they did not move after all
	Behind  []error   // why branches here did not follow although the push landed
	Results []repo.PushResult
}

// Run writes the commits, moves the branches of the remote, all of them or none
// if the remote can do that, and then those here after them. An error is
// one of (*repo.Remote).Push, and no branch here has moved then.
func (p Pushing) Run(ctx context.Context) (out Pushed, err error) {
	w := p.Repo.NewWriter()
	defer func() {
		if closed := w.Close(); closed != nil && err == nil {
			out.Behind = append(out.Behind, closed) // the push has landed
		}
	}()
	var refs []repo.PushRef
	for _, n := range p.Chains {
		moves, err := n.moves(ctx, w)
		if err != nil {
			return out, err
		}
		for i, m := range moves {
			moves[i].Before = p.Tips[m.Branch]
		}
		if before := p.Tips[n.Root.Branch]; n.Outcome == Unchanged && n.Tip != "" && before != n.Tip {
			moves = append(moves, Moved{Branch: n.Root.Branch, Before: before, After: n.Tip})
		}
		for _, m := range moves {
			refs = append(refs, repo.PushRef{Name: "refs/heads/" + m.Branch, Old: m.Before, New: m.After})
		}
		out.Moves = append(out.Moves, moves)
	}
	if len(refs) > 0 {
		if err := w.Flush(ctx); err != nil {
			return out, err
		}
		if out.Results, err = p.Remote.Push(ctx, refs); err != nil {
			return out, err
		}
	}
	// It has landed: an interruption must not turn that into an error.
	ctx = context.WithoutCancel(ctx)
	out.Behind = p.follow(ctx, out.Moves)
	if err := w.Recheck(ctx); err != nil {
		out.Behind = append(out.Behind, err)
	}
	return out, nil
}

// follow moves the branches here to where the remote's are: those that stand
// behind, and those that the push made. It gives why one could not.
func (p Pushing) follow(ctx context.Context, moves [][]Moved) (errs []error) {
	for i, heads := range p.Heads {
		if p.Chains[i].Outcome == Superseded {
			continue
		}
		pushed := map[string]repo.ID{}
		for _, m := range moves[i] {
			pushed[m.Branch] = m.After
		}
		for _, h := range heads {
			name := h.Environment.Branch
			at, moved := pushed[name]
			if !moved {
				at = p.Tips[name]
			}
			who := p.Repo.Committer()
			who.When = p.Now
			message := "sluice commit --push"
			if n := p.Chains[i]; moved && n.Outcome == Committed && n.Root.Branch == name {
				message = madeByPush
			}
			if err := Forward(ctx, p.Repo, name, at, moved, who, message); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errs
}

// Forward moves a branch here to where a remote's is, never backwards and never
// off its line: then it stays. What is not there is made only if create says so.
// who and message are for the reflog.
func Forward(ctx context.Context, r *repo.Repo, name string, to repo.ID, create bool, who repo.Signature, message string) error {
	for tries := 0; ; tries++ {
		now, err := tip(r.Branch(name))
		if err != nil {
			return err
		}
		if now == to || to == "" || now == "" && !create {
			return nil
		}
		if now != "" {
			if behind, err := r.IsAncestor(ctx, now, to); err != nil || behind != repo.Yes {
				return err
			}
		}
		if err := CheckMovable(r, name); err != nil {
			return err
		}
		err = r.UpdateRefs(ctx, []repo.RefUpdate{{Name: "refs/heads/" + name, Old: now, New: to}}, who, message)
		var moved *repo.MovedError
		if !errors.As(err, &moved) || tries == 5 {
			return err
		}
	}
}

// CheckBehind refuses a commit onto a branch that origin's has left behind, as it
// was last fetched: it could never be pushed.
func CheckBehind(ctx context.Context, r *repo.Repo, n *Next) error {
	name := n.Root.Branch
	if n.Outcome != Committed || n.local == "" {
		return nil
	}
	there, err := tip(r.RemoteBranch("origin", name))
	if err != nil || there == "" || there == n.local {
		return err
	}
	behind, err := r.IsAncestor(ctx, n.local, there)
	if err != nil || behind != repo.Yes {
		return err
	}
	return &finding.Refusal{
		Text: fmt.Sprintf("branch %s, at %s, is behind origin/%s, at %s: a commit onto it could not be pushed", name, n.local.Short(), name, there.Short()),
		Hint: fmt.Sprintf("bring it forward: git fetch . origin/%s:%s; or let sluice do both: sluice commit --push", name, name),
	}
}
