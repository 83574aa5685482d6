package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/sluice-dev/sluice/pkg/forge/host"
)

// weather is the line of a walk: before each request somebody may do something,
// and the request or its answer may be lost, refused or too much.
type weather struct{ w *Walk }

func (v *weather) RoundTrip(r *http.Request) (*http.Response, error) {
	w := v.w
	w.mover()
	if w.busy {
		w.watch()
	}
	w.asking(r)
	switch k := w.Rand.IntN(60); {
	case w.calm:
	case k == 0:
		return answer(r, 502, "", "<html>"), nil
	case k == 1:
		return answer(r, 429, "1", `{"message": "slower"}`), nil
	case k == 2:
		return answer(r, 403, "1", `{"message": "You have exceeded a secondary rate limit"}`), nil
	case k == 3:
		return nil, errors.New("connection refused")
	case k == 4:
		return answer(r, 401, "", `{"message": "Bad credentials"}`), nil
	}
	res, err := w.Server.Via.RoundTrip(r)
	if w.busy {
		w.watch()
	}
	if err != nil || !w.in(40) {
		return res, err
	}
	w.note("  the answer is lost")
	res.Body.Close()
	if w.Rand.IntN(2) == 0 {
		return answer(r, 504, "", ""), nil
	}
	return nil, errors.New("connection reset by peer")
}

func answer(r *http.Request, status int, after, body string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	if after != "" {
		h.Set("Retry-After", after)
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(bytes.NewReader([]byte(body))), Request: r, ProtoMajor: 1, ProtoMinor: 1}
}

// asking looks at what sluice asks for.
func (w *Walk) asking(r *http.Request) {
	w.note("    %s %s", r.Method, r.URL.Path)
	path := r.URL.EscapedPath()
	if r.Method != http.MethodGet {
		w.now.knew = append(w.now.knew, w.now.read)
	}
	switch {
	case r.Method == http.MethodGet && w.now.move.Branch != "" && (strings.Contains(path, "/branches/") || strings.Contains(path, "/git/ref/")):
		w.now.read = w.at(w.now.move.Branch)
	case r.Method == http.MethodPost && (strings.HasSuffix(path, "/pulls") || strings.HasSuffix(path, "/merge_requests")):
		w.Repo.Lock()
		defer w.Repo.Unlock()
		if p := w.now.open; p != nil && w.Repo.Find(head(w.now.env), branch(w.now.env)) == p {
			w.wrong("another request is opened beside #%d, which was there all the time", p.Number)
		}
	}
}

// mover does, now and then, what other people do while sluice works.
func (w *Walk) mover() {
	if w.busy && w.in(12) {
		w.people()
	}
}

// people do one thing.
func (w *Walk) people() {
	env := w.one(w.envs)
	w.Repo.Lock()
	w.Repo.Settle()
	p := w.Repo.Find(head(env), branch(env))
	w.Repo.Unlock()
	user := w.one([]string{"ada", "bob", "mallory"})
	k := w.Rand.IntN(40)
	if p == nil && k < 22 {
		k = 22 + w.Rand.IntN(18)
	}
	switch {
	case k < 10:
		w.review(p, user, "APPROVED")
	case k < 12:
		w.review(p, user, "CHANGES_REQUESTED")
	case k < 14:
		w.review(p, user, "COMMENTED")
	case k < 15:
		w.review(p, user, "DISMISSED")
	case k < 16:
		w.do("close", env, func() { p.Closed = true })
	case k < 17:
		w.do("squash", env, func() { _ = w.Repo.Squash(p, "mover: squash") })
	case k < 18:
		w.do("draft or not", env, func() { p.Draft = !p.Draft })
	case k < 20:
		w.do("a check that fails", env, func() {
			w.Repo.Say(p.SHA, host.Status{Name: check, State: w.one([]string{"failure", "pending", "success"})})
		})
	case k < 22:
		w.do("words", env, func() { p.Title, p.Body = "Ours", "For the fair.\r\n"+p.Body })
	case k < 25: // somebody pushes to the snapshot
		w.note("  people push to the snapshot of %s", env)
		w.set(head(env), w.commit("stray", w.at(branch("staging"))), "mover: push")
	case k < 26:
		w.note("  people delete the snapshot of %s", env)
		w.set(head(env), "", "mover: delete")
	case k < 27: // back to an older commit
		w.note("  people move the snapshot of %s back", env)
		w.set(head(env), w.at(branch(env)), "mover: back")
	case k < 29: // another run of sluice was faster, perhaps with an older commit
		s, p := w.at(branch("staging")), w.at(branch(env))
		for range w.Rand.IntN(3) {
			if before := w.parent(s); w.contains(before, p) {
				s = before
			}
		}
		if w.contains(s, p) && s != p {
			w.note("  people move %s forward", env)
			w.set(branch(env), s, "mover: forward")
		}
	case k < 30:
		w.note("  people commit onto %s", env)
		w.set(branch(env), w.commit("by hand", w.at(branch(env))), "mover: by hand")
	case k < 33:
		w.heal(env)
	default:
		w.note("  staging goes on")
		w.set(branch("staging"), w.commit("hydrated", w.at(branch("staging"))), "mover: commit")
	}
}

// review gives a word on the head of a request. Who may not write may still
// say that they approve.
func (w *Walk) review(p *host.Pull, user, state string) {
	w.do(user+" "+state, p.Base, func() { w.Repo.Review(p, user, state, "") })
}

func (w *Walk) do(what, env string, act func()) {
	w.note("  people: %s %s", what, env)
	w.Repo.Lock()
	defer w.Repo.Unlock()
	act()
	w.Repo.Settle()
}

// heal makes the next hydrated commit take in what left the line.
func (w *Walk) heal(env string) {
	s, p := w.at(branch("staging")), w.at(branch(env))
	if w.contains(s, p) {
		s = w.commit("hydrated", s)
	} else {
		s = w.commit("healed", s, p)
	}
	w.note("  staging heals %s", env)
	w.set(branch("staging"), s, "mover: heal")
}

// mend takes away what keeps a promotion from coming in for good reason.
func (w *Walk) mend() {
	s := w.at(branch("staging"))
	w.Repo.Lock()
	defer w.Repo.Unlock()
	w.Repo.Say(s, host.Status{Name: check, State: "pending"})
}

// The repository, under its lock.

func (w *Walk) at(name string) string {
	w.Repo.Lock()
	defer w.Repo.Unlock()
	return w.Repo.Git.Branch(name)
}

func (w *Walk) parent(id string) string {
	w.Repo.Lock()
	defer w.Repo.Unlock()
	return w.Repo.Git.Parent(id)
}

func (w *Walk) contains(id, commit string) bool {
	w.Repo.Lock()
	defer w.Repo.Unlock()
	return w.Repo.Git.Contains(id, commit)
}

func (w *Walk) move(name, old, to, who string) error {
	w.Repo.Lock()
	defer w.Repo.Unlock()
	if old == to {
		return nil
	}
	return w.Repo.Git.Update(name, old, to, who)
}

// set moves a branch however it stands.
func (w *Walk) set(name, to, who string) {
	if err := w.move(name, w.at(name), to, who); err != nil {
		w.t.Fatal(err)
	}
	w.settle()
}

func (w *Walk) settle() {
	w.Repo.Lock()
	defer w.Repo.Unlock()
	w.Repo.Settle()
}

func (w *Walk) commit(message string, parents ...string) string {
	w.Repo.Lock()
	defer w.Repo.Unlock()
	id, err := w.Repo.Git.Commit(First, fmt.Sprintf("%s %d", message, len(w.steps)), parents...)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// reflog gives the lines that were added since the last look.
func (w *Walk) reflog(env string) []string {
	w.t.Helper()
	file, err := os.Open(filepath.Join(w.Repo.Git.Dir, "logs/refs/heads/env", env))
	if err != nil {
		w.t.Fatal(err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.NewSectionReader(file, w.reflogs[env], 1<<30))
	if err != nil {
		w.t.Fatal(err)
	}
	w.reflogs[env] += int64(len(data))
	return strings.FieldsFunc(string(data), func(r rune) bool { return r == '\n' })
}
