package conformance

import (
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/forge/host"
)

// look holds every move since the last look to the promises: the reflogs say
// who made it.
func (w *Walk) look() {
	w.t.Helper()
	for _, env := range append([]string{"staging"}, w.envs...) {
		for _, line := range w.reflog(env) {
			old, rest, _ := strings.Cut(line, " ")
			to, rest, _ := strings.Cut(rest, " ")
			_, who, _ := strings.Cut(rest, "\t")
			w.been[env][to] = true
			if strings.HasPrefix(who, "mover") {
				continue
			}
			w.counts["moved by "+who]++
			m := w.now.move
			switch {
			case m.Branch != branch(env) || to != m.New:
				w.wrong("%s was moved to %.10s by %q; %+v was asked for", env, to, who, m)
			case !w.contains(to, old):
				w.wrong("%s was moved from %.10s to %.10s by %q: that is not forward", env, old, to, who)
			case strings.HasPrefix(who, "push") && old != m.Old:
				w.wrong("%s was moved from %.10s, not from %.10s, by a push", env, old, m.Old)
			case old != m.Old && !slices.Contains(w.now.knew, m.Old):
				w.wrong("%s was moved from %.10s, not from %.10s, and before that it was read to be at %.10s", env, old, m.Old, w.now.knew)
			}
		}
	}
	w.Repo.Lock()
	defer w.Repo.Unlock()
	asked := map[string]int{}
	for _, p := range w.Repo.Pulls {
		if p.Open() && !p.Fork {
			asked[p.Head+" "+p.Base]++
		}
	}
	for what, n := range asked {
		if n > 1 {
			w.wrong("%d requests are open: %s", n, what)
		}
	}
}

// watch notes what is true now, for what is judged later.
func (w *Walk) watch() {
	w.Repo.Lock()
	defer w.Repo.Unlock()
	w.Repo.Settle()
	p := w.Repo.Find(head(w.now.env), branch(w.now.env))
	if p == nil {
		return
	}
	last := map[string]host.Review{}
	for _, v := range p.Reviews {
		if v.State != "COMMENTED" {
			last[v.User] = v
		}
	}
	yes, no := map[string]int{}, 0
	for user, v := range last {
		switch {
		case !w.Repo.MayWrite(user):
		case v.State == "APPROVED":
			yes[v.Commit]++
		case v.State == "CHANGES_REQUESTED":
			no++
		}
	}
	for commit := range yes {
		if no == 0 || w.Kept {
			w.now.approved[commit] = true
		}
	}
	if s := w.Repo.Latest(p.SHA, false); slices.ContainsFunc(s, func(s host.Status) bool { return s.Name == check && s.State == "success" }) {
		w.now.checked[p.SHA] = true
	}
}
