// Package host is what a forge keeps of a repository, for tests: requests,
// reviews and statuses as values, branches in a real bare repository, so that
// "merged" means that a ref has moved. The packages fake beside the clients put
// a forge's API before it.
package host

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Owner is who every token belongs to that Tokens does not name.
const Owner = "sluice-bot"

// Repo is one repository at a forge. What is done to its fields beside
// requests is done between Lock and Unlock.
type Repo struct {
	sync.Mutex
	Git     Git
	Project string                                            // owner/name
	Fault   func(w http.ResponseWriter, r *http.Request) bool // answers in place of the forge

	Tokens   map[string]string // to users; nil for one user, Owner, with any token
	Writers  map[string]bool   // who may write, beside Owner
	Pulls    []*Pull           // by number, from 1
	Statuses map[string][]Status
	Labels   []string // that the repository knows, where a forge wants to know them
	Rules    map[string]Rule

	// How forges differ in what a push does to the requests that it touches.
	KeepsDeleted bool // a request whose head is gone stays open
	Unseen       bool // a request whose head got into its base by a push stays open

	clock int
}

// Rule is what is asked of a protected branch before it moves by a request.
type Rule struct {
	Approvals int
	Checks    []string
	Nobody    bool // may merge, or push
}

// Pull is a request.
type Pull struct {
	Number                  int
	Title, Body, Head, Base string
	SHA                     string // head, when it was last seen
	Author                  string
	Draft, Fork             bool
	Closed, Merged          bool
	Labels                  []string
	Reviews                 []Review
	Heads                   []Version // oldest first
}

// Version is a head that a request had.
type Version struct {
	Commit string
	At     time.Time
}

// Review is what somebody said of a request. The words are GitHub's: APPROVED,
// CHANGES_REQUESTED, COMMENTED, DISMISSED, PENDING.
type Review struct {
	ID                  int
	User, State, Commit string
	At                  time.Time
	Dismissed           bool // afterwards, by somebody else
}

// Status is what a program said of a commit, in the forge's own words.
type Status struct {
	ID               int
	Name, State      string
	Description, URL string
	Run              bool // a check run or a job, not a commit status
}

// Tick gives a time later than any before.
func (r *Repo) Tick() time.Time {
	r.clock++
	return time.Date(2026, 1, 5, 9, 0, r.clock, 0, time.UTC)
}

// User gives who a request's token belongs to, and false for nobody.
func (r *Repo) User(req *http.Request) (string, bool) {
	_, token, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	if r.Tokens == nil {
		return Owner, token != ""
	}
	user, ok := r.Tokens[token]
	return user, ok
}

// MayWrite tells whether a user may write to the repository.
func (r *Repo) MayWrite(user string) bool { return user == Owner || r.Writers[user] }

// Pull gives a request by its number, or nil.
func (r *Repo) Pull(n int) *Pull {
	if n < 1 || n > len(r.Pulls) {
		return nil
	}
	return r.Pulls[n-1]
}

// Open tells whether a request waits.
func (p *Pull) Open() bool { return !p.Closed && !p.Merged }

// Find gives the open request of this repository from a branch to another.
func (r *Repo) Find(head, base string) *Pull {
	for _, p := range r.Pulls {
		if p.Open() && !p.Fork && p.Head == head && p.Base == base {
			return p
		}
	}
	return nil
}

// Add adds a request.
func (r *Repo) Add(p Pull) *Pull {
	p.Number = len(r.Pulls) + 1
	r.Pulls = append(r.Pulls, &p)
	r.see(&p)
	return &p
}

// Settle does what pushes since the last time do to the open requests.
func (r *Repo) Settle() {
	if r.Git.Lies != nil {
		return
	}
	for _, p := range r.Pulls {
		if p.Open() && !p.Fork {
			r.see(p)
		}
	}
}

// see brings one request up to date with the branches.
func (r *Repo) see(p *Pull) {
	now, base := r.Git.Branch(p.Head), r.Git.Branch(p.Base)
	if now != "" && now != p.SHA {
		p.SHA, p.Heads = now, append(p.Heads, Version{now, r.Tick()})
	}
	switch {
	case !p.Open() || p.Fork:
	case !r.Unseen && p.SHA != "" && base != "" && r.Git.Contains(base, p.SHA):
		p.Merged = true
	case now == "" && !r.KeepsDeleted, base == "":
		p.Closed = true
	}
}

// Review adds somebody's word on a request, about its head if commit is empty.
func (r *Repo) Review(p *Pull, user, state, commit string) Review {
	if commit == "" {
		commit = p.SHA
	}
	v := Review{ID: len(p.Reviews) + 1, User: user, State: state, Commit: commit, At: r.Tick()}
	p.Reviews = append(p.Reviews, v)
	return v
}

// Say puts a status on a commit.
func (r *Repo) Say(commit string, s Status) Status {
	if r.Statuses == nil {
		r.Statuses = map[string][]Status{}
	}
	r.clock++
	s.ID = r.clock
	r.Statuses[commit] = append(r.Statuses[commit], s)
	return s
}

// Latest gives the last status of each name, the last one first.
func (r *Repo) Latest(commit string, run bool) []Status {
	var found []Status
	for _, s := range slices.Backward(r.Statuses[commit]) {
		if s.Run == run && !slices.ContainsFunc(found, func(f Status) bool { return f.Name == s.Name }) {
			found = append(found, s)
		}
	}
	return found
}

// Ruled tells what a branch's rule misses on a request, and nothing if it may
// come in. good are the words for a status that has passed.
func (r *Repo) Ruled(p *Pull, good ...string) string {
	rule := r.Rules[p.Base]
	approved := map[string]bool{}
	for _, v := range p.Reviews {
		if v.State != "COMMENTED" && !v.Dismissed {
			approved[v.User] = v.State == "APPROVED" && v.Commit == p.SHA && r.MayWrite(v.User)
		}
	}
	n := 0
	for _, yes := range approved {
		if yes {
			n++
		}
	}
	if n < rule.Approvals {
		return "not enough approvals"
	}
	for _, name := range rule.Checks {
		if !slices.ContainsFunc(r.Latest(p.SHA, false), func(s Status) bool { return s.Name == name && slices.Contains(good, s.State) }) {
			return fmt.Sprintf("required status check %q has not passed", name)
		}
	}
	return ""
}

// Forward merges a request by moving its base to its head, if that follows.
func (r *Repo) Forward(p *Pull, who string) bool {
	base := r.Git.Branch(p.Base)
	if base == "" || !r.Git.Contains(p.SHA, base) || r.Git.Update(p.Base, base, p.SHA, who) != nil {
		return false
	}
	p.Merged = true
	return true
}

// Squash merges a request as the button of that name does: by a new commit.
func (r *Repo) Squash(p *Pull, who string) error {
	base := r.Git.Branch(p.Base)
	id, err := r.Git.Commit(p.SHA, fmt.Sprintf("%s (#%d)", p.Title, p.Number), base)
	if err != nil {
		return err
	}
	p.Merged = true
	return r.Git.Update(p.Base, base, id, who)
}
