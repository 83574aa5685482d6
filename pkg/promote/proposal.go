package promote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-dev/sluice/pkg/diff"
	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/inject"
	"github.com/sluice-dev/sluice/pkg/inject/conduit"
	"github.com/sluice-dev/sluice/pkg/repo"
	"github.com/sluice-dev/sluice/pkg/source"
	"github.com/sluice-dev/sluice/pkg/tree"
)

// maxSources bounds the source commits that a request names.
const maxSources = 250

// Proposal gives what a pull request says of the plan. link gives the page of
// a source commit. How the request is completed is for the caller to fill in.
func (p *Plan) Proposal(ctx context.Context, r *repo.Repo, link func(repo.ID) string) (forge.Proposal, error) {
	e := p.Environment
	out := forge.Proposal{
		Environment: e.Name, From: e.PromotedFrom, Branch: e.Branch, Path: e.Path,
		Before: string(p.Before), Commit: string(p.Candidate),
	}
	before, err := r.Files(p.Before)
	if err != nil {
		return out, err
	}
	after, err := r.Files(p.Candidate)
	if err != nil {
		return out, err
	}
	side := func(label repo.ID, files source.Tree) diff.Side {
		return diff.Side{Label: label.Short(), Files: diff.Below(files, e.Path), Path: e.Path}
	}
	report, err := diff.Compare(ctx, []diff.Pair{{Name: e.Name, Before: side(p.Before, before), After: side(p.Candidate, after)}}, diff.Options{Strip: conduit.Strip})
	if err != nil {
		return out, err
	}
	out.Objects = objects(report.Environments[0])
	records, err := tree.Records(after, e.Name)
	if err != nil {
		return out, err
	}
	out.Injectors, out.Skew = injectors(records)
	earlier, err := tree.ReadProvenance(before)
	if err != nil && !errors.Is(err, tree.ErrNoProvenance) {
		return out, err
	}
	since := repo.ID("")
	if earlier != nil {
		since = repo.ID(earlier.Source.Commit)
	}
	return out, p.sources(ctx, r, &out, since, link)
}

// objects gives what differs as a request shows it. A renamed object is one
// that changed, under its new name.
func objects(e diff.Environment) []forge.Object {
	var all []forge.Object
	for _, o := range e.Objects {
		f := forge.Object{Status: string(o.Status), Kind: o.Kind, Name: o.Object, File: o.File, Diff: o.Text.Unified()}
		if o.Status == diff.Renamed {
			f.Status, f.Name = string(diff.Changed), o.Object+", before: "+o.RenamedFrom
		}
		for _, i := range o.Images {
			f.ImagesBefore, f.ImagesAfter = add(f.ImagesBefore, i.Before), add(f.ImagesAfter, i.After)
		}
		for _, n := range o.Notes {
			if n.Kind == diff.Immutable {
				f.Immutable = add(f.Immutable, n.Path)
			}
		}
		all = append(all, f)
	}
	for _, f := range e.Files {
		o := forge.Object{Status: string(f.Status), Kind: "file that is no object", Name: f.File, File: f.File}
		if f.Order != nil {
			o.Diff = f.Order.Unified()
		}
		all = append(all, o)
	}
	return all
}

func add(list []string, text string) []string {
	if text == "" || slices.Contains(list, text) {
		return list
	}
	return append(list, text)
}

// injectors counts the workloads of each proxy's version and says what is
// known of versions that live together.
func injectors(records []tree.AppRecord) ([]forge.Injector, []string) {
	workloads := map[tree.Pin]int{}
	for _, r := range records {
		for _, o := range r.Objects {
			for _, p := range o.Injected {
				workloads[p]++
			}
		}
	}
	var all []forge.Injector
	var pins []inject.Pin
	for _, p := range tree.Pins(records) {
		all = append(all, forge.Injector{Name: p.Injector, Version: p.Version, Workloads: workloads[p]})
		pins = append(pins, inject.Pin{Injector: p.Injector, Version: p.Version})
	}
	var skew []string
	for _, s := range inject.Skews(pins) {
		if !s.Known {
			skew = append(skew, fmt.Sprintf("how %s %s and %s go together is not known", s.Injector, s.Versions[0], s.Versions[1]))
		}
		for _, n := range s.Notes {
			word := ""
			if n.Breaks {
				word = "breaks: "
			}
			skew = append(skew, fmt.Sprintf("%s%s %s beside %s: %s", word, s.Injector, n.From, n.To, n.Text))
		}
	}
	return all, skew
}

// sources lists the source commits that come in, along first parents, back to
// one that the environment has already.
func (p *Plan) sources(ctx context.Context, r *repo.Repo, out *forge.Proposal, since repo.ID, link func(repo.ID) string) error {
	complete, err := r.WalkFirstParents(ctx, p.Source, func(c *repo.Commit) (bool, error) {
		if since != "" {
			has, err := r.IsAncestor(ctx, c.ID, since)
			var missing *repo.MissingObjectError
			if has == repo.Yes || err != nil && !errors.As(err, &missing) {
				return false, err
			}
		}
		if len(out.Sources) == maxSources {
			out.Older = true
			return false, nil
		}
		subject, _, _ := strings.Cut(strings.TrimSpace(c.Message), "\n")
		out.Sources = append(out.Sources, forge.Source{Commit: string(c.ID), Subject: subject, URL: link(c.ID)})
		return true, nil
	})
	out.Older = out.Older || !complete
	return err
}
