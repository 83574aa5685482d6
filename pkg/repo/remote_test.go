package repo

import (
	"errors"
	"fmt"
	"testing"
)

// TestRoundTrip pushes and fetches a small history over each transport, with
// git's own check on both ends.
func TestRoundTrip(t *testing.T) {
	transports(t, func(t *testing.T, bare *gitRepo, url string) {
		a := local(t, url)
		m := a.remote(a.options())
		if refs, err := m.List(t.Context()); len(refs) != 0 || err != nil {
			t.Fatalf("List of an empty repository = %v, %v", refs, err)
		}
		one := a.commit("dir/x", "1")
		two := a.commit("dir/y", "2")
		results, err := a.push(m, "env/staging", "", one)
		if err != nil || outcome(results) != "moved" {
			t.Fatalf("Push = %v, %v", results, err)
		}
		results, err = a.push(m, "env/staging", one, two)
		if err != nil || outcome(results) != "moved" {
			t.Fatalf("second Push = %v, %v", results, err)
		}
		if got := a.id("refs/remotes/origin/env/staging"); got != two {
			t.Errorf("the remote-tracking ref is at %s, want %s", got, two)
		}
		results, err = a.push(m, "env/staging", one, two)
		if err != nil || outcome(results) != "already there" {
			t.Errorf("the same Push again = %v, %v", results, err)
		}
		bare.fsck()
		refs, err := m.List(t.Context())
		if refs["refs/heads/env/staging"] != two || err != nil {
			t.Errorf("List = %v, %v", refs, err)
		}

		b := local(t, url)
		got, err := b.remote(b.options()).Fetch(t.Context(), []FetchSpec{{"refs/heads/env/*", "refs/remotes/origin/env/*"}}, FetchOptions{})
		if err != nil || got["refs/heads/env/staging"] != two || len(got) != 1 {
			t.Fatalf("Fetch = %v, %v", got, err)
		}
		if got := b.id("origin/env/staging"); got != two {
			t.Errorf("after Fetch the ref is at %s, want %s", got, two)
		}
		b.fsck()
		three := a.commit("dir/x", "3")
		if _, err := a.push(m, "env/staging", two, three); err != nil {
			t.Fatal(err)
		}
		_, err = b.remote(b.options()).Fetch(t.Context(), []FetchSpec{
			{"refs/heads/env/staging", "refs/remotes/origin/env/staging"}, {"refs/heads/none", "refs/remotes/origin/none"},
		}, FetchOptions{})
		if got := b.id("origin/env/staging"); got != three || err != nil {
			t.Errorf("after the second Fetch the ref is at %s, want %s (%v)", got, three, err)
		}
		b.fsck()

		results, err = a.push(m, "env/staging", three, "")
		if err != nil || outcome(results) != "moved" {
			t.Errorf("deleting: %v, %v", results, err)
		}
		if refs, err := m.List(t.Context()); len(refs) != 0 || err != nil {
			t.Errorf("List after deleting = %v, %v", refs, err)
		}
	})
}

func TestDefaultBranch(t *testing.T) {
	transports(t, func(t *testing.T, bare *gitRepo, url string) {
		a := local(t, url)
		m := a.remote(a.options())
		want := func(name string) {
			t.Helper()
			if got, err := m.Default(t.Context()); got != name || err != nil {
				t.Errorf("Default = %q, %v, want %q", got, err, name)
			}
		}
		want("")
		if _, err := a.push(m, "trunk", "", a.commit("x", "1")); err != nil {
			t.Fatal(err)
		}
		want("")
		bare.git("symbolic-ref", "HEAD", "refs/heads/trunk")
		want("trunk")
		bare.git("update-ref", "--no-deref", "HEAD", "refs/heads/trunk")
		want("")
	})
}

func TestNoRemote(t *testing.T) {
	g := newGit(t)
	if _, err := g.open().Remote("origin", RemoteOptions{}); !errors.Is(err, ErrNoRemote) {
		t.Errorf("Remote = %v, want ErrNoRemote", err)
	}
}

// TestManyObjects fetches a history whose pack has deltas of both kinds in it.
func TestManyObjects(t *testing.T) {
	transports(t, func(t *testing.T, bare *gitRepo, url string) {
		g := newGit(t)
		var last ID
		for i := range 12 {
			text := ""
			for j := range 300 {
				text += fmt.Sprintf("line %d of %d\n", j, j*i%7)
			}
			g.write(fmt.Sprintf("d/%d", i%3), text)
			last = g.commit("big", text+fmt.Sprint(i))
		}
		g.git("push", "-q", bare.dir, "HEAD:refs/heads/main")
		bare.git("repack", "-adfq", "--depth=40", "--window=20")
		b := local(t, url)
		_, err := b.remote(b.options()).Fetch(t.Context(), []FetchSpec{{"refs/heads/main", "refs/remotes/origin/main"}}, FetchOptions{})
		must(t, err)
		if got := b.id("origin/main"); got != last {
			t.Errorf("the ref is at %s, want %s", got, last)
		}
		b.fsck()
	})
}
