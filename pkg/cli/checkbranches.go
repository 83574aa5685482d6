package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sluice-dev/sluice/pkg/branch"
	"github.com/sluice-dev/sluice/pkg/check"
	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// branches looks at the environment branches, as origin has them if it answers.
func (k *checkup) branches(ctx context.Context) error {
	a := k.add("branches")
	who := k.w.repo.Committer()
	if who.Email == "sluice@localhost" {
		a.advise("", fmt.Sprintf("commits are made by %s <%s>: nobody is configured", who.Name, who.Email), "git config user.name and user.email, or GIT_COMMITTER_NAME and GIT_COMMITTER_EMAIL")
	}
	var where []string
	for _, f := range check.Branches(k.environments(), k.places()) {
		if f.At == "" {
			where = append(where, f.Branch+" will be made")
		} else {
			where = append(where, f.Branch+" at "+f.At.Short())
		}
	}
	a.Text = strings.Join(where, ", ")
	head, err := k.w.revision("HEAD")
	if err != nil {
		return a.fault(ctx, err)
	}
	for _, chain := range k.source.config.Chains() {
		if err := k.chain(ctx, a, chain, head.commit.ID); err != nil {
			return err
		}
	}
	return nil
}

// places gives where the branches stand.
func (k *checkup) places() branch.Tips {
	if k.tips != nil {
		return k.tips
	}
	tips := branch.Tips{}
	for _, e := range k.environments() {
		h, err := branch.ReadHead(k.w.repo, e)
		if err == nil {
			tips[e.Branch] = h.Tip
		}
	}
	return tips
}

// chain looks at the branches of one chain.
func (k *checkup) chain(ctx context.Context, a *area, chain config.Chain, source repo.ID) error {
	heads, err := k.readHeads(ctx, a, chain)
	if err != nil {
		return a.fault(ctx, err)
	}
	for _, h := range heads {
		k.heads[h.Environment.Name] = h
	}
	var survey *branch.Survey
	err = k.deepen(ctx, func() (err error) {
		if survey, err = branch.Look(ctx, k.w.repo, heads, source, k.w.config, k.c.Version); err != nil {
			return err
		}
		var unknown *branch.HistoryError
		for _, r := range survey.Refused {
			if errors.As(r, &unknown) {
				return unknown
			}
		}
		if len(survey.Untold) > 0 {
			return branch.UnknownHistory("whether " + strings.Join(survey.Untold, ", ") + " has left the line cannot be told")
		}
		return nil
	})
	if survey == nil {
		return a.fault(ctx, err)
	}
	a.Findings = append(a.Findings, check.Survey(survey)...)
	return nil
}

// readHeads reads a chain's heads. What has gone another way here than there is
// a problem, and does not keep from looking at what is there.
func (k *checkup) readHeads(ctx context.Context, a *area, chain config.Chain) ([]branch.Head, error) {
	if k.tips == nil {
		return branch.ReadHeads(k.w.repo, chain)
	}
	var heads []branch.Head
	err := k.deepen(ctx, func() (err error) {
		heads, err = branch.HeadsAt(ctx, k.w.repo, k.remote, chain, k.tips)
		return err
	})
	if err != nil {
		if err := a.fault(ctx, err); err != nil {
			return nil, err
		}
		heads = nil
		for _, e := range chain {
			h, err := branch.HeadAt(k.w.repo, e, k.tips[e.Branch])
			if err != nil {
				return nil, err
			}
			heads = append(heads, h)
		}
		return heads, nil
	}
	root := heads[0]
	name := root.Environment.Branch
	switch there := k.tips[name]; {
	case root.Local == "" || root.Local == there:
	case root.Tip == root.Local:
		a.advise(name, "it is ahead of origin's here: what is only here cannot be promoted", "sluice commit --push brings it there")
	default:
		a.advise(name, "it is behind origin's here: sluice commit without --push is refused", fmt.Sprintf("git fetch . origin/%s:%s; or let sluice do both: sluice commit --push", name, name))
	}
	return heads, nil
}

// deepen runs a step, with as much of the remote's history as it takes.
func (k *checkup) deepen(ctx context.Context, step func() error) error {
	if k.history == nil {
		return step()
	}
	return k.history.With(ctx, step)
}

// forge looks at how the forge is set up.
func (k *checkup) forge(ctx context.Context) error {
	a := k.add("forge")
	cfg := k.source.config
	t, err := k.c.target(k.w, cfg, "origin")
	if err != nil {
		return a.fault(ctx, err)
	}
	if t.Type == forge.None {
		a.State, a.Text = areaSkipped, "there is none: environments are promoted here, and git push is up to you"
		a.Findings = check.Gates(cfg.Environments)
		if len(a.Findings) > 0 {
			a.State = areaProblem
		}
		return nil
	}
	a.Text = fmt.Sprintf("%s at %s, %s", t.Type, t.Web.Host, t.Project)
	f, err := k.c.forge(t, cfg, nil)
	if err != nil {
		return a.refused(ctx, err)
	}
	found := check.Forge{Type: t.Type, Branches: map[string]forge.Protection{}, Reported: map[string][]string{}, Own: []string{verifyStatus}}
	k.c.stage("asking %s how %s is set up", t.Web.Host, t.Project)
	if found.Settings, err = f.Settings(ctx); err != nil {
		return a.refused(ctx, err)
	}
	for _, e := range k.environments() {
		names := []string{e.Branch}
		if check.Asked(e) {
			names = append(names, branch.Snapshot(e.Name))
		}
		for _, name := range names {
			if found.Branches[name], err = f.Protection(ctx, name); err != nil {
				return a.refused(ctx, err)
			}
		}
		if err := k.reported(ctx, f, e, found.Reported); err != nil {
			return a.refused(ctx, err)
		}
	}
	a.Findings = found.Findings(k.environments())
	return nil
}

// refused takes an error of the forge's. One that says that whoever asks may
// not is what the other commands would end with.
func (a *area) refused(ctx context.Context, err error) error {
	var answer *forge.Error
	if !errors.As(err, &answer) {
		return a.fault(ctx, err)
	}
	switch answer.Kind {
	case forge.Unauthorized, forge.Forbidden, forge.NotFound:
		a.problem("", answer.Error(), answer.Hint)
	default:
		a.State, a.Text, a.Hint = areaFailed, answer.Error(), answer.Hint
	}
	return nil
}

// reported asks which checks were seen on the last hydrated commits that could
// come into an environment, or did.
func (k *checkup) reported(ctx context.Context, f forge.Forge, e config.Environment, seen map[string][]string) error {
	if len(e.RequiredChecks) == 0 {
		return nil
	}
	for _, name := range []string{e.Name, e.PromotedFrom} {
		h := k.heads[name]
		if h.Provenance == nil || k.tips[h.Environment.Branch] != h.Tip {
			continue // nothing hydrated yet, or only here
		}
		checks, err := f.Checks(ctx, string(h.Tip))
		if err != nil {
			return err
		}
		names := seen[e.Name]
		if names == nil {
			names = []string{}
		}
		for _, c := range checks {
			names = append(names, c.Name)
		}
		seen[e.Name] = names
	}
	return nil
}
