//go:build crash && linux && amd64

package crash

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// scenario is a command that moves branches, the repository before it, and
// where it leads.
type scenario struct {
	name     string
	args     []string
	start    string            // the repository, to be copied
	old, new map[string]string // branches before and after
	events   []event           // of a run that nothing happened to
	place    string
}

// scenarios are the commands that write: a first commit, which makes branches, a
// second one, which moves them, and a promotion.
func scenarios(t *testing.T) []*scenario {
	t.Helper()
	dir := place(t)
	first := filepath.Join(dir, "first")
	must(t, os.MkdirAll(first, 0o777))
	newSource(t, first)
	second := filepath.Join(dir, "second")
	must(t, copyTree(first, second))
	mustSluice(t, second, "commit")
	edit(t, second, "two")
	third := filepath.Join(dir, "third")
	must(t, copyTree(second, third))
	mustSluice(t, third, "commit")
	all := []*scenario{
		{name: "first commit", args: []string{"commit"}, start: first},
		{name: "second commit", args: []string{"commit"}, start: second},
		{name: "promotion", args: []string{"promote", "production", "--merge"}, start: third},
	}
	for _, s := range all {
		s.place = dir
		s.measure(t)
	}
	return all
}

// measure runs the command undisturbed.
func (s *scenario) measure(t *testing.T) {
	t.Helper()
	var err error
	s.old, err = heads(s.start)
	must(t, err)
	dir := filepath.Join(s.place, "measure")
	must(t, copyTree(s.start, dir))
	defer os.RemoveAll(dir)
	r, events, err := s.run(dir, plan{})
	must(t, err)
	if r.code != 0 {
		t.Fatalf("%s: %v", s.name, r)
	}
	s.events = events
	s.new, err = heads(dir)
	must(t, err)
	if maps.Equal(s.old, s.new) {
		t.Fatalf("%s moves nothing", s.name)
	}
	must(t, fsck(dir))
}

// run runs the command in a copy of the repository under a plan.
func (s *scenario) run(dir string, p plan) (result, []event, error) {
	exe, err := os.Executable()
	if err != nil {
		return result{}, nil, err
	}
	log := dir + ".events"
	defer os.Remove(log)
	args := []string{tracerArg, log, dir, fmt.Sprint(p.n), fmt.Sprint(p.only), fmt.Sprint(int(p.errno)), fmt.Sprint(p.sticky), sluice}
	r, err := execute(dir, exe, append(args, s.args...)...)
	if err != nil {
		return r, nil, err
	}
	if r.code == 99 {
		return r, nil, errors.New(r.stderr)
	}
	events, err := readEvents(log)
	return r, events, err
}

// in gives a fresh copy of the repository to a function.
func (s *scenario) in(n int, f func(dir string) error) error {
	dir := filepath.Join(s.place, fmt.Sprintf("%s %d", strings.ReplaceAll(s.name, " ", "-"), n))
	if err := copyTree(s.start, dir); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return f(dir)
}

// intact holds the repository to what must be true at any moment.
func (s *scenario) intact(dir string) error {
	at, err := heads(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, b := range branches {
		if at[b] != s.old[b] && at[b] != s.new[b] {
			errs = append(errs, fmt.Errorf("%s is at %q, neither at its old commit %q nor at its new one %q", b, at[b], s.old[b], s.new[b]))
		}
	}
	return errors.Join(append(errs, fsck(dir))...)
}

// landed says whether all branches are at their new commits.
func (s *scenario) landed(dir string) (bool, error) {
	at, err := heads(dir)
	return maps.Equal(at, s.new), err
}

// again runs the command undisturbed: it works and leads to the same commits.
func (s *scenario) again(dir string) error {
	r, err := execute(dir, sluice, s.args...)
	if err != nil {
		return err
	}
	if r.code != 0 {
		return fmt.Errorf("the next run: %v", r)
	}
	at, err := heads(dir)
	if err != nil {
		return err
	}
	if !maps.Equal(at, s.new) {
		return fmt.Errorf("after the next run the branches are at %v, want %v", at, s.new)
	}
	if locks := locksOf(dir); len(locks) > 0 {
		return fmt.Errorf("after the next run there are locks: %v", locks)
	}
	return fsck(dir)
}

// leftovers lists the files in .git whose names end so.
func leftovers(dir, suffix string) []string {
	var found []string
	filepath.WalkDir(filepath.Join(dir, ".git"), func(p string, _ os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(p, suffix) {
			found = append(found, p)
		}
		return nil
	})
	return found
}
