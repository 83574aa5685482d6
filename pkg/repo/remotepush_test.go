package repo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// pushed is a remote with one branch, env/staging, at a commit that is here, and
// a commit that comes after it.
func pushed(t *testing.T, bare *gitRepo, url string) (a *gitRepo, m *Remote, old, next ID) {
	t.Helper()
	a = local(t, url)
	old = a.commit("x", "1")
	next = a.commit("x", "2")
	a.git("push", "-q", bare.dir, string(old)+":refs/heads/env/staging")
	return a, a.remote(a.options()), old, next
}

func (g *gitRepo) tip(ref string) ID {
	id, _ := g.try("", "rev-parse", "-q", "--verify", ref)
	return ID(id)
}

func TestPushMoved(t *testing.T) {
	transports(t, func(t *testing.T, bare *gitRepo, url string) {
		a, m, old, next := pushed(t, bare, url)
		other := a.commit("y", "other")
		a.git("push", "-q", bare.dir, string(other)+":refs/heads/env/staging")
		var moved *RemoteMovedError
		results, err := a.push(m, "env/staging", old, next)
		if !errors.As(err, &moved) || moved.Have != other || moved.Want != old || outcome(results) != "refused" {
			t.Errorf("Push to a branch that has moved = %v, %v", results, err)
		}
		// A branch that is gone is not made again.
		bare.git("update-ref", "-d", "refs/heads/env/staging")
		results, err = a.push(m, "env/staging", old, next)
		if !errors.As(err, &moved) || moved.Have != "" || outcome(results) != "refused" {
			t.Errorf("Push to a deleted branch = %v, %v", results, err)
		}
		if id := bare.tip("refs/heads/env/staging"); id != "" {
			t.Errorf("the deleted branch is back at %s", id)
		}
		// Nor is one overwritten that is not to be there.
		bare.git("update-ref", "refs/heads/env/new", string(other))
		if results, err = a.push(m, "env/new", "", next); !errors.As(err, &moved) || moved.Have != other {
			t.Errorf("creating a branch that exists = %v, %v", results, err)
		}
	})
}

func TestPushNeverForces(t *testing.T) {
	bare := newBare(t)
	a, m, old, next := pushed(t, bare, bare.dir)
	_, err := a.push(m, "env/staging", old, next)
	must(t, err)
	var forward *NotForwardError
	if _, err = a.push(m, "env/staging", next, old); !errors.As(err, &forward) || forward.Unknown {
		t.Errorf("Push backwards: %v", err)
	}
	if got := bare.tip("refs/heads/env/staging"); got != next {
		t.Errorf("the branch went back to %s", got)
	}
	if _, err = a.push(m, "env/staging", ID(strings.Repeat("1", 40)), next); !errors.As(err, &forward) {
		t.Errorf("Push from a commit that nobody has: %v", err)
	}
	for _, refs := range [][]PushRef{
		{{Name: "refs/heads/a..b", New: next}},
		{{Name: "main", New: next}},
		{{Name: "refs/heads/a", New: next}, {Name: "refs/heads/a", New: next}},
		{{Name: "refs/heads/a", New: "123"}},
		{{Name: "refs/heads/a", Old: "x", New: next}},
	} {
		if results, err := m.Push(t.Context(), refs); err == nil {
			t.Errorf("Push(%v) = %v, no error", refs, results)
		}
	}
}

func TestPushDeclined(t *testing.T) {
	transports(t, func(t *testing.T, bare *gitRepo, url string) {
		a, m, old, next := pushed(t, bare, url)
		bare.hook("pre-receive", "echo 'policy: no pushes on \033[31mFriday' >&2\nexit 1\n")
		results, err := a.push(m, "env/staging", old, next)
		var declined *DeclinedError
		if !errors.As(err, &declined) {
			t.Fatalf("Push = %v, %v, want *DeclinedError", results, err)
		}
		if !strings.Contains(declined.Said, "policy: no pushes on \033[31mFriday") || declined.Reason != "pre-receive hook declined" ||
			declined.Ref != "refs/heads/env/staging" || results[0].Said != declined.Said || outcome(results) != "refused" {
			t.Errorf("declined = %+v, results %v", declined, results)
		}
		// What a hook says about a push that lands is passed on too.
		bare.hook("pre-receive", "echo welcome >&2\n")
		results, err = a.push(m, "env/staging", old, next)
		if err != nil || !strings.Contains(results[0].Said, "welcome") {
			t.Errorf("Push = %+v, %v", results, err)
		}
	})
}

// TestPushSeveral pushes two refs of which the server declines the second.
func TestPushSeveral(t *testing.T) {
	for _, atomic := range []bool{true, false} {
		transports(t, func(t *testing.T, bare *gitRepo, url string) {
			bare.git("config", "receive.advertiseAtomic", fmt.Sprint(atomic))
			_, m, old, next := pushed(t, bare, url)
			bare.hook("update", `test "$1" != refs/heads/env/b`+"\n")
			refs := []PushRef{{"refs/heads/env/a", "", old}, {"refs/heads/env/b", "", old}, {"refs/heads/env/staging", old, next}}
			results, err := m.Push(t.Context(), refs)
			var declined *DeclinedError
			if !errors.As(err, &declined) {
				t.Fatalf("atomic %v: Push = %v, %v", atomic, results, err)
			}
			want, wantA := "refused,refused,refused", ID("")
			if !atomic {
				want, wantA = "moved,refused,untried", old
			}
			if outcome(results) != want || bare.tip("refs/heads/env/a") != wantA || bare.tip("refs/heads/env/staging") != old {
				t.Errorf("atomic %v: results %s, want %s", atomic, outcome(results), want)
			}
			if atomic && declined.Ref != "refs/heads/env/b" {
				t.Errorf("the ref at fault is given as %s: %s", declined.Ref, declined.Reason)
			}
			bare.hook("update", "exit 0\n")
			results, err = m.Push(t.Context(), refs)
			if err != nil || bare.tip("refs/heads/env/b") != old || bare.tip("refs/heads/env/staging") != next {
				t.Errorf("atomic %v: Push = %s, %v", atomic, outcome(results), err)
			}
			bare.fsck()
		})
	}
}

// TestPushRace lets pushers race for one branch: all land, nothing is lost.
func TestPushRace(t *testing.T) {
	transports(t, func(t *testing.T, bare *gitRepo, url string) {
		_, _, old, _ := pushed(t, bare, url)
		const pushers, each = 3, 3
		var wg sync.WaitGroup
		var lost atomic.Int32
		for n := range pushers {
			a := local(t, url)
			r := a.openEnv(Env{})
			m, err := r.Remote("origin", a.options())
			must(t, err)
			wg.Go(func() {
				for i := range each {
					if err := raceOne(t.Context(), r, m, fmt.Sprint(n, " ", i), &lost); err != nil {
						t.Errorf("pusher %d: %v", n, err)
						return
					}
				}
			})
		}
		wg.Wait()
		if got := bare.git("rev-list", "--count", string(old)+"..env/staging"); got != fmt.Sprint(pushers*each) {
			t.Errorf("%s commits landed, want %d (%d races lost)", got, pushers*each, lost.Load())
		}
		bare.fsck()
	})
}

// raceOne commits onto the remote's tip and pushes until that lands.
func raceOne(ctx context.Context, r *Repo, m *Remote, text string, lost *atomic.Int32) error {
	for range 50 {
		got, err := m.Fetch(ctx, []FetchSpec{{"refs/heads/env/staging", "refs/remotes/origin/env/staging"}}, FetchOptions{})
		if err != nil {
			return err
		}
		old := got["refs/heads/env/staging"]
		parent, err := r.Commit(old)
		if err != nil {
			return err
		}
		w := r.NewWriter()
		defer w.Close()
		id, err := w.Commit(CommitSpec{Tree: parent.Tree, Parents: []ID{old}, Author: who, Committer: who, Message: text})
		if err != nil {
			return err
		}
		if err := w.Flush(ctx); err != nil {
			return err
		}
		_, err = m.Push(ctx, []PushRef{{Name: "refs/heads/env/staging", Old: old, New: id}})
		var moved *RemoteMovedError
		if !errors.As(err, &moved) {
			return err
		}
		lost.Add(1)
	}
	return errors.New("always beaten")
}

// fault is a server that fails in one way for the pushes it gets.
type fault struct {
	*gitServer
	push func(w http.ResponseWriter, req *http.Request)
	dead atomic.Bool
}

func newFault(t *testing.T) *fault {
	f := &fault{gitServer: newServer(t)}
	outer := httptest.NewServer(f)
	t.Cleanup(outer.Close)
	f.url = outer.URL + "/remote.git"
	return f
}

func (f *fault) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	switch {
	case f.dead.Load():
		cut(w)
	case req.Method == http.MethodPost && f.push != nil:
		f.push(w, req)
	default:
		f.backend(w, req)
	}
}

func cut(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		conn.Close()
	}
}

func TestPushFaults(t *testing.T) {
	tests := []struct {
		name    string
		big     bool
		push    func(f *fault) func(http.ResponseWriter, *http.Request)
		landed  bool
		outcome string
		as      any
	}{
		{
			name: "cut while the request is on its way", big: true, outcome: "refused", as: new(*RemoteError),
			push: func(f *fault) func(http.ResponseWriter, *http.Request) {
				return func(w http.ResponseWriter, req *http.Request) { req.Body.Read(make([]byte, 100)); cut(w) }
			},
		},
		{
			name: "cut before the server does anything", outcome: "unclear", as: new(*UnknownOutcomeError),
			push: func(f *fault) func(http.ResponseWriter, *http.Request) {
				// With a body that was not read whole, the sender may see that it never arrived.
				return func(w http.ResponseWriter, req *http.Request) { io.Copy(io.Discard, req.Body); cut(w) }
			},
		},
		{
			name: "cut after the server has applied it", landed: true, outcome: "moved",
			push: func(f *fault) func(http.ResponseWriter, *http.Request) {
				return func(w http.ResponseWriter, req *http.Request) { f.backend(httptest.NewRecorder(), req); cut(w) }
			},
		},
		{
			name: "applied a moment after the cut", landed: true, outcome: "moved",
			push: func(f *fault) func(http.ResponseWriter, *http.Request) {
				return func(w http.ResponseWriter, req *http.Request) {
					body := httptest.NewRecorder()
					copied := req.Clone(context.Background())
					copied.Body = http.NoBody
					all := new(strings.Builder)
					if _, err := copyAll(all, req); err != nil {
						return
					}
					copied.Body = readCloser{strings.NewReader(all.String())}
					cut(w)
					time.Sleep(200 * time.Millisecond)
					f.backend(body, copied)
				}
			},
		},
		{
			name: "applied, and then the server is gone", landed: true, outcome: "unclear", as: new(*UnknownOutcomeError),
			push: func(f *fault) func(http.ResponseWriter, *http.Request) {
				return func(w http.ResponseWriter, req *http.Request) {
					f.backend(httptest.NewRecorder(), req)
					f.dead.Store(true)
					cut(w)
				}
			},
		},
		{
			name: "a gateway gives up after the push has landed", landed: true, outcome: "moved",
			push: func(f *fault) func(http.ResponseWriter, *http.Request) {
				return func(w http.ResponseWriter, req *http.Request) {
					f.backend(httptest.NewRecorder(), req)
					http.Error(w, "gateway timeout", http.StatusGatewayTimeout)
				}
			},
		},
		{
			name: "a report cut in half", landed: true, outcome: "moved",
			push: func(f *fault) func(http.ResponseWriter, *http.Request) {
				return func(w http.ResponseWriter, req *http.Request) {
					rec := httptest.NewRecorder()
					f.backend(rec, req)
					w.Header().Set("Content-Type", "application/x-git-receive-pack-result")
					w.Write(rec.Body.Bytes()[:20])
				}
			},
		},
		{
			name: "too large for the server", outcome: "refused", as: new(*RemoteError),
			push: func(f *fault) func(http.ResponseWriter, *http.Request) {
				return func(w http.ResponseWriter, req *http.Request) {
					http.Error(w, "too large", http.StatusRequestEntityTooLarge)
				}
			},
		},
		{
			name: "forbidden", outcome: "refused", as: new(*AuthError),
			push: func(f *fault) func(http.ResponseWriter, *http.Request) {
				return func(w http.ResponseWriter, req *http.Request) { http.Error(w, "no", http.StatusForbidden) }
			},
		},
		{
			name: "silence", outcome: "unclear", as: new(*UnknownOutcomeError),
			push: func(f *fault) func(http.ResponseWriter, *http.Request) {
				return func(w http.ResponseWriter, req *http.Request) {
					copyAll(new(strings.Builder), req)
					time.Sleep(1200 * time.Millisecond)
				}
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFault(t)
			a, _, old, next := pushed(t, f.gitRepo, f.url)
			o := a.options()
			o.Silence = 600 * time.Millisecond
			m := a.remote(o)
			if tt.big {
				noise := make([]byte, 24<<20)
				rand.Read(noise)
				a.write("noise", string(noise))
				next = a.commit("x", "with noise")
			}
			f.push = tt.push(f)
			results, err := a.push(m, "env/staging", old, next)
			if outcome(results) != tt.outcome || (err == nil) != (tt.as == nil) || tt.as != nil && !errors.As(err, tt.as) {
				t.Errorf("Push = %s, %v (%T), want %s, %T", outcome(results), err, err, tt.outcome, tt.as)
			}
			if landed := f.tip("refs/heads/env/staging") == next; landed != tt.landed {
				t.Errorf("landed %v, want %v", landed, tt.landed)
			}
			if tt.outcome == "moved" && a.tip("refs/remotes/origin/env/staging") != next {
				t.Error("the remote-tracking ref did not follow")
			}
			f.fsck()
		})
	}
}

// TestPushKilled kills the serving process right after it has moved the ref.
func TestPushKilled(t *testing.T) {
	transports(t, func(t *testing.T, bare *gitRepo, url string) {
		a, m, old, next := pushed(t, bare, url)
		bare.hook("reference-transaction", `if test "$1" = committed; then kill -9 $PPID; fi`+"\n")
		results, err := a.push(m, "env/staging", old, next)
		if err != nil || outcome(results) != "moved" || bare.tip("refs/heads/env/staging") != next {
			t.Errorf("Push = %s, %v", outcome(results), err)
		}
	})
}

// TestPushInterrupted cancels while a hook runs: the answer is the truth.
func TestPushInterrupted(t *testing.T) {
	transports(t, func(t *testing.T, bare *gitRepo, url string) {
		_, m, old, next := pushed(t, bare, url)
		flag := filepath.Join(t.TempDir(), "flag")
		bare.hook("pre-receive", "touch "+flag+"\nsleep 0.5\nexit 1\n")
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for range 500 {
				if _, err := os.Stat(flag); err == nil {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
			cancel()
		}()
		results, err := m.Push(ctx, []PushRef{{"refs/heads/env/staging", old, next}})
		var unknown *UnknownOutcomeError
		if !errors.As(err, &unknown) || !errors.Is(err, context.Canceled) || outcome(results) != "unclear" {
			t.Errorf("Push = %s, %v", outcome(results), err)
		}
	})
}

func TestSeveralPushURLs(t *testing.T) {
	bare := newBare(t)
	a, _, old, next := pushed(t, bare, bare.dir)
	a.git("config", "--add", "remote.origin.pushurl", "/a")
	a.git("config", "--add", "remote.origin.pushurl", "/b")
	var unsupported *UnsupportedError
	if _, err := a.push(a.remote(a.options()), "env/staging", old, next); !errors.As(err, &unsupported) {
		t.Errorf("Push to two URLs: %v", err)
	}
}

func copyAll(to *strings.Builder, req *http.Request) (int64, error) {
	b := make([]byte, 1<<16)
	for {
		n, err := req.Body.Read(b)
		to.Write(b[:n])
		if err != nil {
			return int64(to.Len()), nil
		}
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
