package branch

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/sluice-dev/sluice/pkg/config"
	"github.com/sluice-dev/sluice/pkg/repo"
)

func open(t *testing.T) *repo.Repo {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("git", "init", "-q", dir).CombinedOutput(); err != nil {
		t.Fatalf("git init: %v\n%s", err, out)
	}
	r, err := repo.Open(dir, repo.EnvFrom(func(name string) string {
		return map[string]string{"HOME": dir, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": filepath.Join(dir, "none")}[name]
	}))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// untilMoved is a context that is interrupted as soon as the branch stands.
type untilMoved struct {
	context.Context
	r *repo.Repo
}

func (c untilMoved) Err() error {
	if _, err := c.r.Branch("env/staging"); err == nil {
		return context.Canceled
	}
	return nil
}

// An interruption after the branches have moved is too late to be one: Apply
// says what it did.
func TestApplyInterruptedLate(t *testing.T) {
	r := open(t)
	staging := config.Environment{Name: "staging", Branch: "env/staging", Path: "staging"}
	next := &Next{Outcome: Unchanged, Root: staging, Made: []config.Environment{staging}}
	moves, err := Apply(untilMoved{t.Context(), r}, r, []*Next{next}, epoch.When)
	if err != nil || len(moves) != 1 || len(moves[0]) != 1 || moves[0][0].After != rootID {
		t.Errorf("moves %v, error %v", moves, err)
	}
}

// A run that loses the race to one that does the same has done it; one that
// loses it to another has not.
func TestApplyLandedBefore(t *testing.T) {
	r := open(t)
	staging := config.Environment{Name: "staging", Branch: "env/staging", Path: "staging"}
	production := config.Environment{Name: "production", Branch: "env/production", Path: "production"}
	first := &Next{Outcome: Unchanged, Root: staging, Made: []config.Environment{staging}}
	for range 2 {
		if _, err := Apply(t.Context(), r, []*Next{first}, epoch.When); err != nil {
			t.Fatal(err)
		}
	}
	var moved *repo.MovedError
	both := &Next{Outcome: Unchanged, Root: staging, Made: []config.Environment{staging, production}}
	if _, err := Apply(t.Context(), r, []*Next{both}, epoch.When); !errors.As(err, &moved) {
		t.Errorf("one of two branches was there already: %v", err)
	}
	if _, err := r.Branch("env/production"); !errors.Is(err, repo.ErrNoBranch) {
		t.Errorf("the other branch was made: %v", err)
	}
}
