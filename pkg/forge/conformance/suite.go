package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sluice-dev/sluice/pkg/forge"
)

// Run holds a forge to everything that is promised of all. open gives a server
// to each part; it may be one and the same.
func Run(t *testing.T, open func(t *testing.T) *Server) {
	for _, c := range []struct {
		name string
		hold func(*suite)
	}{
		{"request", request},
		{"draft", draft},
		{"words", words},
		{"beside", beside},
		{"closed", closed},
		{"deleted", deleted},
		{"evidence", evidence},
		{"checks", checks},
		{"merge", merge},
		{"base-moved", baseMoved},
		{"base-forward", baseForward},
		{"head-moved", headMoved},
		{"stale", stale},
		{"protected", protected},
		{"busy", busy},
		{"pushed", pushed},
		{"lost-open", lostOpen},
		{"lost-edit", lostEdit},
		{"lost-merge", lostMerge},
		{"lost-report", lostReport},
		{"credentials", credentials},
	} {
		t.Run(c.name, func(t *testing.T) { c.hold(begin(t, open(t), c.name)) })
	}
}

// proposal is what asks for a commit.
func (u *suite) proposal(commit string) forge.Proposal {
	return forge.Proposal{
		Environment: strings.TrimPrefix(u.base, "env/"), From: "staging", Branch: u.base, Path: "production", Before: u.commits[0], Commit: commit,
		Merge: "sluice promote production --merge",
	}
}

// propose pushes the head, as a promotion does before it asks.
func (u *suite) propose(commit string, want forge.Outcome, draft bool, labels ...string) forge.Proposed {
	u.t.Helper()
	u.push(u.head, commit)
	got, err := forge.Ensure(u.ctx, u.f, u.head, u.base, u.proposal(commit), draft, labels)
	if err != nil || got.Outcome != want {
		u.t.Fatalf("it is %q: %v; want %q", got.Outcome, err, want)
	}
	return got
}

// one holds that there is one open request, of this number.
func (u *suite) one(number int64) forge.Request {
	u.t.Helper()
	open, err := u.f.Find(u.ctx, u.head, u.base)
	if err != nil || len(open) != 1 || open[0].Number != number {
		u.t.Fatalf("open are %+v, %v; want #%d alone", open, err, number)
	}
	return open[0]
}

// state waits until a request is open, closed or merged.
func (u *suite) state(r forge.Request, want string) {
	u.t.Helper()
	u.soon(fmt.Sprintf("#%d", r.Number), func() string {
		got, err := u.People.State(r)
		if err != nil || got != want {
			return fmt.Sprintf("it is %s, %v; want %s", got, err, want)
		}
		return ""
	})
}

// refused holds that an error is of one of some kinds and says what to do.
func (u *suite) refused(err error, kinds ...forge.Kind) {
	u.t.Helper()
	var e *forge.Error
	if !errors.As(err, &e) || !slices.Contains(kinds, e.Kind) || e.Hint == "" {
		u.t.Fatalf("the error is %v, %+v; want one of the kinds %v", err, e, kinds)
	}
}

func (u *suite) merge(r forge.Request, to string) (bool, error) {
	return u.f.Merge(u.ctx, r, forge.Move{Branch: u.base, Old: u.commits[0], New: to})
}

// request opens a request, finds nothing to do, and brings it up to date.
func request(u *suite) {
	if err := u.People.Label("promotion"); err != nil {
		u.t.Fatal(err)
	}
	opened := u.propose(u.commits[1], forge.Opened, false, "promotion")
	u.state(opened.Request, "open")
	p := u.proposal(u.commits[1])
	r := u.one(opened.Number)
	if r.Title != p.Title() || !strings.Contains(r.Body, u.commits[1]) || r.Head != u.commits[1] || r.Draft || !slices.Equal(r.Labels, []string{"promotion"}) || !strings.HasPrefix(r.URL, "http") {
		u.t.Errorf("it is %+v", r)
	}
	if got := u.propose(u.commits[1], forge.Unchanged, false, "promotion"); got.Number != opened.Number {
		u.t.Errorf("#%d", got.Number)
	}
	if got := u.propose(u.commits[2], forge.Updated, false, "promotion"); got.Number != opened.Number {
		u.t.Errorf("#%d", got.Number)
	}
	u.soon("the head", func() string {
		if r := u.one(opened.Number); r.Head != u.commits[2] {
			return "it is at " + r.Head
		}
		return ""
	})
	if r := u.one(opened.Number); !strings.Contains(r.Body, u.commits[2]) || strings.Contains(r.Body, u.commits[1]) || !slices.Equal(r.Labels, []string{"promotion"}) {
		u.t.Errorf("it is %+v", r)
	}
	if at := u.at(u.base); at != u.commits[0] {
		u.t.Errorf("the base is at %s", at)
	}
}

// draft opens a draft, which stays one.
func draft(u *suite) {
	opened := u.propose(u.commits[1], forge.Opened, true)
	p := u.proposal(u.commits[1])
	if r := u.one(opened.Number); !r.Draft || r.Title != p.Title() {
		u.t.Errorf("it is %+v", r)
	}
	u.propose(u.commits[2], forge.Updated, true)
	e, err := u.f.Evidence(u.ctx, u.one(opened.Number), u.commits[2])
	if err != nil || !e.Draft {
		u.t.Errorf("%+v, %v", e, err)
	}
	if u.f.Buttons() {
		_, err := u.merge(opened.Request, u.commits[2])
		u.refused(err, forge.Invalid, forge.Forbidden, forge.Moved)
		if at := u.at(u.base); at != u.commits[0] {
			u.t.Errorf("the base is at %s", at)
		}
	}
}

// words holds that what people write stays.
func words(u *suite) {
	opened := u.propose(u.commits[1], forge.Opened, false)
	r := u.one(opened.Number)
	if err := u.f.Edit(u.ctx, r, "For the fair", "Please look at the label.\n\n"+r.Body); err != nil {
		u.t.Fatal(err)
	}
	u.propose(u.commits[1], forge.Unchanged, false)
	u.propose(u.commits[2], forge.Updated, false)
	if r = u.one(opened.Number); r.Title != "For the fair" || !strings.HasPrefix(r.Body, "Please look") || !strings.Contains(r.Body, u.commits[2]) {
		u.t.Errorf("it is %+v", r)
	}
}

// beside has several runs ask for the same at once.
func beside(u *suite) {
	u.push(u.head, u.commits[1])
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if _, err := forge.Ensure(u.ctx, u.f, u.head, u.base, u.proposal(u.commits[1]), false, nil); err != nil {
				u.t.Error(err)
			}
		})
	}
	group.Wait()
	open, err := u.f.Find(u.ctx, u.head, u.base)
	if err != nil || len(open) == 0 || len(open) > 1 && u.Atomic {
		u.t.Errorf("%d are open, %v", len(open), err)
	}
	if len(open) > 1 {
		u.t.Logf("NOTE: four runs at once opened %d requests: this forge looks and opens in two steps", len(open))
	}
}

// closed holds that a request that people closed is not taken up again.
func closed(u *suite) {
	opened := u.propose(u.commits[1], forge.Opened, false)
	if !u.done(u.People.Close(opened.Request)) {
		return
	}
	u.state(opened.Request, "closed")
	if open, err := u.f.Find(u.ctx, u.head, u.base); err != nil || len(open) != 0 {
		u.t.Errorf("open are %+v, %v", open, err)
	}
	_, err := u.f.Evidence(u.ctx, opened.Request, u.commits[1])
	u.refused(err, forge.Moved)
	if u.f.Buttons() {
		_, err = u.merge(opened.Request, u.commits[1])
		u.refused(err, forge.Moved, forge.NotFound, forge.Invalid)
	}
	if at := u.at(u.base); at != u.commits[0] {
		u.t.Errorf("the base is at %s", at)
	}
	if again := u.propose(u.commits[1], forge.Opened, false); again.Number == opened.Number {
		u.t.Errorf("#%d is open again", again.Number)
	}
}

// deleted takes the head away and brings it back.
func deleted(u *suite) {
	u.propose(u.commits[1], forge.Opened, false)
	u.push(u.head, "")
	u.soon("without a head", func() string {
		open, err := u.f.Find(u.ctx, u.head, u.base)
		if err != nil || len(open) > 1 {
			return fmt.Sprintf("open are %+v, %v", open, err)
		}
		return ""
	})
	u.push(u.head, u.commits[2])
	u.soon("with a head again", func() string {
		got, err := forge.Ensure(u.ctx, u.f, u.head, u.base, u.proposal(u.commits[2]), false, nil)
		if err != nil {
			return err.Error()
		}
		open, err := u.f.Find(u.ctx, u.head, u.base)
		if err != nil || len(open) != 1 || open[0].Number != got.Number || open[0].Head != u.commits[2] {
			return fmt.Sprintf("open are %+v, %v", open, err)
		}
		return ""
	})
}

// credentials are those of nobody, and a repository that is not there.
func credentials(u *suite) {
	const wrong = "0123456789abcdef0123456789abcdef01234567"
	_, err := u.client(wrong, false).Find(u.ctx, u.head, u.base)
	u.refused(err, forge.Unauthorized)
	if strings.Contains(err.Error(), wrong) {
		u.t.Errorf("the token is in %q", err)
	}
	_, err = u.client(u.Token, true).Find(u.ctx, u.head, u.base)
	u.refused(err, forge.NotFound)
}
