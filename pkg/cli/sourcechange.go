package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/forge"
	"github.com/sluice-dev/sluice/pkg/propose"
	"github.com/sluice-dev/sluice/pkg/repo"
)

// sourceBranch is a branch of the source as the remote has it now: what a
// change by pull request starts from, whatever lies in the working tree.
type sourceBranch struct {
	c      *command
	w      *workspace
	config *config.Config // of the working tree; it says where the forge is
	remote *repo.Remote
	forge  forge.Forge
	name   string    // main
	at     *snapshot // its tip
}

// sourceChange is what a verb asks for by pull request.
type sourceChange struct {
	Head      string // branch that the request comes from; one request each
	Title     string // of the request and, as a line, of the commit
	Message   string // what the commit says below its title; may be empty
	Intro     []forge.Markdown
	Sections  []forge.Section // what else the request says; the files are listed below it
	Files     []propose.File
	Overwrite bool // files that are there with other content are replaced
}

// sourceRequest is what came of it, for the output.
type sourceRequest struct {
	Outcome string            `json:"outcome"` // opened, updated, unchanged or nothing
	Number  int64             `json:"number,omitempty"`
	URL     string            `json:"url,omitempty"`
	Base    string            `json:"base"`
	Branch  string            `json:"branch"`
	Commit  repo.ID           `json:"commit"` // that holds the change
	Files   []propose.Changed `json:"files"`
}

// The outcomes that no request has.
const (
	nothingToDo   = "nothing"   // the base holds the change
	committedHere = "committed" // to the branch that is checked out
)

// openSource fetches a branch of the source, the remote's own if base is empty.
// Nothing is asked of the forge yet.
func (c *command) openSource(ctx context.Context, w *workspace, base string) (*sourceBranch, error) {
	if err := w.needRepo(); err != nil {
		return nil, err
	}
	cfg, err := w.anyConfig()
	if err != nil {
		return nil, err
	}
	target, err := c.sourceForge(w, cfg, "change the files here, commit them, and push the branch yourself: set-image does the first two with --commit")
	if err != nil {
		return nil, err
	}
	s := &sourceBranch{c: c, w: w, config: cfg, name: base}
	if s.remote, err = c.remote(w, "origin"); err != nil {
		return nil, err
	}
	if s.forge, err = c.forge(target, cfg, nil); err != nil {
		return nil, err
	}
	if s.name == "" {
		if s.name, err = s.defaultBranch(ctx); err != nil {
			return nil, err
		}
	}
	if err := s.checkBranch(s.name); err != nil {
		return nil, err
	}
	c.stage("fetching %s from %s", s.name, s.remote.URL())
	at, err := s.fetch(ctx, s.name)
	if err != nil {
		return nil, err
	}
	if at == "" {
		return nil, finding.Finding{Text: fmt.Sprintf("the remote %s has no branch %q", s.remote.Name(), s.name), Hint: "name the branch that the change is for: --base"}
	}
	s.at = &snapshot{ref: "refs/heads/" + s.name}
	return s, w.load(s.at, at, w.config)
}

// sourceForge finds the forge for a pull request on the source. otherwise says
// what to do where there is none.
func (c *command) sourceForge(w *workspace, cfg *config.Config, otherwise string) (forge.Target, error) {
	target, err := c.target(w, cfg, "origin")
	if err == nil && target.Type == forge.None {
		err = &finding.Refusal{
			Text: "a pull request needs a forge, and there is none: no remote is named origin, or the config says forge: {type: none}",
			Hint: otherwise,
		}
	}
	return target, err
}

// defaultBranch is the remote's own, or the one that is checked out.
func (s *sourceBranch) defaultBranch(ctx context.Context) (string, error) {
	name, err := s.remote.Default(ctx)
	if err != nil || name != "" {
		return name, err
	}
	var unborn *repo.UnbornError
	if name, _, err = s.w.repo.Head(); err != nil && !errors.As(err, &unborn) {
		return "", err
	}
	if name == "" {
		return "", finding.Finding{Text: "which branch the change is for cannot be told: the remote has no default branch, and none is checked out", Hint: "name it: --base"}
	}
	return name, nil
}

// checkBranch refuses branches that hold what was rendered, not source.
func (s *sourceBranch) checkBranch(name string) error {
	for _, e := range s.config.Environments {
		if e.Branch == name {
			return &finding.Refusal{
				Text: fmt.Sprintf("%s is the branch of environment %s: the source is not there", name, e.Name),
				Hint: "name the branch of the source: --base",
			}
		}
	}
	return nil
}

// fetch gets one branch and tells where the remote has it, "" if it has not.
func (s *sourceBranch) fetch(ctx context.Context, name string) (repo.ID, error) {
	full := "refs/heads/" + name
	got, err := s.remote.Fetch(ctx, []repo.FetchSpec{{Remote: full, Local: s.remote.Tracking(name)}}, repo.FetchOptions{Depth: 1})
	return got[full], err
}

// maxProposals is how often a commit is made anew if others move the request's
// branch meanwhile.
const maxProposals = 5

// propose makes the commit, pushes its branch and opens the pull request, or
// brings the open one up to date. It can be run again after any end.
func (s *sourceBranch) propose(ctx context.Context, ch sourceChange) (*sourceRequest, error) {
	if err := s.checkBranch(ch.Head); err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		request, err := s.once(ctx, ch)
		var moved *repo.RemoteMovedError
		if !errors.As(err, &moved) || attempt == maxProposals || s.c.pause(ctx, attempt) != nil {
			if err == nil {
				s.c.proposedNews(request)
			}
			return request, err
		}
	}
}

func (s *sourceBranch) once(ctx context.Context, ch sourceChange) (*sourceRequest, error) {
	head, err := s.fetch(ctx, ch.Head)
	if err != nil {
		return nil, err
	}
	open, err := s.forge.Find(ctx, ch.Head, s.name)
	if err != nil {
		return nil, err
	}
	text := forge.Text{Subject: ch.Title, Intro: ch.Intro}
	// It is the user's own commit, so git's config decides.
	sign, _ := s.w.repo.Config("commit.gpgsign")
	signer, err := s.c.signer(s.w, slices.Contains([]string{"true", "yes", "on", "1"}, strings.ToLower(sign)))
	if err != nil {
		return nil, err
	}
	author, committer := s.w.repo.Author(), s.w.repo.Committer()
	author.When, committer.When = s.c.Now(), s.c.Now()
	next, err := propose.Make(ctx, s.w.repo, propose.Place{
		Base: s.name, BaseAt: s.at.commit.ID, Head: ch.Head, HeadAt: head, Open: len(open) > 0,
	}, propose.Change{
		Files: ch.Files, Overwrite: ch.Overwrite, Author: author, Committer: committer, Signer: signer,
		Message: strings.TrimSpace(text.Title() + "\n\n" + strings.TrimSpace(ch.Message)),
	})
	if err != nil {
		return nil, err
	}
	out := &sourceRequest{Outcome: nothingToDo, Base: s.name, Branch: ch.Head, Commit: next.Commit, Files: append([]propose.Changed{}, next.Files...)}
	if next.Outcome == propose.Nothing {
		for _, r := range open {
			s.c.note("note: request #%d is open and asks for something else: close it if nobody wants that any more: %s", r.Number, r.URL)
		}
		return out, nil
	}
	if err := s.push(ctx, next); err != nil {
		return nil, err
	}
	text.Sections = append(slices.Clone(ch.Sections), fileSection(next.Files), onceMore())
	return out, s.ensure(ctx, text, next, out)
}

func fileSection(files []propose.Changed) forge.Section {
	s := forge.Section{Title: "Files"}
	for _, f := range files {
		s.Lines = append(s.Lines, forge.Markdownf(f.Status+" %s", f.Path))
	}
	return s
}

// onceMore says in a request's text how it stays up to date.
func onceMore() forge.Section {
	return forge.Section{Title: "To change it", Lines: []forge.Markdown{
		forge.Markdownf("Run the command again: it brings this request up to date, onto the newest base."),
		forge.Markdownf("Commits of your own on this branch stay: the command refuses to go on over them."),
	}}
}

func (s *sourceBranch) push(ctx context.Context, next *propose.Next) error {
	if next.Outcome == propose.Replace {
		s.c.note("note: %s was left at %s by a request that is not open any more, and is made anew", next.Head, next.HeadAt.Short())
	}
	if next.Outcome != propose.Unchanged {
		s.c.stage("pushing %s to %s", next.Head, s.remote.URL())
	}
	said, err := next.Push(ctx, s.remote)
	if !s.c.quiet {
		s.c.said(said)
	}
	return err
}

// ensure opens the request or brings its text up to date, and says what came
// of both.
func (s *sourceBranch) ensure(ctx context.Context, text forge.Text, next *propose.Next, out *sourceRequest) error {
	r, err := forge.EnsureText(ctx, s.forge, next.Head, s.name, text)
	if err != nil {
		return err
	}
	out.Number, out.URL, out.Outcome = r.Number, r.URL, string(r.Outcome)
	if r.Outcome == forge.Unchanged && next.Outcome != propose.Unchanged {
		out.Outcome = string(forge.Updated)
	}
	return nil
}

// line is the request as people read it.
func (r *sourceRequest) line() string {
	switch r.Outcome {
	case nothingToDo:
		return fmt.Sprintf("nothing to do: %s has it", r.Base)
	case committedHere:
		return fmt.Sprintf("committed to %s: %s", r.Branch, r.Commit.Short())
	}
	return fmt.Sprintf("#%d %s: %s", r.Number, r.Outcome, r.URL)
}

// baseFlag gives a verb the flag that says which branch a request is for.
func baseFlag(cmd *cobra.Command, base *string) {
	cmd.Flags().StringVar(base, "base", "", "the source `BRANCH` that the pull request is for (default: the remote's own)")
}
