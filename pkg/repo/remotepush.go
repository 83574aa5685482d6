package repo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sluice-dev/sluice/pkg/refname"
)

// PushRef moves one ref of the remote. Old is the value that it must have there, ""
// if it must be absent. New is a commit, "" to delete the ref.
type PushRef struct {
	Name     string // in full: refs/heads/env/staging
	Old, New ID
}

// Outcome is what became of one ref of a push.
type Outcome int

// The outcomes. Untried stands for a ref that was not sent because another one
// failed before it.
const (
	Untried Outcome = iota
	Moved
	Already // it had the new value before
	Refused
	Unclear
)

func (o Outcome) String() string {
	return [...]string{"untried", "moved", "already there", "refused", "unclear"}[o]
}

// PushResult is what became of one ref. Said is what the server and its hooks had
// to say, as it came: it may hold anything, terminal controls too.
type PushResult struct {
	PushRef
	Outcome Outcome
	Said    string
}

// Push moves refs of the remote, all or none if the server can do that, and
// otherwise one after the other in the order given, up to the first that fails. It never
// forces: the old values are compared by the server, and New must come after Old.
//
// If anything goes wrong on the way, the remote is asked what it has. So no error means that
// the refs stand at their new values, even if somebody else or an earlier run put them there.
// The errors that a caller can act on are *RemoteMovedError, *DeclinedError,
// *NotForwardError, *AuthError, *RemoteError and *UnknownOutcomeError; the
// results say which refs have moved nevertheless.
func (m *Remote) Push(ctx context.Context, refs []PushRef) ([]PushResult, error) {
	if len(m.pushAt) != 1 {
		return nil, &UnsupportedError{What: fmt.Sprintf("remote %q has %d push URLs", m.name, len(m.pushAt)), Hint: "give it one: they cannot be pushed to as one"}
	}
	if err := m.checkPush(ctx, refs); err != nil {
		return nil, err
	}
	p := &pushing{remote: m, at: m.pushAt[0], results: make([]PushResult, len(refs))}
	for i, r := range refs {
		p.results[i].PushRef = r
	}
	if err := p.run(ctx); err != nil {
		return p.results, err
	}
	return p.results, nil
}

// checkPush refuses what no server need be asked for.
func (m *Remote) checkPush(ctx context.Context, refs []PushRef) error {
	for i, u := range refs {
		if err := refname.Check(u.Name); err != nil {
			return err
		}
		for _, v := range refs[:i] {
			if v.Name == u.Name {
				return fmt.Errorf("pushing %q: it is given twice", u.Name)
			}
		}
		if u.Old != "" && !u.Old.valid() {
			return fmt.Errorf("pushing %q: old value %q is not a commit id", u.Name, u.Old)
		}
		if u.New == "" {
			continue
		}
		if _, err := m.repo.Commit(u.New); err != nil {
			return fmt.Errorf("pushing %q: %w", u.Name, err)
		}
		if u.Old == "" {
			continue
		}
		switch is, err := m.repo.IsAncestor(ctx, u.Old, u.New); {
		case err != nil:
			return fmt.Errorf("pushing %q: %w", u.Name, err)
		case is != Yes:
			return &NotForwardError{Ref: u.Name, Old: u.Old, New: u.New, Unknown: is == Unknown}
		}
	}
	return nil
}

// pushing is one push.
type pushing struct {
	remote  *Remote
	at      endpoint
	results []PushResult
}

func (p *pushing) run(ctx context.Context) error {
	all := make([]*PushResult, len(p.results))
	for i := range p.results {
		all[i] = &p.results[i]
	}
	atomic, err := p.once(ctx, all, len(all) > 1)
	if atomic || err != nil {
		return err
	}
	for i := range all {
		if _, err := p.once(ctx, all[i:i+1], false); err != nil {
			return err
		}
	}
	return nil
}

// once is one request. done is false, and nothing has been sent, if the refs have to go
// together and the server cannot do that.
func (p *pushing) once(ctx context.Context, refs []*PushResult, together bool) (done bool, err error) {
	m := p.remote
	g, w, stop, err := m.greet(ctx, p.at, receivePack)
	if err != nil {
		return true, m.fail("pushing to", p.at, err, "")
	}
	defer stop()
	defer w.close()
	todo, err := p.compare(ctx, g, refs)
	if err != nil || len(todo) == 0 {
		return true, err
	}
	together = together && len(todo) > 1
	if together && !g.can("atomic") {
		return false, nil
	}
	s := &sending{push: p, ctx: ctx, wire: w, greeting: g, todo: todo, atomic: together}
	if err := s.prepare(); err != nil {
		return true, err
	}
	report, err := s.send()
	return true, p.settle(ctx, s, report, err)
}

// compare sets aside what is done already. If any ref has moved, nothing is sent.
func (p *pushing) compare(ctx context.Context, g *greeting, refs []*PushResult) (todo []*PushResult, err error) {
	for _, r := range refs {
		switch have := g.refs[r.Name]; have {
		case r.New:
			r.Outcome = Already
			p.track(ctx, r)
		case r.Old:
			todo = append(todo, r)
		default:
			r.Outcome = Refused
			if err == nil {
				err = p.moved(r, have)
			}
		}
	}
	return todo, err
}

func (p *pushing) moved(r *PushResult, have ID) error {
	return &RemoteMovedError{URL: p.at.clean, Ref: r.Name, Want: r.Old, Have: have}
}

// settle finds out what became of what was sent.
func (p *pushing) settle(ctx context.Context, s *sending, report *report, err error) error {
	text := p.remote.scrub(s.said(err))
	for _, r := range s.todo {
		r.Said = text
	}
	if err == nil && report.good(s.todo) {
		for _, r := range s.todo {
			r.Outcome = Moved
			p.track(ctx, r)
		}
		return nil
	}
	refs, askErr := p.ask(ctx, s, report.final() || definite(err))
	var first error
	for _, r := range s.todo {
		if one := p.judge(ctx, s, r, report, refs, err, askErr); one != nil && (first == nil || weight(one) > weight(first)) {
			first = one
		}
	}
	return first
}

// weight puts the error of the ref at fault before those of the refs that only
// went down with it.
func weight(err error) int {
	var moved *RemoteMovedError
	var declined *DeclinedError
	switch {
	case errors.As(err, &moved):
		return 2
	case errors.As(err, &declined) && !strings.Contains(declined.Reason, "atomic") && !strings.Contains(declined.Reason, "transaction"):
		return 1
	}
	return 0
}

// judge decides one ref, after the remote has been asked.
func (p *pushing) judge(ctx context.Context, s *sending, r *PushResult, report *report, refs map[string]ID, err, askErr error) error {
	why, answered := report.refusal(r.Name)
	r.Outcome = Refused
	switch have := refs[r.Name]; {
	case askErr != nil && !s.sentAll() && !answered:
		return p.remote.fail("pushing to", p.at, err, "")
	case askErr != nil && answered && why != "":
		return &DeclinedError{URL: p.at.clean, Ref: r.Name, Reason: p.remote.scrub(why), Said: r.Said}
	case askErr != nil:
		r.Outcome = Unclear
		return &UnknownOutcomeError{URL: p.at.clean, Refs: s.names(), Err: p.remote.clean(errors.Join(err, askErr))}
	case have == r.New:
		r.Outcome = Moved
		p.track(ctx, r)
		return nil
	case have != r.Old:
		return p.moved(r, have)
	case answered:
		return &DeclinedError{URL: p.at.clean, Ref: r.Name, Reason: p.remote.scrub(or(why, "no reason given")), Said: r.Said}
	case s.sentAll() && !definite(err):
		r.Outcome = Unclear
		return &UnknownOutcomeError{URL: p.at.clean, Refs: s.names(), Asked: true, Err: p.remote.clean(err)}
	}
	return p.remote.fail("pushing to", p.at, err, "")
}

// definite says whether an error is the server's own answer that it did nothing.
// What a gateway says in its place is none.
func definite(err error) bool {
	var auth *AuthError
	var status *statusError
	return errors.As(err, &auth) || errors.As(err, &status) && status.code < 500
}

// The pauses between asking the remote: a push whose answer was lost may be at
// work there still, and whoever held the lock that it ran into too.
const (
	asks      = 3
	askPause  = 300 * time.Millisecond
	askWithin = 20 * time.Second
)

// ask gets the remote's refs. It goes on for a moment after an interrupt, since
// the answer decides what the user is told. final says that the server has
// turned the push down, so that nothing can land later.
func (p *pushing) ask(ctx context.Context, s *sending, final bool) (refs map[string]ID, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askWithin)
	defer cancel()
	for n := range asks {
		if n > 0 {
			select {
			case <-ctx.Done():
				return refs, err
			case <-time.After(askPause * time.Duration(n)):
			}
		}
		var g *greeting
		var w wire
		var stop func()
		if g, w, stop, err = p.remote.greet(ctx, p.at, receivePack); err != nil {
			continue
		}
		w.close()
		stop()
		refs = g.refs
		if final || s.changed(refs) || !s.sentAll() {
			return refs, nil
		}
	}
	if refs != nil {
		return refs, nil
	}
	return nil, err
}

// track moves the remote-tracking ref along, as git does. The push has landed;
// that the next fetch has to catch up is no failure.
func (p *pushing) track(ctx context.Context, r *PushResult) {
	branch, ok := strings.CutPrefix(r.Name, "refs/heads/")
	if !ok || r.New == "" {
		return
	}
	m := p.remote
	local, kept := m.tracking(branch)
	if !kept {
		// A clone of one branch keeps no others, but what was fetched by name is there.
		if _, err := m.repo.readRef(local); err != nil {
			return
		}
	}
	m.track(context.WithoutCancel(ctx), local, r.New, "update by push")
}

// Tracking is the remote-tracking ref of a branch: the one that the config keeps
// it under, else refs/remotes/NAME/BRANCH.
func (m *Remote) Tracking(branch string) string {
	local, _ := m.tracking(branch)
	return local
}

func (m *Remote) tracking(branch string) (local string, kept bool) {
	for _, text := range m.repo.config.all("remote." + m.name + ".fetch") {
		remote, to, ok := strings.Cut(strings.TrimPrefix(text, "+"), ":")
		spec := FetchSpec{remote, to}
		if !ok || checkSpecs([]FetchSpec{spec}) != nil {
			continue
		}
		if local, ok := spec.local("refs/heads/" + branch); ok {
			return local, true
		}
	}
	return "refs/remotes/" + m.name + "/" + branch, false
}
